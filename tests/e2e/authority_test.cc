// `patd authority` as callers see it: certificates and sockets of every role, and what each of them can do, over real
// handshakes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "server/core/token_secret.h"
#include "server/crypto/bytes.h"
#include "tests/e2e/authority_process.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

// What somebody can do here, one status for each.
struct Powers {
  StatusCode introspect;
  StatusCode create;  // A token for ada.
  StatusCode list_users;
  StatusCode get_policy;
  StatusCode list_audit;
};

constexpr Powers kIntrospector = {StatusCode::OK, StatusCode::PERMISSION_DENIED, StatusCode::PERMISSION_DENIED,
                                  StatusCode::PERMISSION_DENIED, StatusCode::PERMISSION_DENIED};
constexpr Powers kAda = {StatusCode::PERMISSION_DENIED, StatusCode::OK, StatusCode::PERMISSION_DENIED,
                         StatusCode::PERMISSION_DENIED, StatusCode::PERMISSION_DENIED};
constexpr Powers kAdministrator = {StatusCode::OK, StatusCode::PERMISSION_DENIED, StatusCode::OK, StatusCode::OK,
                                   StatusCode::OK};
constexpr Powers kAll(StatusCode code) { return {code, code, code, code, code}; }

class AuthorityTest : public testing::Test {
 protected:
  void SetUp() override {
    authority_.Start({"--identity",      "spiffe=spiffe://example.org/gateway,role=introspector",
                      "--identity",      "dns=sidecar.example,role=introspector,digests=true",
                      "--identity",      "uri=https://portal.example/web,role=portal",
                      "--identity",      "spiffe=spiffe://example.org/console,role=portal,users=root",
                      "--identity",      "dns=laptop.example,role=user",
                      "--listen",        Socket("user"),
                      "--listen",        Socket("introspector"),
                      "--listen",        Socket("portal"),
                      "--listen",        "unix:" + authority_.directory / "plain.sock",
                      "--listen",        "127.0.0.1:0?plaintext",
                      "--health-listen", "0.0.0.0:0",
                      "--audit-log",     authority_.directory / "audit.jsonl",
                      "--log-level",     "info"});
    const Client root("unix:" + authority_.directory / "user.sock");
    authority_.MakeUser(root, "ada");
    secret_ = Client("unix:" + authority_.directory / "portal.sock").Create("ada", "checked").secret;
  }

  std::string Socket(const std::string& role) const {
    return absl::StrCat("unix:", authority_.directory / (role + ".sock"), "?role=", role, "&mode=0660");
  }
  Client Over(const std::string& name) const { return authority_.Over(authority_.Named(name)); }
  Client OnSocket(const std::string& role) const { return Client("unix:" + authority_.directory / (role + ".sock")); }

  void ExpectPowers(Client client, const Headers& headers, const Powers& powers) {
    EXPECT_EQ(client.Call(&IntrospectionStub::Introspect, headers, QuestionFor(secret_)).status.error_code(),
              powers.introspect);
    const Answer<v1::CreateTokenResponse> created =
        client.Call(&TokenStub::CreateToken, headers, CreationFor("ada", absl::StrCat("token ", ++tokens_)));
    EXPECT_EQ(created.status.error_code(), powers.create) << created.status.error_message();
    EXPECT_EQ(CallOf<v1::UserService>(client, &v1::UserService::Stub::ListUsers, headers, v1::ListUsersRequest())
                  .status.error_code(),
              powers.list_users);
    EXPECT_EQ(CallOf<v1::PolicyService>(client, &v1::PolicyService::Stub::GetPolicy, headers, v1::GetPolicyRequest())
                  .status.error_code(),
              powers.get_policy);
    EXPECT_EQ(CallOf<v1::AuditService>(client, &v1::AuditService::Stub::ListAuditEvents, headers,
                                       v1::ListAuditEventsRequest())
                  .status.error_code(),
              powers.list_audit);
  }

  AuthorityProcess authority_;
  std::string secret_;
  int tokens_ = 0;
};

