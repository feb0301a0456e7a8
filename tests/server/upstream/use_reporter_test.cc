#include "server/upstream/use_reporter.h"

#include <grpcpp/security/credentials.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/error.h"
#include "server/rpc/status_mapping.h"
#include "tests/support/fake_authority.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

constexpr absl::Time kMinute = absl::FromUnixSeconds(1'700'000'040);

TokenUid UidOf(int number) {
  TokenUid uid;
  for (int i = 0; i < 4; ++i) uid.bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  return uid;
}

class CountingObserver final : public UpstreamObserver {
 public:
  void OnAnswer(UpstreamCall call) override { answers += call == UpstreamCall::kUses ? 1 : 0; }
  void OnFailure(UpstreamCall call, absl::string_view /*text*/) override {
    failures += call == UpstreamCall::kUses ? 1 : 0;
  }

  std::atomic<int> answers = 0;
  std::atomic<int> failures = 0;
};

class UseReporterTest : public testing::Test {
 protected:
  UseReporterTest() {
    server_.OnReporting([this](const v1::ReportUseRequest& request) {
      const absl::MutexLock lock(&mutex_);
      if (!failure_.ok()) return failure_;
      batches_.push_back(request.uses_size());
      for (const v1::TokenUse& use : request.uses()) {
        EXPECT_EQ(use.last_use_time().nanos(), 0);
        told_[use.jti()] = use.last_use_time().seconds();
      }
      return grpc::Status::OK;
    });
  }

  std::map<std::string, int64_t> told() {
    const absl::MutexLock lock(&mutex_);
    return told_;
  }
  std::vector<int> batches() {
    const absl::MutexLock lock(&mutex_);
    return batches_;
  }
  void FailWith(const grpc::Status& status) {
    const absl::MutexLock lock(&mutex_);
    failure_ = status;
  }

  absl::Mutex mutex_;
  std::map<std::string, int64_t> told_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> batches_ ABSL_GUARDED_BY(mutex_);
  grpc::Status failure_ ABSL_GUARDED_BY(mutex_);

  TestAuthority authority_;
  FakeAuthority server_{authority_.facts, authority_.clock};
  CountingObserver observer_;
  std::unique_ptr<AuthorityChannels> channels_ =
      AuthorityChannels::Create({server_.address()}, grpc::InsecureChannelCredentials(), "").value();
  UseRecorder uses_;
};

TEST_F(UseReporterTest, TellsEachTokenOnceWithItsLatestMinute) {
  UseReporter reporter(*channels_, uses_, observer_, {.every = absl::Hours(1)});
  uses_.Note(UidOf(1), kMinute + absl::Seconds(59));
  uses_.Note(UidOf(1), kMinute + absl::Seconds(60));
  uses_.Note(UidOf(2), kMinute);
  EXPECT_TRUE(reporter.Flush().ok());
  EXPECT_EQ(told(), (std::map<std::string, int64_t>{{UidOf(1).ToString(), absl::ToUnixSeconds(kMinute) + 60},
                                                    {UidOf(2).ToString(), absl::ToUnixSeconds(kMinute)}}));
  EXPECT_TRUE(reporter.Flush().ok());
  EXPECT_EQ(batches(), std::vector<int>{2});  // Nothing new, no call.
}

TEST_F(UseReporterTest, SendsBatchesThatFitIntoAMessage) {
  UseReporter reporter(*channels_, uses_, observer_, {.every = absl::Hours(1)});
  for (int i = 0; i < 5000; ++i) uses_.Note(UidOf(i), kMinute);
  EXPECT_TRUE(reporter.Flush().ok());
  EXPECT_EQ(batches(), (std::vector<int>{2000, 2000, 1000}));
  EXPECT_EQ(told().size(), 5000);
}

TEST_F(UseReporterTest, WhatCannotBeToldIsToldTheNextTime) {
  UseReporter reporter(*channels_, uses_, observer_, {.every = absl::Hours(1)});
  FailWith(grpc::Status(grpc::StatusCode::UNAVAILABLE, "down"));
  uses_.Note(UidOf(1), kMinute);
  EXPECT_TRUE(absl::IsUnavailable(reporter.Flush()));
  FailWith(grpc::Status::OK);
  uses_.Note(UidOf(2), kMinute);
  EXPECT_TRUE(reporter.Flush().ok());
  EXPECT_EQ(told().size(), 2);
}

TEST_F(UseReporterTest, AnAuthorityThatIsUnavailableIsLeftForAnotherOneAtOnce) {
  FakeAuthority sick(authority_.facts, authority_.clock);
  std::atomic<int> asked = 0;
  sick.OnReporting([&asked](const v1::ReportUseRequest&) {
    ++asked;
    return ToGrpcStatus(MakeError(absl::StatusCode::kUnavailable, "no disk",
                                  {.reason = "STORE_UNAVAILABLE", .retry_delay = absl::Seconds(1)}));
  });
  const auto channels =
      AuthorityChannels::Create({sick.address(), server_.address()}, grpc::InsecureChannelCredentials(), "").value();
  UseReporter reporter(*channels, uses_, observer_, {.every = absl::Hours(1)});
  for (int i = 0; i < 3; ++i) {
    uses_.Note(UidOf(i), kMinute);
    EXPECT_TRUE(reporter.Flush().ok());
  }
  EXPECT_EQ(told().size(), 3);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(observer_.failures, 1);
  EXPECT_EQ(observer_.answers, 3);
  // And back, at the very end too. Where none is well, each is asked once.
  FailWith(grpc::Status(grpc::StatusCode::UNAVAILABLE, "down"));
  uses_.Note(UidOf(7), kMinute);
  EXPECT_TRUE(absl::IsUnavailable(reporter.Flush()));
  EXPECT_EQ(asked, 2);
  sick.OnReporting([&asked](const v1::ReportUseRequest&) {
    ++asked;
    return grpc::Status::OK;
  });
  reporter.Shutdown();
  EXPECT_EQ(asked, 3);
  EXPECT_TRUE(uses_.Take(10).empty());
}

// Else one report that nobody takes would stand in the way of all that follow.
TEST_F(UseReporterTest, WhatTheAuthorityCallsInvalidIsNotToldAgain) {
  UseReporter reporter(*channels_, uses_, observer_, {.every = absl::Hours(1)});
  FailWith(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no"));
  uses_.Note(UidOf(1), kMinute);
  EXPECT_TRUE(reporter.Flush().ok());
  FailWith(grpc::Status::OK);
  EXPECT_TRUE(reporter.Flush().ok());
  EXPECT_TRUE(told().empty());
}

TEST_F(UseReporterTest, TellsNowAndThenByItself) {
  UseReporter reporter(*channels_, uses_, observer_, {.every = absl::Milliseconds(5)});
  uses_.Note(UidOf(1), kMinute);
  const absl::MutexLock lock(&mutex_);
  const auto was_told = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !told_.empty(); };
  EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&was_told), absl::Seconds(20)));
}

