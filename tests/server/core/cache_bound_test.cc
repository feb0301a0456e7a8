// For how long a cache may still accept what the store no longer holds, over grants of other TTLs.
#include "server/core/cache_bound.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "store/memory/memory_token_store.h"
#include "tests/support/controlled_token_store.h"

namespace pat {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);
constexpr absl::Duration kHour = absl::Hours(1);
constexpr absl::Duration kMinute = absl::Minutes(1);
constexpr absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

TEST(CacheBoundTest, WithoutACacheNothingLags) {
  EXPECT_EQ(CacheBoundAt({}, kStart), absl::ZeroDuration());
  EXPECT_EQ(CacheBoundAt(GrantTtl({}, absl::ZeroDuration(), kStart), kStart), absl::ZeroDuration());
}

TEST(CacheBoundTest, TheTtlThatIsGrantedHoldsAtOnceAndForGood) {
  const CacheBoundRecord record = GrantTtl({}, kHour, kStart);
  for (const absl::Duration later : {absl::ZeroDuration(), kTick, kHour, absl::Hours(24 * 365)}) {
    EXPECT_EQ(CacheBoundAt(record, kStart + later), kHour) << later;
  }
}

TEST(CacheBoundTest, GrantingTheSameAgainChangesNothing) {
  const CacheBoundRecord record = GrantTtl({}, kHour, kStart);
  EXPECT_EQ(GrantTtl(record, kHour, kStart + kMinute), record);
  const CacheBoundRecord lowered = GrantTtl(record, kMinute, kStart);
  EXPECT_EQ(GrantTtl(lowered, kMinute, kStart + kMinute), lowered);
}

TEST(CacheBoundTest, ALargerTtlHoldsFromItsGrantOn) {
  const CacheBoundRecord record = GrantTtl(GrantTtl({}, kMinute, kStart), kHour, kStart + kMinute);
  EXPECT_EQ(CacheBoundAt(record, kStart + kMinute), kHour);
  EXPECT_EQ(CacheBoundAt(record, kStart + kHour * 100), kHour);
}

// The last entry under the old TTL may have been loaded just before.
TEST(CacheBoundTest, ASmallerTtlHoldsWhenTheOlderEntriesHaveRunOut) {
  const CacheBoundRecord record = GrantTtl(GrantTtl({}, kHour, kStart), kMinute, kStart);
  EXPECT_EQ(CacheBoundAt(record, kStart), kHour);
  EXPECT_EQ(CacheBoundAt(record, kStart + kHour - kMinute - kTick), kMinute + kTick);
  EXPECT_EQ(CacheBoundAt(record, kStart + kHour - kMinute), kMinute);
  EXPECT_EQ(CacheBoundAt(record, kStart + kHour), kMinute);
  EXPECT_EQ(CacheBoundAt(record, kStart + kHour * 100), kMinute);
}

TEST(CacheBoundTest, LoweringTwiceForgetsTheFirstEntriesInTheirTime) {
  CacheBoundRecord record = GrantTtl({}, kHour, kStart);
  record = GrantTtl(record, 10 * kMinute, kStart);
  record = GrantTtl(record, kMinute, kStart + kMinute);
  EXPECT_EQ(CacheBoundAt(record, kStart + kMinute), kHour - kMinute);
  EXPECT_EQ(CacheBoundAt(record, kStart + kHour - 2 * kMinute), 2 * kMinute);
  EXPECT_EQ(CacheBoundAt(record, kStart + kHour), kMinute);
}

// Which is how far back the load of an entry may lie that is used now.
TEST(CacheBoundTest, TheOlderTtlCountsWholeUntilItsLastEntryHasRunOutAndThenNoMore) {
  const absl::Duration large = absl::Hours(24 * 30);
  EXPECT_EQ(LargestLivingTtl({}, kStart), absl::ZeroDuration());
  const CacheBoundRecord record = GrantTtl(GrantTtl({}, large, kStart), kHour, kStart);
  EXPECT_EQ(LargestLivingTtl(record, kStart), large);
  EXPECT_EQ(LargestLivingTtl(record, kStart + large), large);
  EXPECT_EQ(LargestLivingTtl(record, kStart + large + kTick), kHour);
  EXPECT_EQ(LargestLivingTtl(GrantTtl(record, 2 * large, kStart + kHour), kStart + kHour), 2 * large);
}