TEST_F(AuthorityTest, ACertificateCanDoWhatItsRoleSaysAndNothingElse) {
  for (const char* name : {"URI:spiffe://example.org/gateway", "DNS:sidecar.example"}) {
    SCOPED_TRACE(name);
    ExpectPowers(Over(name), Nobody(), kIntrospector);
    ExpectPowers(Over(name), PortalFor("ada"), kAll(StatusCode::PERMISSION_DENIED));
  }
  ExpectPowers(Over("URI:https://portal.example/web"), PortalFor("ada"), kAda);
  ExpectPowers(Over("URI:https://portal.example/web"), Nobody(), kAll(StatusCode::UNAUTHENTICATED));
  ExpectPowers(Over("URI:https://portal.example/web"), PortalFor("root"), kAll(StatusCode::PERMISSION_DENIED));
  ExpectPowers(Over("DNS:laptop.example"), Person("ada"), kAda);
  ExpectPowers(Over("DNS:laptop.example"), AuthorityProcess::Administrator(), kAdministrator);
  ExpectPowers(Over("DNS:laptop.example"), Nobody(), kAll(StatusCode::UNAUTHENTICATED));
  ExpectPowers(Over("DNS:laptop.example"), WithPassword("ada", "wrong password"), kAll(StatusCode::UNAUTHENTICATED));
  // May act for an administrator, because its entry lists that one; with no more rights than anybody.
  Client console = Over("URI:spiffe://example.org/console");
  EXPECT_TRUE(
      console.Call(&TokenStub::CreateToken, PortalFor("root"), CreationFor("root", "by the console")).status.ok());
  ExpectPowers(Over("URI:spiffe://example.org/console"), PortalFor("root"),
               {StatusCode::PERMISSION_DENIED, StatusCode::PERMISSION_DENIED, StatusCode::PERMISSION_DENIED,
                StatusCode::PERMISSION_DENIED, StatusCode::PERMISSION_DENIED});
}

TEST_F(AuthorityTest, ACertificateWithoutARoleIsNobodyWhateverElseIsGiven) {
  for (const char* name : {"DNS:other.example", "URI:spiffe://example.org/other", "DNS:*.example",
                           "URI:https://portal.example/web/", "email:portal@example"}) {
    SCOPED_TRACE(name);
    for (const Headers& headers : {Nobody(), AuthorityProcess::Administrator(), PortalFor("ada"),
                                   Headers{{"authorization", "Bearer " + secret_}}}) {
      ExpectPowers(Over(name), headers, kAll(StatusCode::UNAUTHENTICATED));
    }
  }
  // A SPIFFE ID counts only if it is the only URI.
  const MadeCertificate two = MakeCertificate(
      {.names = {"URI:spiffe://example.org/gateway", "URI:spiffe://example.org/other"}}, authority_.client_ca);
  ExpectPowers(authority_.Over(two), Nobody(), kAll(StatusCode::UNAUTHENTICATED));
}

TEST_F(AuthorityTest, WithoutACertificateOfAClientCaThereIsNoConnection) {
  ExpectPowers(authority_.WithoutCertificate(), AuthorityProcess::Administrator(), kAll(StatusCode::UNAVAILABLE));
  ExpectPowers(Client(authority_.patd->address()), AuthorityProcess::Administrator(), kAll(StatusCode::UNAVAILABLE));
  const MadeCertificate stranger =
      MakeCertificate({.names = {"URI:spiffe://example.org/gateway"}}, MakeCa("client CA"));
  ExpectPowers(authority_.Over(stranger), Nobody(), kAll(StatusCode::UNAVAILABLE));
  const MadeCertificate by_the_server_ca =
      MakeCertificate({.names = {"URI:spiffe://example.org/gateway"}}, authority_.server_ca);
  ExpectPowers(authority_.Over(by_the_server_ca), Nobody(), kAll(StatusCode::UNAVAILABLE));
}

