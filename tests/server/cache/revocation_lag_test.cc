// The bound, told as stories over hours: a token revoked at r is in no active answer computed later than r + TTL. Every
// story runs on the real rules over the memory engine; only the clock is moved by hand.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/cache_bound.h"
#include "server/core/error.h"
#include "tests/server/cache/cache_test.h"

namespace pat {
namespace {

using RevocationLagTest = CacheTest;

absl::Duration RandomBelow(absl::Duration limit, std::mt19937_64& random) {
  return absl::Nanoseconds(static_cast<int64_t>(random() % static_cast<uint64_t>(absl::ToInt64Nanoseconds(limit))));
}

// ---- C1

TEST_F(RevocationLagTest, ARevokedTokenIsAcceptedForExactlyTheTtlAndNotANanosecondLonger) {
  const IssuedToken token = Issue();
  ASSERT_TRUE(IsActive(token));
  const absl::Time revoked_at = Now();
  authority.Revoke(token);
  for (int second = 0; second < 3600; ++second) {
    ASSERT_TRUE(IsActive(token)) << second;
    Advance(absl::Seconds(1));
  }
  EXPECT_EQ(Now(), revoked_at + kTtl);
  EXPECT_TRUE(IsActive(token));
  EXPECT_EQ(loads(), 1);
  Advance(kTick);
  EXPECT_FALSE(IsActive(token));
  EXPECT_EQ(loads(), 2);
}

// The owner of each story probes once a second for two TTLs; in every second story some probes ask for fresher facts,
// and the cache is swept now and then, which must not matter.
TEST(RevocationLagStoriesTest, AHundredRevocationsAtRandomTimesAreNeverAcceptedLaterThanTheTtl) {
  absl::Duration longest_lag = -absl::InfiniteDuration();
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::mt19937_64 random(seed);
    CachedAuthority at;
    ASSERT_TRUE(CommitCacheTtl(at.authority.store, kTtl, at.Now()).ok());
    const IssuedToken token = at.Issue();
    at.Advance(RandomBelow(absl::Seconds(1), random));
    const absl::Time begin = at.Now();
    const absl::Time revoke_at = begin + RandomBelow(kTtl, random);
    absl::Time last_accept_time = absl::InfiniteFuture();
    absl::Time last_active = absl::InfinitePast();
    for (int second = 0; second <= 3 * 3600; ++second) {
      const absl::Time probe_at = begin + absl::Seconds(second);
      if (at.Now() <= revoke_at && revoke_at < probe_at) {
        at.Advance(revoke_at - at.Now());
        last_accept_time = at.authority.Revoke(token);
      }
      at.Advance(probe_at - at.Now());
      std::optional<absl::Duration> max_staleness;
      if (seed % 2 == 1 && random() % 600 == 0) max_staleness = RandomBelow(kTtl, random);
      if (random() % 100 == 0) at.cache.Sweep();
      const ReceivedFacts answer = at.Ask(token, max_staleness);
      ASSERT_TRUE(answer.status.ok());
      if (answer.active()) last_active = answer.now;
      ASSERT_TRUE(answer.active() || answer.now > revoke_at) << "seed " << seed << ", second " << second;
      ASSERT_FALSE(answer.active() && answer.now > revoke_at + kTtl) << "seed " << seed << ", second " << second;
      ASSERT_FALSE(answer.active() && answer.now > last_accept_time) << "seed " << seed << ", second " << second;
    }
    longest_lag = std::max(longest_lag, last_active - revoke_at);
  }
  // The hour is really there: over a hundred tries some revocation comes soon after a load.
  EXPECT_GT(longest_lag, kTtl - absl::Minutes(3));
}

// ---- C2

TEST_F(RevocationLagTest, AHitNeverExtendsAnEntry) {
  const IssuedToken token = Issue();
  for (int second = 0; second < 10 * 3600; ++second) {
    ASSERT_TRUE(IsActive(token));
    Advance(absl::Seconds(1));
  }
  EXPECT_GE(loads(), 9);
  EXPECT_LE(loads(), 11);
}

// ---- C3

TEST_F(RevocationLagTest, ALateFillEndsOneTtlAfterItsReadBegan) {
  for (const absl::Duration late : {absl::ZeroDuration(), absl::Milliseconds(1), absl::Seconds(30), kTtl}) {
    const IssuedToken token = Issue();
    const absl::Time read_began = Now();
    source.Hold();
    FactsRecorder first;
    cache.Find(token.digest, {}, first);
    authority.Revoke(token);
    Advance(late);
    source.Release();
    EXPECT_TRUE(first.Wait().active());
    EXPECT_EQ(first.Wait().fresh_until, read_began + kTtl);
    EXPECT_TRUE(IsActive(token));

    Advance(read_began + kTtl - Now());
    EXPECT_TRUE(IsActive(token));
    Advance(kTick);
    EXPECT_FALSE(IsActive(token)) << late;
  }
}

TEST_F(RevocationLagTest, AnAnswerThatTookLongerThanTheTtlIsNone) {
  const IssuedToken token = Issue();
  source.Hold();
  FactsRecorder first;
  FactsRecorder joined;
  cache.Find(token.digest, {}, first);
  cache.Find(token.digest, {}, joined);
  authority.Revoke(token);
  Advance(kTtl + kTick);
  source.Release();
  for (const FactsRecorder* receiver : {&first, &joined}) {
    EXPECT_EQ(receiver->Wait().status.code(), absl::StatusCode::kUnavailable);
    const std::optional<ErrorDetails> details = DetailsOf(receiver->Wait().status);
    ASSERT_TRUE(details.has_value());
    EXPECT_EQ(details->reason, "STORE_UNAVAILABLE");
    EXPECT_TRUE(details->retry_delay.has_value());
  }
  EXPECT_FALSE(IsActive(token));
}

// ---- C6

TEST_F(RevocationLagTest, AfterRegeneratingTheNewSecretWorksAtOnceAndTheOldOneForAtMostTheTtl) {
  const IssuedToken old_token = Issue();
  ASSERT_TRUE(IsActive(old_token));
  Advance(absl::Seconds(600));
  const absl::Time regenerated_at = Now();
  const IssuedToken new_token = authority.Regenerate(old_token);
  EXPECT_NE(new_token.secret, old_token.secret);
  // In the store the old one is dead at once.
  EXPECT_FALSE(pat::Ask(authority.facts, old_token.digest).active());

  while (Now() <= regenerated_at + 2 * kTtl) {
    ASSERT_TRUE(IsActive(new_token));
    ASSERT_EQ(IsActive(old_token), Now() <= regenerated_at - absl::Seconds(600) + kTtl) << Now();
    Advance(absl::Seconds(1));
  }
}

TEST_F(RevocationLagTest, ManyRegenerationsLeaveOneLivingSecret) {
  std::mt19937_64 random(6);
  std::vector<IssuedToken> secrets = {Issue()};
  std::vector<absl::Time> replaced_at;
  for (int step = 0; step < 2000; ++step) {
    Advance(RandomBelow(absl::Minutes(2), random));
    if (random() % 20 == 0) {
      secrets.push_back(authority.Regenerate(secrets.back()));
      replaced_at.push_back(Now());
    }
    ASSERT_TRUE(IsActive(secrets.back()));
    for (size_t i = 0; i + 1 < secrets.size(); ++i) {
      ASSERT_FALSE(IsActive(secrets[i]) && Now() > replaced_at[i] + kTtl) << i << " of " << secrets.size();
    }
  }
  EXPECT_GT(secrets.size(), 50);
}

// ---- C7

TEST_F(RevocationLagTest, ATokenEndsAtItsExpiryInTheMiddleOfItsEntry) {
  CreateTokenQuery creation = authority.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 600};
  const IssuedToken token = authority.Issue(creation);
  const absl::Time expire_time = Now() + absl::Seconds(600);
  Advance(absl::Seconds(300));
  ASSERT_TRUE(IsActive(token));

