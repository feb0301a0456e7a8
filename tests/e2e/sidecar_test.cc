// `patd sidecar` as its callers see it: three processes on one machine, over mutual TLS and Unix sockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "tests/e2e/sidecar_processes.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

// A call that is open and on which nothing happens.
class IdleReflection {
 public:
  explicit IdleReflection(const Client& client)
      : stream_(
            grpc::reflection::v1::ServerReflection::NewStub(client.channel())->ServerReflectionInfo(context_.get())) {}

  // After the server has answered on it.
  bool is_open() {
    grpc::reflection::v1::ServerReflectionRequest request;
    request.set_list_services("");
    grpc::reflection::v1::ServerReflectionResponse response;
    return stream_->Write(request) && stream_->Read(&response);
  }
  void Finish() {
    stream_->WritesDone();
    stream_->Finish();
  }

 private:
  const std::unique_ptr<grpc::ClientContext> context_ = Client::ContextFor(Nobody());
  const std::unique_ptr<grpc::ClientReaderWriter<grpc::reflection::v1::ServerReflectionRequest,
                                                 grpc::reflection::v1::ServerReflectionResponse>>
      stream_;
};

class SidecarTest : public testing::Test {
 protected:
  MadeToken Create(const std::string& name) const { return processes_.Portal().Create("ada", name); }

  SidecarProcesses processes_;
};

// Whatever happens to the authority meanwhile.
TEST_F(SidecarTest, InTtlModeEachDeniesAtItsOwnEndAndNeverLaterOrEarlier) {
  const absl::Duration ttl = absl::Seconds(5);
  const auto first = processes_.StartSidecar("first", {"--cache-ttl", "5s"});
  const auto second = processes_.StartSidecar("second", {"--cache-ttl", "5s"});
  const MadeToken made = Create("lags");
  const Asked at_first = Ask(*first, made.secret);
  ASSERT_TRUE(at_first.is_active()) << at_first.status.error_message();
  EXPECT_EQ(at_first.response.freshness().source(), v1::Freshness::SOURCE_STORE);
  std::this_thread::sleep_for(std::chrono::milliseconds(700));  // Sleeps: so that their entries end at different times.
  const Asked at_second = Ask(*second, made.secret);
  ASSERT_TRUE(at_second.is_active());

  processes_.Portal().Revoke(made.token);
  processes_.KillAuthority();
  processes_.StartAuthority();
  for (const auto& [sidecar, loaded] : {std::pair(first.get(), at_first), std::pair(second.get(), at_second)}) {
    const absl::Time end = ToTime(loaded.response.freshness().read_time()) + ttl;
    Asked asked = Ask(*sidecar, made.secret);
    for (; asked.is_active(); asked = Ask(*sidecar, made.secret)) {
      EXPECT_EQ(asked.response.freshness().source(), v1::Freshness::SOURCE_CACHE);
      EXPECT_LE(asked.sent, end);
    }
    EXPECT_TRUE(asked.status.ok()) << asked.status.error_message();
    // So it was accepted until then: that holds however slow this machine is.
    EXPECT_GE(asked.answered, end);
  }
}

