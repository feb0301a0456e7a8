// Who waits for a load is told in its own time, and there is one load for all of them.
#include "tests/server/cache/waiting_test.h"

#include <deque>
#include <optional>

#include "gtest/gtest.h"
#include "tests/support/facts_recorder.h"

namespace pat {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);
constexpr absl::Duration kMs = absl::Milliseconds(1);

class WaitingTest : public testing::Test, protected WaitingCache {
 protected:
  explicit WaitingTest(const CacheOptions& options = {}) : WaitingCache(options), token_(authority.Issue("ada")) {}

  FactsRecorder& Find(std::optional<absl::Duration> timeout, std::optional<absl::Duration> staleness = std::nullopt) {
    FactsRecorder& receiver = receivers_.emplace_back();
    cache.Find(token_.digest, {.max_staleness = staleness, .timeout = timeout}, receiver);
    return receiver;
  }

  static void ExpectError(const FactsRecorder& receiver, const absl::Status& error) {
    ASSERT_TRUE(receiver.done());
    EXPECT_EQ(receiver.Wait().status, error);
  }

  // None of the source's answers is held back after this.
  void ExpectAllToldOnce() {
    source.Release();
    for (const FactsRecorder& receiver : receivers_) EXPECT_EQ(receiver.times(), 1);
  }

  const IssuedToken token_;
  std::deque<FactsRecorder> receivers_;
};

// ---- Deadlines.

TEST_F(WaitingTest, WhoJoinsALoadLeavesItInItsOwnTime) {
  source.Hold();
  const FactsRecorder& patient = Find(absl::Seconds(5));
  const FactsRecorder& b = Find(300 * kMs);
  const FactsRecorder& c = Find(500 * kMs);
  EXPECT_EQ(loads(), 1);
  Advance(300 * kMs - kTick);
  EXPECT_FALSE(b.done());
  Advance(kTick);
  ExpectError(b, TooLate());
  Advance(200 * kMs - kTick);
  EXPECT_FALSE(c.done());
  Advance(kTick);
  ExpectError(c, TooLate());
  Advance(400 * kMs);
  EXPECT_FALSE(patient.done());
  source.ReleaseOldest();
  EXPECT_TRUE(patient.Wait().active());
  ExpectAllToldOnce();
}

TEST_F(WaitingTest, WhoBeganALoadLeavesItTooAndItGoesOnForTheOthers) {
  source.Hold();
  const FactsRecorder& hasty = Find(50 * kMs);
  EXPECT_EQ(source.last_timeout(), kLoadTimeout);
  const FactsRecorder& joined = Find(absl::Seconds(5));
  Advance(50 * kMs);
  ExpectError(hasty, TooLate());
  Advance(500 * kMs);
  const FactsRecorder& late = Find(std::nullopt);
  source.ReleaseOldest();
  EXPECT_TRUE(joined.Wait().active());
  EXPECT_TRUE(late.Wait().active());
  EXPECT_EQ(loads(), 1);
  ExpectAllToldOnce();
}

TEST_F(WaitingTest, ALoadThatEverybodyHasLeftFillsTheCache) {
  source.Hold();
  const FactsRecorder& gone = Find(10 * kMs);
  Advance(100 * kMs);
  EXPECT_TRUE(gone.done());
  source.Release();
  EXPECT_EQ(Find(10 * kMs).Wait().source, FactsSource::kCache);
  EXPECT_EQ(loads(), 1);
}

TEST_F(WaitingTest, NobodyWaitsForLongerThanALoad) {
  source.Hold();
  const FactsRecorder& forever = Find(std::nullopt);
  const FactsRecorder& long_time = Find(absl::InfiniteDuration());
  Advance(kLoadTimeout - kTick);
  EXPECT_FALSE(forever.done());
  Advance(kTick);
  ExpectError(forever, TooLate());
  ExpectError(long_time, TooLate());
  ExpectAllToldOnce();
}

TEST_F(WaitingTest, WithoutTimeLeftThereIsAHitOrNothing) {
  for (const absl::Duration timeout : {absl::ZeroDuration(), -absl::Seconds(1), -absl::InfiniteDuration()}) {
    ExpectError(Find(timeout), TooLate());
  }
  EXPECT_EQ(loads(), 0);
  EXPECT_TRUE(Find(std::nullopt).Wait().active());
  EXPECT_TRUE(Find(absl::ZeroDuration()).Wait().active());
  EXPECT_EQ(loads(), 1);
}

// The wall clock is set, by a day each way: that makes nobody more or less patient.
TEST_F(WaitingTest, PatienceIsMeasuredOnTheBootClock) {
  for (const absl::Duration jump : {absl::Hours(24), -absl::Hours(48)}) {
    source.Hold();
    const FactsRecorder& receiver = Find(300 * kMs, absl::ZeroDuration());
    authority.time.SetWall(authority.time.wall() + jump);
    Advance(299 * kMs);
    EXPECT_FALSE(receiver.done());
    Advance(kMs);
    ExpectError(receiver, TooLate());
    source.Release();
  }
}

