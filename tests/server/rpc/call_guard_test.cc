// What the guard tells authentication of a call: over real connections, TCP, TLS and a Unix socket.
#include "server/rpc/call_guard.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pat/v1/introspection_service.grpc.pb.h"
#include "pat/v1/policy_service.grpc.pb.h"
#include "server/authn/identities.h"
#include "server/authn/password_verifier.h"
#include "tests/server/crypto/certificate_maker.h"
#include "tests/server/rpc/status_details.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// CallInfo without views.
struct Seen {
  std::string method = {};
  ListenerRole role = ListenerRole::kNone;
  std::string listener = {};
  bool confidential = false;
  bool has_certificate = false;
  std::string spiffe_id = {};
  std::vector<std::string> uris = {};
  std::vector<std::string> dns_names = {};
  std::string peer = {};
  std::vector<std::string> authorization = {};
  std::vector<std::string> portal_user = {};
};

template <typename Views>
std::vector<std::string> Copy(const Views& views) {
  return {views.begin(), views.end()};
}

Seen Look(const CallGuard& guard, absl::string_view method, const grpc::ServerContext& context) {
  std::string peer;
  const CallInfo info = guard.InfoOf(method, context, peer);
  Seen seen{.method = std::string(info.method),
            .role = info.listener_role,
            .listener = std::string(info.listener),
            .confidential = info.confidential,
            .has_certificate = info.certificate.has_value(),
            .peer = std::string(info.peer),
            .authorization = Copy(info.authorization),
            .portal_user = Copy(info.portal_user)};
  if (info.certificate.has_value()) {
    seen.spiffe_id = std::string(info.certificate->spiffe_id);
    seen.uris = Copy(info.certificate->uris);
    seen.dns_names = Copy(info.certificate->dns_names);
  }
  return seen;
}

