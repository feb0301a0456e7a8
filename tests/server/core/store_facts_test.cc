// StoreFacts and the judgement of a snapshot. What it has in common with the other FactsReaders is in
// tests/server/cache/facts_readers_test.cc.
#include "server/core/store_facts.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/record_rules.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

class StoreFactsTest : public testing::Test {
 protected:
  StoreFactsTest() { authority_.AddUser("ada"); }

  absl::Time Now() const { return authority_.clock.Now(); }

  // The token's record and its owner's, as the store has them.
  TokenSnapshot SnapshotOf(const IssuedToken& token) {
    const std::vector<TokenHmac> candidates = {authority_.peppers->Hmac(token.digest)};
    return authority_.store.FindByHmac(candidates, Blocking::kAllowed).value().found.value();
  }
  std::optional<TokenFacts> Judge(const TokenSnapshot& snapshot, absl::Time now) {
    return JudgeSnapshot(snapshot, *authority_.catalog, now);
  }
  std::optional<TokenFacts> Judge(const TokenSnapshot& snapshot) { return Judge(snapshot, Now()); }

  TestAuthority authority_;
};

// ---- Whether a token is active.

TEST_F(StoreFactsTest, AnythingThatEndsATokenMakesItInactive) {
  const TokenSnapshot good = SnapshotOf(authority_.Issue("ada"));
  ASSERT_TRUE(Judge(good).has_value());

  TokenSnapshot revoked = good;
  revoked.token.revoke_time = Now();
  EXPECT_FALSE(Judge(revoked).has_value());
  revoked.token.revoke_time = Now() + absl::Hours(1);  // A clock was set back since: revoked is revoked.
  EXPECT_FALSE(Judge(revoked).has_value());

  TokenSnapshot disabled = good;
  disabled.owner.disabled = true;
  EXPECT_FALSE(Judge(disabled).has_value());

  for (const UserType type : {UserType::kDirectory, UserType::kSaml, UserType{0}, UserType{9}}) {
    TokenSnapshot not_local = good;
    not_local.owner.type = type;
    EXPECT_FALSE(Judge(not_local).has_value());
  }
}

TEST_F(StoreFactsTest, ATokenLivesInItsEpochsOnly) {
  const TokenSnapshot good = SnapshotOf(authority_.Issue("ada"));
  TokenSnapshot next_owner_epoch = good;
  ++next_owner_epoch.owner.token_epoch;
  EXPECT_FALSE(Judge(next_owner_epoch).has_value());
  TokenSnapshot next_global_epoch = good;
  ++next_global_epoch.global_epoch;
  EXPECT_FALSE(Judge(next_global_epoch).has_value());
  TokenSnapshot from_the_future = good;
  ++from_the_future.token.epochs.owner;
  EXPECT_FALSE(Judge(from_the_future).has_value());
}

TEST_F(StoreFactsTest, ATokenIsActiveBeforeItsExpiry) {
  const TokenSnapshot good = SnapshotOf(authority_.Issue("ada"));
  EXPECT_TRUE(Judge(good, good.token.expire_time - absl::Nanoseconds(1)).has_value());
  EXPECT_FALSE(Judge(good, good.token.expire_time).has_value());
  EXPECT_FALSE(Judge(good, absl::InfiniteFuture()).has_value());
}

// ---- The maximum lifespan, also for tokens that were made under a larger one.

TEST_F(StoreFactsTest, ASmallerMaximumLifespanEndsTokensEarlier) {
  const IssuedToken token = authority_.Issue("ada");
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(24 * 7); });
  const TokenSnapshot snapshot = SnapshotOf(token);
  const absl::Time end = snapshot.token.create_time + absl::Hours(24 * 7);
  EXPECT_EQ(EffectiveExpireTime(snapshot.token, snapshot.policy), end);
  ASSERT_TRUE(Judge(snapshot, end - absl::Nanoseconds(1)).has_value());
  EXPECT_EQ(Judge(snapshot, end - absl::Nanoseconds(1))->expire_time, end);
  EXPECT_FALSE(Judge(snapshot, end).has_value());
}

