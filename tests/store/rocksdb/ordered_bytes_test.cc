#include "store/rocksdb/ordered_bytes.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace pat::rocks {
namespace {

std::string TimeBytes(absl::Time time) {
  std::string bytes;
  AppendTime(bytes, time);
  return bytes;
}

// Ascending.
std::vector<absl::Time> Times() {
  return {absl::InfinitePast(),
          absl::FromUnixSeconds(std::numeric_limits<int64_t>::min() / 2),
          absl::FromUnixSeconds(-62135596800),  // Year 1.
          absl::FromUnixSeconds(-1) + absl::Nanoseconds(1),
          absl::UnixEpoch() - absl::Nanoseconds(1),
          absl::UnixEpoch(),
          absl::UnixEpoch() + absl::Nanoseconds(1),
          absl::FromUnixSeconds(1'700'000'000) - absl::Nanoseconds(1),
          absl::FromUnixSeconds(1'700'000'000),
          absl::FromUnixSeconds(253402300799),  // Year 9999.
          absl::FromUnixSeconds(std::numeric_limits<int64_t>::max() / 2),
          absl::InfiniteFuture()};
}

TEST(OrderedBytesTest, NumbersAreBigEndianAndComeBack) {
  std::string bytes;
  AppendUint32(bytes, 0x01020304);
  AppendUint64(bytes, 0x05060708090a0b0c);
  EXPECT_EQ(bytes, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c");
  absl::string_view in = bytes;
  uint32_t small = 0;
  uint64_t large = 0;
  EXPECT_TRUE(ConsumeUint32(in, small));
  EXPECT_TRUE(ConsumeUint64(in, large));
  EXPECT_EQ(small, 0x01020304u);
  EXPECT_EQ(large, 0x05060708090a0b0cu);
  EXPECT_TRUE(in.empty());
  EXPECT_FALSE(ConsumeUint32(in, small));
}

TEST(OrderedBytesTest, TimesComeBackInTheirOrder) {
  const std::vector<absl::Time> times = Times();
  for (size_t i = 0; i < times.size(); ++i) {
    const std::string bytes = TimeBytes(times[i]);
    EXPECT_EQ(bytes.size(), 12u);
    absl::string_view in = bytes;
    absl::Time back;
    ASSERT_TRUE(ConsumeTime(in, back));
    EXPECT_EQ(back, times[i]);
    std::string descending;
    AppendDescendingTime(descending, times[i]);
    absl::string_view descending_in = descending;
    ASSERT_TRUE(ConsumeDescendingTime(descending_in, back));
    EXPECT_EQ(back, times[i]);
    if (i == 0) continue;
    EXPECT_LT(TimeBytes(times[i - 1]), bytes) << i;
    std::string before;
    AppendDescendingTime(before, times[i - 1]);
    EXPECT_GT(before, descending) << i;
  }
}

TEST(OrderedBytesTest, TimesAreCutTowardsThePast) {
  const absl::Duration quarter = absl::Nanoseconds(1) / 4;
  EXPECT_EQ(TimeBytes(absl::UnixEpoch() + 3 * quarter), TimeBytes(absl::UnixEpoch()));
  EXPECT_EQ(TimeBytes(absl::UnixEpoch() - quarter), TimeBytes(absl::UnixEpoch() - absl::Nanoseconds(1)));
}

TEST(OrderedBytesTest, NanosecondsBeyondASecondAreRefused) {
  std::string bytes = TimeBytes(absl::UnixEpoch()).substr(0, 8);
  AppendUint32(bytes, 1'000'000'000);
  absl::string_view in = bytes;
  absl::Time time;
  EXPECT_FALSE(ConsumeTime(in, time));
  in = absl::string_view(bytes).substr(0, 11);
  EXPECT_FALSE(ConsumeTime(in, time));
  EXPECT_FALSE(ConsumeDescendingTime(in, time));
}

TEST(OrderedBytesTest, TerminatedStringsKeepTheirOrderAndNoneBeginsAnother) {
  // Ascending.
  const std::vector<std::string> texts = {"",
                                          std::string("\0", 1),
                                          std::string("\0\0", 2),
                                          std::string("\0\x01", 2),
                                          "\1",
                                          "a",
                                          std::string("a\0", 2),
                                          std::string("a\0b", 3),
                                          "ab",
                                          "\xff",
                                          "\xff\xff"};
  for (size_t i = 0; i < texts.size(); ++i) {
    std::string one;
    AppendTerminated(one, texts[i]);
    for (size_t j = 0; j < texts.size(); ++j) {
      if (i == j) continue;
      std::string other;
      AppendTerminated(other, texts[j]);
      EXPECT_EQ(i < j, one < other) << i << " " << j;
      EXPECT_NE(other.substr(0, one.size()), one) << i << " begins " << j;
    }
  }
}

}  // namespace
}  // namespace pat::rocks
