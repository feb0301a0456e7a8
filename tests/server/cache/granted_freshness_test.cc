// What a source grants (fresh_for), and how long callers can wait (timeout), as the cache above it keeps to them.
#include <random>

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

TEST_F(GrantedFreshnessTest, AnAnswerThatTookLongerThanWasGrantedIsNone) {
  const IssuedToken token = Issue();
  for (const absl::Duration late : {kGranted, kGranted + kTick}) {
    source.Hold();
    FactsRecorder receiver;
    cache.Find(token.digest, {.max_staleness = absl::ZeroDuration()}, receiver);
    Advance(late);
    source.Release();
    EXPECT_EQ(receiver.Wait().status.ok(), late == kGranted) << receiver.Wait().status;
    if (late > kGranted) {
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

// ---- Timeouts.

class PatienceTest : public CacheTest {
 protected:
  PatienceTest() : CacheTest({.load_timeout = absl::Seconds(1)}) {}

  void FindFor(const IssuedToken& token, std::optional<absl::Duration> timeout, FactsRecorder& receiver) {
    cache.Find(token.digest, {.timeout = timeout}, receiver);
  }
};

TEST_F(PatienceTest, TheSourceIsToldHowLongTheCallerCanWaitAndNoMoreThanItTries) {
  const IssuedToken token = Issue();
  const auto told = [&](std::optional<absl::Duration> timeout) {
    FactsRecorder receiver;
    cache.Find(token.digest, {.max_staleness = absl::ZeroDuration(), .timeout = timeout}, receiver);
    return source.last_timeout();
  };
  EXPECT_EQ(told(absl::Milliseconds(300)), absl::Milliseconds(300));
  EXPECT_EQ(told(absl::Minutes(1)), absl::Seconds(1));
  EXPECT_EQ(told(std::nullopt), absl::Seconds(1));
}

TEST_F(CacheTest, WithoutALimitTheSourceTriesAsLongAsItLikes) {
  Ask(Issue());
  EXPECT_EQ(source.last_timeout(), std::nullopt);
}

TEST_F(PatienceTest, ACallJoinsALoadThatLastsForHalfOfWhatItCanWait) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder first;
  FactsRecorder joins;
  FactsRecorder joins_too;
  FindFor(token, absl::Milliseconds(500), first);
  FindFor(token, std::nullopt, joins);
  EXPECT_EQ(loads(), 1);
  Advance(absl::Milliseconds(250));
  FindFor(token, absl::Milliseconds(500), joins_too);
  EXPECT_EQ(loads(), 1);
  source.Release();
  EXPECT_TRUE(joins.Wait().active());
  EXPECT_TRUE(joins_too.Wait().active());
}

TEST_F(PatienceTest, WhoCanHardlyWaitDoesNotMakeTheOthersFail) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder hasty;
  FactsRecorder patient;
  FindFor(token, absl::Milliseconds(500) - kTick, hasty);
  FindFor(token, absl::Seconds(1), patient);
  EXPECT_EQ(loads(), 2);
  FactsRecorder joins;
  FindFor(token, absl::Milliseconds(1), joins);  // The other way round is no harm.
  EXPECT_EQ(loads(), 2);
  source.Release();
  EXPECT_TRUE(joins.Wait().active());
}

}  // namespace
}  // namespace pat