TEST_F(AuthorityTest, ASocketCanDoWhatItsRoleSaysAndNothingElse) {
  ExpectPowers(OnSocket("introspector"), Nobody(), kIntrospector);
  ExpectPowers(OnSocket("introspector"), PortalFor("ada"), kAll(StatusCode::PERMISSION_DENIED));
  ExpectPowers(OnSocket("portal"), PortalFor("ada"), kAda);
  ExpectPowers(OnSocket("portal"), PortalFor("root"), kAll(StatusCode::PERMISSION_DENIED));
  ExpectPowers(OnSocket("portal"), Nobody(), kAll(StatusCode::UNAUTHENTICATED));
  for (const char* role : {"user", "plain"}) {
    SCOPED_TRACE(role);
    ExpectPowers(OnSocket(role), Person("ada"), kAda);
    ExpectPowers(OnSocket(role), AuthorityProcess::Administrator(), kAdministrator);
    ExpectPowers(OnSocket(role), Nobody(), kAll(StatusCode::UNAUTHENTICATED));
    ExpectPowers(OnSocket(role), PortalFor("ada"), kAll(StatusCode::PERMISSION_DENIED));
  }
  struct stat info {};
  ASSERT_EQ(stat((authority_.directory / "portal.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660u);
  ASSERT_EQ(stat((authority_.directory / "plain.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_F(AuthorityTest, DigestsAreForTheEntryThatHasThem) {
  v1::IntrospectRequest request;
  request.set_token_sha256(std::string(AsText(Sha256(secret_))));
  const auto answer_to = [&](const char* name) {
    return Over(name).Call(&IntrospectionStub::Introspect, Nobody(), request);
  };
  EXPECT_TRUE(answer_to("DNS:sidecar.example").value().active());
  EXPECT_EQ(answer_to("URI:spiffe://example.org/gateway").status.error_code(), StatusCode::PERMISSION_DENIED);
}

TEST_F(AuthorityTest, ATokenManagesItselfAndNothingElse) {
  const Headers bearer = {{"authorization", "Bearer " + secret_}};
  ExpectPowers(Over("DNS:laptop.example"), bearer, kAll(StatusCode::PERMISSION_DENIED));
  v1::GetTokenRequest get;
  get.set_name(OnSocket("portal").List("ada").front().name());
  EXPECT_TRUE(Over("DNS:laptop.example").Call(&TokenStub::GetToken, bearer, get).status.ok());
}

// Nobody has sent a password in the clear because a server took it.
TEST_F(AuthorityTest, PlaintextOnLoopbackIsForHealthAndReflectionOnly) {
  const std::string address = authority_.patd->addresses().back();
  ASSERT_THAT(address, testing::StartsWith("127.0.0.1:"));
  for (const Headers& headers :
       {Nobody(), AuthorityProcess::Administrator(), Person("ada"), Headers{{"authorization", "Bearer " + secret_}}}) {
    ExpectPowers(Client(address), headers, kAll(StatusCode::UNAUTHENTICATED));
  }
  ExpectPowers(Client(address), PortalFor("ada"), kAll(StatusCode::PERMISSION_DENIED));
  const Client client(address);
  EXPECT_TRUE(CallOf<Health>(client, &Health::Stub::Check, Nobody(), HealthCheckRequest()).status.ok());
}

bool HasReflection(const Client& client) {
  const auto context = Client::ContextFor(Nobody());
  const auto stream =
      grpc::reflection::v1::ServerReflection::NewStub(client.channel())->ServerReflectionInfo(context.get());
  grpc::reflection::v1::ServerReflectionRequest request;
  request.set_list_services("");
  grpc::reflection::v1::ServerReflectionResponse response;
  stream->Write(request);
  stream->WritesDone();
  const bool read = stream->Read(&response);
  return stream->Finish().ok() && read;
}

TEST_F(AuthorityTest, ReflectionIsOffWhereThereAreCertificates) {
  EXPECT_FALSE(HasReflection(Over("URI:spiffe://example.org/gateway")));
  EXPECT_TRUE(HasReflection(OnSocket("user")));
  EXPECT_TRUE(HasReflection(Client(authority_.patd->addresses().back())));
}

TEST_F(AuthorityTest, HealthHasAListenerOfItsOwnWithNothingElse) {
  const std::vector<std::string> lines = absl::StrSplit(authority_.patd->process().standard_output(), '\n');
  std::string port;
  for (const std::string& line : lines) {
    if (absl::StartsWith(line, "Health on 0.0.0.0:")) port = line.substr(18, line.find(' ', 18) - 18);
  }
  const Client client("127.0.0.1:" + port);
  const Answer<HealthCheckResponse> health =
      CallOf<Health>(client, &Health::Stub::Check, Nobody(), HealthCheckRequest());
  EXPECT_EQ(health.value().status(), HealthCheckResponse::SERVING);
  EXPECT_FALSE(HasReflection(client));
  ExpectPowers(Client("127.0.0.1:" + port), AuthorityProcess::Administrator(), kAll(StatusCode::UNIMPLEMENTED));

  const auto healthcheck = [](const std::vector<std::string>& arguments) {
    return RunToItsEnd(PatdCommand("healthcheck", arguments)).end.exit_code;
  };
  EXPECT_EQ(healthcheck({"--health-listen", "0.0.0.0:" + port}), 0);
  EXPECT_EQ(healthcheck({"--listen", authority_.patd->address(), "--listen", Socket("user")}), 0);
  EXPECT_EQ(healthcheck({"--listen", "unix:" + authority_.directory / "none.sock"}), 1);
  EXPECT_EQ(healthcheck({"--listen", authority_.patd->address()}), 1);  // It takes a certificate.
  EXPECT_EQ(healthcheck({"--listen", "192.0.2.1:7443"}), 2);
  authority_.patd->process().Signal(SIGTERM);
  EXPECT_EQ(authority_.patd->process().Wait(absl::Seconds(10)).exit_code, 0);
  EXPECT_EQ(healthcheck({"--health-listen", "0.0.0.0:" + port}), 1);
}

// What was noted in memory is written when the server ends.
TEST_F(AuthorityTest, TheLastUseOfATokenOutlivesARestart) {
  const absl::Time before = absl::Now();
  EXPECT_TRUE(OnSocket("introspector").Introspect(secret_).active());
  authority_.patd->process().Signal(SIGTERM);
  EXPECT_EQ(authority_.patd->process().Wait(absl::Seconds(10)).exit_code, 0);
  authority_.Start({"--listen", Socket("portal")});
  const v1::Token token = OnSocket("portal").List("ada").front();
  ASSERT_TRUE(token.has_last_use_time());
  EXPECT_GT(ToTime(token.last_use_time()), before - absl::Minutes(1));
}

TEST_F(AuthorityTest, EventsAreAlsoLinesOfJson) {
  // Refused: written at the end at the latest.
  const Client ada = OnSocket("user");
  EXPECT_FALSE(CallOf<v1::UserService>(ada, &v1::UserService::Stub::ListUsers, Person("ada"), v1::ListUsersRequest())
                   .status.ok());
  authority_.patd->process().Signal(SIGTERM);
  EXPECT_EQ(authority_.patd->process().Wait(absl::Seconds(10)).exit_code, 0);
  std::ifstream file(authority_.directory / "audit.jsonl");
  std::stringstream content;
  content << file.rdbuf();
  const std::vector<std::string> lines = absl::StrSplit(content.str(), '\n', absl::SkipEmpty());
  EXPECT_THAT(lines, testing::Contains(testing::AllOf(testing::HasSubstr(R"("principal":"user:root")"),
                                                      testing::HasSubstr(R"("method":"pat.v1.UserService/CreateUser")"),
                                                      testing::HasSubstr(R"("target":"users/ada")"),
                                                      testing::HasSubstr(R"("outcome":"OK")"))));
  EXPECT_THAT(lines, testing::Contains(testing::HasSubstr("pat.v1.TokenService/CreateToken")));
  EXPECT_THAT(content.str(), testing::Not(testing::HasSubstr(secret_)));
  EXPECT_THAT(content.str(), testing::Not(testing::HasSubstr("ada-password")));
  EXPECT_THAT(lines, testing::Contains(testing::AllOf(testing::HasSubstr(R"("principal":"user:ada")"),
                                                      testing::HasSubstr(R"("outcome":"ROLE_REQUIRED")"))));
  struct stat info {};
  ASSERT_EQ(stat((authority_.directory / "audit.jsonl").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

}  // namespace
}  // namespace pat
