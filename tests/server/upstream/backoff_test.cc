#include "server/upstream/backoff.h"

#include <cstdint>
#include <random>
#include <set>

#include "gtest/gtest.h"

namespace pat {
namespace {

constexpr absl::Duration kFirst = absl::Milliseconds(50);
constexpr absl::Duration kLongest = absl::Seconds(2);

TEST(BackoffTest, StepsDoubleUpToTheLongest) {
  Backoff least(kFirst, kLongest);
  Backoff most(kFirst, kLongest);
  for (const absl::Duration step :
       {kFirst, 2 * kFirst, 4 * kFirst, 8 * kFirst, 16 * kFirst, 32 * kFirst, kLongest, kLongest}) {
    EXPECT_EQ(least.Next(0), step / 2);
    const absl::Duration longest = most.Next(UINT64_MAX);
    EXPECT_LE(longest, step);
    EXPECT_GT(longest, step * 0.999);
  }
}

TEST(BackoffTest, ResetBeginsAgain) {
  Backoff backoff(kFirst, kLongest);
  for (int i = 0; i < 5; ++i) backoff.Next(0);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(0), kFirst / 2);
}

TEST(BackoffTest, ACrowdIsSpread) {
  std::mt19937_64 random(1);
  std::set<int64_t> tenths;
  for (int i = 0; i < 1000; ++i) {
    Backoff backoff(kFirst, kLongest);
    const absl::Duration wait = backoff.Next(random());
    EXPECT_GE(wait, kFirst / 2);
    EXPECT_LE(wait, kFirst);
    tenths.insert(absl::ToInt64Nanoseconds(wait - kFirst / 2) * 10 / absl::ToInt64Nanoseconds(kFirst / 2));
  }
  EXPECT_GE(tenths.size(), 10);
}

}  // namespace
}  // namespace pat
