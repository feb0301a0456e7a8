#include "server/ops/duration_text.h"

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

TEST(ParseDurationTextTest, TakesANumberAndAUnit) {
  EXPECT_EQ(ParseDurationText("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(ParseDurationText("90s"), absl::Seconds(90));
  EXPECT_EQ(ParseDurationText("15m"), absl::Minutes(15));
  EXPECT_EQ(ParseDurationText("1h"), absl::Hours(1));
  EXPECT_EQ(ParseDurationText("30d"), absl::Hours(30 * 24));
  EXPECT_EQ(ParseDurationText("007s"), absl::Seconds(7));
}

TEST(ParseDurationTextTest, ZeroNeedsNoUnitAndMayHaveOne) {
  for (const char* text : {"0", "00", "0ms", "0s", "0m", "0h", "0d"}) {
    EXPECT_EQ(ParseDurationText(text), absl::ZeroDuration()) << text;
  }
}

TEST(ParseDurationTextTest, AHundredYearsAreTheMost) {
  EXPECT_EQ(ParseDurationText("36525d"), 36'525 * absl::Hours(24));
  EXPECT_EQ(ParseDurationText("876600h"), 36'525 * absl::Hours(24));
  for (const char* text : {"36526d", "876601h", "999999999999d", "9223372036854775807s", "99999999999999999999ms"}) {
    EXPECT_EQ(ParseDurationText(text), std::nullopt) << text;
  }
}

TEST(ParseDurationTextTest, NothingElseIsADuration) {
  for (const absl::string_view text :
       {"",   "s",  "h",  "1",  "60",   "-1s", "+1s", "1.5h", "1h30m", "1 h",  " 1h", "1h ",  "1H",       "1S",
        "1M", "1D", "1w", "1y", "1sec", "1us", "1ns", "1msx", "0x10s", "1e3s", "inf", "1d\n", "one hour", "٣s"}) {
    EXPECT_EQ(ParseDurationText(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseDurationText(absl::string_view("1s\0", 3)), std::nullopt);
}

}  // namespace
}  // namespace pat
