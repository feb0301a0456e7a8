// How long changes are kept: an hour, or as long as any cache keeps anything.
#include "server/core/change_retention.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/cache_bound.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);

absl::Time At(int minutes) { return absl::UnixEpoch() + absl::Minutes(minutes); }

TEST(ChangeRetentionTest, WhatIsOlder) {
  ChangeRetention retention;
  EXPECT_EQ(retention.OlderThan(absl::ZeroDuration(), At(0)), 0u);
  retention.Note(At(0), 5);
  EXPECT_EQ(retention.OlderThan(absl::Minutes(10), At(0)), 0u);
  retention.Note(At(1), 7);
  retention.Note(At(2), 7);
  retention.Note(At(3), 9);
  EXPECT_EQ(retention.OlderThan(absl::Minutes(10), At(10)), 0u) << "exactly that old";
  EXPECT_EQ(retention.OlderThan(absl::Minutes(10), At(10) + kTick), 5u);
  EXPECT_EQ(retention.OlderThan(absl::Minutes(10), At(11)), 5u);
  EXPECT_EQ(retention.OlderThan(absl::Minutes(10), At(11) + kTick), 7u) << "since it was first there";
  EXPECT_EQ(retention.OlderThan(absl::Minutes(10), At(100)), 9u);
  EXPECT_EQ(retention.OlderThan(absl::Minutes(200), At(101)), 0u) << "a longer age later on";
}

class RemoveOldChangesTest : public testing::Test {
 protected:
  RemoveOldChangesTest() {
    authority_.AddUser("ada");
    token_ = authority_.Issue("ada");
  }

  void SetTtl(absl::Duration ttl) {
    EXPECT_EQ(CommitCacheTtl(authority_.store, ttl, authority_.clock.Now()), absl::OkStatus());
  }
  size_t Remove() {
    const absl::StatusOr<size_t> removed = RemoveOldChanges(authority_.store, retention_, authority_.clock.Now());
    EXPECT_TRUE(removed.ok()) << removed.status();
    return removed.value_or(0);
  }
  // What is only in memory is gone.
  void Restart() { retention_ = ChangeRetention(); }
  size_t Kept() {
    // From the first position on that is not truncated.
    uint64_t from = 0;
    while (!CanGoOnFrom(from)) ++from;
    return authority_.store.ListChanges(from, 1'000'000)->changes.size();
  }
  bool CanGoOnFrom(uint64_t sequence) { return !authority_.store.ListChanges(sequence, 10)->truncated; }

  TestAuthority authority_;
  ChangeRetention retention_;
  IssuedToken token_;
};

TEST_F(RemoveOldChangesTest, AnHour) {
  SetTtl(absl::Minutes(1));
  const uint64_t before = authority_.store.CommitSequence();
  authority_.Revoke(token_);
  EXPECT_EQ(Remove(), 0u);
  authority_.time.Advance(absl::Hours(1));
  EXPECT_EQ(Remove(), 0u);
  EXPECT_TRUE(CanGoOnFrom(before));
  authority_.time.Advance(kTick);
  EXPECT_EQ(Remove(), 1u);
  EXPECT_FALSE(CanGoOnFrom(before));
  EXPECT_TRUE(CanGoOnFrom(authority_.store.CommitSequence()));
  const uint64_t quiet = authority_.store.CommitSequence();
  EXPECT_EQ(Remove(), 0u);
  EXPECT_EQ(authority_.store.CommitSequence(), quiet) << "nothing to do, nothing written";
}

TEST_F(RemoveOldChangesTest, OrTheLongestTtl) {
  SetTtl(absl::Hours(5));
  SetTtl(absl::Hours(2));
  authority_.Revoke(token_);
  EXPECT_EQ(Remove(), 0u);
  authority_.time.Advance(absl::Hours(5));
  EXPECT_EQ(Remove(), 0u);
  authority_.time.Advance(kTick);
  EXPECT_EQ(Remove(), 1u);
}

