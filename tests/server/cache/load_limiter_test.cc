#include "server/cache/load_limiter.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

constexpr int64_t kPlenty = 1'000'000;
const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

// How many of `tries` begin at `now`; each ends at once.
int Admitted(LoadLimiter& limiter, absl::Time now, int tries) {
  int admitted = 0;
  for (int i = 0; i < tries; ++i) {
    if (!limiter.Begin(now)) continue;
    ++admitted;
    limiter.End();
  }
  return admitted;
}

TEST(LoadLimiterTest, AdmitsExactlySoManyAtATime) {
  LoadLimiter limiter(/*max_in_flight=*/3, kPlenty);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.Begin(kStart));
  EXPECT_FALSE(limiter.Begin(kStart));
  limiter.End();
  EXPECT_TRUE(limiter.Begin(kStart));
  EXPECT_FALSE(limiter.Begin(kStart));
}

TEST(LoadLimiterTest, ARefusedOneIsNotInFlight) {
  LoadLimiter limiter(/*max_in_flight=*/1, kPlenty);
  ASSERT_TRUE(limiter.Begin(kStart));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter.Begin(kStart));
  limiter.End();
  EXPECT_TRUE(limiter.Begin(kStart));
}

TEST(LoadLimiterTest, AdmitsASecondsWorthAtOnceAndNoMore) {
  for (const int rate : {1, 2, 3, 7, 10, 1000}) {
    LoadLimiter limiter(kPlenty, rate);
    EXPECT_EQ(Admitted(limiter, kStart, rate + 5), rate) << rate;
  }
}

TEST(LoadLimiterTest, AdmitsOneMoreAfterItsShareOfASecondAndNotANanosecondBefore) {
  LoadLimiter limiter(kPlenty, /*max_per_second=*/10);
  ASSERT_EQ(Admitted(limiter, kStart, 100), 10);
  EXPECT_EQ(Admitted(limiter, kStart + absl::Milliseconds(100) - absl::Nanoseconds(1), 100), 0);
  EXPECT_EQ(Admitted(limiter, kStart + absl::Milliseconds(100), 100), 1);
}

TEST(LoadLimiterTest, AfterASecondTheWholeRateIsThereAgain) {
  LoadLimiter limiter(kPlenty, /*max_per_second=*/10);
  ASSERT_EQ(Admitted(limiter, kStart, 100), 10);
  EXPECT_EQ(Admitted(limiter, kStart + absl::Seconds(1), 100), 10);
}

TEST(LoadLimiterTest, IdleTimeIsNotSavedUp) {
  LoadLimiter limiter(kPlenty, /*max_per_second=*/10);
  ASSERT_EQ(Admitted(limiter, kStart, 1), 1);
  EXPECT_EQ(Admitted(limiter, kStart + absl::Hours(24), 100), 10);
}

TEST(LoadLimiterTest, WhatIsRefusedForItsNumberUsesUpNoRate) {
  LoadLimiter limiter(/*max_in_flight=*/1, /*max_per_second=*/2);
  ASSERT_TRUE(limiter.Begin(kStart));
  EXPECT_FALSE(limiter.Begin(kStart));
  EXPECT_FALSE(limiter.Begin(kStart));
  limiter.End();
  EXPECT_TRUE(limiter.Begin(kStart));
}

TEST(LoadLimiterTest, WhatIsRefusedForTheRateIsNotInFlight) {
  LoadLimiter limiter(/*max_in_flight=*/1, /*max_per_second=*/1);
  ASSERT_EQ(Admitted(limiter, kStart, 10), 1);
  EXPECT_TRUE(limiter.Begin(kStart + absl::Seconds(1)));
}

TEST(LoadLimiterTest, HoldsBothLimitsForAllThreadsTogether) {
  constexpr int kInFlight = 2;
  constexpr int kRate = 1000;
  LoadLimiter limiter(kInFlight, kRate);
  std::atomic<int> in_flight{0};
  std::atomic<int> most{0};
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20'000; ++n) {
        if (!limiter.Begin(kStart)) continue;
        const int now_in_flight = in_flight.fetch_add(1) + 1;
        int seen = most.load();
        while (now_in_flight > seen && !most.compare_exchange_weak(seen, now_in_flight)) {
        }
        admitted.fetch_add(1);
        in_flight.fetch_sub(1);
        limiter.End();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, kInFlight);
  EXPECT_EQ(admitted, kRate);
}

}  // namespace
}  // namespace pat
