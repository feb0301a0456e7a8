// What the cache promises in its header, one sentence at a time. The stories that are told over hours are in
// revocation_lag_test.cc, those of many threads in cache_load_test.cc.
#include "server/cache/caching_facts_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/error.h"
#include "tests/server/cache/cache_test.h"

namespace pat {
namespace {

using CachingFactsReaderTest = CacheTest;

// ---- Answers and their freshness.

TEST_F(CachingFactsReaderTest, TheFirstAnswerIsTheSourcesTheSecondTheCaches) {
  const IssuedToken token = Issue();
  const absl::Time loaded_at = Now();
  const ReceivedFacts first = Ask(token);
  ASSERT_TRUE(first.active());
  EXPECT_EQ(first.source, FactsSource::kStore);
  EXPECT_EQ(first.read_time, loaded_at);
  EXPECT_EQ(first.fresh_until, loaded_at + kTtl);
  EXPECT_EQ(first.now, loaded_at);

  Advance(absl::Seconds(100));
  const ReceivedFacts second = Ask(token);
  ASSERT_TRUE(second.active());
  EXPECT_EQ(second.source, FactsSource::kCache);
  EXPECT_EQ(second.read_time, loaded_at);
  EXPECT_EQ(second.fresh_until, loaded_at + kTtl);
  EXPECT_EQ(second.now, loaded_at + absl::Seconds(100));
  EXPECT_EQ(second.facts->uid, first.facts->uid);
  EXPECT_EQ(second.facts->owner_id, "ada");
  EXPECT_EQ(second.facts->scopes, first.facts->scopes);
  EXPECT_EQ(loads(), 1);
}

TEST_F(CachingFactsReaderTest, FreshnessIsShownWithEachVerdict) {
  const IssuedToken token = Issue();
  const absl::Time loaded_at = Now();
  const CheckResult first = Check(introspector, QueryFor(token.secret));
  EXPECT_EQ(first.verdict, Verdict::kAllow);
  EXPECT_EQ(first.freshness.source, AnswerSource::kStore);
  EXPECT_EQ(first.freshness.fresh_for, kTtl);

  Advance(absl::Seconds(100));
  const CheckResult second = Check(introspector, QueryFor(token.secret));
  EXPECT_EQ(second.freshness.source, AnswerSource::kCache);
  EXPECT_EQ(second.freshness.read_time, loaded_at);
  EXPECT_EQ(second.freshness.fresh_until, loaded_at + kTtl);
  EXPECT_EQ(second.freshness.fresh_for, kTtl - absl::Seconds(100));

  Advance(kTtl - absl::Seconds(100));  // The last instant of the entry.
  const CheckResult last = Check(introspector, QueryFor(token.secret));
  EXPECT_EQ(last.freshness.source, AnswerSource::kCache);
  EXPECT_EQ(last.freshness.fresh_for, absl::ZeroDuration());
}

TEST_F(CachingFactsReaderTest, FreshUntilIsTheExpiryIfThatComesFirst) {
  CreateTokenQuery creation = authority.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 600};
  const IssuedToken token = authority.Issue(creation);
  const absl::Time loaded_at = Now();
  EXPECT_EQ(Ask(token).fresh_until, loaded_at + absl::Seconds(600));
  Advance(absl::Seconds(1));
  EXPECT_EQ(Ask(token).fresh_until, loaded_at + absl::Seconds(600));
}

TEST_F(CachingFactsReaderTest, AnInactiveAnswerIsFreshForTheNegativeTtl) {
  const absl::Time loaded_at = Now();
  const IssuedToken unknown{.name = {}, .uid = {}, .secret = {}, .digest = UnknownDigest(1)};
  const ReceivedFacts first = Ask(unknown);
  EXPECT_FALSE(first.active());
  EXPECT_EQ(first.source, FactsSource::kStore);
  EXPECT_EQ(first.read_time, loaded_at);
  EXPECT_EQ(first.fresh_until, loaded_at + kNegativeTtl);

  Advance(kNegativeTtl);
  const ReceivedFacts last = Ask(unknown);
  EXPECT_FALSE(last.active());
  EXPECT_EQ(last.source, FactsSource::kCache);
  EXPECT_EQ(last.read_time, loaded_at);
  EXPECT_EQ(last.fresh_until, loaded_at + kNegativeTtl);
  EXPECT_EQ(loads(), 1);

  Advance(kTick);
  EXPECT_EQ(Ask(unknown).source, FactsSource::kStore);
  EXPECT_EQ(loads(), 2);
}

TEST_F(CachingFactsReaderTest, EveryKindOfInactiveHasTheSameFreshness) {
  const IssuedToken revoked = Issue();
  authority.Revoke(revoked);
  CreateTokenQuery creation = authority.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 1};
  const IssuedToken expired = authority.Issue(creation);
  authority.AddUser("bob");
  const IssuedToken suspended = authority.Issue("bob");
  authority.ChangeUser("bob", [](UserRecord& user) { user.disabled = true; });
  Advance(absl::Seconds(1));
  for (const TokenDigest& digest : {revoked.digest, expired.digest, suspended.digest, UnknownDigest(1)}) {
    const CheckResult result = Check(introspector, QueryFor(digest));
    EXPECT_TRUE(result.status.ok());
    EXPECT_EQ(result.verdict, Verdict::kInactive);
    EXPECT_FALSE(result.facts.has_value());
    EXPECT_EQ(result.freshness.source, AnswerSource::kStore);
    EXPECT_EQ(result.freshness.read_time, Now());
    EXPECT_EQ(result.freshness.fresh_until, Now() + kNegativeTtl);
    EXPECT_EQ(result.freshness.fresh_for, kNegativeTtl);
  }
}

