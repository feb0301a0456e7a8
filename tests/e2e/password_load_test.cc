// Checking passwords takes long, and whoever may connect can ask for it: nobody else may have to wait for that.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "tests/e2e/dev_server.h"

namespace pat {
namespace {

using ::grpc::StatusCode;

// Two are computed at a time, sixteen wait.
constexpr int kAdmitted = 18;

// What many calls at once came to.
class Tally {
 public:
  void Count(const grpc::Status& status) {
    const absl::MutexLock lock(&mutex_);
    ++(status.error_code() == StatusCode::RESOURCE_EXHAUSTED ? refused_ : checked_);
  }
  int refused() const {
    const absl::MutexLock lock(&mutex_);
    return refused_;
  }
  int checked() const {
    const absl::MutexLock lock(&mutex_);
    return checked_;
  }
  // Until one was refused. False if there are `count` answers before.
  bool WaitForRefusal(int count) const {
    const auto seen = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return refused_ > 0 || refused_ + checked_ == count;
    };
    const absl::MutexLock lock(&mutex_, absl::Condition(&seen));
    return refused_ > 0;
  }

 private:
  mutable absl::Mutex mutex_;
  int refused_ ABSL_GUARDED_BY(mutex_) = 0;
  int checked_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(PasswordLoadTest, ManyWrongPasswordsAreSentAwayAndAReadFromDiskDoesNotWaitForThem) {
  constexpr int kCalls = 60;
  DevServer server;
  const std::string secret = server.client().Create("ada", "cold").secret;
  server.Restart();  // Now it is on disk alone.

  Tally tally;
  std::vector<grpc::Status> statuses(kCalls);
  std::vector<std::thread> threads;
  for (int i = 0; i < kCalls; ++i) {
    threads.emplace_back([&, i] {
      statuses[i] = server
                        .client()
                        // Each another user: of one, ten would be too many.
                        .Call(&IntrospectionStub::Introspect, WithPassword(absl::StrCat("guess", i), "wrong"),
                              QuestionFor("anything"))
                        .status;
      tally.Count(statuses[i]);
    });
  }
  EXPECT_TRUE(tally.WaitForRefusal(kCalls)) << "the queue has no end";
  const Answer<v1::IntrospectResponse> cold =
      server.client().Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor(secret));
  const int checked_before = tally.checked();
  for (std::thread& thread : threads) thread.join();

  EXPECT_TRUE(cold.value().active());
  EXPECT_EQ(cold.response.freshness().source(), v1::Freshness::SOURCE_STORE);
  EXPECT_LT(checked_before, kAdmitted);
  EXPECT_GE(tally.checked(), kAdmitted - 2);
  EXPECT_GE(tally.refused(), 20);
  for (const grpc::Status& status : statuses) {
    if (status.error_code() == StatusCode::UNAUTHENTICATED) continue;
    EXPECT_THAT(status, IsRefusal(StatusCode::RESOURCE_EXHAUSTED, "RATE_LIMITED"));
    EXPECT_GT(RefusalOf(status).retry_delay.value_or(absl::ZeroDuration()), absl::ZeroDuration());
  }
}

}  // namespace
}  // namespace pat
