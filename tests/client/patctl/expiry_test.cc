#include "client/patctl/expiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace pat::patctl {
namespace {

using ::testing::HasSubstr;

absl::Time Utc(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  return absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, second), absl::UTCTimeZone());
}

TEST(DurationTest, IsANumberAndAUnit) {
  const std::pair<std::string, absl::Duration> cases[] = {
      {"90s", absl::Seconds(90)},       {"15m", absl::Minutes(15)},   {"1h", absl::Hours(1)},
      {"30d", absl::Hours(24 * 30)},    {"0s", absl::ZeroDuration()}, {"007s", absl::Seconds(7)},
      {"36500d", absl::Hours(876'000)}, {"1s", absl::Seconds(1)},     {"0", absl::ZeroDuration()}};
  for (const auto& [text, expected] : cases) {
    const auto duration = ParseDuration(text);
    ASSERT_TRUE(duration.ok()) << duration.status();
    EXPECT_EQ(*duration, expected) << text;
  }
}

TEST(DurationTest, IsNothingElse) {
  for (const char* text : {"", "s", "30", "d30", "-1d", "+1d", "1.5h", "1h30m", "30 d", " 30d", "30d ", "30D", "1w",
                           "1y", "1ms", "30days", "inf", "9999999999999999999d", "１d"}) {
    const auto duration = ParseDuration(text);
    EXPECT_FALSE(duration.ok()) << text;
    EXPECT_THAT(std::string(duration.status().message()),
                HasSubstr("s, m, h or d (seconds, minutes, hours, days), as in "
                          "90s, 15m, 1h or 30d"))
        << text;
  }
}

TEST(DurationTest, SaysThatAUnitIsMissing) {
  for (const char* text : {"1", "30", "00", "9999999999999999999"}) {
    EXPECT_THAT(
        std::string(ParseDuration(text).status().message()),
        HasSubstr("the unit is missing: put one behind the number: s, m, h or d (seconds, minutes, hours, days)"))
        << text;
  }
}

TEST(DurationTest, HasALimit) {
  for (const char* text : {"36501d", "99999999999s", "99999999999d"}) {
    const auto duration = ParseDuration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_THAT(std::string(duration.status().message()), HasSubstr("at most 36500d"));
  }
}

TEST(DurationTest, MayHaveToBePositive) {
  EXPECT_EQ(*ParsePositiveDuration("1s"), absl::Seconds(1));
  EXPECT_THAT(std::string(ParsePositiveDuration("0s").status().message()), HasSubstr("at least one second"));
  EXPECT_FALSE(ParsePositiveDuration("x").ok());
  EXPECT_THAT(std::string(ParsePositiveDuration("0").status().message()), HasSubstr("at least one second (1s)"));
}

TEST(ExpiryTest, TakesADuration) { EXPECT_EQ(*ParseExpiry("30d"), Expiry(absl::Hours(24 * 30))); }

TEST(ExpiryTest, ADateIsGoodThroughItsEnd) {
  EXPECT_EQ(*ParseExpiry("2027-01-31"), Expiry(Utc(2027, 2, 1)));
  EXPECT_EQ(*ParseExpiry("2026-12-31"), Expiry(Utc(2027, 1, 1)));
  EXPECT_EQ(*ParseExpiry("2028-02-28"), Expiry(Utc(2028, 2, 29)));
  EXPECT_EQ(*ParseExpiry("2028-02-29"), Expiry(Utc(2028, 3, 1)));
  EXPECT_EQ(*ParseExpiry("9999-12-30"), Expiry(Utc(9999, 12, 31)));
}

TEST(ExpiryTest, AnInstantIsTakenAsItIs) {
  EXPECT_EQ(*ParseExpiry("2027-01-31T18:00:00Z"), Expiry(Utc(2027, 1, 31, 18)));
  EXPECT_EQ(*ParseExpiry("2027-01-31T18:00:00+02:00"), Expiry(Utc(2027, 1, 31, 16)));
  EXPECT_EQ(*ParseExpiry("2027-01-31T18:00:00.5Z"), Expiry(Utc(2027, 1, 31, 18) + absl::Milliseconds(500)));
  // As patctl prints it.
  EXPECT_EQ(*ParseExpiry("2027-01-31 18:00:00Z"), Expiry(Utc(2027, 1, 31, 18)));
}

TEST(ExpiryTest, IsNothingElse) {
  for (const char* text : {"",
                           "0d",
                           "tomorrow",
                           "2027-02-29",
                           "2027-02-30",
                           "2027-13-01",
                           "2027-00-10",
                           "2027-01-00",
                           "2027-1-31",
                           "31.01.2027",
                           "2027-01-31T18:00:00",
                           "2027-01-31T25:00:00Z",
                           "2027-02-30T10:00:00Z",
                           "2027-01-31Z",
                           "2027-01-31T18:00:00Z tail",
                           "infinite-future",
                           "9999-12-31",
                           "10000-01-01",
                           "-027-01-01",
                           "20270131"}) {
    const auto expiry = ParseExpiry(text);
    EXPECT_FALSE(expiry.ok()) << text;
    EXPECT_EQ(expiry.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(expiry.status().message()),
                HasSubstr("30d: seconds, minutes, hours, days), a date (2027-01-31, through its end, UTC"))
        << text;
  }
}

TEST(MomentTest, IsADistanceAnInstantOrADate) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  EXPECT_EQ(TimeOf(*ParseSince("15m"), now), now - absl::Minutes(15));
  EXPECT_EQ(TimeOf(*ParseUntil("15m"), now), now - absl::Minutes(15));
  const absl::Time noon = absl::FromCivil(absl::CivilHour(2027, 1, 31, 12), absl::UTCTimeZone());
  EXPECT_EQ(TimeOf(*ParseSince("2027-01-31T12:00:00Z"), now), noon);
  EXPECT_EQ(TimeOf(*ParseUntil("2027-01-31 12:00:00Z"), now), noon);
  EXPECT_EQ(TimeOf(*ParseSince("2027-01-31"), now), noon - absl::Hours(12));
  EXPECT_EQ(TimeOf(*ParseUntil("2027-01-31"), now), noon + absl::Hours(12));
}

TEST(MomentTest, IsNothingElse) {
  for (const char* text : {"", "yesterday", "2027-02-30", "2027-01", "0s", "now"}) {
    EXPECT_THAT(std::string(ParseSince(text).status().message()), HasSubstr("give how long ago")) << text;
    EXPECT_THAT(std::string(ParseUntil(text).status().message()), HasSubstr("give how long ago")) << text;
  }
}

}  // namespace
}  // namespace pat::patctl
