#include "server/upstream/stream_waits.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace pat {
namespace {

constexpr StreamWaitOptions kOptions{.first = absl::Milliseconds(50),
                                     .longest = absl::Seconds(2),
                                     .longest_refused = absl::Minutes(1),
                                     .not_served = absl::Minutes(5)};
constexpr StreamEnd kRefused{.how = StreamEnding::kRefused, .retry_delay = absl::Seconds(2)};
constexpr uint64_t kLeast = 0;
constexpr uint64_t kMost = UINT64_MAX;

TEST(StreamWaitsTest, OneThatIsLostIsAskedForWithinTwoSeconds) {
  StreamWaits waits(kOptions, 1);
  EXPECT_EQ(waits.Next({}, kLeast), absl::Milliseconds(25));
  for (int i = 0; i < 20; ++i) EXPECT_LE(waits.Next({}, kMost), absl::Seconds(2));
  EXPECT_GE(waits.Next({}, kLeast), absl::Seconds(1));
}

TEST(StreamWaitsTest, OneThatIsRefusedIsAskedForNotBeforeTheAuthorityWantsItAndLessAndLessOften) {
  StreamWaits least(kOptions, 1);
  StreamWaits most(kOptions, 1);
  absl::Duration before;
  for (int i = 0; i < 12; ++i) {
    const absl::Duration wait = least.Next(kRefused, kLeast);
    EXPECT_GT(wait, absl::Seconds(2));
    EXPECT_GE(wait, before);
    before = wait;
    EXPECT_LE(most.Next(kRefused, kMost), absl::Minutes(1) + absl::Seconds(2));
  }
  EXPECT_EQ(before, absl::Seconds(32));
  // At random: a crowd that was refused together does not come back together.
  EXPECT_GT(most.Next(kRefused, kMost), absl::Seconds(61));
}

TEST(StreamWaitsTest, OnlyOneThatLastedMakesTheWaitsShortAgain) {
  StreamWaits waits(kOptions, 1);
  for (int i = 0; i < 12; ++i) waits.Next(kRefused, kLeast);
  waits.Next({}, kLeast);
  EXPECT_EQ(waits.Next(kRefused, kLeast), absl::Seconds(32)) << "a connection that failed shows nothing";
  for (int i = 0; i < 12; ++i) waits.Next({}, kLeast);
  EXPECT_EQ(waits.Next({.has_lasted = true}, kLeast), absl::Milliseconds(25));
  EXPECT_EQ(waits.Next(kRefused, kLeast), absl::Milliseconds(2025));
}

TEST(StreamWaitsTest, WhereTheAuthorityIsUnavailableTheOtherAddressesComeFirst) {
  constexpr StreamEnd kUnavailable{.how = StreamEnding::kUnavailable, .retry_delay = absl::Seconds(1)};
  StreamWaits waits(kOptions, 3);
  for (int round = 0; round < 4; ++round) {
    EXPECT_LE(waits.Next(kUnavailable, kLeast), absl::Seconds(1));
    EXPECT_LE(waits.Next(kUnavailable, kLeast), absl::Seconds(1));
    EXPECT_GT(waits.Next(kUnavailable, kLeast), absl::Seconds(1));
  }
  StreamWaits of_one(kOptions, 1);
  EXPECT_EQ(of_one.Next(kUnavailable, kLeast), absl::Milliseconds(1025));
}

TEST(StreamWaitsTest, WhereThereIsNoneItIsHardlyEverAskedFor) {
  StreamWaits waits(kOptions, 1);
  EXPECT_EQ(waits.Next({.how = StreamEnding::kNotServed}, kLeast), absl::Minutes(5));
}

}  // namespace
}  // namespace pat