// The store found the token active; before that was told it expired. One shape for all: also for this one.
TEST_F(CachingFactsReaderTest, WhatExpiresOnItsWayIsInactiveLikeEverythingElse) {
  CreateTokenQuery creation = authority.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 5};
  const IssuedToken token = authority.Issue(creation);
  const absl::Time loaded_at = Now();
  source.Hold();
  CheckCall call(QueryFor(token.secret));
  introspector.Start(call);
  Advance(absl::Seconds(5));
  source.Release();
  const CheckResult result = call.Wait();
  EXPECT_EQ(result.verdict, Verdict::kInactive);
  EXPECT_EQ(result.freshness.read_time, loaded_at);
  EXPECT_EQ(result.freshness.fresh_until, loaded_at + kNegativeTtl);
  EXPECT_EQ(result.freshness.fresh_for, kNegativeTtl - absl::Seconds(5));
}

// ---- max_staleness.

TEST_F(CachingFactsReaderTest, ServesAnAgeOfExactlyTheStalenessAskedForAndNoMore) {
  const IssuedToken token = Issue();
  Ask(token);
  Advance(absl::Seconds(30));
  EXPECT_EQ(Ask(token, absl::Seconds(30)).source, FactsSource::kCache);
  EXPECT_EQ(loads(), 1);
  EXPECT_EQ(Ask(token, absl::Seconds(30) - kTick).source, FactsSource::kStore);
  EXPECT_EQ(loads(), 2);
}

TEST_F(CachingFactsReaderTest, ZeroAsksTheSourceEvenForAnEntryOfThisInstant) {
  const IssuedToken token = Issue();
  Ask(token);
  EXPECT_EQ(Ask(token, absl::ZeroDuration()).source, FactsSource::kStore);
  EXPECT_EQ(loads(), 2);
}

TEST_F(CachingFactsReaderTest, MoreThanTheTtlIsTheTtl) {
  const IssuedToken token = Issue();
  Ask(token);
  Advance(kTtl);
  EXPECT_EQ(Ask(token, absl::InfiniteDuration()).source, FactsSource::kCache);
  EXPECT_EQ(Ask(token, kTtl + kTick).source, FactsSource::kCache);
  Advance(kTick);
  EXPECT_EQ(Ask(token, absl::InfiniteDuration()).source, FactsSource::kStore);
  EXPECT_EQ(loads(), 2);
}

