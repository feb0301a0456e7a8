// What a source grants (fresh_for), as the cache above it keeps to it.
#include <vector>

#include "gtest/gtest.h"
#include "server/core/error.h"
#include "tests/server/cache/cache_test.h"

namespace pat {
namespace {

constexpr absl::Duration kGranted = absl::Seconds(60);

class GrantedFreshnessTest : public CacheTest {
 protected:
  GrantedFreshnessTest() { source.most_fresh_for = kGranted; }
};

TEST_F(GrantedFreshnessTest, AnEntryLivesAsLongAsWasGrantedAndNotATickLonger) {
  const IssuedToken token = Issue();
  const absl::Time asked_at = Now();
  const ReceivedFacts first = Ask(token);
  EXPECT_EQ(first.fresh_for, kGranted);
  EXPECT_EQ(first.fresh_until, asked_at + kGranted);
  Advance(kGranted);
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
  EXPECT_EQ(Ask(token).fresh_for, absl::ZeroDuration());
  Advance(kTick);
  EXPECT_EQ(Ask(token).source, FactsSource::kStore);
}

// The source's own "now" may be of another machine, and years away: only the span counts.
TEST_F(GrantedFreshnessTest, ItCountsFromBeforeTheSourceWasAsked) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder first;
  cache.Find(token.digest, {}, first);
  Advance(absl::Seconds(20));
  source.Release();
  EXPECT_EQ(first.Wait().fresh_for, kGranted - absl::Seconds(20));
  Advance(kGranted - absl::Seconds(20));
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
  Advance(kTick);
  EXPECT_EQ(Ask(token).source, FactsSource::kStore);
}

TEST_F(GrantedFreshnessTest, ItCountsOnTheClockThatRunsFaster) {
  const IssuedToken token = Issue();
  Ask(token);
  authority.time.AdvanceBoot(kGranted + kTick);  // The wall clock stands still.
  EXPECT_EQ(Ask(token).source, FactsSource::kStore);
  authority.time.SetWall(authority.time.wall() + kGranted + kTick);  // The boot clock stands still.
  EXPECT_EQ(Ask(token).source, FactsSource::kStore);
  authority.time.SetWall(authority.time.wall() - absl::Hours(24));
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
  authority.time.AdvanceBoot(kGranted);
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
  authority.time.AdvanceBoot(kTick);
  EXPECT_EQ(Ask(token).source, FactsSource::kStore);
}

// Also at the very end: what is left of it, nothing, would say to a layer above that nothing is ever granted here.
TEST_F(GrantedFreshnessTest, AnAnswerThatTookAsLongAsWasGrantedIsNone) {
  const IssuedToken token = Issue();
  for (const absl::Duration late : {kGranted - kTick, kGranted, kGranted + kTick}) {
    source.Hold();
    FactsRecorder receiver;
    cache.Find(token.digest, {.max_staleness = absl::ZeroDuration()}, receiver);
    Advance(late);
    source.Release();
    EXPECT_EQ(receiver.Wait().status.ok(), late < kGranted) << receiver.Wait().status;
    if (late < kGranted) {
      EXPECT_EQ(receiver.Wait().fresh_for, kTick);
    } else {
      EXPECT_TRUE(absl::IsUnavailable(receiver.Wait().status));
    }
  }
}

TEST_F(GrantedFreshnessTest, MoreThanTheTtlIsTheTtl) {
  source.most_fresh_for = 2 * kTtl;
  const IssuedToken token = Issue();
  EXPECT_EQ(Ask(token).fresh_for, kTtl);
  Advance(kTtl + kTick);
  EXPECT_EQ(Ask(token).source, FactsSource::kStore);
}

TEST_F(GrantedFreshnessTest, WhereNothingIsGrantedNothingIsKept) {
  source.most_fresh_for = absl::ZeroDuration();
  const IssuedToken token = Issue();
  for (int i = 1; i <= 3; ++i) {
    const ReceivedFacts answer = Ask(token);
    EXPECT_TRUE(answer.active());
    EXPECT_EQ(answer.fresh_for, absl::ZeroDuration());
    EXPECT_EQ(loads(), i);
  }
  EXPECT_EQ(cache.table().active_size(), 0);
}

// As it would be with a TTL of zero here: nobody is answered by what was read before.
TEST_F(GrantedFreshnessTest, WhereNothingIsGrantedWhoComesOnTheWayHasItReadAnew) {
  source.most_fresh_for = absl::ZeroDuration();
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder first;
  cache.Find(token.digest, {}, first);
  authority.Revoke(token);  // After the store was read, before the answer is there.
  Advance(kTick);
  std::vector<FactsRecorder> later(100);
  for (FactsRecorder& receiver : later) cache.Find(token.digest, {}, receiver);
  EXPECT_EQ(loads(), 1);
  source.Release();
  EXPECT_TRUE(first.Wait().active());
  for (const FactsRecorder& receiver : later) {
    EXPECT_EQ(receiver.times(), 1);
    EXPECT_FALSE(receiver.Wait().active());
  }
  EXPECT_EQ(loads(), 2) << "one for all of them";
}

TEST_F(GrantedFreshnessTest, WhereNothingIsGrantedWhoComesOnTheWayWaitsForAReadThatHasBegunLaterIfThereIsOne) {
  source.most_fresh_for = absl::ZeroDuration();
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder first;
  FactsRecorder joined;
  FactsRecorder own;
  cache.Find(token.digest, {}, first);
  Advance(kTick);
  cache.Find(token.digest, {}, joined);
  Advance(kTick);
  cache.Find(token.digest, {.max_staleness = absl::ZeroDuration()}, own);
  ASSERT_EQ(loads(), 2);
  source.ReleaseOldest();
  EXPECT_TRUE(first.done());
  EXPECT_FALSE(joined.done());
  source.Release();
  EXPECT_TRUE(joined.Wait().active());
  EXPECT_TRUE(own.Wait().active());
  EXPECT_EQ(loads(), 2);
}

TEST_F(GrantedFreshnessTest, InactiveIsRememberedForTheSmallerOfWhatIsGrantedAndItsOwnTime) {
  uint64_t number = 0;
  const auto remembered_for = [&] {
    const TokenDigest digest = UnknownDigest(++number);
    const absl::Time asked_at = Now();
    const ReceivedFacts unknown = pat::Ask(cache, digest);
    EXPECT_FALSE(unknown.active());
    const absl::Duration fresh_for = unknown.fresh_until - asked_at;
    Advance(fresh_for);
    EXPECT_EQ(pat::Ask(cache, digest).source,
              fresh_for > absl::ZeroDuration() ? FactsSource::kCache : FactsSource::kStore);
    Advance(kTick);
    EXPECT_EQ(pat::Ask(cache, digest).source, FactsSource::kStore);
    return fresh_for;
  };
  EXPECT_EQ(remembered_for(), kNegativeTtl);  // 60 s are granted.
  source.most_fresh_for = kNegativeTtl / 2;
  EXPECT_EQ(remembered_for(), kNegativeTtl / 2);
  source.most_fresh_for = absl::ZeroDuration();
  EXPECT_EQ(remembered_for(), absl::ZeroDuration());
  source.most_fresh_for = kWithoutEnd;  // As the store itself answers.
  EXPECT_EQ(remembered_for(), kNegativeTtl);
}

}  // namespace
}  // namespace pat