TEST_F(WaitingTest, WhoAsksTheStoreNowLeavesItsOwnLoadInTime) {
  source.Hold();
  const FactsRecorder& any = Find(absl::Seconds(5));
  const FactsRecorder& now = Find(200 * kMs, absl::ZeroDuration());
  EXPECT_EQ(loads(), 2);
  Advance(200 * kMs);
  ExpectError(now, TooLate());
  EXPECT_FALSE(any.done());
  ExpectAllToldOnce();
}

class AskingAgain final : public FactsReceiver {
 public:
  AskingAgain(FactsReader& reader, const TokenDigest& digest) : reader_(reader), digest_(digest) {}
  void Receive(const absl::StatusOr<FactsAnswer>&) override { reader_.Find(digest_, {.timeout = kMs}, inner); }

  FactsRecorder inner;

 private:
  FactsReader& reader_;
  const TokenDigest digest_;
};

TEST_F(WaitingTest, AReceiverThatIsTooLateMayAskAgain) {
  source.Hold();
  AskingAgain asking(cache, token_.digest);
  cache.Find(token_.digest, {.timeout = kMs}, asking);
  Advance(kMs);
  EXPECT_FALSE(asking.inner.done());
  Advance(kMs);
  ExpectError(asking.inner, TooLate());
  EXPECT_EQ(loads(), 1);
  source.Release();
}

// What was answered in time leaves an alarm behind that finds nothing to do and is not set again.
TEST_F(WaitingTest, TheAlarmIsNotSetWhileNobodyWaits) {
  EXPECT_TRUE(Find(300 * kMs).Wait().active());
  Advance(kLoadTimeout);
  EXPECT_EQ(alarm.at(), ManualAlarm::kNever);
  EXPECT_TRUE(Find(300 * kMs).Wait().active());  // A hit.
  EXPECT_EQ(alarm.at(), ManualAlarm::kNever);
}

// ---- One load at a time.

TEST_F(WaitingTest, ThroughAnOutageThereIsOneLoadAtATimeAndOneReadAfterIt) {
  source.Hold();
  absl::Duration age = absl::ZeroDuration();  // Of the load.
  for (int i = 0; i < 3000; i += 25) {
    Find(absl::Milliseconds(100 + (i * 37) % 4900));
    ASSERT_EQ(source.held(), 1) << i;
    Advance(25 * kMs);
    age += 25 * kMs;
    if (age < 900 * kMs) continue;
    age = absl::ZeroDuration();
    source.ReleaseOldest(SourceTimedOut());  // It gives up a little before its time.
    ASSERT_EQ(source.held(), 1) << i;        // For those who have joined.
  }
  EXPECT_EQ(loads(), 4);
  source.Release();
  EXPECT_EQ(loads(), 4);
  for (const FactsRecorder& receiver : receivers_) EXPECT_EQ(receiver.times(), 1);
  EXPECT_TRUE(receivers_.back().Wait().active());
  EXPECT_EQ(Find(kMs).Wait().source, FactsSource::kCache);
  EXPECT_EQ(loads(), 4);
}

TEST_F(WaitingTest, WhoJoinedALoadThatTimesOutGetsOneMoreForAllOfThem) {
  source.Hold();
  const FactsRecorder& first = Find(std::nullopt);
  Advance(500 * kMs);
  const FactsRecorder& hasty = Find(300 * kMs);
  const FactsRecorder& patient = Find(std::nullopt);
  const FactsRecorder& patient_too = Find(800 * kMs);
  Advance(300 * kMs);
  source.ReleaseOldest(SourceTimedOut());
  ExpectError(first, SourceTimedOut());  // It had all of that load.
  ExpectError(hasty, TooLate());
  EXPECT_EQ(loads(), 2);
  EXPECT_EQ(source.last_timeout(), kLoadTimeout);
  Advance(300 * kMs);
  const FactsRecorder& later = Find(std::nullopt);
  EXPECT_EQ(loads(), 2);
  source.ReleaseOldest();
  for (const FactsRecorder* receiver : {&patient, &patient_too, &later}) EXPECT_TRUE(receiver->Wait().active());
  ExpectAllToldOnce();
}

TEST_F(WaitingTest, InTheNextLoadTooEverybodyLeavesInTime) {
  source.Hold();
  Find(std::nullopt);
  Advance(900 * kMs);
  const FactsRecorder& joined = Find(400 * kMs);
  source.ReleaseOldest(SourceTimedOut());
  Advance(400 * kMs - kTick);
  EXPECT_FALSE(joined.done());
  Advance(kTick);
  ExpectError(joined, TooLate());
  ExpectAllToldOnce();
}

