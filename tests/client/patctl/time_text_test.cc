#include "client/patctl/time_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/client/manual_clock.h"

namespace pat::patctl {
namespace {

const absl::Time kNow = client::ManualClock::Start();  // 2026-11-23 15:04:05 UTC

TEST(TimeTextTest, InstantsAreInUtc) {
  EXPECT_EQ(FormatInstant(kNow), "2026-11-23 15:04:05Z");
  EXPECT_EQ(FormatInstant(kNow + absl::Milliseconds(999)), "2026-11-23 15:04:05Z");
}

TEST(TimeTextTest, DistancesHaveAtMostTwoUnits) {
  const std::pair<absl::Duration, std::string> cases[] = {
      {absl::ZeroDuration(), "0s"},
      {absl::Milliseconds(999), "0s"},
      {absl::Seconds(59), "59s"},
      {absl::Seconds(60), "1m0s"},
      {absl::Seconds(3598), "59m58s"},
      {absl::Milliseconds(3'599'999), "59m59s"},
      {absl::Hours(1), "1h0m"},
      {absl::Hours(3) + absl::Minutes(5) + absl::Seconds(59), "3h5m"},
      {absl::Hours(24) - absl::Seconds(1), "23h59m"},
      {absl::Hours(24), "1d"},
      {absl::Hours(24 * 30) - absl::Seconds(1), "29d"},
      {absl::Hours(24 * 365), "365d"},
      {-absl::Hours(1), "0s"}};
  for (const auto& [distance, expected] : cases) EXPECT_EQ(FormatDistance(distance), expected) << distance;
}

TEST(TimeTextTest, RelativeTimesSayInWhichDirection) {
  EXPECT_EQ(FormatRelative(kNow, kNow), "now");
  EXPECT_EQ(FormatRelative(kNow + absl::Milliseconds(999), kNow), "now");
  EXPECT_EQ(FormatRelative(kNow + absl::Seconds(1), kNow), "in 1s");
  EXPECT_EQ(FormatRelative(kNow - absl::Seconds(1), kNow), "1s ago");
  EXPECT_EQ(FormatRelative(kNow - absl::Hours(48), kNow), "2d ago");
  EXPECT_EQ(FormatWhen(kNow + absl::Hours(24 * 29), kNow), "2026-12-22 15:04:05Z (in 29d)");
}

TEST(TimeTextTest, RoundsUpToWholeSeconds) {
  EXPECT_EQ(RoundUpToSecond(kNow), kNow);
  EXPECT_EQ(RoundUpToSecond(kNow + absl::Nanoseconds(1)), kNow + absl::Seconds(1));
  EXPECT_EQ(RoundUpToSecond(absl::UnixEpoch() - absl::Milliseconds(1500)), absl::UnixEpoch() - absl::Seconds(1));
}

TEST(TimeTextTest, ProtosGoThereAndBack) {
  for (const absl::Time time : {kNow, kNow + absl::Nanoseconds(1), absl::UnixEpoch(), absl::FromUnixMillis(-1500)}) {
    EXPECT_EQ(ToTime(ToProto(time)), time);
    EXPECT_GE(ToProto(time).nanos(), 0);
  }
  for (const absl::Duration duration : {absl::ZeroDuration(), absl::Seconds(90), absl::Nanoseconds(1'500'000'001)}) {
    EXPECT_EQ(ToDuration(ToProto(duration)), duration);
  }
}

TEST(FormatExactlyTest, CanBeGivenAgain) {
  EXPECT_EQ(FormatExactly(absl::Hours(24 * 365)), "365d");
  EXPECT_EQ(FormatExactly(absl::Hours(36)), "36h");
  EXPECT_EQ(FormatExactly(absl::Minutes(90)), "90m");
  EXPECT_EQ(FormatExactly(absl::Seconds(90)), "90s");
  EXPECT_EQ(FormatExactly(absl::ZeroDuration()), "0s");
}

}  // namespace
}  // namespace pat::patctl
