#include "server/cache/entry_table.h"

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/cache/read_section.h"
#include "tests/support/facts_recorder.h"

namespace pat {
namespace {

// Both clocks, so many seconds after the start.
Reading At(int seconds, absl::Duration more = absl::ZeroDuration()) {
  const absl::Duration since_start = absl::Seconds(seconds) + more;
  return {.now = absl::FromUnixSeconds(1'700'000'000) + since_start,
          .wall_nanos = absl::ToInt64Nanoseconds(absl::Seconds(1'700'000'000) + since_start),
          .boot_nanos = absl::ToInt64Nanoseconds(absl::Seconds(86'400) + since_start)};
}

TokenFacts FactsOf(absl::string_view owner) {
  TokenFacts facts;
  facts.owner_id = std::string(owner);
  facts.expire_time = absl::InfiniteFuture();
  return facts;
}

void PutActive(EntryTable& table, const TokenDigest& digest, int loaded_at, absl::string_view owner = "ada") {
  const TokenFacts facts = FactsOf(owner);
  table.Put(digest, At(loaded_at), absl::Hours(1), &facts);
}

void PutInactive(EntryTable& table, const TokenDigest& digest, int loaded_at) {
  table.Put(digest, At(loaded_at), absl::Seconds(10), nullptr);
}

bool Has(const EntryTable& table, const TokenDigest& digest) {
  const ReadSection section;
  return table.Find(digest) != nullptr;
}

TEST(EntryTableTest, FindsNothingInAnEmptyTable) {
  const EntryTable table(9, 1);
  EXPECT_FALSE(Has(table, UnknownDigest(1)));
  EXPECT_EQ(table.active_size(), 0);
  EXPECT_EQ(table.inactive_size(), 0);
}

TEST(EntryTableTest, FindsWhatWasPut) {
  EntryTable table(9, 1);
  PutActive(table, UnknownDigest(1), 7);
  const ReadSection section;
  const CacheEntry* const entry = table.Find(UnknownDigest(1));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->digest(), UnknownDigest(1));
  EXPECT_EQ(entry->loaded_at().now, At(7).now);
  EXPECT_EQ(entry->loaded_at().wall_nanos, At(7).wall_nanos);
  EXPECT_EQ(entry->loaded_at().boot_nanos, At(7).boot_nanos);
  EXPECT_EQ(entry->good_for(), absl::Hours(1));
  ASSERT_NE(entry->facts(), nullptr);
  EXPECT_EQ(entry->facts()->owner_id, "ada");
  EXPECT_EQ(table.Find(UnknownDigest(2)), nullptr);
}

TEST(EntryTableTest, CopiesTheFacts) {
  EntryTable table(9, 1);
  {
    TokenFacts facts = FactsOf("somebody whose name does not fit into a short string");
    table.Put(UnknownDigest(1), At(0), absl::Seconds(1), &facts);
    facts.owner_id = "changed";
  }
  const ReadSection section;
  EXPECT_EQ(table.Find(UnknownDigest(1))->facts()->owner_id, "somebody whose name does not fit into a short string");
}

TEST(EntryTableTest, TellsDigestsApartByTheirLastByte) {
  EntryTable table(9, 1);
  TokenDigest one = UnknownDigest(1);
  TokenDigest other = one;
  other.bytes.back() ^= 1;
  PutActive(table, one, 0, "one");
  EXPECT_FALSE(Has(table, other));
  PutActive(table, other, 0, "other");
  const ReadSection section;
  EXPECT_EQ(table.Find(one)->facts()->owner_id, "one");
  EXPECT_EQ(table.Find(other)->facts()->owner_id, "other");
}

// ---- Replacing, in each direction between the partitions.

class ReplacingTest : public testing::TestWithParam<std::tuple<bool, bool>> {
 protected:
  void Put(bool active, int loaded_at) {
    if (active) {
      PutActive(table_, UnknownDigest(1), loaded_at, absl::StrCat(loaded_at));
    } else {
      PutInactive(table_, UnknownDigest(1), loaded_at);
    }
  }
  void ExpectKept(bool active, int loaded_at) {
    const ReadSection section;
    const CacheEntry* const entry = table_.Find(UnknownDigest(1));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->loaded_at().now, At(loaded_at).now);
    ASSERT_EQ(entry->facts() != nullptr, active);
    if (active) {
      EXPECT_EQ(entry->facts()->owner_id, absl::StrCat(loaded_at));
    }
    EXPECT_EQ(table_.active_size(), active ? 1 : 0);
    EXPECT_EQ(table_.inactive_size(), active ? 0 : 1);
  }

  const bool first_ = std::get<0>(GetParam());
  const bool second_ = std::get<1>(GetParam());
  EntryTable table_{9, 1};
};

TEST_P(ReplacingTest, WhatWasLoadedLaterReplaces) {
  Put(first_, 100);
  Put(second_, 101);
  ExpectKept(second_, 101);
}

TEST_P(ReplacingTest, WhatWasLoadedANanosecondLaterReplaces) {
  Put(first_, 100);
  const TokenFacts facts = FactsOf("late");
  table_.Put(UnknownDigest(1), At(100, absl::Nanoseconds(1)), absl::Seconds(1), second_ ? &facts : nullptr);
  const ReadSection section;
  EXPECT_EQ(table_.Find(UnknownDigest(1))->loaded_at().now, At(100, absl::Nanoseconds(1)).now);
}

TEST_P(ReplacingTest, WhatWasLoadedAtTheSameTimeDoesNot) {
  Put(first_, 100);
  const TokenFacts facts = FactsOf("same time");
  table_.Put(UnknownDigest(1), At(100), absl::Hours(5), second_ ? &facts : nullptr);
  ExpectKept(first_, 100);
}

TEST_P(ReplacingTest, WhatWasLoadedEarlierDoesNot) {
  Put(first_, 100);
  Put(second_, 99);
  ExpectKept(first_, 100);
}

// Which was loaded later is a question for the clock that nobody can set.
TEST_P(ReplacingTest, WhatWasLoadedLaterReplacesWhateverWasDoneToTheWallClock) {
  Put(first_, 100);
  const TokenFacts facts = FactsOf("later");
  Reading later = At(101);
  later.wall_nanos -= absl::ToInt64Nanoseconds(absl::Hours(24));
  table_.Put(UnknownDigest(1), later, absl::Hours(1), second_ ? &facts : nullptr);
  Reading earlier = At(99);
  earlier.wall_nanos += absl::ToInt64Nanoseconds(absl::Hours(24));
  table_.Put(UnknownDigest(1), earlier, absl::Hours(1), first_ ? &facts : nullptr);
  const ReadSection section;
  EXPECT_EQ(table_.Find(UnknownDigest(1))->loaded_at().boot_nanos, later.boot_nanos);
}

TEST_P(ReplacingTest, MayGoOnForEver) {
  for (int i = 0; i < 1000; ++i) Put(i % 2 == 0 ? first_ : second_, i);
  ExpectKept(second_, 999);
}

INSTANTIATE_TEST_SUITE_P(ActiveThenActive, ReplacingTest, testing::Values(std::tuple(true, true)));
INSTANTIATE_TEST_SUITE_P(ActiveThenInactive, ReplacingTest, testing::Values(std::tuple(true, false)));
INSTANTIATE_TEST_SUITE_P(InactiveThenActive, ReplacingTest, testing::Values(std::tuple(false, true)));
INSTANTIATE_TEST_SUITE_P(InactiveThenInactive, ReplacingTest, testing::Values(std::tuple(false, false)));

// ---- Capacity.

TEST(EntryTableTest, KeepsAsManyAsItsCapacityAndNotOneMore) {
  EntryTable table(9, 4);
  for (int i = 0; i < 9; ++i) PutActive(table, UnknownDigest(i), 0);
  EXPECT_EQ(table.active_size(), 9);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(Has(table, UnknownDigest(i))) << i;
  PutActive(table, UnknownDigest(9), 0);
  EXPECT_EQ(table.active_size(), 9);
  EXPECT_TRUE(Has(table, UnknownDigest(9)));

  for (int i = 100; i < 104; ++i) PutInactive(table, UnknownDigest(i), 0);
  EXPECT_EQ(table.inactive_size(), 4);
  for (int i = 100; i < 104; ++i) EXPECT_TRUE(Has(table, UnknownDigest(i))) << i;
  PutInactive(table, UnknownDigest(104), 0);
  EXPECT_EQ(table.inactive_size(), 4);
  EXPECT_TRUE(Has(table, UnknownDigest(104)));
}

TEST(EntryTableTest, KeepsOneOfEachKindWhateverIsAskedFor) {
  EntryTable table(0, 0);
  PutActive(table, UnknownDigest(1), 0);
  PutInactive(table, UnknownDigest(2), 0);
  EXPECT_TRUE(Has(table, UnknownDigest(1)));
  EXPECT_TRUE(Has(table, UnknownDigest(2)));
  PutActive(table, UnknownDigest(3), 0);
  EXPECT_FALSE(Has(table, UnknownDigest(1)));
  EXPECT_TRUE(Has(table, UnknownDigest(3)));
}

TEST(EntryTableTest, ALargeTableKeepsItsBoundsOverAllShards) {
  for (const size_t capacity : {1000, 4096, 10'000}) {
    EntryTable table(capacity - capacity / 10, capacity / 10);
    for (size_t i = 0; i < 3 * capacity; ++i) {
      PutActive(table, UnknownDigest(i), 0);
      PutInactive(table, UnknownDigest(1'000'000 + i), 0);
    }
    EXPECT_LE(table.active_size(), capacity - capacity / 10);
    EXPECT_GE(table.active_size(), (capacity - capacity / 10) * 9 / 10);
    EXPECT_LE(table.inactive_size(), capacity / 10);
    EXPECT_GE(table.inactive_size(), capacity / 10 * 8 / 10);
  }
}

TEST(EntryTableTest, AFloodOfInactiveOnesPushesOutNoActiveOne) {
  EntryTable table(9, 1);
  for (int i = 0; i < 9; ++i) PutActive(table, UnknownDigest(i), 0);
  for (int i = 100; i < 10'100; ++i) PutInactive(table, UnknownDigest(i), 0);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(Has(table, UnknownDigest(i))) << i;
}

TEST(EntryTableTest, AFullPartitionMakesRoomForWhatComesFromTheOtherOne) {
  EntryTable table(2, 1);
  PutActive(table, UnknownDigest(1), 0);
  PutActive(table, UnknownDigest(2), 0);
  PutInactive(table, UnknownDigest(3), 0);
  PutActive(table, UnknownDigest(3), 1);
  EXPECT_EQ(table.active_size(), 2);
  EXPECT_EQ(table.inactive_size(), 0);
  EXPECT_TRUE(Has(table, UnknownDigest(3)));

  PutInactive(table, UnknownDigest(4), 0);
  PutInactive(table, UnknownDigest(3), 2);
  EXPECT_EQ(table.active_size(), 1);
  EXPECT_EQ(table.inactive_size(), 1);
  EXPECT_FALSE(Has(table, UnknownDigest(4)));
}

// ---- Who makes room.

TEST(EntryTableTest, TheOneThatWasNotLookedAtMakesRoom) {
  for (int ignored = 0; ignored < 8; ++ignored) {
    EntryTable table(8, 1);
    for (int i = 0; i < 8; ++i) PutActive(table, UnknownDigest(i), 0);
    for (int i = 0; i < 8; ++i) {
      if (i != ignored) Has(table, UnknownDigest(i));
    }
    PutActive(table, UnknownDigest(100), 0);
    for (int i = 0; i < 8; ++i) EXPECT_EQ(Has(table, UnknownDigest(i)), i != ignored) << i << " of " << ignored;
  }
}

TEST(EntryTableTest, SomebodyMakesRoomIfAllWereLookedAt) {
  EntryTable table(8, 1);
  for (int i = 0; i < 8; ++i) PutActive(table, UnknownDigest(i), 0);
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(Has(table, UnknownDigest(i)));
  PutActive(table, UnknownDigest(100), 0);
  EXPECT_EQ(table.active_size(), 8);
  EXPECT_TRUE(Has(table, UnknownDigest(100)));
}

TEST(EntryTableTest, WhatIsLookedAtAgainAndAgainOutlivesAFloodOfItsOwnKind) {
  EntryTable table(16, 1);
  for (int i = 0; i < 8; ++i) PutActive(table, UnknownDigest(i), 0);
  for (int flood = 100; flood < 2100; ++flood) {
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(Has(table, UnknownDigest(i))) << i << " after " << flood - 100;
    PutActive(table, UnknownDigest(flood), 0);
  }
}

// ---- Removing.

TEST(EntryTableTest, EraseInactiveRemovesInactiveOnesOnly) {
  EntryTable table(9, 9);
  PutActive(table, UnknownDigest(1), 0);
  PutInactive(table, UnknownDigest(2), 0);
  table.EraseInactive(UnknownDigest(1));
  table.EraseInactive(UnknownDigest(2));
  table.EraseInactive(UnknownDigest(3));
  EXPECT_TRUE(Has(table, UnknownDigest(1)));
  EXPECT_FALSE(Has(table, UnknownDigest(2)));
  EXPECT_EQ(table.inactive_size(), 0);
}

TEST(EntryTableTest, APlaceThatWasErasedIsUsedAgain) {
  EntryTable table(1, 4);
  for (int i = 0; i < 4; ++i) PutInactive(table, UnknownDigest(i), 0);
  for (int round = 0; round < 100; ++round) {
    table.EraseInactive(UnknownDigest(round));
    EXPECT_EQ(table.inactive_size(), 3);
    PutInactive(table, UnknownDigest(round + 4), 0);
    EXPECT_EQ(table.inactive_size(), 4);
    for (int i = round + 1; i < round + 5; ++i) ASSERT_TRUE(Has(table, UnknownDigest(i))) << i;
  }
}

TEST(EntryTableTest, SweepRemovesWhatHasEndedAndNothingElse) {
  EntryTable table(9, 9);
  const TokenFacts facts = FactsOf("ada");
  table.Put(UnknownDigest(1), At(0), absl::Seconds(100), &facts);
  table.Put(UnknownDigest(2), At(0), absl::Seconds(101), &facts);
  table.Put(UnknownDigest(3), At(0), absl::Seconds(100), nullptr);
  table.Put(UnknownDigest(4), At(0), absl::Seconds(101), nullptr);

  table.Sweep(At(100));  // The last instant of two of them.
  EXPECT_EQ(table.active_size(), 2);
  EXPECT_EQ(table.inactive_size(), 2);

  table.Sweep(At(100, absl::Nanoseconds(1)));
  EXPECT_FALSE(Has(table, UnknownDigest(1)));
  EXPECT_TRUE(Has(table, UnknownDigest(2)));
  EXPECT_FALSE(Has(table, UnknownDigest(3)));
  EXPECT_TRUE(Has(table, UnknownDigest(4)));
  EXPECT_EQ(table.active_size(), 1);
  EXPECT_EQ(table.inactive_size(), 1);
}

TEST(EntryTableTest, CanBeFilledAgainAfterASweep) {
  EntryTable table(9, 1);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 9; ++i) PutActive(table, UnknownDigest(i), round * 10'000);
    EXPECT_EQ(table.active_size(), 9);
    table.Sweep(At(round * 10'000 + 5000));
    EXPECT_EQ(table.active_size(), 0);
  }
}

// An entry that a reader looks at stays whole, whatever happens to it meanwhile. AddressSanitizer sees if it does not.
TEST(EntryTableTest, AnEntryIsGoodUntilTheEndOfTheSection) {
  EntryTable table(9, 9);
  PutActive(table, UnknownDigest(1), 0, "replaced, and longer than a short string");
  PutActive(table, UnknownDigest(2), 0, "swept, and longer than a short string");
  PutInactive(table, UnknownDigest(3), 0);
  const ReadSection section;
  const CacheEntry* const replaced = table.Find(UnknownDigest(1));
  const CacheEntry* const swept = table.Find(UnknownDigest(2));
  const CacheEntry* const erased = table.Find(UnknownDigest(3));
  for (int i = 1; i < 100; ++i) PutActive(table, UnknownDigest(1), i);  // Enough to look for what may be freed.
  table.EraseInactive(UnknownDigest(3));
  table.Sweep(At(100'000));
  EXPECT_EQ(replaced->facts()->owner_id, "replaced, and longer than a short string");
  EXPECT_EQ(swept->facts()->owner_id, "swept, and longer than a short string");
  EXPECT_EQ(erased->facts(), nullptr);
  EXPECT_EQ(erased->loaded_at().now, At(0).now);
}

// ---- Everything at once.

// Each active entry says of itself whose it is, so a reader can tell an entry that was mixed up.
TEST(EntryTableTest, StaysWholeUnderThreads) {
  constexpr int kDigests = 64;
  constexpr int kRounds = 20'000;
  EntryTable table(24, 8);
  std::vector<TokenDigest> digests;
  for (int i = 0; i < kDigests; ++i) digests.push_back(UnknownDigest(i));
  std::atomic<int> next_second{1};
  std::atomic<int> writing{2};
  std::atomic<int> wrong{0};

  const auto write = [&](int seed) {
    std::mt19937 random(seed);
    for (int round = 0; round < kRounds; ++round) {
      const int i = static_cast<int>(random() % kDigests);
      const int second = next_second.fetch_add(1);
      switch (random() % 8) {
        case 0:
          table.EraseInactive(digests[i]);
          break;
        case 1:
          if (round % 64 == 0) table.Sweep(At(second - 4000));
          break;
        case 2:
        case 3:
          PutInactive(table, digests[i], second);
          break;
        default:
          PutActive(table, digests[i], second, absl::StrCat("the owner of digest number ", i));
      }
    }
    writing.fetch_sub(1);
  };
  const auto read = [&](int seed) {
    std::mt19937 random(seed);
    while (writing.load() > 0) {
      const int i = static_cast<int>(random() % kDigests);
      const ReadSection section;
      const CacheEntry* const entry = table.Find(digests[i]);
      if (entry == nullptr) continue;
      const bool fits =
          entry->digest() == digests[i] && entry->good_for() > absl::ZeroDuration() &&
          (entry->facts() == nullptr || entry->facts()->owner_id == absl::StrCat("the owner of digest number ", i));
      if (!fits) wrong.fetch_add(1);
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(write, 1);
  threads.emplace_back(write, 2);
  threads.emplace_back(read, 3);
  threads.emplace_back(read, 4);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(table.active_size(), 24);
  EXPECT_LE(table.inactive_size(), 8);
}

}  // namespace
}  // namespace pat