TEST_F(CachingFactsReaderTest, EveryLoadFillsTheCache) {
  const IssuedToken token = Issue();
  Ask(token);
  Advance(absl::Seconds(10));
  const absl::Time second_load = Now();
  Ask(token, absl::ZeroDuration());
  Advance(absl::Seconds(10));
  const ReceivedFacts answer = Ask(token);
  EXPECT_EQ(answer.source, FactsSource::kCache);
  EXPECT_EQ(answer.read_time, second_load);
}

TEST_F(CachingFactsReaderTest, TheSourceIsAlwaysAskedForWhatItHasNow) {
  const IssuedToken token = Issue();
  Ask(token, absl::Seconds(30));
  EXPECT_EQ(source.last_staleness(), absl::ZeroDuration());
}

// ---- Who joins a load in flight.

TEST_F(CachingFactsReaderTest, CallsThatFindNothingShareOneLoad) {
  const IssuedToken token = Issue();
  source.Hold();
  std::vector<FactsRecorder> receivers(10);
  for (FactsRecorder& receiver : receivers) cache.Find(token.digest, {}, receiver);
  EXPECT_EQ(loads(), 1);
  source.Release();
  for (const FactsRecorder& receiver : receivers) {
    EXPECT_EQ(receiver.times(), 1);
    EXPECT_TRUE(receiver.Wait().active());
  }
}

TEST_F(CachingFactsReaderTest, ACallWithoutStalenessNeverJoinsALoadAlreadyBegun) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder first;
  FactsRecorder second;
  cache.Find(token.digest, {.max_staleness = absl::ZeroDuration()}, first);
  cache.Find(token.digest, {.max_staleness = absl::ZeroDuration()}, second);  // At the same instant.
  EXPECT_EQ(loads(), 2);
  source.Release();
  EXPECT_TRUE(first.Wait().active());
  EXPECT_TRUE(second.Wait().active());
}

TEST_F(CachingFactsReaderTest, ACallJoinsALoadThatBeganNoEarlierThanItsStalenessBeforeIt) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder first;
  FactsRecorder joins;
  FactsRecorder does_not;
  cache.Find(token.digest, {}, first);
  Advance(absl::Seconds(5));
  cache.Find(token.digest, {.max_staleness = absl::Seconds(5)}, joins);
  EXPECT_EQ(loads(), 1);
  cache.Find(token.digest, {.max_staleness = absl::Seconds(5) - kTick}, does_not);
  EXPECT_EQ(loads(), 2);
  source.Release();
  EXPECT_EQ(joins.Wait().read_time, Now() - absl::Seconds(5));
  EXPECT_EQ(does_not.Wait().read_time, Now());
}

TEST_F(CachingFactsReaderTest, ACallJoinsTheYoungestLoad) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder first;
  FactsRecorder second;
  FactsRecorder third;
  cache.Find(token.digest, {}, first);
  Advance(absl::Seconds(5));
  const absl::Time second_load = Now();
  cache.Find(token.digest, {.max_staleness = absl::ZeroDuration()}, second);
  Advance(absl::Seconds(5));
  cache.Find(token.digest, {.max_staleness = absl::Seconds(7)}, third);
  EXPECT_EQ(loads(), 2);
  source.Release();
  EXPECT_EQ(third.Wait().read_time, second_load);
}

TEST_F(CachingFactsReaderTest, AnEarlierLoadThatEndsLaterReplacesNothing) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder early;
  FactsRecorder late;
  cache.Find(token.digest, {}, early);  // Sees the token active.
  Advance(absl::Seconds(1));
  authority.Revoke(token);
  Advance(absl::Seconds(1));
  cache.Find(token.digest, {.max_staleness = absl::ZeroDuration()}, late);  // Sees it revoked.
  source.ReleaseNewest();
  EXPECT_FALSE(late.Wait().active());
  source.Release();
  EXPECT_TRUE(early.Wait().active());  // It asked before the revocation, and within the bound.
  EXPECT_FALSE(Ask(token).active());
  EXPECT_EQ(loads(), 2);
}