TEST_F(SidecarTest, TheTtlIsTheSmallerOfItsOwnAndTheAuthoritys) {
  processes_.KillAuthority();
  processes_.authority.patd = nullptr;
  std::vector<std::string> arguments = {"--data-dir",  processes_.authority.data_dir(),
                                        "--listen",    "127.0.0.1:" + processes_.port,
                                        "--cache-ttl", "3s",
                                        "--identity",  "dns=sidecar.example,role=introspector,digests=true",
                                        "--listen",    processes_.Socket("portal")};
  for (const std::string& argument : processes_.authority.TlsArguments()) arguments.push_back(argument);
  processes_.authority.patd = std::make_unique<Patd>(PatdCommand("authority", arguments));
  const auto large = processes_.StartSidecar("large", {"--cache-ttl", "1h"});
  const auto small = processes_.StartSidecar("small", {"--cache-ttl", "1s"});
  const MadeToken made = Create("short");
  const auto expect_ttl = [&made](Patd& sidecar, absl::Duration ttl) {
    const Asked loaded = Ask(sidecar, made.secret);
    ASSERT_TRUE(loaded.is_active()) << loaded.status.error_message();
    const absl::Duration fresh_for = ToAbslDuration(loaded.response.freshness().fresh_for());
    EXPECT_LE(fresh_for, ttl);
    // It was whole when the answer was asked for. (A tenth of a second for clocks that are set.)
    EXPECT_GE(fresh_for, ttl - (loaded.answered - loaded.sent) - absl::Milliseconds(100));
    // And it is kept for so long, if this machine is quick enough to see that.
    const Asked again = Ask(sidecar, made.secret);
    if (again.answered < loaded.sent + ttl) {
      EXPECT_EQ(again.response.freshness().source(), v1::Freshness::SOURCE_CACHE);
    }
  };
  expect_ttl(*large, absl::Seconds(3));
  expect_ttl(*small, absl::Seconds(1));
}

// Over mutual TLS a sidecar is the authority of another one: it passes on what that reports of uses.
TEST_F(SidecarTest, OverMutualTlsItTakesReportsOfUsesAndPassesThemOn) {
  const std::string& directory = processes_.authority.directory.path();
  const auto middle =
      processes_.StartSidecar("middle", {"--listen", "127.0.0.1:0", "--tls-client-ca", directory + "/ca.crt",
                                         "--identity", "dns=sidecar.example,role=introspector,digests=true"});
  const MadeToken made = Create("used above");
  const MadeCertificate own = processes_.authority.Named("DNS:sidecar.example");
  Client above(middle->addresses().back(), grpc::SslCredentials({processes_.authority.client_ca.pem, own.key, own.pem}),
               "sidecar.example");
  const absl::Time used = absl::Now() - absl::Minutes(3);
  v1::ReportUseRequest request;
  v1::TokenUse& use = *request.add_uses();
  use.set_jti(made.token.uid());
  Set(used, *use.mutable_last_use_time());
  const grpc::Status reported = above.Call(&IntrospectionStub::ReportUse, Nobody(), request).status;
  EXPECT_TRUE(reported.ok()) << reported.error_message();
  // The stream of revocations is not passed on.
  const auto context = Client::ContextFor(Nobody());
  const auto stub = v1::IntrospectionService::NewStub(above.channel());
  EXPECT_EQ(stub->WatchRevocations(context.get(), v1::WatchRevocationsRequest())->Finish().error_code(),
            StatusCode::UNIMPLEMENTED);

  // Both tell what they have noted when they end.
  middle->process().Signal(SIGTERM);
  EXPECT_EQ(middle->process().Wait(absl::Seconds(10)).exit_code, 0);
  processes_.authority.patd->process().Signal(SIGTERM);
  EXPECT_EQ(processes_.authority.patd->process().Wait(absl::Seconds(10)).exit_code, 0);
  processes_.StartAuthority();
  const std::vector<v1::Token> tokens = processes_.Portal().List("ada");
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_EQ(ToTime(tokens.front().last_use_time()), absl::FromUnixSeconds(absl::ToUnixSeconds(used) / 60 * 60));
}

