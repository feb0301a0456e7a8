#include "server/cache/entry_index.h"

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/cache/entry_table.h"

namespace pat {
namespace {

TokenDigest DigestOf(uint16_t number) {
  TokenDigest digest;
  digest.bytes[0] = static_cast<uint8_t>(number);
  digest.bytes[1] = static_cast<uint8_t>(number >> 8);
  return digest;
}

TokenFacts FactsOf(uint16_t number, absl::string_view owner_id) {
  TokenFacts facts;
  facts.uid.bytes[0] = static_cast<uint8_t>(number);
  facts.uid.bytes[1] = static_cast<uint8_t>(number >> 8);
  facts.owner_id = std::string(owner_id);
  return facts;
}

bool Is(const std::vector<TokenDigest>& found, const std::vector<TokenDigest>& expected) { return found == expected; }

TEST(EntryIndexTest, FindsByTokenAndByOwner) {
  EntryIndex index;
  index.Add(FactsOf(1, "ada"), DigestOf(1));
  index.Add(FactsOf(2, "bob"), DigestOf(2));
  index.Add(FactsOf(3, "ada"), DigestOf(3));
  EXPECT_TRUE(Is(index.DigestsOf(FactsOf(1, "").uid), {DigestOf(1)}));
  EXPECT_TRUE(Is(index.DigestsOf("bob"), {DigestOf(2)}));
  EXPECT_EQ(index.DigestsOf("ada").size(), 2);
  EXPECT_TRUE(index.DigestsOf("nobody").empty());
  EXPECT_TRUE(index.DigestsOf(FactsOf(9, "").uid).empty());
}

TEST(EntryIndexTest, ATokenMayHaveTheDigestOfAnEarlierSecretToo) {
  EntryIndex index;
  index.Add(FactsOf(1, "ada"), DigestOf(1));
  index.Add(FactsOf(1, "ada"), DigestOf(2));
  EXPECT_EQ(index.size(), 1);
  EXPECT_EQ(index.DigestsOf("ada").size(), 2);
  index.Remove(FactsOf(1, "ada"), DigestOf(1));
  EXPECT_TRUE(Is(index.DigestsOf("ada"), {DigestOf(2)}));
  index.Remove(FactsOf(1, "ada"), DigestOf(1));  // Once more: nothing.
  EXPECT_TRUE(Is(index.DigestsOf("ada"), {DigestOf(2)}));
  index.Remove(FactsOf(1, "ada"), DigestOf(2));
  EXPECT_TRUE(index.DigestsOf("ada").empty());
  EXPECT_EQ(index.size(), 0);
}

// Whatever way an entry leaves the table, it leaves the index.
TEST(EntryIndexTest, HoldsWhatTheTableHolds) {
  EntryIndex index;
  EntryTable table(/*active_capacity=*/100, /*inactive_capacity=*/10, &index);
  Reading at;
  const absl::Duration good_for = absl::Seconds(10);
  for (uint16_t i = 0; i < 1000; ++i) {  // Most of them push others out.
    const TokenFacts facts = FactsOf(i, i % 2 == 0 ? "ada" : "bob");
    at.boot_nanos = i;
    table.Put(DigestOf(i), at, good_for, &facts);
    ASSERT_EQ(index.size(), table.active_size());
  }
  EXPECT_EQ(index.size(), 100);
  EXPECT_EQ(index.DigestsOf("ada").size() + index.DigestsOf("bob").size(), 100);
  for (const TokenDigest& digest : index.DigestsOf("ada")) EXPECT_NE(table.Find(digest), nullptr);

  const TokenDigest replaced = index.DigestsOf("bob").front();
  const TokenFacts facts = *table.Find(replaced)->facts();
  at.boot_nanos = 2000;
  table.Put(replaced, at, good_for, &facts);  // A younger one in its place.
  EXPECT_TRUE(Is(index.DigestsOf(facts.uid), {replaced}));
  at.boot_nanos = 3000;
  table.Put(replaced, at, good_for, nullptr);  // It became inactive.
  EXPECT_TRUE(index.DigestsOf(facts.uid).empty());
  EXPECT_EQ(index.size(), 99);

  const TokenDigest erased = index.DigestsOf("ada").front();
  table.Erase(erased);
  EXPECT_EQ(table.Find(erased), nullptr);
  EXPECT_EQ(index.size(), 98);
  table.Erase(replaced);  // An inactive one.
  EXPECT_EQ(table.Find(replaced), nullptr);

  at.boot_nanos = absl::ToInt64Nanoseconds(good_for) + 950;
  table.Sweep(at);  // About half of what is left has ended.
  EXPECT_GT(index.size(), 0);
  EXPECT_LT(index.size(), 98);
  EXPECT_EQ(index.size(), table.active_size());
  table.Put(DigestOf(7), at, good_for, nullptr);
  table.Clear();
  EXPECT_EQ(table.active_size() + table.inactive_size(), 0);
  EXPECT_EQ(index.size(), 0);
  EXPECT_TRUE(index.DigestsOf("bob").empty());
}

}  // namespace
}  // namespace pat