TEST_F(StoreFactsTest, TheMaximumLifespanCountsFromTheLastRegeneration) {
  TokenRecord token = SnapshotOf(authority_.Issue("ada")).token;
  token.regenerate_time = token.create_time + absl::Hours(24 * 3);
  EXPECT_EQ(EffectiveExpireTime(token, {.maximum_lifespan = absl::Hours(24 * 7)}),
            token.create_time + absl::Hours(24 * 10));
}

// `exp` is a number of seconds: a token that ended within one would be active after it.
TEST_F(StoreFactsTest, TheEndThatTheMaximumLifespanSetsIsAWholeSecond) {
  TokenRecord token = SnapshotOf(authority_.Issue("ada")).token;
  token.create_time = absl::FromUnixSeconds(1'000'000) + absl::Milliseconds(999);
  token.expire_time = absl::FromUnixSeconds(2'000'000);
  EXPECT_EQ(EffectiveExpireTime(token, {.maximum_lifespan = absl::Seconds(10)}), absl::FromUnixSeconds(1'000'010));
  EXPECT_EQ(EffectiveExpireTime(token, {.maximum_lifespan = absl::InfiniteDuration()}), token.expire_time);
}

TEST_F(StoreFactsTest, ALargerMaximumLifespanLengthensNothing) {
  const TokenRecord token = SnapshotOf(authority_.Issue("ada")).token;
  EXPECT_EQ(EffectiveExpireTime(token, {.maximum_lifespan = absl::Hours(24 * 10'000)}), token.expire_time);
}

// ---- The rest of the policy: seen at the next read, and gone when it is undone.

TEST_F(StoreFactsTest, WhileTokensAreDisabledNoneIsActive) {
  const IssuedToken token = authority_.Issue("ada");
  ASSERT_TRUE(Ask(authority_.facts, token.digest).active());
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.tokens_disabled = true; });
  EXPECT_FALSE(Ask(authority_.facts, token.digest).active());
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.tokens_disabled = false; });
  EXPECT_TRUE(Ask(authority_.facts, token.digest).active());
}

TEST_F(StoreFactsTest, AForbiddenScopeIsInNoTokenHoweverItWasGiven) {
  TokenSnapshot snapshot = SnapshotOf(authority_.Issue("ada"));
  const auto effective = [&](const std::vector<std::string>& token, const std::vector<std::string>& forbidden) {
    snapshot.token.scopes = token;
    snapshot.policy.forbidden_scopes = forbidden;
    return Judge(snapshot).value().scopes.ToVector();
  };
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  EXPECT_THAT(effective({"OR.Folders.Read"}, {"OR.Folders.Read"}), IsEmpty());
  EXPECT_THAT(effective({"OR.Folders"}, {"OR.Folders.Read"}), ElementsAre("OR.Folders", "OR.Folders.Write"))
      << "also what a wider scope covers is taken away";
  EXPECT_THAT(effective({"OR.Folders"}, {"OR.Folders"}), ElementsAre("OR.Folders.Read", "OR.Folders.Write"))
      << "what is covered by a forbidden scope is not forbidden by that";
  EXPECT_THAT(effective({"TM.Defects.Read"}, {"OR.Folders", "gone.from.the.catalogue"}),
              ElementsAre("TM.Defects.Read"));
}

// ---- Effective scopes.

struct ScopesCase {
  std::vector<std::string> token;
  std::vector<std::string> grants;
  std::vector<std::string> effective;
};

