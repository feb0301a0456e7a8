// `patd sidecar` while its authority is away, and how it starts and ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/e2e/sidecar_processes.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;
using ::testing::HasSubstr;

class SidecarOutageTest : public testing::Test {
 protected:
  static HealthCheckResponse::ServingStatus HealthOf(const Client& client, const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    return CallOf<Health>(client, &Health::Stub::Check, Nobody(), request).value().status();
  }

  MadeToken Create(const std::string& name) const { return processes_.Portal().Create("ada", name); }

  SidecarProcesses processes_;
};

TEST_F(SidecarOutageTest, WithoutTheAuthorityEntriesServeUntilTheirEndAndItComesBackWithinTwoSeconds) {
  const auto sidecar = processes_.StartSidecar("sidecar", {"--cache-ttl", "3s"});
  const MadeToken known = Create("known");
  const MadeToken unknown = Create("unknown");
  const Asked loaded = Ask(*sidecar, known.secret);
  ASSERT_TRUE(loaded.is_active());
  processes_.KillAuthority();

  const absl::Time end = ToTime(loaded.response.freshness().read_time()) + absl::Seconds(3);
  Asked asked = Ask(*sidecar, known.secret);
  ASSERT_TRUE(asked.is_active());
  const Asked not_there = Ask(*sidecar, unknown.secret, absl::Milliseconds(500));
  EXPECT_THAT(not_there.status, IsRefusal(StatusCode::UNAVAILABLE, "AUTHORITY_UNAVAILABLE"));
  EXPECT_LT(not_there.answered - not_there.sent, absl::Milliseconds(500));
  while (asked.is_active()) asked = Ask(*sidecar, known.secret);
  EXPECT_THAT(asked.status, IsRefusal(StatusCode::UNAVAILABLE, "AUTHORITY_UNAVAILABLE"));
  EXPECT_GE(asked.answered, end);

  processes_.StartAuthority();
  const absl::Time back = absl::Now();
  EXPECT_TRUE(Becomes([&] { return Ask(*sidecar, unknown.secret).is_active(); }));
  EXPECT_LT(absl::Now() - back, absl::Seconds(2));
}

TEST_F(SidecarOutageTest, StartOrderDoesNotMatterAndNothingIsLeftOnDisk) {
  processes_.KillAuthority();
  const auto sidecar = processes_.StartSidecar("early");
  EXPECT_EQ(HealthOf(sidecar->client(), "liveness"), HealthCheckResponse::SERVING);
  EXPECT_EQ(HealthOf(sidecar->client(), "readiness"), HealthCheckResponse::SERVING);
  EXPECT_EQ(HealthOf(sidecar->client(), "pat.v1.IntrospectionService"), HealthCheckResponse::SERVING);
  processes_.StartAuthority();
  const MadeToken made = Create("later");
  EXPECT_TRUE(Becomes([&] { return Ask(*sidecar, made.secret).is_active(); }));
  EXPECT_THAT(sidecar->process().standard_output(), HasSubstr("Data in memory only"));

  const absl::Time before = absl::Now();
  sidecar->process().Signal(SIGTERM);
  EXPECT_EQ(sidecar->process().Wait().exit_code, 0);
  EXPECT_LT(absl::Now() - before, absl::Seconds(10));
  EXPECT_FALSE(std::filesystem::exists(processes_.authority.directory / "early.sock"));
}

// The authority takes calls and answers none, until the sidecar has been told to end.
TEST_F(SidecarOutageTest, WhatIsInFlightAtTheEndIsAnswered) {
  constexpr int kCalls = 100;
  const auto sidecar = processes_.StartSidecar("drained", {"--health-listen", "127.0.0.1:0"});
  const std::string health_line = "Health on ";
  const std::string output = sidecar->process().standard_output();
  const std::string rest = output.substr(output.find(health_line) + health_line.size());
  const Client probe(rest.substr(0, rest.find(' ')));
  EXPECT_EQ(HealthOf(probe, "readiness"), HealthCheckResponse::SERVING);
  std::vector<MadeToken> made;
  for (int i = 0; i < 10; ++i) made.push_back(Create(absl::StrCat("asked for ", i)));
  ASSERT_TRUE(Ask(*sidecar, made.front().secret).is_active());  // The way is there.

  processes_.authority.patd->process().Signal(SIGSTOP);
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kCalls; ++i) {
    threads.emplace_back([&, i] {
      const Client client(sidecar->address());
      if (Ask(client, made[1 + i % 9].secret).is_active()) ++answered;
    });
  }
  const auto context = Client::ContextFor(Nobody());
  HealthCheckRequest request;
  request.set_service("readiness");
  const auto watch = Health::NewStub(probe.channel())->Watch(context.get(), request);
  HealthCheckResponse health;
  ASSERT_TRUE(watch->Read(&health));
  absl::SleepFor(absl::Milliseconds(200));  // Sleeps: the calls are on their way by then.
  EXPECT_EQ(answered, 0);
  sidecar->process().Signal(SIGTERM);
  EXPECT_TRUE(watch->Read(&health));
  EXPECT_EQ(health.status(), HealthCheckResponse::NOT_SERVING);
  processes_.authority.patd->process().Signal(SIGCONT);
  EXPECT_EQ(sidecar->process().Wait(absl::Seconds(10)).exit_code, 0);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kCalls);
}

}  // namespace
}  // namespace pat