// What a probe finds while it ends: a call that goes on holds it for some seconds.
TEST_F(SidecarTest, WhileItDrainsItIsAliveAndNotReady) {
  const auto sidecar = processes_.StartSidecar("draining", {"--health-listen", "127.0.0.1:0"});
  const std::string output = sidecar->process().standard_output();
  const std::string line = output.substr(output.find("Health on ") + 10);
  const std::string health = line.substr(0, line.find(' '));
  // As a probe asks: over a connection of its own.
  const auto check = [&health](const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    return CallOf<Health>(Client(health), &Health::Stub::Check, Nobody(), request);
  };
  EXPECT_EQ(check("readiness").value().status(), HealthCheckResponse::SERVING);
  IdleReflection idle(sidecar->client());
  ASSERT_TRUE(idle.is_open());

  sidecar->process().Signal(SIGTERM);
  EXPECT_TRUE(Becomes([&] { return check("readiness").value().status() == HealthCheckResponse::NOT_SERVING; }));
  // Now all other listeners are closed, or will be in a moment.
  EXPECT_TRUE(Becomes([&] {
    return !Client("unix:" + processes_.authority.directory / "draining.sock")
                .Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor("malformed"))
                .status.ok();
  }));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(check("readiness").value().status(), HealthCheckResponse::NOT_SERVING);
    EXPECT_EQ(check("").value().status(), HealthCheckResponse::NOT_SERVING);
    EXPECT_EQ(check("liveness").value().status(), HealthCheckResponse::SERVING);
  }
  const FailedStart healthcheck = RunToItsEnd(PatdCommand("healthcheck", {"--health-listen", health}));
  EXPECT_EQ(healthcheck.end.exit_code, 1);
  EXPECT_THAT(healthcheck.standard_error, testing::HasSubstr("NOT_SERVING"));
  idle.Finish();
  EXPECT_EQ(sidecar->process().Wait(absl::Seconds(10)).exit_code, 0);
  EXPECT_FALSE(check("liveness").status.ok());
}

TEST_F(SidecarTest, InPushModeBothDenyWithinASecondAlsoAcrossARestart) {
  const auto first = processes_.StartSidecar("first", {"--propagation", "push"});
  const auto second = processes_.StartSidecar("second", {"--propagation", "push"});
  std::vector<absl::Duration> lags;
  const auto revoke = [&](const std::string& name) {
    const MadeToken made = Create(name);
    for (Patd* sidecar : {first.get(), second.get()}) ASSERT_TRUE(Ask(*sidecar, made.secret).is_active());
    processes_.Portal().Revoke(made.token);
    const absl::Time revoked = absl::Now();
    for (Patd* sidecar : {first.get(), second.get()}) {
      Asked asked = Ask(*sidecar, made.secret);
      while (asked.is_active() && asked.answered < revoked + absl::Seconds(5)) asked = Ask(*sidecar, made.secret);
      EXPECT_FALSE(asked.is_active()) << name;
      lags.push_back(asked.answered - revoked);
      EXPECT_LT(lags.back(), absl::Seconds(1)) << name;
    }
  };
  // Whether the streams are there cannot be asked; a first revocation may be one too early for them.
  ASSERT_TRUE(Becomes([&] {
    const MadeToken made = Create(absl::StrCat("early ", absl::ToUnixNanos(absl::Now())));
    bool all = Ask(*first, made.secret).is_active() && Ask(*second, made.secret).is_active();
    processes_.Portal().Revoke(made.token);
    absl::SleepFor(absl::Milliseconds(300));  // Sleeps: streams that are there have told by then.
    for (Patd* sidecar : {first.get(), second.get()}) all = all && !Ask(*sidecar, made.secret).is_active();
    return all;
  }));
  for (int i = 0; i < 200; ++i) revoke(absl::StrCat("revoked ", i));
  std::sort(lags.begin(), lags.end());
  std::cout << "push, 200 revocations at two sidecars: p50 " << lags[lags.size() / 2] << ", p99 "
            << lags[lags.size() * 99 / 100] << ", longest " << lags.back() << "\n";

  // Revoked while no sidecar can reach the authority. The streams go on from where they were, so that nothing else is
  // dropped.
  const MadeToken kept = Create("kept");
  const MadeToken lost = Create("lost");
  for (Patd* sidecar : {first.get(), second.get()}) {
    ASSERT_TRUE(Ask(*sidecar, lost.secret).is_active());
    ASSERT_TRUE(Ask(*sidecar, kept.secret).is_active());
  }
  processes_.KillAuthority();
  const std::string port = std::exchange(processes_.port, "0");
  processes_.StartAuthority();
  processes_.Portal().Revoke(lost.token);
  processes_.KillAuthority();
  EXPECT_TRUE(Ask(*first, lost.secret).is_active());
  processes_.port = port;
  processes_.StartAuthority();
  const absl::Time back = absl::Now();
  for (Patd* sidecar : {first.get(), second.get()}) {
    EXPECT_TRUE(Becomes([&] {
      const Asked asked = Ask(*sidecar, lost.secret);
      return asked.status.ok() && !asked.response.active();
    }));
    EXPECT_EQ(Ask(*sidecar, kept.secret).response.freshness().source(), v1::Freshness::SOURCE_CACHE);
  }
  // Back-off: at most 1 s for a connection, 2 s for the stream.
  EXPECT_LT(absl::Now() - back, absl::Seconds(4));
}