// So that no failure, however quick, makes the cache ask again and again.
TEST_F(WaitingTest, IfTheNextLoadFailsThatIsTheAnswer) {
  source.Hold();
  Find(std::nullopt);
  Advance(900 * kMs);
  const FactsRecorder& joined = Find(std::nullopt);
  source.ReleaseOldest(SourceTimedOut());
  const absl::Status down = absl::UnavailableError("down");
  Advance(600 * kMs);
  source.ReleaseOldest(down);
  ExpectError(joined, down);
  EXPECT_EQ(loads(), 2);
}

TEST_F(WaitingTest, IfTheNextLoadFailsAtOnceThatIsTheAnswerToo) {
  source.Hold();
  Find(std::nullopt);
  Advance(900 * kMs);
  const FactsRecorder& joined = Find(std::nullopt);
  const absl::Status down = absl::UnavailableError("down");
  source.FailWith(down);
  source.Release(SourceTimedOut());
  ExpectError(joined, down);
  EXPECT_EQ(loads(), 2);
}

TEST_F(WaitingTest, ALoadThatFailsBeforeItsTimeIsEverybodysError) {
  for (const absl::Status& error : {absl::UnavailableError("down"), absl::ResourceExhaustedError("busy")}) {
    source.Hold();
    const size_t before = loads();
    Find(std::nullopt);
    Advance(kLoadTimeout / 2);
    const FactsRecorder& joined = Find(std::nullopt);
    source.Release(error);
    ExpectError(joined, error);
    EXPECT_EQ(loads(), before + 1);
  }
}

TEST_F(WaitingTest, WhatIsNoTimeoutIsEverybodysErrorHoweverLateItComes) {
  source.Hold();
  Find(std::nullopt);
  Advance(900 * kMs);
  const FactsRecorder& joined = Find(std::nullopt);
  source.Release(absl::ResourceExhaustedError("busy"));
  ExpectError(joined, absl::ResourceExhaustedError("busy"));
  EXPECT_EQ(loads(), 1);
}

TEST_F(WaitingTest, WhoMovesOnJoinsTheLoadThatIsThere) {
  source.Hold();
  Find(std::nullopt);
  Advance(800 * kMs);
  const FactsRecorder& joined = Find(std::nullopt);
  const FactsRecorder& now = Find(std::nullopt, absl::ZeroDuration());
  EXPECT_EQ(loads(), 2);
  source.ReleaseOldest(SourceTimedOut());
  EXPECT_EQ(loads(), 2);
  EXPECT_FALSE(joined.done());
  source.Release();
  EXPECT_TRUE(joined.Wait().active());
  EXPECT_TRUE(now.Wait().active());
  ExpectAllToldOnce();
}

// It may be older than the one that has failed, which somebody began to whom nothing older would do. Then it too may
// come to nothing before their time.
TEST_F(WaitingTest, WhoMovesOnToAnOlderLoadMovesOnFromThatToo) {
  source.Hold();
  Find(std::nullopt);
  Advance(100 * kMs);
  Find(std::nullopt, absl::ZeroDuration());
  Advance(100 * kMs);
  const FactsRecorder& joined = Find(std::nullopt);
  EXPECT_EQ(loads(), 2);
  Advance(700 * kMs);
  source.ReleaseNewest(SourceTimedOut());
  EXPECT_FALSE(joined.done());
  EXPECT_EQ(loads(), 2);
  source.ReleaseOldest(SourceTimedOut());
  EXPECT_FALSE(joined.done());
  EXPECT_EQ(loads(), 3);
  source.ReleaseOldest();
  EXPECT_TRUE(joined.Wait().active());
  ExpectAllToldOnce();
}

// The wall clock is set back meanwhile, by which the next load seems to be old; there is one all the same.
TEST_F(WaitingTest, TheNextLoadIsOneWhateverTheClocksSay) {
  source.Hold();
  Find(std::nullopt, absl::Seconds(10));
  Advance(800 * kMs);
  const FactsRecorder& one = Find(std::nullopt, absl::Seconds(10));
  const FactsRecorder& two = Find(std::nullopt, absl::Seconds(20));
  authority.time.SetWall(authority.time.wall() - absl::Hours(24));
  source.ReleaseOldest(SourceTimedOut());
  EXPECT_EQ(loads(), 2);
  source.Release();
  ASSERT_TRUE(one.done() && two.done());
  EXPECT_TRUE(one.Wait().active());
  EXPECT_TRUE(two.Wait().active());
}

// ---- Loads that are overtaken.

class WaitingPushTest : public WaitingTest {
 protected:
  WaitingPushTest() : WaitingTest({.push = true}) {}
};

