// So many calls within any second, and no more, whoever calls beside.
#include "server/core/rate_limiter.h"

#include <algorithm>
#include <cstddef>
#include <deque>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);
constexpr absl::Duration kTick = absl::Nanoseconds(1);

TEST(RateLimiterTest, TheOneBeyondTheLimitWaitsForTheFirstToBeASecondOld) {
  RateLimiter limiter(3);
  EXPECT_EQ(limiter.Take("ada", kStart), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("ada", kStart + absl::Milliseconds(100)), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("ada", kStart + absl::Milliseconds(200)), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("ada", kStart + absl::Milliseconds(300)), absl::Milliseconds(700));
  EXPECT_EQ(limiter.Take("ada", kStart + absl::Seconds(1) - kTick), kTick);
  EXPECT_EQ(limiter.Take("ada", kStart + absl::Seconds(1)), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("ada", kStart + absl::Seconds(1)), absl::Milliseconds(100));
}

// No burst after a pause, nor over the border of a second.
TEST(RateLimiterTest, NoWindowOfASecondHasMore) {
  constexpr size_t kLimit = 10;
  RateLimiter limiter(kLimit);
  std::deque<absl::Time> taken;
  size_t most = 0;
  for (absl::Time now = kStart; now < kStart + absl::Seconds(20); now += absl::Milliseconds(7)) {
    if (absl::ToUnixSeconds(now) % 3 == 0) continue;
    if (limiter.Take("ada", now) == absl::ZeroDuration()) taken.push_back(now);
    while (!taken.empty() && taken.front() + absl::Seconds(1) <= now) taken.pop_front();
    most = std::max(most, taken.size());
  }
  EXPECT_EQ(most, kLimit);
}

TEST(RateLimiterTest, CallersDoNotCountForEachOther) {
  RateLimiter limiter(1);
  EXPECT_EQ(limiter.Take("ada", kStart), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("bob", kStart), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("ada", kStart), absl::ZeroDuration());
}

TEST(RateLimiterTest, WhatWasRefusedDoesNotCount) {
  RateLimiter limiter(1);
  EXPECT_EQ(limiter.Take("ada", kStart), absl::ZeroDuration());
  for (int i = 1; i < 10; ++i)
    EXPECT_GT(limiter.Take("ada", kStart + absl::Milliseconds(100 * i)), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("ada", kStart + absl::Seconds(1)), absl::ZeroDuration());
}

// Memory is bounded, and those who called lately keep their places.
TEST(RateLimiterTest, ACallerBeyondTheLastPlaceWaitsUntilAnotherHasBeenQuiet) {
  RateLimiter limiter(1, /*most_callers=*/3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Take(absl::StrCat("caller ", i), kStart), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("one more", kStart + absl::Seconds(1) - kTick), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("one more", kStart + absl::Seconds(1)), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("one more", kStart + absl::Seconds(1)), absl::ZeroDuration());
}

}  // namespace
}  // namespace pat