TEST_F(StoreFactsTest, EffectiveScopesAreWhatBothTheTokenAndItsOwnerCover) {
  const std::vector<ScopesCase> cases = {
      {{"OR.Folders"}, {"*"}, {"OR.Folders", "OR.Folders.Read", "OR.Folders.Write"}},
      {{"OR.Folders"}, {"OR.Folders"}, {"OR.Folders", "OR.Folders.Read", "OR.Folders.Write"}},
      {{"OR.Folders"}, {"OR.Folders.Read"}, {"OR.Folders.Read"}},
      {{"OR.Folders.Read"}, {"OR.Folders"}, {"OR.Folders.Read"}},
      // Both children are not the parent.
      {{"OR.Folders.Read", "OR.Folders.Write"}, {"*"}, {"OR.Folders.Read", "OR.Folders.Write"}},
      {{"OR.Folders"}, {"OR.Folders.Read", "OR.Folders.Write"}, {"OR.Folders.Read", "OR.Folders.Write"}},
      {{"OR.Folders"}, {"TM.Defects"}, {}},
      {{"OR.Folders"}, {}, {}},
      {{}, {"*"}, {}},
      // Sorted by bytes, whatever the order of the request.
      {{"TM.Defects.Read", "OR.Folders.Write", "Many.07"}, {"*"}, {"Many.07", "OR.Folders.Write", "TM.Defects.Read"}},
      // Names that the catalogue does not have any more cover nothing.
      {{"Gone.Scope", "TM.Defects.Read"}, {"*", "Gone.Scope"}, {"TM.Defects.Read"}},
  };
  TokenSnapshot snapshot = SnapshotOf(authority_.Issue("ada"));
  for (const ScopesCase& one : cases) {
    snapshot.token.scopes = one.token;
    snapshot.owner.grants = one.grants;
    ASSERT_TRUE(Judge(snapshot).has_value());  // Without scopes a token is active still.
    EXPECT_EQ(Judge(snapshot)->scopes.ToVector(), one.effective) << testing::PrintToString(one.token);
  }
}

// ---- Reading.

TEST_F(StoreFactsTest, ReadsMemoryOnTheCallersThreadAndNothingElse) {
  const IssuedToken token = authority_.Issue("ada");
  EXPECT_TRUE(Ask(authority_.facts, token.digest).active());
  EXPECT_EQ(authority_.store.finds_in_memory(), 1);
  EXPECT_EQ(authority_.store.finds_that_may_wait(), 0);
  EXPECT_EQ(authority_.executor.waiting(), 0);
}

TEST_F(StoreFactsTest, ReadsEveryTimeWhateverStalenessIsAllowed) {
  const IssuedToken token = authority_.Issue("ada");
  for (int i = 0; i < 3; ++i) Ask(authority_.facts, token.digest, absl::Hours(1));
  EXPECT_EQ(authority_.store.finds_in_memory(), 3);
}

TEST_F(StoreFactsTest, HandsAReadThatWouldWaitToTheExecutor) {
  const IssuedToken token = authority_.Issue("ada");
  authority_.store.PutOnDisk();
  const absl::Time asked_at = Now();
  FactsRecorder receiver;
  authority_.facts.Find(token.digest, {}, receiver);
  EXPECT_FALSE(receiver.done());
  EXPECT_EQ(authority_.executor.waiting(), 1);
  EXPECT_EQ(authority_.store.finds_that_may_wait(), 0);

  authority_.time.Advance(absl::Seconds(3));
  authority_.executor.RunAll();
  EXPECT_EQ(authority_.store.finds_that_may_wait(), 1);
  EXPECT_EQ(receiver.times(), 1);
  const ReceivedFacts answer = receiver.Wait();
  EXPECT_TRUE(answer.active());
  EXPECT_EQ(answer.read_time, asked_at);
  EXPECT_EQ(answer.now, asked_at + absl::Seconds(3));
}

TEST_F(StoreFactsTest, WhatIsReadLaterIsJudgedByTheClockOfThen) {
  CreateTokenQuery creation = authority_.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 10};
  const IssuedToken token = authority_.Issue(creation);
  authority_.store.PutOnDisk();
  FactsRecorder receiver;
  authority_.facts.Find(token.digest, {}, receiver);
  authority_.time.Advance(absl::Seconds(10));
  authority_.executor.RunAll();
  EXPECT_FALSE(receiver.Wait().active());
}