class CallGuardTest : public testing::Test,
                      private v1::PolicyService::Service,
                      private v1::IntrospectionService::Service {
 protected:
  // A server that looks and does nothing.
  void Serve(const std::string& address, const ListenerInfo& listener,
             const std::shared_ptr<grpc::ServerCredentials>& credentials = grpc::InsecureServerCredentials()) {
    guard_ = std::make_unique<CallGuard>(authenticator_, audit_, listener);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, credentials, &port_);
    builder.RegisterService(static_cast<v1::PolicyService::Service*>(this));
    builder.RegisterService(static_cast<v1::IntrospectionService::Service*>(this));
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void Connect(const std::string& address,
               const std::shared_ptr<grpc::ChannelCredentials>& credentials = grpc::InsecureChannelCredentials()) {
    channel_ = grpc::CreateChannel(address, credentials);
  }

  // What was seen of a management call, and of an introspection.
  Seen Manage(const Metadata& metadata = {}) {
    grpc::ClientContext context;
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    v1::GetPolicyResponse response;
    const grpc::Status status = v1::PolicyService::NewStub(channel_)->GetPolicy(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return std::exchange(seen_, {});
  }
  Seen Introspect(const Metadata& metadata = {}) {
    grpc::ClientContext context;
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    v1::IntrospectResponse response;
    const grpc::Status status = v1::IntrospectionService::NewStub(channel_)->Introspect(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return std::exchange(seen_, {});
  }

  // A call with a client certificate of these names.
  Seen ManageWithCertificate(const std::vector<std::string>& names) {
    const MadeCertificate client = MakeCertificate({.common_name = "client", .names = names}, ca_);
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ca_.pem;
    options.pem_cert_chain = client.pem;
    options.pem_private_key = client.key;
    Connect(absl::StrCat("localhost:", port_), grpc::SslCredentials(options));
    return Manage();
  }
  void ServeTls() {
    const MadeCertificate server = MakeCertificate({.common_name = "server", .names = {"DNS:localhost"}}, ca_);
    grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = ca_.pem;
    options.pem_key_cert_pairs.push_back({server.key, server.pem});
    Serve("127.0.0.1:0", {.address = "127.0.0.1:7443", .tls = true}, grpc::SslServerCredentials(options));
  }

  const MadeCertificate ca_ = MakeCa("ca");
  int port_ = 0;

 private:
  grpc::Status GetPolicy(grpc::ServerContext* context, const v1::GetPolicyRequest* /*request*/,
                         v1::GetPolicyResponse* /*response*/) override {
    seen_ = Look(*guard_, "/pat.v1.PolicyService/GetPolicy", *context);
    return grpc::Status::OK;
  }
  grpc::Status Introspect(grpc::ServerContext* context, const v1::IntrospectRequest* /*request*/,
                          v1::IntrospectResponse* /*response*/) override {
    seen_ = Look(*guard_, "/pat.v1.IntrospectionService/Introspect", *context);
    return grpc::Status::OK;
  }

  TestAuthority authority_;
  const IdentityTable identities_ = {};
  PasswordVerifier passwords_{authority_.store, authority_.clock};
  Authenticator authenticator_{identities_, authority_.store, passwords_, authority_.facts};
  AuditLog audit_{authority_.store, *authority_.peppers, authority_.clock};
  std::unique_ptr<CallGuard> guard_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  Seen seen_;  // Written by the handler, read when the call has returned.
};

TEST_F(CallGuardTest, TellsWhatTheListenerIs) {
  Serve("127.0.0.1:0", {.role = ListenerRole::kUser, .address = "127.0.0.1:7443", .confidential = false});
  Connect(absl::StrCat("127.0.0.1:", port_));
  const Seen seen = Manage();
  EXPECT_EQ(seen.method, "/pat.v1.PolicyService/GetPolicy");
  EXPECT_EQ(seen.role, ListenerRole::kUser);
  EXPECT_EQ(seen.listener, "127.0.0.1:7443");
  EXPECT_FALSE(seen.confidential);
  EXPECT_FALSE(seen.has_certificate);
  EXPECT_THAT(seen.peer, StartsWith("ipv4:127.0.0.1:"));
  EXPECT_THAT(seen.authorization, IsEmpty());
  EXPECT_THAT(seen.portal_user, IsEmpty());
}

TEST_F(CallGuardTest, TellsEachValueOfTheHeaders) {
  Serve("127.0.0.1:0", {});
  Connect(absl::StrCat("127.0.0.1:", port_));
  const Seen seen = Manage({{"authorization", "a"}, {"x-pat-user", "c"}, {"authorization", "b"}, {"x-other", "d"}});
  EXPECT_THAT(seen.authorization, ElementsAre("a", "b"));
  EXPECT_THAT(seen.portal_user, ElementsAre("c"));
}

TEST_F(CallGuardTest, APeerOfIpv6IsWrittenAsPeopleDo) {
  Serve("[::1]:0", {});
  Connect(absl::StrCat("[::1]:", port_));
  EXPECT_THAT(Manage().peer, StartsWith("ipv6:[::1]:"));
}

TEST_F(CallGuardTest, OnAUnixSocketThePeerIsTheSocket) {
  const std::string path = absl::StrCat(testing::TempDir(), "/call_guard_test.", getpid());
  const std::string address = absl::StrCat("unix:", path);
  Serve(address, {.role = ListenerRole::kIntrospector, .address = "unix:/run/pat/pat.sock"});
  Connect(address);
  EXPECT_EQ(Manage().peer, "unix:/run/pat/pat.sock");
}

// A name for the peer takes an allocation and is for the audit log; who has come with nothing is not written there.
TEST_F(CallGuardTest, AnIntrospectionIsAskedForItsPeerOnlyIfAPersonMayStandBehindIt) {
  Serve("127.0.0.1:0", {.role = ListenerRole::kIntrospector});
  Connect(absl::StrCat("127.0.0.1:", port_));
  EXPECT_EQ(Introspect().peer, "");
  EXPECT_THAT(Introspect({{"authorization", "a"}}).peer, StartsWith("ipv4:"));
}

TEST_F(CallGuardTest, TellsTheNamesInTheCertificate) {
  ServeTls();
  const Seen workload = ManageWithCertificate({"URI:spiffe://example.org/web", "DNS:web.example.org", "DNS:www"});
  EXPECT_TRUE(workload.has_certificate);
  EXPECT_EQ(workload.spiffe_id, "spiffe://example.org/web");
  EXPECT_THAT(workload.uris, ElementsAre("spiffe://example.org/web"));
  EXPECT_THAT(workload.dns_names, UnorderedElementsAre("web.example.org", "www"));
  EXPECT_THAT(workload.peer, StartsWith("ipv4:127.0.0.1:"));
}

// One that has a second URI is no SPIFFE certificate, so its ID is none.
TEST_F(CallGuardTest, ASpiffeIdStandsAlone) {
  ServeTls();
  const Seen seen = ManageWithCertificate({"URI:spiffe://example.org/web", "URI:https://example.org/web"});
  EXPECT_TRUE(seen.has_certificate);
  EXPECT_EQ(seen.spiffe_id, "");
  EXPECT_THAT(seen.uris, UnorderedElementsAre("spiffe://example.org/web", "https://example.org/web"));
}

TEST_F(CallGuardTest, ACertificateWithoutNamesIsOneAllTheSame) {
  ServeTls();
  const Seen seen = ManageWithCertificate({});
  EXPECT_TRUE(seen.has_certificate);
  EXPECT_EQ(seen.spiffe_id, "");
  EXPECT_THAT(seen.uris, IsEmpty());
  EXPECT_THAT(seen.dns_names, IsEmpty());
}

}  // namespace
}  // namespace pat
