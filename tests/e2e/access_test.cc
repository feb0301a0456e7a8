// Who may call what: every method of the API with every kind of caller, at every kind of listener that `patd dev` has.
// Also health and reflection, which ask for no credential.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/core/token_secret.h"
#include "server/crypto/bytes.h"
#include "tests/e2e/dev_server.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::SizeIs;

enum class Group {
  kManagement,  // Of own tokens.
  kOneToken,    // The same, and by a token for itself.
  kAnyCaller,
  kIntrospection,
  kAdministration,
  kReports,  // What only services may do.
};

struct Method {
  Group group;
  StatusCode admitted;       // What the request gets from whoever may call.
  std::string request = {};  // Empty, but where that would begin a stream.
};

// By name. A method that is not here fails the test: whoever adds one says who may call it.
const std::map<std::string, Method>& Methods() {
  static const auto* const methods = new std::map<std::string, Method>{
      {"/pat.v1.TokenService/CreateToken", {Group::kManagement, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.TokenService/GetToken", {Group::kOneToken, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.TokenService/ListTokens", {Group::kManagement, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.TokenService/UpdateToken", {Group::kManagement, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.TokenService/RevokeToken", {Group::kOneToken, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.TokenService/RegenerateToken", {Group::kOneToken, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.TokenService/RevokeAllTokens", {Group::kManagement, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.TokenService/ReportLeakedToken", {Group::kAnyCaller, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.TokenService/ListScopes", {Group::kAnyCaller, StatusCode::OK}},
      {"/pat.v1.IntrospectionService/Introspect", {Group::kIntrospection, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.IntrospectionService/BatchIntrospect", {Group::kIntrospection, StatusCode::OK}},
      {"/pat.v1.IntrospectionService/WatchRevocations", {Group::kIntrospection, StatusCode::INVALID_ARGUMENT, "\xff"}},
      {"/pat.v1.IntrospectionService/ReportUse", {Group::kReports, StatusCode::OK}},
      {"/pat.v1.UserService/CreateUser", {Group::kAdministration, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.UserService/GetUser", {Group::kAdministration, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.UserService/ListUsers", {Group::kAdministration, StatusCode::OK}},
      {"/pat.v1.UserService/UpdateUser", {Group::kAdministration, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.UserService/DeleteUser", {Group::kAdministration, StatusCode::INVALID_ARGUMENT}},
      // A user's own, too; in an empty request nobody is named.
      {"/pat.v1.UserService/SetPassword", {Group::kAdministration, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.PolicyService/GetPolicy", {Group::kAdministration, StatusCode::OK}},
      {"/pat.v1.PolicyService/UpdatePolicy", {Group::kAdministration, StatusCode::INVALID_ARGUMENT}},
      {"/pat.v1.AuditService/ListAuditEvents", {Group::kAdministration, StatusCode::OK}},
  };
  return *methods;
}

std::vector<std::string> AllMethods() {
  std::vector<std::string> names;
  for (const char* service : {"pat.v1.TokenService", "pat.v1.IntrospectionService", "pat.v1.UserService",
                              "pat.v1.PolicyService", "pat.v1.AuditService"}) {
    const google::protobuf::ServiceDescriptor* const descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
    for (int i = 0; i < descriptor->method_count(); ++i) {
      names.push_back(absl::StrCat("/", service, "/", descriptor->method(i)->name()));
    }
  }
  return names;
}

enum class Outcome { kAdmitted, kUnauthenticated, kDenied };
constexpr Outcome kYes = Outcome::kAdmitted;
constexpr Outcome kWho = Outcome::kUnauthenticated;
constexpr Outcome kNo = Outcome::kDenied;

struct Caller {
  std::string what;
  Headers headers;
  Outcome management;
  Outcome any_caller;
  Outcome introspection;
  bool is_token = false;
};

Headers Authorization(absl::string_view value) { return {{"authorization", std::string(value)}}; }

Headers operator+(Headers a, const Headers& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// What does not depend on the listener: whoever brings an `authorization` is judged by it alone.
std::vector<Caller> CallersWithAuthorization(const std::string& token) {
  const std::string basic_ada = absl::Base64Escape("ada:ada-password");
  return {
      {"administrator", Person("admin"), kYes, kYes, kYes},
      {"user", Person("ada"), kYes, kYes, kNo},
      {"scheme in small letters", Authorization("basic " + basic_ada), kYes, kYes, kNo},
      {"user with x-pat-user", Person("ada") + PortalFor("bob"), kYes, kYes, kNo},
      {"user with an administrator's x-pat-user", Person("ada") + PortalFor("admin"), kYes, kYes, kNo},
      {"administrator with x-pat-user", Person("admin") + PortalFor("ada"), kYes, kYes, kYes},
      {"wrong password", WithPassword("ada", "bob-password"), kWho, kWho, kWho},
      {"wrong password with x-pat-user", WithPassword("ada", "") + PortalFor("ada"), kWho, kWho, kWho},
      {"wrong password of an administrator", WithPassword("admin", "admin"), kWho, kWho, kWho},
      {"unknown user", WithPassword("eve", "eve-password"), kWho, kWho, kWho},
      {"directory user", Person("dora"), kWho, kWho, kWho},
      {"user in capitals", WithPassword("ADA", "ada-password"), kWho, kWho, kWho},
      {"no base64", Authorization("Basic ???"), kWho, kWho, kWho},
      {"no colon", Authorization("Basic " + absl::Base64Escape("ada")), kWho, kWho, kWho},
      {"scheme alone", Authorization("Basic"), kWho, kWho, kWho},
      {"nothing in the header", Authorization(""), kWho, kWho, kWho},
      {"very long", Authorization("Basic " + std::string(3000, 'A')), kWho, kWho, kWho},
      {"twice", Person("ada") + Person("ada"), kWho, kWho, kWho},
      {"two users", Person("admin") + Person("ada"), kWho, kWho, kWho},
      {"bearer of a good token", Authorization("Bearer " + token), kNo, kYes, kNo, true},
      {"bearer with x-pat-user", Authorization("Bearer " + token) + PortalFor("ada"), kNo, kYes, kNo, true},
      {"bearer of no token", Authorization("Bearer pat_x"), kWho, kWho, kWho},
      {"token as password", WithPassword("ada", token), kWho, kWho, kWho},
      {"another scheme", Authorization("Digest username=ada"), kWho, kWho, kWho},
  };
}

// At a dev listener: an introspector, and with x-pat-user a portal.
std::vector<Caller> CallersAtDevListeners() {
  return {
      {"nobody", Nobody(), kNo, kYes, kYes},
      {"portal for ada", PortalFor("ada"), kYes, kYes, kNo},
      {"portal for a directory user", PortalFor("dora"), kYes, kYes, kNo},
      {"portal for a user who is not there", PortalFor("eve"), kYes, kYes, kNo},
      {"portal for an administrator", PortalFor("admin"), kNo, kNo, kNo},
      {"portal for two users", PortalFor("ada") + PortalFor("bob"), kNo, kNo, kNo},
      {"portal for one user, twice", PortalFor("ada") + PortalFor("ada"), kNo, kNo, kNo},
      {"portal for no user id", PortalFor("Ada Lovelace"), kNo, kNo, kNo},
      {"portal for everybody", PortalFor("-"), kNo, kNo, kNo},
      {"portal for nobody", PortalFor(""), kNo, kNo, kNo},
  };
}

// At a Unix socket with role=introspector: that and nothing else.
std::vector<Caller> CallersAtIntrospectorSockets() {
  return {
      {"introspector", Nobody(), kNo, kYes, kYes},
      {"introspector with x-pat-user", PortalFor("ada"), kNo, kNo, kNo},
      {"introspector with an administrator's x-pat-user", PortalFor("admin"), kNo, kNo, kNo},
  };
}

class AccessTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sockets_ = std::make_unique<TestDirectory>();
    Options options;
    options.listen.push_back({.host = "127.0.0.1", .port = 0});
    options.listen.push_back({.is_unix = true, .path = *sockets_ / "dev.sock"});
    options.listen.push_back({.is_unix = true, .path = *sockets_ / "check.sock", .role = ListenerRole::kIntrospector});
    server_ = std::make_unique<DevServer>(options);
    at_unix_ = std::make_unique<Client>("unix:" + *sockets_ / "dev.sock");
    at_introspectors_ = std::make_unique<Client>("unix:" + *sockets_ / "check.sock");
  }
  static void TearDownTestSuite() {
    at_unix_ = nullptr;
    at_introspectors_ = nullptr;
    server_ = nullptr;
    sockets_ = nullptr;
  }

  static Client& at_loopback() { return server_->client(); }

  static void ExpectOutcomes(Client& client, const std::vector<Caller>& callers) {
    for (const Caller& caller : callers) {
      for (const std::string& name : AllMethods()) {
        SCOPED_TRACE(absl::StrCat(caller.what, " calls ", name));
        const auto method = Methods().find(name);
        ASSERT_NE(method, Methods().end());
        const Outcome outcome = OutcomeOf(caller, method->second.group);
        // Whoever guesses has to wait; here time passes.
        if (outcome == Outcome::kUnauthenticated) server_->time.Advance(absl::Minutes(2));
        const grpc::Status status = client.CallRaw(name, caller.headers, method->second.request).status;
        switch (outcome) {
          case Outcome::kAdmitted:
            EXPECT_EQ(status.error_code(), method->second.admitted) << status.error_message();
            break;
          case Outcome::kUnauthenticated:
            EXPECT_THAT(status, IsRefusal(StatusCode::UNAUTHENTICATED, "CREDENTIALS_INVALID"));
            break;
          case Outcome::kDenied:
            EXPECT_THAT(status, IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
            EXPECT_THAT(RefusalOf(status).metadata, Contains(testing::Key("role")));
            break;
        }
      }
    }
  }

  static Outcome OutcomeOf(const Caller& caller, Group group) {
    const bool is_person = !caller.is_token && caller.management == kYes && caller.headers[0].first == "authorization";
    const Outcome otherwise = caller.any_caller == kWho ? kWho : kNo;
    switch (group) {
      case Group::kManagement:
        return caller.management;
      case Group::kOneToken:
        return caller.is_token ? kYes : caller.management;
      case Group::kAnyCaller:
        return caller.any_caller;
      case Group::kIntrospection:
        return caller.introspection;
      case Group::kAdministration:
        return is_person && caller.introspection == kYes ? kYes : otherwise;
      case Group::kReports:
        return is_person && caller.introspection == kYes ? kNo : caller.introspection;
    }
    return kNo;
  }

  static std::unique_ptr<TestDirectory> sockets_;
  static std::unique_ptr<DevServer> server_;
  static std::unique_ptr<Client> at_unix_;
  static std::unique_ptr<Client> at_introspectors_;
};

std::unique_ptr<TestDirectory> AccessTest::sockets_;
std::unique_ptr<DevServer> AccessTest::server_;
std::unique_ptr<Client> AccessTest::at_unix_;
std::unique_ptr<Client> AccessTest::at_introspectors_;

TEST_F(AccessTest, LoopbackTakesNobodyForAnIntrospectorAndXPatUserForThePortal) {
  ExpectOutcomes(at_loopback(), CallersAtDevListeners());
}

TEST_F(AccessTest, UnixSocketWithoutARoleIsLikeLoopback) { ExpectOutcomes(*at_unix_, CallersAtDevListeners()); }

TEST_F(AccessTest, UnixSocketOfIntrospectorsIsForIntrospectionOnly) {
  ExpectOutcomes(*at_introspectors_, CallersAtIntrospectorSockets());
}

TEST_F(AccessTest, AuthorizationIsTheOnlyCredentialThatIsJudged) {
  const MadeToken made = at_loopback().Create("ada", "bearer");
  ExpectOutcomes(at_loopback(), CallersWithAuthorization(made.secret));
}

TEST_F(AccessTest, AuthorizationCountsAtAnIntrospectorSocketToo) {
  ExpectOutcomes(*at_introspectors_, {{"administrator", Person("admin"), kYes, kYes, kYes},
                                      {"user", Person("ada"), kYes, kYes, kNo},
                                      {"wrong password", WithPassword("ada", "x"), kWho, kWho, kWho},
                                      {"bearer", Authorization("Bearer pat_x"), kWho, kWho, kWho}});
}

TEST_F(AccessTest, WrongPasswordAndUnknownUserLookAlike) {
  const auto details_of = [](const Headers& headers) {
    return at_loopback().CallRaw("/pat.v1.TokenService/ListScopes", headers, "").status.error_details();
  };
  const std::string wrong = details_of(WithPassword("ada", "wrong"));
  EXPECT_FALSE(wrong.empty());
  for (const char* user : {"admin", "eve", "dora", "sam", "", "-"}) {
    server_->time.Advance(absl::Minutes(2));
    EXPECT_EQ(details_of(WithPassword(user, "wrong")), wrong) << user;
  }
}

TEST_F(AccessTest, UserActsAsTheOneWhoLoggedInNotAsTheOneInXPatUser) {
  const Headers caller = Person("ada") + PortalFor("bob");
  EXPECT_THAT(at_loopback().Call(&TokenStub::CreateToken, caller, CreationFor("bob", "for bob")).status,
              IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
  const v1::CreateTokenResponse made =
      at_loopback().Call(&TokenStub::CreateToken, caller, CreationFor("ada", "for ada")).value();
  EXPECT_EQ(at_loopback().Introspect(made.secret()).sub(), "users/ada");

  v1::ListTokensRequest all;
  all.set_parent("users/-");
  EXPECT_TRUE(at_loopback().Call(&TokenStub::ListTokens, Person("admin") + PortalFor("ada"), all).status.ok());
}

TEST_F(AccessTest, AdministratorsSeeAndRevokeWhatIsOthersAndNothingMore) {
  Client& client = at_loopback();
  const MadeToken of_bob = client.Create("bob", "bob's");
  const MadeToken of_ada = client.Create("ada", "ada's");
  const Headers admin = Person("admin");

  v1::ListTokensRequest list;
  list.set_parent("users/-");
  std::set<std::string> names;
  const v1::ListTokensResponse all = client.Call(&TokenStub::ListTokens, admin, list).value();
  for (const v1::Token& token : all.tokens()) names.insert(token.name());
  EXPECT_THAT(names, testing::IsSupersetOf({of_bob.token.name(), of_ada.token.name()}));
  list.set_parent("users/bob");
  EXPECT_THAT(client.Call(&TokenStub::ListTokens, admin, list).value().tokens(), SizeIs(1));
  list.set_parent("users/eve");
  EXPECT_EQ(client.Call(&TokenStub::ListTokens, admin, list).status.error_code(), StatusCode::NOT_FOUND);

  v1::GetTokenRequest get;
  get.set_name(of_bob.token.name());
  EXPECT_EQ(client.Call(&TokenStub::GetToken, admin, get).value().token().SerializeAsString(),
            of_bob.token.SerializeAsString());
  v1::RegenerateTokenRequest regenerate;
  regenerate.set_name(of_bob.token.name());
  EXPECT_THAT(client.Call(&TokenStub::RegenerateToken, admin, regenerate).status,
              IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
  v1::UpdateTokenRequest update;
  update.mutable_token()->set_name(of_bob.token.name());
  update.mutable_token()->set_display_name("admin's");
  update.mutable_update_mask()->add_paths("display_name");
  EXPECT_THAT(client.Call(&TokenStub::UpdateToken, admin, update).status,
              IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
  EXPECT_THAT(client.Call(&TokenStub::CreateToken, admin, CreationFor("bob", "by admin")).status,
              IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
  EXPECT_TRUE(client.IntrospectNow(of_bob.secret).active());

  v1::RevokeTokenRequest revoke;
  revoke.set_name(of_bob.token.name());
  EXPECT_EQ(client.Call(&TokenStub::RevokeToken, admin, revoke).value().token().state(), v1::Token::STATE_REVOKED);
  EXPECT_FALSE(client.IntrospectNow(of_bob.secret).active());

  // An administrator has tokens like everybody.
  EXPECT_TRUE(client.Call(&TokenStub::CreateToken, admin, CreationFor("admin", "own")).status.ok());
}

TEST_F(AccessTest, IntrospectorSocketTakesTokensAndNoDigests) {
  const MadeToken made = at_loopback().Create("ada", "digest");
  EXPECT_TRUE(at_introspectors_->Introspect(made.secret).active());
  v1::IntrospectRequest question;
  question.set_token_sha256(std::string(AsText(DigestOf(made.secret).bytes)));
  EXPECT_THAT(at_introspectors_->Call(&IntrospectionStub::Introspect, Nobody(), question).status,
              IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
  EXPECT_TRUE(at_unix_->Call(&IntrospectionStub::Introspect, Nobody(), question).value().active());
}

grpc::Status CheckHealth(Client& client, const Headers& headers, const std::string& service,
                         HealthCheckResponse* response) {
  HealthCheckRequest request;
  request.set_service(service);
  return Health::NewStub(client.channel())->Check(Client::ContextFor(headers).get(), request, response);
}

TEST_F(AccessTest, HealthAsksForNoCredentialAndJudgesNone) {
  for (Client* client : {&at_loopback(), at_unix_.get(), at_introspectors_.get()}) {
    for (const Headers& headers : {Nobody(), WithPassword("ada", "wrong"), PortalFor("admin")}) {
      for (const char* service : {"", "pat.v1.TokenService", "pat.v1.IntrospectionService"}) {
        HealthCheckResponse response;
        EXPECT_TRUE(CheckHealth(*client, headers, service, &response).ok());
        EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
      }
    }
    HealthCheckResponse response;
    EXPECT_THAT(CheckHealth(*client, Nobody(), "no.such.Service", &response),
                IsRefusal(StatusCode::NOT_FOUND, "SERVICE_NOT_FOUND"));
  }
}

TEST_F(AccessTest, HealthIsWatchedUntilTheClientHasEnough) {
  const auto stub = Health::NewStub(at_loopback().channel());
  for (const auto& [service, expected] : {std::pair("", HealthCheckResponse::SERVING),
                                          std::pair("no.such.Service", HealthCheckResponse::SERVICE_UNKNOWN)}) {
    const auto context = Client::ContextFor(Nobody());
    HealthCheckRequest request;
    request.set_service(service);
    const auto reader = stub->Watch(context.get(), request);
    HealthCheckResponse response;
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.status(), expected);
    context->TryCancel();
    EXPECT_FALSE(reader->Read(&response));
    EXPECT_EQ(reader->Finish().error_code(), StatusCode::CANCELLED);
  }
  EXPECT_TRUE(at_loopback().Introspect("still there").has_active());
}

TEST(HealthTest, WatchersAreToldOfTheEnd) {
  DevServer server;
  const auto stub = Health::NewStub(server.client().channel());
  const auto context = Client::ContextFor(Nobody());
  const auto reader = stub->Watch(context.get(), HealthCheckRequest());
  HealthCheckResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server.daemon().Drain();
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
}

struct ReflectionV1 {
  using Service = grpc::reflection::v1::ServerReflection;
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
};
struct ReflectionV1Alpha {
  using Service = grpc::reflection::v1alpha::ServerReflection;
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
};

// The answers to several questions on one stream.
template <typename Version>
std::vector<typename Version::Response> Reflect(Client& client, const std::vector<typename Version::Request>& requests,
                                                grpc::Status* status) {
  const auto context = Client::ContextFor(WithPassword("nobody", "wrong"));
  const auto stream = Version::Service::NewStub(client.channel())->ServerReflectionInfo(context.get());
  std::vector<typename Version::Response> responses;
  for (const auto& request : requests) {
    typename Version::Response response;
    if (!stream->Write(request) || !stream->Read(&response)) break;
    responses.push_back(std::move(response));
  }
  stream->WritesDone();
  *status = stream->Finish();
  return responses;
}

template <typename Version>
class ReflectionTest : public AccessTest {};
using ReflectionVersions = testing::Types<ReflectionV1, ReflectionV1Alpha>;
TYPED_TEST_SUITE(ReflectionTest, ReflectionVersions);

TYPED_TEST(ReflectionTest, ListsTheServicesAndDescribesThemAndTheDetailsOfErrors) {
  using Request = typename TypeParam::Request;
  std::vector<Request> requests(4);
  requests[0].set_list_services("");
  requests[1].set_file_containing_symbol("google.rpc.BadRequest");
  requests[2].set_file_containing_symbol("pat.v1.TokenService.CreateToken");
  requests[3].set_file_containing_symbol("no.such.Symbol");
  grpc::Status status;
  const auto responses = Reflect<TypeParam>(AccessTest::at_loopback(), requests, &status);
  EXPECT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(responses.size(), 4u);

  std::vector<std::string> services;
  for (const auto& service : responses[0].list_services_response().service()) services.push_back(service.name());
  EXPECT_THAT(services, ElementsAre("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                    "grpc.reflection.v1alpha.ServerReflection", "pat.v1.AuditService",
                                    "pat.v1.IntrospectionService", "pat.v1.PolicyService", "pat.v1.TokenService",
                                    "pat.v1.UserService"));

  google::protobuf::FileDescriptorProto details;
  ASSERT_GE(responses[1].file_descriptor_response().file_descriptor_proto_size(), 1);
  ASSERT_TRUE(details.ParseFromString(responses[1].file_descriptor_response().file_descriptor_proto(0)));
  std::vector<std::string> messages;
  for (const auto& message : details.message_type()) messages.push_back(message.name());
  EXPECT_EQ(details.package(), "google.rpc");
  EXPECT_THAT(messages, testing::IsSupersetOf({"ErrorInfo", "BadRequest", "RetryInfo", "QuotaFailure"}));

  // With all that it imports, so that a client needs no second question.
  std::vector<std::string> files;
  for (const std::string& bytes : responses[2].file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(bytes));
    files.push_back(file.name());
  }
  EXPECT_THAT(files, testing::IsSupersetOf({"pat/v1/token_service.proto", "pat/v1/token.proto",
                                            "google/protobuf/timestamp.proto", "google/protobuf/field_mask.proto"}));
  EXPECT_EQ(responses[3].error_response().error_code(), StatusCode::NOT_FOUND);
}

TEST(ReflectionSwitchTest, OffIsOff) {
  Options options;
  options.reflection = Switch::kOff;
  DevServer server(options);
  grpc::Status status;
  Reflect<ReflectionV1>(server.client(), {{}}, &status);
  EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED);
  Reflect<ReflectionV1Alpha>(server.client(), {{}}, &status);
  EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace pat
