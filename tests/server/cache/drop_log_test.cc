#include "server/cache/drop_log.h"

#include <cstdint>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

TokenUid UidOf(uint8_t number) {
  TokenUid uid;
  uid.bytes[0] = number;
  return uid;
}

TokenFacts FactsOf(uint8_t number, absl::string_view owner_id) {
  TokenFacts facts;
  facts.uid = UidOf(number);
  facts.owner_id = std::string(owner_id);
  return facts;
}

TEST(DropLogTest, ALoadIsOvertakenByWhatComesAfterItBeganAndByNothingElse) {
  DropLog log;
  log.BeginLoad();
  log.NoteToken(UidOf(1));
  const uint64_t began = log.position();
  log.BeginLoad();
  EXPECT_FALSE(log.IsOvertaken(began, FactsOf(1, "ada")));
  log.NoteToken(UidOf(2));
  EXPECT_FALSE(log.IsOvertaken(began, FactsOf(1, "ada")));
  EXPECT_TRUE(log.IsOvertaken(began, FactsOf(2, "ada")));
  EXPECT_FALSE(log.IsOvertaken(log.position(), FactsOf(2, "ada")));
}

TEST(DropLogTest, AnOwnersDropOvertakesLoadsOfAllItsTokens) {
  DropLog log;
  log.BeginLoad();
  const uint64_t began = log.position();
  log.NoteOwner("ada");
  EXPECT_TRUE(log.IsOvertaken(began, FactsOf(1, "ada")));
  EXPECT_TRUE(log.IsOvertaken(began, FactsOf(2, "ada")));
  EXPECT_FALSE(log.IsOvertaken(began, FactsOf(3, "adam")));
}

TEST(DropLogTest, TheLatestDropOfATokenCounts) {
  DropLog log;
  log.BeginLoad();
  log.NoteToken(UidOf(1));
  const uint64_t between = log.position();
  log.NoteToken(UidOf(1));
  EXPECT_TRUE(log.IsOvertaken(between, FactsOf(1, "ada")));
}

TEST(DropLogTest, WithoutALoadUnderWayOnlyThePositionMoves) {
  DropLog log;
  log.NoteToken(UidOf(1));
  log.NoteOwner("ada");
  EXPECT_EQ(log.position(), 2);
  EXPECT_FALSE(log.IsOvertaken(0, FactsOf(1, "ada")));  // Nobody asks that: there was no load.
}

TEST(DropLogTest, WhenTheLastLoadEndsWhatWasKeptIsForgotten) {
  DropLog log;
  log.BeginLoad();
  log.BeginLoad();
  log.NoteToken(UidOf(1));
  log.EndLoad();
  EXPECT_TRUE(log.IsOvertaken(0, FactsOf(1, "ada")));  // One is still under way.
  log.EndLoad();
  EXPECT_FALSE(log.IsOvertaken(0, FactsOf(1, "ada")));
}

TEST(DropLogTest, BeyondWhatIsKeptEveryLoadUnderWayIsOvertaken) {
  DropLog log(/*most_kept=*/2);
  log.BeginLoad();
  log.NoteToken(UidOf(1));
  log.NoteOwner("bob");
  const uint64_t began = log.position();
  EXPECT_FALSE(log.IsOvertaken(0, FactsOf(9, "ada")));
  log.NoteToken(UidOf(3));
  EXPECT_TRUE(log.IsOvertaken(0, FactsOf(9, "ada")));
  EXPECT_TRUE(log.IsOvertaken(began, FactsOf(9, "ada")));
  EXPECT_FALSE(log.IsOvertaken(log.position(), FactsOf(9, "ada")));
  log.NoteToken(UidOf(4));  // It goes on from there.
  EXPECT_TRUE(log.IsOvertaken(log.position() - 1, FactsOf(4, "ada")));
  EXPECT_FALSE(log.IsOvertaken(log.position() - 1, FactsOf(9, "ada")));
}

}  // namespace
}  // namespace pat