  Advance(expire_time - Now() - kTick);
  const CheckResult before = Check(introspector, QueryFor(token.secret));
  EXPECT_EQ(before.verdict, Verdict::kAllow);
  EXPECT_EQ(before.freshness.source, AnswerSource::kCache);
  EXPECT_EQ(before.freshness.fresh_for, kTick);

  Advance(kTick);
  const CheckResult at = Check(introspector, QueryFor(token.secret));
  EXPECT_EQ(at.verdict, Verdict::kInactive);
  EXPECT_EQ(at.freshness.source, AnswerSource::kStore);
  EXPECT_EQ(at.freshness.read_time, expire_time);
  EXPECT_EQ(at.freshness.fresh_until, expire_time + kNegativeTtl);

  Advance(kTick);
  const CheckResult after = Check(introspector, QueryFor(token.secret));
  EXPECT_EQ(after.verdict, Verdict::kInactive);
  EXPECT_EQ(after.freshness.source, AnswerSource::kCache);
  EXPECT_EQ(after.freshness.fresh_for, kNegativeTtl - kTick);
}

// ---- C10

// Digests that are asked for before there is a token with them. Nobody can do that with a secret of 256 random bits; so
// it is injected: an existing token gets the secret.
class LateTokenTest : public CacheTest {
 protected:
  void MakeTokenOf(const TokenDigest& digest) {
    const IssuedToken token = Issue();
    const absl::Status done = authority.store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      TokenRecord record = transaction.GetToken(token.uid).value().value();
      record.hmac = authority.peppers->Hmac(digest);
      if (absl::Status status = transaction.PutToken(record); !status.ok()) return status;
      return Decision::kCommit;
    });
    ASSERT_TRUE(done.ok()) << done;
  }

  const TokenDigest digest_ = UnknownDigest(1);
};

