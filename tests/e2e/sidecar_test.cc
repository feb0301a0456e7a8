// `patd sidecar` as its callers see it: three processes on one machine, over mutual TLS and Unix sockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "tests/e2e/sidecar_processes.h"

namespace pat {
namespace {

using ::grpc::StatusCode;

class SidecarTest : public testing::Test {
 protected:
  MadeToken Create(const std::string& name) const { return processes_.Portal().Create("ada", name); }

  SidecarProcesses processes_;
};

// Whatever happens to the authority meanwhile.
TEST_F(SidecarTest, InTtlModeEachDeniesAtItsOwnEndAndNeverLater) {
  const absl::Duration ttl = absl::Seconds(2);
  const auto first = processes_.StartSidecar("first", {"--cache-ttl", "2s"});
  const auto second = processes_.StartSidecar("second", {"--cache-ttl", "2s"});
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
    int accepted = 0;
    Asked asked = Ask(*sidecar, made.secret);
    for (; asked.is_active(); asked = Ask(*sidecar, made.secret)) {
      EXPECT_EQ(asked.response.freshness().source(), v1::Freshness::SOURCE_CACHE);
      EXPECT_LE(asked.sent, end);
      ++accepted;
    }
    EXPECT_TRUE(asked.status.ok()) << asked.status.error_message();
    EXPECT_GE(asked.answered, end);
    if (sidecar == first.get()) {
      EXPECT_GT(accepted, 0);
    }
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
  EXPECT_LE(ToAbslDuration(Ask(*large, made.secret).response.freshness().fresh_for()), absl::Seconds(3));
  EXPECT_LE(ToAbslDuration(Ask(*small, made.secret).response.freshness().fresh_for()), absl::Seconds(1));
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

  // Revoked around the death of the authority; the streams go on from where they were, so that nothing else is dropped.
  const MadeToken kept = Create("kept");
  const MadeToken lost = Create("lost");
  for (Patd* sidecar : {first.get(), second.get()}) {
    ASSERT_TRUE(Ask(*sidecar, lost.secret).is_active());
    ASSERT_TRUE(Ask(*sidecar, kept.secret).is_active());
  }
  processes_.KillAuthority();
  processes_.StartAuthority();
  processes_.Portal().Revoke(lost.token);
  for (Patd* sidecar : {first.get(), second.get()}) {
    EXPECT_TRUE(Becomes([&] {
      const Asked asked = Ask(*sidecar, lost.secret);
      return asked.status.ok() && !asked.response.active();
    }));
    EXPECT_EQ(Ask(*sidecar, kept.secret).response.freshness().source(), v1::Freshness::SOURCE_CACHE);
  }
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

TEST_F(SidecarTest, UsesAreReportedAtTheEnd) {
  const auto sidecar = processes_.StartSidecar("uses");
  const MadeToken made = Create("used");
  ASSERT_TRUE(Ask(*sidecar, made.secret).is_active());
  sidecar->process().Signal(SIGTERM);
  ASSERT_EQ(sidecar->process().Wait().exit_code, 0);
  // The authority writes what it was told within ten seconds.
  EXPECT_TRUE(Becomes([&] {
    const std::vector<v1::Token> tokens = processes_.Portal().List("ada");
    return std::any_of(tokens.begin(), tokens.end(), [&](const v1::Token& token) {
      return token.name() == made.token.name() && token.has_last_use_time();
    });
  }));
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
