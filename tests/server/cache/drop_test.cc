// Drops, as a stream of revocations brings them: what was loaded before is forgotten, and what is being loaded is asked
// for once more.
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/server/cache/cache_test.h"

namespace pat {
namespace {

class DropTest : public CacheTest {
 protected:
  DropTest() : CacheTest({.push = true}) { authority.AddUser("bob"); }

  // A find whose load is held back, and joined by another one.
  void FindHeld(const IssuedToken& token) {
    source.Hold();
    cache.Find(token.digest, {}, first_);
    cache.Find(token.digest, {}, joined_);
    ASSERT_EQ(source.held(), 1);
  }

  FactsRecorder first_;
  FactsRecorder joined_;
};

// ---- What is there.

TEST_F(DropTest, ForgetsTheTokenAndNoOther) {
  const IssuedToken dropped = Issue();
  const IssuedToken other = Issue();
  Ask(dropped);
  Ask(other);
  authority.Revoke(dropped);
  EXPECT_TRUE(IsActive(dropped));
  cache.Drop(dropped.uid);
  EXPECT_FALSE(IsActive(dropped));
  EXPECT_EQ(Ask(other).source, FactsSource::kCache);
}

TEST_F(DropTest, ForgetsEverySecretOfTheToken) {
  const IssuedToken old_token = Issue();
  Ask(old_token);
  const IssuedToken new_token = authority.Regenerate(old_token);
  Ask(new_token);
  cache.Drop(old_token.uid);
  EXPECT_FALSE(IsActive(old_token));
  EXPECT_EQ(Ask(new_token).source, FactsSource::kStore);
}

TEST_F(DropTest, ForgetsAllTokensOfTheOwner) {
  const std::vector<IssuedToken> of_ada = {Issue(), Issue(), Issue()};
  const IssuedToken of_bob = authority.Issue("bob");
  for (const IssuedToken& token : of_ada) Ask(token);
  Ask(of_bob);
  authority.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });
  cache.DropOwner("ada");
  for (const IssuedToken& token : of_ada) EXPECT_FALSE(IsActive(token));
  EXPECT_EQ(Ask(of_bob).source, FactsSource::kCache);
}

TEST_F(DropTest, ForgetsEverythingInactiveOnesToo) {
  const IssuedToken token = Issue();
  Ask(token);
  pat::Ask(cache, UnknownDigest(1));
  cache.DropAll();
  EXPECT_EQ(cache.table().active_size() + cache.table().inactive_size(), 0);
  EXPECT_EQ(Ask(token).source, FactsSource::kStore);
  EXPECT_EQ(pat::Ask(cache, UnknownDigest(1)).source, FactsSource::kStore);
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);  // What is loaded afterwards is kept.
}

TEST_F(DropTest, OfNothingIsNothing) {
  const IssuedToken token = Issue();
  cache.Drop(token.uid);
  cache.DropOwner("nobody");
  cache.DropAll();
  EXPECT_TRUE(IsActive(token));
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
}

class DropWithoutPushTest : public CacheTest {};

TEST_F(DropWithoutPushTest, OneTokensDropIsEverybodys) {
  const IssuedToken token = Issue();
  const IssuedToken other = Issue();
  Ask(token);
  Ask(other);
  cache.Drop(token.uid);
  EXPECT_EQ(Ask(other).source, FactsSource::kStore);
  cache.DropOwner("nobody");
  EXPECT_EQ(Ask(other).source, FactsSource::kStore);
}

TEST_F(DropWithoutPushTest, AnOvertakenLoadIsRepeatedHereToo) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder receiver;
  cache.Find(token.digest, {}, receiver);
  authority.Revoke(token);
  cache.DropAll();
  source.Release();
  EXPECT_FALSE(receiver.Wait().active());
  EXPECT_EQ(loads(), 2);
  EXPECT_FALSE(IsActive(token));
}

// ---- What is under way: C3 in push mode.

TEST_F(DropTest, AnOvertakenLoadIsRepeatedBeforeItsCallersAreAnswered) {
  const IssuedToken token = Issue();
  FindHeld(token);  // It has seen the token active.
  authority.Revoke(token);
  Advance(absl::Seconds(1));
  cache.Drop(token.uid);
  const absl::Time repeated_at = Now();
  source.Release();
  EXPECT_EQ(loads(), 2);
  for (const FactsRecorder* receiver : {&first_, &joined_}) {
    EXPECT_EQ(receiver->times(), 1);
    EXPECT_FALSE(receiver->Wait().active());
    EXPECT_EQ(receiver->Wait().read_time, repeated_at);
  }
  EXPECT_FALSE(IsActive(token));
  EXPECT_EQ(loads(), 2);  // The second answer is kept.
}

TEST_F(DropTest, SoItIsByADropOfTheOwnerAndOfEverything) {
  const IssuedToken token = Issue();
  for (int way = 0; way < 2; ++way) {
    source.Hold();
    FactsRecorder receiver;
    cache.Find(token.digest, {.max_staleness = absl::ZeroDuration()}, receiver);
    authority.ChangeUser(
        "ada", [way](UserRecord& user) { user.grants = {way == 0 ? "OR.Folders.Read" : "OR.Folders.Write"}; });
    way == 0 ? cache.DropOwner("ada") : cache.DropAll();
    source.Release();
    EXPECT_EQ(receiver.Wait().facts->scopes.ToVector(),
              std::vector<std::string>{way == 0 ? "OR.Folders.Read" : "OR.Folders.Write"});
  }
}