TEST_F(LateTokenTest, WorksAtOnceWhereItWasMade) {
  EXPECT_FALSE(pat::Ask(cache, digest_).active());
  MakeTokenOf(digest_);
  cache.ForgetInactive(digest_);
  EXPECT_TRUE(pat::Ask(cache, digest_).active());
}

TEST_F(LateTokenTest, WorksElsewhereWithinTheNegativeTtl) {
  EXPECT_FALSE(pat::Ask(cache, digest_).active());
  MakeTokenOf(digest_);
  Advance(kNegativeTtl);
  EXPECT_FALSE(pat::Ask(cache, digest_).active());
  Advance(kTick);
  EXPECT_TRUE(pat::Ask(cache, digest_).active());
}

TEST_F(LateTokenTest, ALoadThatBeganBeforeIsNeitherJoinedNorRemembered) {
  source.Hold();
  FactsRecorder before;
  cache.Find(digest_, {}, before);  // Finds nothing, and will say so later.
  MakeTokenOf(digest_);
  cache.ForgetInactive(digest_);
  FactsRecorder after;
  cache.Find(digest_, {}, after);
  EXPECT_EQ(loads(), 2);
  source.Release();
  EXPECT_FALSE(before.Wait().active());
  EXPECT_TRUE(after.Wait().active());
  EXPECT_TRUE(pat::Ask(cache, digest_).active());
  EXPECT_EQ(loads(), 2);
}

TEST_F(LateTokenTest, ALoadThatBeganBeforeIsNotRememberedIfItEndsLast) {
  source.Hold();
  FactsRecorder before;
  FactsRecorder after;
  cache.Find(digest_, {}, before);
  MakeTokenOf(digest_);
  cache.ForgetInactive(digest_);
  cache.Find(digest_, {}, after);
  source.ReleaseNewest();
  EXPECT_TRUE(after.Wait().active());
  source.Release();
  EXPECT_FALSE(before.Wait().active());
  EXPECT_TRUE(pat::Ask(cache, digest_).active());
}

TEST_F(LateTokenTest, ALoadThatBeganBeforeIsNotRememberedIfItIsAlone) {
  source.Hold();
  FactsRecorder before;
  cache.Find(digest_, {}, before);
  MakeTokenOf(digest_);
  cache.ForgetInactive(digest_);
  source.Release();
  EXPECT_FALSE(before.Wait().active());
  EXPECT_TRUE(pat::Ask(cache, digest_).active());
}

TEST_F(LateTokenTest, ForgettingTouchesNoActiveEntryAndNoOtherDigest) {
  const IssuedToken token = Issue();
  Ask(token);
  pat::Ask(cache, digest_);
  cache.ForgetInactive(token.digest);
  cache.ForgetInactive(UnknownDigest(2));
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
  EXPECT_EQ(pat::Ask(cache, digest_).source, FactsSource::kCache);
}

TEST_F(LateTokenTest, TheCacheIsToldOfEachNewSecretBeforeItsOwnerIs) {
  std::vector<TokenDigest> told;
  authority.on_new_secret = [&](const TokenDigest& digest) {
    EXPECT_TRUE(pat::Ask(authority.facts, digest).active());  // Durable before it is told.
    told.push_back(digest);
  };
  const IssuedToken made = Issue();
  const IssuedToken regenerated = authority.Regenerate(made);
  EXPECT_EQ(told, (std::vector<TokenDigest>{made.digest, regenerated.digest}));
}