TEST_F(CachingFactsReaderTest, ALoadOfAnotherTokenIsNobodysBusiness) {
  const IssuedToken one = Issue();
  const IssuedToken other = Issue();
  source.Hold();
  FactsRecorder first;
  FactsRecorder second;
  cache.Find(one.digest, {}, first);
  cache.Find(other.digest, {}, second);
  EXPECT_EQ(loads(), 2);
  source.Release();
  EXPECT_EQ(first.Wait().facts->uid, one.uid);
  EXPECT_EQ(second.Wait().facts->uid, other.uid);
}

// A receiver that asks again as soon as it is told.
class AskingAgain final : public FactsReceiver {
 public:
  AskingAgain(FactsReader& reader, const TokenDigest& digest) : reader_(reader), digest_(digest) {}
  void Receive(const absl::StatusOr<FactsAnswer>&) override { reader_.Find(digest_, {}, inner); }

  FactsRecorder inner;

 private:
  FactsReader& reader_;
  const TokenDigest digest_;
};

TEST_F(CachingFactsReaderTest, AReceiverMayAskAgain) {
  const IssuedToken token = Issue();
  AskingAgain after_load(cache, token.digest);
  cache.Find(token.digest, {}, after_load);
  EXPECT_EQ(after_load.inner.Wait().source, FactsSource::kCache);
  AskingAgain after_hit(cache, UnknownDigest(1));
  cache.Find(token.digest, {}, after_hit);
  EXPECT_FALSE(after_hit.inner.Wait().active());
}

// ---- Failing.

TEST_F(CachingFactsReaderTest, AFailedLoadIsEverybodysErrorAndIsNotRemembered) {
  const IssuedToken token = Issue();
  source.Hold();
  std::vector<FactsRecorder> receivers(10);
  for (FactsRecorder& receiver : receivers) cache.Find(token.digest, {}, receiver);
  source.Release(absl::UnavailableError("down"));
  for (const FactsRecorder& receiver : receivers) {
    EXPECT_EQ(receiver.Wait().status.code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_EQ(cache.table().active_size() + cache.table().inactive_size(), 0);
  EXPECT_TRUE(Ask(token).active());
  EXPECT_EQ(loads(), 2);
}

// ---- Times to live.

class CacheWithoutTtlTest : public CacheTest {
 protected:
  CacheWithoutTtlTest() : CacheTest({.ttl = absl::ZeroDuration()}) {}
};

TEST_F(CacheWithoutTtlTest, PassesEveryCallOnAndRemembersNothing) {
  const IssuedToken token = Issue();
  for (int i = 1; i <= 5; ++i) {
    const ReceivedFacts answer = Ask(token);
    EXPECT_TRUE(answer.active());
    EXPECT_EQ(answer.source, FactsSource::kStore);
    EXPECT_EQ(answer.read_time, Now());
    EXPECT_EQ(answer.fresh_until, Now());
    EXPECT_EQ(loads(), i);
  }
  const ReceivedFacts unknown = pat::Ask(cache, UnknownDigest(1));
  EXPECT_FALSE(unknown.active());
  EXPECT_EQ(unknown.fresh_until, Now());
  EXPECT_EQ(cache.table().active_size() + cache.table().inactive_size(), 0);
  authority.Revoke(token);
  EXPECT_FALSE(Ask(token).active());
}

TEST_F(CacheWithoutTtlTest, AnswersHoweverLongTheSourceTook) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder receiver;
  cache.Find(token.digest, {}, receiver);
  Advance(absl::Seconds(30));
  source.Release();
  EXPECT_TRUE(receiver.Wait().active());
}

TEST_F(CacheWithoutTtlTest, NobodyJoinsALoad) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder first;
  FactsRecorder second;
  cache.Find(token.digest, {}, first);
  cache.Find(token.digest, {.max_staleness = absl::Hours(1)}, second);
  EXPECT_EQ(loads(), 2);
  source.Release();
  EXPECT_TRUE(second.Wait().active());
}

class CacheWithLongNegativeTtlTest : public CacheTest {
 protected:
  CacheWithLongNegativeTtlTest() : CacheTest({.ttl = absl::Seconds(5), .negative_ttl = absl::Seconds(60)}) {}
};