// A restart on a machine whose clock was set back: what is older than the grant is bounded by the old TTL still.
TEST(CacheBoundTest, AClockThatIsSetBackMakesNoEntryLiveLongerThanItsTtl) {
  const CacheBoundRecord record = GrantTtl(GrantTtl({}, kHour, kStart), kMinute, kStart);
  EXPECT_EQ(CacheBoundAt(record, kStart - absl::Hours(1000)), kHour);
}

// An independent account: every TTL may have filled an entry until the very instant at which another one was granted.
// now + T is exactly the end of the last of them that can be alive: never earlier, which would be a broken promise,
// never later than need be, and it never goes back.
TEST(CacheBoundTest, NowAndTTogetherAreTheEndOfTheLastEntryThatMayBeAlive) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    CacheBoundRecord record;
    absl::Duration ttl = absl::ZeroDuration();
    absl::Time now = kStart;
    absl::Time last_end_of_older_ones = kStart;
    absl::Time previous_answer = kStart;
    for (int step = 0; step < 200; ++step) {
      if (random() % 8 == 0) {
        last_end_of_older_ones = std::max(last_end_of_older_ones, now + ttl);
        ttl = absl::Seconds(static_cast<int64_t>(random() % 3600));
        record = GrantTtl(record, ttl, now);
      }
      const absl::Time answer = now + CacheBoundAt(record, now);
      ASSERT_EQ(answer, std::max(now + ttl, last_end_of_older_ones)) << "seed " << seed << ", step " << step;
      ASSERT_GE(answer, previous_answer) << "seed " << seed << ", step " << step;
      previous_answer = answer;
      now += absl::Nanoseconds(static_cast<int64_t>(random() % 600'000'000'000));
    }
  }
}

// ---- In the store

class CommitCacheTtlTest : public testing::Test {
 protected:
  const std::unique_ptr<TokenStore> engine_ = NewMemoryTokenStore();
  ControlledTokenStore store_{*engine_};
};

TEST_F(CommitCacheTtlTest, WhenItReturnsTheStoreKnowsTheTtl) {
  ASSERT_EQ(CommitCacheTtl(store_, kHour, kStart), absl::OkStatus());
  EXPECT_EQ(engine_->GetCacheBound()->granted, kHour);
  ASSERT_EQ(CommitCacheTtl(store_, kMinute, kStart), absl::OkStatus());
  EXPECT_EQ(CacheBoundAt(*engine_->GetCacheBound(), kStart), kHour);
  EXPECT_EQ(CacheBoundAt(*engine_->GetCacheBound(), kStart + kHour), kMinute);
}

// Whoever gets this error must not let a cache use the TTL.
TEST_F(CommitCacheTtlTest, ATtlThatCannotBeKeptIsNotGranted) {
  store_.FailCommitsWith(absl::UnavailableError("no disk"));
  EXPECT_EQ(CommitCacheTtl(store_, kHour, kStart), absl::UnavailableError("no disk"));
  EXPECT_EQ(CacheBoundAt(*engine_->GetCacheBound(), kStart), absl::ZeroDuration());
}

TEST_F(CommitCacheTtlTest, AnOrdinaryRestartWritesNothing) {
  ASSERT_EQ(CommitCacheTtl(store_, kHour, kStart), absl::OkStatus());
  const uint64_t before = engine_->CommitSequence();
  ASSERT_EQ(CommitCacheTtl(store_, kHour, kStart + kMinute), absl::OkStatus());
  EXPECT_EQ(engine_->CommitSequence(), before);
}

}  // namespace
}  // namespace pat