TEST_F(StoreFactsTest, AnErrorOfALaterReadIsToldLikeOneAtOnce) {
  const IssuedToken token = authority_.Issue("ada");
  authority_.store.PutOnDisk();
  FactsRecorder receiver;
  authority_.facts.Find(token.digest, {}, receiver);
  authority_.store.FailReadsWith(absl::UnknownError("IO error: /data/db/000042.sst: Input/output error"));
  authority_.executor.RunAll();
  const absl::Status status = receiver.Wait().status;
  ExpectRefusal(status, absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE");
  EXPECT_FALSE(absl::StrContains(status.ToString(), "000042"));
}

TEST_F(StoreFactsTest, IfTooManyReadsWaitTheCallerIsToldToComeAgain) {
  const IssuedToken token = authority_.Issue("ada");
  authority_.store.PutOnDisk();
  ManualExecutor full(/*limit=*/1);
  StoreFacts facts(authority_.store, *authority_.peppers, *authority_.catalog, authority_.clock, full);
  FactsRecorder first;
  FactsRecorder second;
  facts.Find(token.digest, {}, first);
  facts.Find(token.digest, {}, second);
  EXPECT_FALSE(first.done());
  const ErrorDetails details =
      ExpectRefusal(second.Wait().status, absl::StatusCode::kResourceExhausted, "RATE_LIMITED");
  EXPECT_TRUE(details.retry_delay.has_value());
  full.RunAll();
  EXPECT_TRUE(first.Wait().active());
  EXPECT_EQ(second.times(), 1);
}

TEST_F(StoreFactsTest, AnActiveAnswerIsGoodUntilItsExpiryAndAnInactiveOneAsLongAsItsKeeperLikes) {
  const IssuedToken token = authority_.Issue("ada");
  const ReceivedFacts active = Ask(authority_.facts, token.digest);
  EXPECT_EQ(active.fresh_until, active.facts->expire_time);
  EXPECT_EQ(active.fresh_for, active.facts->expire_time - Now());
  const ReceivedFacts inactive = Ask(authority_.facts, UnknownDigest(1));
  EXPECT_EQ(inactive.fresh_until, inactive.read_time);
  EXPECT_EQ(inactive.fresh_for, kWithoutEnd);
}

// ---- Peppers.

TEST_F(StoreFactsTest, FindsTokensUnderEachPepperAndMakesNewOnesUnderTheFirst) {
  const IssuedToken old_token = authority_.Issue("ada");
  std::vector<Secret> secrets;
  secrets.push_back(PepperOf('q'));
  secrets.push_back(PepperOf('p'));
  const std::unique_ptr<const Peppers> rotated = Peppers::Create(std::move(secrets)).value();
  StoreFacts facts(authority_.store, *rotated, *authority_.catalog, authority_.clock, authority_.executor);
  TokenLifecycle tokens(authority_.store, *rotated, *authority_.catalog, authority_.retention, authority_.audit,
                        authority_.clock, [](const TokenDigest&) {});
  EXPECT_TRUE(Ask(facts, old_token.digest).active());

  const TokenWithSecret made = tokens.Create(AsUser("ada"), authority_.GoodCreation("ada")).value();
  const TokenDigest new_digest = DigestOf(made.secret.Reveal());
  EXPECT_TRUE(Ask(facts, new_digest).active());
  EXPECT_FALSE(Ask(authority_.facts, new_digest).active());  // The first pepper alone does not find it.
}

TEST_F(StoreFactsTest, WithoutTheRightPepperNothingIsFound) {
  const IssuedToken token = authority_.Issue("ada");
  std::vector<Secret> secrets;
  secrets.push_back(PepperOf('q'));
  const std::unique_ptr<const Peppers> other = Peppers::Create(std::move(secrets)).value();
  StoreFacts facts(authority_.store, *other, *authority_.catalog, authority_.clock, authority_.executor);
  EXPECT_FALSE(Ask(facts, token.digest).active());
}

}  // namespace
}  // namespace pat