TEST_F(CacheWithLongNegativeTtlTest, TheTtlIsTheLongestForInactiveOnesToo) {
  const absl::Time loaded_at = Now();
  EXPECT_EQ(pat::Ask(cache, UnknownDigest(1)).fresh_until, loaded_at + absl::Seconds(5));
  Advance(absl::Seconds(5));
  EXPECT_EQ(pat::Ask(cache, UnknownDigest(1)).source, FactsSource::kCache);
  Advance(kTick);
  EXPECT_EQ(pat::Ask(cache, UnknownDigest(1)).source, FactsSource::kStore);
}

// ---- The limits of loading.

class CacheWithFewLoadsTest : public CacheTest {
 protected:
  CacheWithFewLoadsTest() : CacheTest({.max_loads_in_flight = 2, .max_loads_per_second = 10}) {}

  static void ExpectTooMany(const ReceivedFacts& answer) {
    EXPECT_EQ(answer.status.code(), absl::StatusCode::kResourceExhausted);
    const std::optional<ErrorDetails> details = DetailsOf(answer.status);
    ASSERT_TRUE(details.has_value());
    EXPECT_EQ(details->reason, "RATE_LIMITED");
    EXPECT_TRUE(details->retry_delay.has_value());
  }
};

TEST_F(CacheWithFewLoadsTest, BeyondTheLoadsInFlightCallersAreToldToComeAgainAndHitsAreNot) {
  const IssuedToken cached = Issue();
  Ask(cached);
  source.Hold();
  std::vector<FactsRecorder> receivers(2);
  for (int i = 0; i < 2; ++i) cache.Find(UnknownDigest(i), {}, receivers[i]);
  ExpectTooMany(pat::Ask(cache, UnknownDigest(2)));
  EXPECT_EQ(loads(), 3);
  EXPECT_EQ(Ask(cached).source, FactsSource::kCache);  // A hit.
  FactsRecorder joining;
  cache.Find(UnknownDigest(1), {}, joining);  // No load of its own.
  EXPECT_FALSE(joining.done());

  source.Release();
  EXPECT_FALSE(joining.Wait().active());
  EXPECT_TRUE(pat::Ask(cache, UnknownDigest(2)).status.ok());
}

TEST_F(CacheWithFewLoadsTest, BeyondTheRateCallersAreToldToComeAgainAndHitsAreNot) {
  const IssuedToken cached = Issue();
  Ask(cached);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(pat::Ask(cache, UnknownDigest(i)).status.ok());
  for (int i = 9; i < 20; ++i) ExpectTooMany(pat::Ask(cache, UnknownDigest(i)));
  EXPECT_EQ(loads(), 10);
  EXPECT_EQ(Ask(cached).source, FactsSource::kCache);
  ExpectTooMany(Ask(cached, absl::ZeroDuration()));
  EXPECT_TRUE(Ask(cached).active());  // The refusal has not harmed the entry.

  Advance(absl::Milliseconds(100));
  EXPECT_TRUE(pat::Ask(cache, UnknownDigest(9)).status.ok());
  ExpectTooMany(pat::Ask(cache, UnknownDigest(10)));
}

TEST_F(CacheWithFewLoadsTest, AFailedLoadIsNoLongerInFlight) {
  source.FailWith(absl::UnavailableError("down"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(pat::Ask(cache, UnknownDigest(i)).status.code(), absl::StatusCode::kUnavailable);
  }
}

// ---- Sweeping.

TEST_F(CachingFactsReaderTest, SweepFreesWhatHasEndedAndDecidesNothing) {
  const IssuedToken token = Issue();
  Ask(token);
  pat::Ask(cache, UnknownDigest(1));
  Advance(kNegativeTtl);
  cache.Sweep();
  EXPECT_EQ(cache.table().inactive_size(), 1);
  Advance(kTick);
  EXPECT_EQ(cache.table().inactive_size(), 1);  // Ended, used by nobody, and still there.
  cache.Sweep();
  EXPECT_EQ(cache.table().inactive_size(), 0);
  EXPECT_EQ(cache.table().active_size(), 1);
  Advance(kTtl);
  cache.Sweep();
  EXPECT_EQ(cache.table().active_size(), 0);
}

}  // namespace
}  // namespace pat