// ---- C11

TEST_F(RevocationLagTest, WithoutASourceFreshEntriesAreServedAndNothingElse) {
  const IssuedToken token = Issue();
  const IssuedToken not_cached = Issue();
  Ask(token);
  source.FailWith(MakeError(absl::StatusCode::kUnavailable, "down", {.reason = "AUTHORITY_UNAVAILABLE"}));
  EXPECT_EQ(Ask(not_cached).status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Ask(token, absl::ZeroDuration()).status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(DetailsOf(Ask(not_cached).status)->reason, "AUTHORITY_UNAVAILABLE");
  Advance(kTtl);
  EXPECT_TRUE(IsActive(token));
  Advance(kTick);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Ask(token).status.code(), absl::StatusCode::kUnavailable);
    Advance(absl::Minutes(1));
  }
  source.FailWith(absl::OkStatus());
  EXPECT_TRUE(IsActive(token));
}

TEST_F(RevocationLagTest, AnOutageOfTheStoreItselfIsUnavailableToo) {
  const IssuedToken token = Issue();
  authority.store.FailReadsWith(absl::DataLossError("block checksum mismatch in 000042.sst"));
  const ReceivedFacts answer = Ask(token);
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(answer.status.message().find("000042"), std::string::npos);
  authority.store.FailReadsWith(absl::OkStatus());
  EXPECT_TRUE(IsActive(token));
}

// ---- C12

struct OwnerChange {
  const char* name;
  void (*apply)(UserRecord&);
  bool ends_token;  // Otherwise it only takes scopes away.
};
void PrintTo(const OwnerChange& change, std::ostream* out) { *out << change.name; }

class OwnerChangeTest : public CacheTest, public testing::WithParamInterface<OwnerChange> {
 protected:
  // What the token may do: everything it was given, part of it, or nothing.
  std::vector<std::string> ScopesOf(const ReceivedFacts& answer) {
    return answer.active() ? answer.facts->scopes.ToVector() : std::vector<std::string>();
  }
  const std::vector<std::string> all_ = {"OR.Folders", "OR.Folders.Read", "OR.Folders.Write"};
  const std::vector<std::string> left_ =
      GetParam().ends_token ? std::vector<std::string>() : std::vector<std::string>{"OR.Folders.Read"};
};

TEST_P(OwnerChangeTest, IsSeenAtTheNextReadOfTheStore) {
  const IssuedToken token = Issue();
  EXPECT_EQ(ScopesOf(Ask(token)), all_);
  authority.ChangeUser("ada", GetParam().apply);
  Advance(kTick);
  EXPECT_EQ(ScopesOf(Ask(token, absl::ZeroDuration())), left_);
  EXPECT_EQ(ScopesOf(Ask(token)), left_);  // That read has filled the cache.
}

TEST_P(OwnerChangeTest, IsSeenAtTheLatestAfterTheTtl) {
  const IssuedToken token = Issue();
  EXPECT_EQ(ScopesOf(Ask(token)), all_);
  authority.ChangeUser("ada", GetParam().apply);
  Advance(kTtl);
  EXPECT_EQ(ScopesOf(Ask(token)), all_);
  Advance(kTick);
  EXPECT_EQ(ScopesOf(Ask(token)), left_);
}

INSTANTIATE_TEST_SUITE_P(
    All, OwnerChangeTest,
    testing::Values(OwnerChange{"Disabled", [](UserRecord& user) { user.disabled = true; }, true},
                    OwnerChange{"Directory", [](UserRecord& user) { user.type = UserType::kDirectory; }, true},
                    OwnerChange{"Saml", [](UserRecord& user) { user.type = UserType::kSaml; }, true},
                    OwnerChange{"FewerGrants", [](UserRecord& user) { user.grants = {"OR.Folders.Read"}; }, false}),
    [](const auto& info) { return info.param.name; });

TEST_F(RevocationLagTest, WhatIsOnlySuspendedComesBack) {
  const IssuedToken token = Issue();
  authority.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });
  EXPECT_FALSE(IsActive(token));
  authority.ChangeUser("ada", [](UserRecord& user) { user.disabled = false; });
  Advance(kNegativeTtl);
  EXPECT_FALSE(IsActive(token));
  Advance(kTick);
  EXPECT_TRUE(IsActive(token));
}

}  // namespace
}  // namespace pat