TEST_F(DropTest, ADropOfSomebodyElseOvertakesNothing) {
  const IssuedToken token = Issue();
  const IssuedToken other = Issue();
  FindHeld(token);
  cache.Drop(other.uid);
  cache.DropOwner("bob");
  source.Release();
  EXPECT_TRUE(first_.Wait().active());
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
  EXPECT_EQ(loads(), 1);
}

TEST_F(DropTest, ADropBeforeTheLoadBeganOvertakesNothing) {
  const IssuedToken token = Issue();
  const IssuedToken slow = Issue();
  source.Hold();
  FactsRecorder keeps_the_log;
  cache.Find(slow.digest, {}, keeps_the_log);
  cache.Drop(token.uid);
  cache.Find(token.digest, {}, first_);
  source.Release();
  EXPECT_TRUE(first_.Wait().active());
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
  EXPECT_EQ(loads(), 2);
}

TEST_F(DropTest, OvertakenAgainTheSecondAnswerIsToldAndNotKept) {
  const IssuedToken token = Issue();
  FindHeld(token);
  cache.Drop(token.uid);
  source.ReleaseOldest();  // Asked again, and held back again.
  ASSERT_EQ(source.held(), 1);
  EXPECT_FALSE(first_.done());
  cache.Drop(token.uid);
  source.ReleaseOldest();
  for (const FactsRecorder* receiver : {&first_, &joined_}) EXPECT_TRUE(receiver->Wait().active());
  EXPECT_EQ(loads(), 2);
  EXPECT_EQ(cache.table().active_size(), 0);
}

// A load that was repeated is not repeated again; so nobody joins it who came after another drop.
TEST_F(DropTest, ARepeatedLoadIsJoinedUntilTheNextDrop) {
  const IssuedToken token = Issue();
  FindHeld(token);
  cache.Drop(token.uid);
  source.ReleaseOldest();
  FactsRecorder before;
  cache.Find(token.digest, {}, before);
  EXPECT_EQ(loads(), 2);
  authority.Revoke(token);
  cache.Drop(token.uid);
  FactsRecorder after;
  cache.Find(token.digest, {}, after);
  EXPECT_EQ(loads(), 3);
  source.Release();
  EXPECT_TRUE(before.Wait().active());  // It came before the revocation.
  EXPECT_FALSE(after.Wait().active());
  EXPECT_FALSE(IsActive(token));
}

TEST_F(DropTest, NobodyJoinsALoadThatDropAllHasOvertaken) {
  const IssuedToken token = Issue();
  FindHeld(token);
  authority.Revoke(token);
  cache.DropAll();
  FactsRecorder after;
  cache.Find(token.digest, {}, after);
  EXPECT_EQ(loads(), 2);
  source.Release();
  EXPECT_FALSE(after.Wait().active());
  EXPECT_FALSE(first_.Wait().active());
}

TEST_F(DropTest, AFailedLoadIsNotRepeated) {
  const IssuedToken token = Issue();
  FindHeld(token);
  cache.Drop(token.uid);
  source.Release(absl::UnavailableError("down"));
  EXPECT_TRUE(absl::IsUnavailable(first_.Wait().status));
  EXPECT_EQ(loads(), 1);
}

TEST_F(DropTest, IfTheRepetitionFailsEverybodyIsToldSo) {
  const IssuedToken token = Issue();
  FindHeld(token);
  cache.Drop(token.uid);
  source.FailWith(absl::UnavailableError("down"));
  source.ReleaseOldest();
  source.Release();
  EXPECT_TRUE(absl::IsUnavailable(first_.Wait().status));
  EXPECT_TRUE(absl::IsUnavailable(joined_.Wait().status));
  EXPECT_EQ(cache.table().active_size(), 0);
}

// The youngest load is the one to join, also if it is an old one that began again.
TEST_F(DropTest, ARepeatedLoadIsTheYoungest) {
  const IssuedToken token = Issue();
  source.Hold();
  cache.Find(token.digest, {}, first_);
  Advance(absl::Seconds(1));
  cache.Find(token.digest, {.max_staleness = absl::ZeroDuration()}, joined_);
  cache.Drop(token.uid);
  Advance(absl::Seconds(1));
  source.ReleaseOldest();
  EXPECT_EQ(loads(), 3);
  FactsRecorder third;
  cache.Find(token.digest, {.max_staleness = absl::Milliseconds(1)}, third);
  EXPECT_EQ(loads(), 3);
  source.Release();
  EXPECT_EQ(third.Wait().read_time, Now());
}

class DropWithFewLoadsTest : public CacheTest {
 protected:
  DropWithFewLoadsTest() : CacheTest({.max_loads_in_flight = 2, .push = true}) {}
};

TEST_F(DropWithFewLoadsTest, RepeatedLoadsCountOnce) {
  const IssuedToken token = Issue();
  for (int i = 0; i < 10; ++i) {
    source.Hold();
    FactsRecorder receiver;
    cache.Find(token.digest, {}, receiver);
    cache.Drop(token.uid);
    source.Release();
    ASSERT_TRUE(receiver.Wait().active());
    cache.Drop(token.uid);
  }
  source.Hold();
  std::vector<FactsRecorder> receivers(2);
  for (int i = 0; i < 2; ++i) cache.Find(UnknownDigest(i), {}, receivers[i]);
  EXPECT_TRUE(absl::IsResourceExhausted(pat::Ask(cache, UnknownDigest(2)).status));
  source.Release();
}

}  // namespace
}  // namespace pat