TEST_F(UseReporterTest, TellsWhatIsLeftAtTheEnd) {
  UseReporter reporter(*channels_, uses_, observer_, {.every = absl::Hours(1)});
  uses_.Note(UidOf(1), kMinute);
  reporter.Shutdown();
  EXPECT_EQ(told().size(), 1);
  reporter.Shutdown();
}

TEST_F(UseReporterTest, WithoutAnAuthorityTheEndDoesNotWaitForOne) {
  server_.Stop();
  UseReporter reporter(*channels_, uses_, observer_, {.every = absl::Hours(1)});
  uses_.Note(UidOf(1), kMinute);
  reporter.Shutdown();
  EXPECT_EQ(uses_.Take(10).size(), 1);
}

// However much there is to tell, and however slow the authority takes it.
TEST_F(UseReporterTest, TheEndTakesNoLongerThanOneCallMay) {
  std::atomic<int> calls = 0;
  server_.OnReporting([&calls](const v1::ReportUseRequest&) {
    ++calls;
    std::this_thread::sleep_for(std::chrono::milliseconds(40));  // Sleeps: an authority that is slow.
    return grpc::Status::OK;
  });
  for (int i = 0; i < 100; ++i) uses_.Note(UidOf(i), kMinute);
  UseReporter reporter(*channels_, uses_, observer_,
                       {.every = absl::Milliseconds(1), .deadline = absl::Milliseconds(120), .most_in_batch = 1});
  while (calls == 0) std::this_thread::yield();
  reporter.Shutdown();
  EXPECT_LT(calls, 20);
  EXPECT_GT(uses_.Take(100).size(), 80);
}

TEST(UseRecorderTakeTest, TakesAtMostSoManyAndEachOnce) {
  UseRecorder uses(/*most_waiting=*/5);
  for (int i = 0; i < 7; ++i) uses.Note(UidOf(i), kMinute);
  EXPECT_EQ(uses.dropped(), 2);
  const std::vector<NotedUse> first = uses.Take(3);
  EXPECT_EQ(first.size(), 3);
  EXPECT_EQ(uses.Take(100).size(), 2);
  EXPECT_TRUE(uses.Take(100).empty());
  uses.PutBack(first);
  uses.Note(first[0].uid, kMinute + absl::Minutes(1));
  std::map<std::string, absl::Time> again;
  for (const NotedUse& use : uses.Take(100)) again[use.uid.ToString()] = use.time;
  EXPECT_EQ(again.size(), 3);
  EXPECT_EQ(again[first[0].uid.ToString()], kMinute + absl::Minutes(1));  // The later of the two.
  EXPECT_EQ(uses.dropped(), 2);
}

}  // namespace
}  // namespace pat