TEST_F(WaitingPushTest, TheRepetitionHasWhatIsLeftOfTheTime) {
  source.Hold();
  const FactsRecorder& receiver = Find(std::nullopt);
  Advance(300 * kMs);
  cache.Drop(token_.uid);
  source.ReleaseOldest();
  EXPECT_EQ(source.last_timeout(), 700 * kMs);
  source.Release();
  EXPECT_TRUE(receiver.Wait().active());
}

TEST_F(WaitingPushTest, WhoWaitsForARepetitionLeavesItInTime) {
  source.Hold();
  const FactsRecorder& hasty = Find(400 * kMs);
  const FactsRecorder& patient = Find(std::nullopt);
  Advance(300 * kMs);
  cache.Drop(token_.uid);
  source.ReleaseOldest();
  EXPECT_EQ(loads(), 2);
  Advance(100 * kMs);
  ExpectError(hasty, TooLate());
  source.ReleaseOldest();
  EXPECT_TRUE(patient.Wait().active());
  ExpectAllToldOnce();
}

TEST_F(WaitingPushTest, AnOvertakenLoadThatEverybodyHasLeftIsNeitherKeptNorRepeated) {
  for (const bool everything : {false, true}) {
    source.Hold();
    const size_t before = loads();
    Find(10 * kMs);
    Advance(10 * kMs);
    everything ? cache.DropAll() : cache.Drop(token_.uid);
    source.Release();
    EXPECT_EQ(loads(), before + 1);
    EXPECT_EQ(cache.table().active_size(), 0);
  }
}

TEST_F(WaitingPushTest, ARepetitionThatTimesOutIsFollowedByOneMoreLoadForWhoJoinedIt) {
  source.Hold();
  const FactsRecorder& first = Find(std::nullopt);
  Advance(500 * kMs);
  cache.Drop(token_.uid);
  source.ReleaseOldest();
  const FactsRecorder& joined = Find(std::nullopt);
  EXPECT_EQ(loads(), 2);
  Advance(450 * kMs);
  source.ReleaseOldest(SourceTimedOut());
  ExpectError(first, SourceTimedOut());
  EXPECT_EQ(loads(), 3);
  cache.Drop(token_.uid);  // Overtakes that one too, which may be repeated.
  source.ReleaseOldest();
  EXPECT_EQ(loads(), 4);
  source.ReleaseOldest();
  EXPECT_TRUE(joined.Wait().active());
  EXPECT_EQ(Find(kMs).Wait().source, FactsSource::kCache);
  ExpectAllToldOnce();
}

TEST_F(WaitingTest, ANewSecretIsKnownAtOnceThoughALoadThatEverybodyHasLeftFoundNothing) {
  source.Hold();
  const TokenDigest digest = UnknownDigest(1);
  FactsRecorder gone;
  cache.Find(digest, {.timeout = kMs}, gone);
  Advance(kMs);
  cache.ForgetInactive(digest);
  source.Release();
  EXPECT_EQ(cache.table().inactive_size(), 0);
}

// ---- The limits of loading.

class WaitingFewLoadsTest : public WaitingTest {
 protected:
  WaitingFewLoadsTest() : WaitingTest({.max_loads_in_flight = 2}) {}
};

TEST_F(WaitingFewLoadsTest, ALoadThatEverybodyHasLeftCountsUntilItEnds) {
  for (int round = 0; round < 3; ++round) {
    source.Hold();
    std::deque<FactsRecorder> receivers(2);
    for (int i = 0; i < 2; ++i)
      cache.Find(UnknownDigest(i), {.max_staleness = absl::ZeroDuration(), .timeout = kMs}, receivers[i]);
    Advance(kMs);
    for (const FactsRecorder& receiver : receivers) ExpectError(receiver, TooLate());
    EXPECT_TRUE(absl::IsResourceExhausted(Ask(cache, UnknownDigest(2), absl::ZeroDuration()).status));
    source.Release();
    EXPECT_TRUE(Ask(cache, UnknownDigest(2), absl::ZeroDuration()).status.ok());
  }
}

TEST_F(WaitingFewLoadsTest, TheNextLoadTakesThePlaceOfTheOneThatTimedOut) {
  for (int round = 0; round < 3; ++round) {
    source.Hold();
    FactsRecorder first;
    FactsRecorder other;
    FactsRecorder joined;
    cache.Find(UnknownDigest(1), {}, first);
    cache.Find(UnknownDigest(2), {}, other);
    Advance(900 * kMs);
    cache.Find(UnknownDigest(1), {}, joined);
    source.ReleaseOldest(SourceTimedOut());
    EXPECT_FALSE(joined.done());
    source.Release();
    EXPECT_TRUE(joined.Wait().status.ok());
    Advance(absl::Hours(2));
  }
}

}  // namespace
}  // namespace pat