// One start with another --cache-ttl, years ago, is not for ever.
TEST_F(RemoveOldChangesTest, ATtlThatWasLoweredCountsNoMoreWhenItsLastEntryHasRunOut) {
  SetTtl(absl::Hours(24 * 30));
  SetTtl(absl::Hours(1));
  authority_.time.Advance(absl::Hours(24 * 30) + kTick);
  authority_.Revoke(authority_.Issue("ada"));
  EXPECT_EQ(Remove(), 0u);
  authority_.time.Advance(absl::Hours(1) + kTick);
  EXPECT_EQ(Remove(), 1u);
}

// ---- Restarts: what was noted in memory is gone, the audit log is not.

TEST_F(RemoveOldChangesTest, AfterARestartByTheAuditLogToTenMinutes) {
  SetTtl(absl::Minutes(1));
  authority_.Revoke(token_);
  const uint64_t before = authority_.store.CommitSequence();
  authority_.time.Advance(absl::Hours(1) + absl::Minutes(10));
  EXPECT_EQ(Remove(), 0u) << "exactly that old";
  authority_.time.Advance(kTick);
  Restart();
  const IssuedToken young = authority_.Issue("ada");
  authority_.Revoke(young);
  EXPECT_EQ(Remove(), 1u);
  EXPECT_TRUE(CanGoOnFrom(before)) << "what is younger stays";
}

// Each day, with a TTL of a week: what is there is what a week brought.
TEST_F(RemoveOldChangesTest, AnAuthorityThatIsRestartedEachDayRemovesWhatIsOlderThanTheTtl) {
  SetTtl(absl::Hours(24 * 7));
  for (int day = 0; day < 60; ++day) {
    Restart();
    authority_.Revoke(authority_.Issue("ada"));
    Remove();
    authority_.time.Advance(absl::Hours(12));
    Remove();
    authority_.time.Advance(absl::Hours(12));
    ASSERT_LE(Kept(), 9u) << "day " << day;
  }
  EXPECT_GE(Kept(), 7u);
}

// So it stays as long as nothing else says how old it is.
TEST_F(RemoveOldChangesTest, WithoutAnAuditLogARestartBeginsAnew) {
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });  // Which no row is about.
  const uint64_t before = authority_.store.CommitSequence() - 1;
  ASSERT_TRUE(authority_.engine
                  ->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
                    EXPECT_TRUE(transaction.DeleteAuditBefore(authority_.clock.Now() + absl::Hours(1), 1000).ok());
                    return Decision::kCommit;
                  })
                  .ok());
  authority_.time.Advance(absl::Hours(3));
  Restart();
  EXPECT_EQ(Remove(), 0u);
  EXPECT_TRUE(CanGoOnFrom(before));
  authority_.time.Advance(absl::Hours(1) + kTick);
  EXPECT_EQ(Remove(), 1u);
}

TEST_F(RemoveOldChangesTest, AllOfThemInBoundedSteps) {
  for (int i = 0; i < 2500; ++i) authority_.Regenerate(token_);
  EXPECT_EQ(Remove(), 0u);
  authority_.time.Advance(absl::Hours(2));
  const uint64_t before = authority_.store.CommitSequence();
  EXPECT_EQ(Remove(), 2500u);
  EXPECT_EQ(authority_.store.CommitSequence(), before + 3);
}

TEST_F(RemoveOldChangesTest, LeavesTheRestWhenItIsToStop) {
  authority_.Revoke(token_);
  Remove();
  authority_.time.Advance(absl::Hours(2));
  EXPECT_EQ(*RemoveOldChanges(authority_.store, retention_, authority_.clock.Now(), [] { return true; }), 0u);
  EXPECT_EQ(Remove(), 1u);
}

TEST_F(RemoveOldChangesTest, TellsOfAStoreThatFails) {
  authority_.Revoke(token_);
  Remove();
  authority_.time.Advance(absl::Hours(2));
  authority_.store.FailCommitsWith(absl::UnavailableError("a disk"));
  EXPECT_EQ(RemoveOldChanges(authority_.store, retention_, authority_.clock.Now()).status().code(),
            absl::StatusCode::kUnavailable);
  authority_.store.FailCommitsWith(absl::OkStatus());
  EXPECT_EQ(Remove(), 1u) << "the next time";
}

}  // namespace
}  // namespace pat