TEST_F(SidecarTest, KnowsNoUsersAndManagesNothing) {
  const auto sidecar = processes_.StartSidecar("plain");
  const MadeToken made = Create("checked");
  Client& client = sidecar->client();
  for (const Headers& headers :
       {WithPassword("ada", "ada-password"), Headers{{"authorization", "Bearer " + made.secret}}}) {
    EXPECT_THAT(client.Call(&IntrospectionStub::Introspect, headers, QuestionFor(made.secret)).status,
                IsRefusal(StatusCode::UNAUTHENTICATED, "CREDENTIALS_INVALID"));
  }
  EXPECT_EQ(client.Call(&IntrospectionStub::Introspect, PortalFor("ada"), QuestionFor(made.secret)).status.error_code(),
            StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(client.Call(&TokenStub::CreateToken, Nobody(), CreationFor("ada", "no")).status.error_code(),
            StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(CallOf<v1::UserService>(client, &v1::UserService::Stub::ListUsers, Nobody(), v1::ListUsersRequest())
                .status.error_code(),
            StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(client.Call(&IntrospectionStub::ReportUse, Nobody(), v1::ReportUseRequest()).status.error_code(),
            StatusCode::UNIMPLEMENTED);
  // A digest proves nothing about who holds the token.
  v1::IntrospectRequest by_digest;
  by_digest.set_token_sha256(std::string(32, 'x'));
  EXPECT_EQ(client.Call(&IntrospectionStub::Introspect, Nobody(), by_digest).status.error_code(),
            StatusCode::PERMISSION_DENIED);
}

// A sidecar may be the authority of another one: it takes digests from clients whose certificate says so.
TEST_F(SidecarTest, ThreeLayersAreStillOneTtl) {
  const std::string& directory = processes_.authority.directory.path();
  const auto middle = processes_.StartSidecar(
      "middle", {"--listen", "127.0.0.1:0", "--tls-client-ca", directory + "/ca.crt", "--identity",
                 "dns=sidecar.example,role=introspector,digests=true", "--cache-ttl", "2s"});
  Patd upper(PatdCommand("sidecar",
                         {"--listen", "unix:" + directory + "/upper.sock", "--authority", middle->addresses().back(),
                          "--authority-ca", directory + "/ca.crt", "--authority-name", "sidecar.example", "--tls-cert",
                          directory + "/client.crt", "--tls-key", directory + "/client.key", "--propagation", "push"}));
  const MadeToken made = Create("three layers");
  ASSERT_TRUE(Ask(*middle, made.secret).is_active());
  const Asked loaded = Ask(upper, made.secret);
  ASSERT_TRUE(loaded.is_active()) << loaded.status.error_message();
  EXPECT_LE(ToAbslDuration(loaded.response.freshness().fresh_for()), absl::Seconds(2));
  processes_.Portal().Revoke(made.token);
  const absl::Time end = absl::Now() + absl::Seconds(2);
  Asked asked = Ask(upper, made.secret);
  EXPECT_TRUE(asked.is_active());
  while (asked.is_active()) {
    EXPECT_LE(asked.sent, end);
    asked = Ask(upper, made.secret);
  }
  EXPECT_TRUE(asked.status.ok()) << asked.status.error_message();
  const auto has_said = [&upper] {
    return upper.process().standard_error().find("--propagation push has no effect") != std::string::npos;
  };
  EXPECT_TRUE(Becomes(has_said));
}

TEST_F(SidecarTest, ACertificateThatIsReplacedIsShownToTheAuthorityWithoutARestart) {
  processes_.WriteClient(processes_.authority.Named("DNS:other.example"));
  const auto sidecar = processes_.StartSidecar("renewed", {"--cache-ttl", "0"});
  const MadeToken made = Create("checked");
  EXPECT_THAT(Ask(*sidecar, made.secret).status, IsRefusal(StatusCode::UNAVAILABLE, "AUTHORITY_UNAVAILABLE"));
  processes_.WriteClient(processes_.authority.Named("DNS:sidecar.example"));
  ASSERT_TRUE(
      Becomes([&] { return sidecar->process().standard_error().find("new certificate") != std::string::npos; }));
  absl::SleepFor(absl::Seconds(2));  // Sleeps: gRPC looks at what is staged every second.
  processes_.KillAuthority();        // Only new connections show the new certificate.
  processes_.StartAuthority();
  EXPECT_TRUE(Becomes([&] { return Ask(*sidecar, made.secret).is_active(); }));
}

TEST_F(SidecarTest, AnAuthorityWithTheWrongNameIsNotAsked) {
  const auto sidecar = processes_.StartSidecar("misled", {"--log-level", "warn"});
  const MadeToken made = Create("checked");
  EXPECT_TRUE(Ask(*sidecar, made.secret).is_active());
  processes_.authority.WriteServer(
      MakeCertificate({.common_name = "server", .names = {"DNS:else.example"}}, processes_.authority.server_ca));
  processes_.KillAuthority();
  processes_.StartAuthority();
  const MadeToken other = Create("not seen");
  EXPECT_THAT(Ask(*sidecar, other.secret).status, IsRefusal(StatusCode::UNAVAILABLE, "AUTHORITY_UNAVAILABLE"));
}

TEST(DevSidecarTest, ServesBesideItsAuthorityAndLetsClientsAskForTheApi) {
  Patd dev({"--listen", "127.0.0.1:0", "--sidecar-listen", "127.0.0.1:0"});
  const std::string output = dev.process().standard_output();
  const std::string line = output.substr(output.find("Sidecar on ") + 11);
  Client sidecar(line.substr(0, line.find(',')));
  const MadeToken made = dev.client().Create("ada", "for both");
  EXPECT_EQ(Ask(sidecar, made.secret).response.freshness().source(), v1::Freshness::SOURCE_STORE);
  EXPECT_EQ(Ask(sidecar, made.secret).response.freshness().source(), v1::Freshness::SOURCE_CACHE);
  EXPECT_EQ(sidecar.Call(&TokenStub::CreateToken, PortalFor("ada"), CreationFor("ada", "no")).status.error_code(),
            StatusCode::UNIMPLEMENTED);

  using Reflection = grpc::reflection::v1::ServerReflection;
  const auto context = Client::ContextFor(Nobody());
  const auto stream = Reflection::NewStub(sidecar.channel())->ServerReflectionInfo(context.get());
  grpc::reflection::v1::ServerReflectionRequest request;
  request.set_list_services("");
  grpc::reflection::v1::ServerReflectionResponse response;
  ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
  std::vector<std::string> services;
  for (const auto& service : response.list_services_response().service()) services.push_back(service.name());
  EXPECT_THAT(services, testing::Contains("pat.v1.IntrospectionService"));
  EXPECT_THAT(services, testing::Not(testing::Contains("pat.v1.TokenService")));
  stream->WritesDone();
  stream->Finish();
}

}  // namespace
}  // namespace pat
