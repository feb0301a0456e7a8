// How tokens and secrets end: revoking and regenerating, and until when a cache may accept what is gone.
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/cache_bound.h"
#include "tests/server/core/token_lifecycle_test.h"

namespace pat {
namespace {

using ::testing::ElementsAre;

constexpr absl::Duration kTtl = absl::Hours(1);

// ---- Revoking

class TokenRevocationTest : public TokenLifecycleTest {
 protected:
  const IssuedToken token_ = Issue();
};

TEST_F(TokenRevocationTest, ARevokedTokenIsRevokedForEverybody) {
  Advance(absl::Hours(1));
  const absl::Time now = Now();
  const absl::StatusOr<RevokedToken> revoked = Revoke({.name = token_.name});
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  EXPECT_EQ(revoked->token.state, TokenState::kRevoked);
  EXPECT_EQ(revoked->token.record.revoke_time, now);
  EXPECT_EQ(View(token_).record, revoked->token.record);
  EXPECT_EQ(Found(token_.digest)->revoke_time, now);
}

TEST_F(TokenRevocationTest, RevokingAgainChangesNothingWhateverTheEtag) {
  authority_.Revoke(token_);
  const TokenRecord record = View(token_).record;
  const uint64_t before = CommitSequence();
  Advance(absl::Hours(1));
  for (const std::string& etag : {std::string(), std::string("\"no such\""), EtagOf(token_)}) {
    for (const bool dry : {false, true}) {
      const absl::StatusOr<RevokedToken> again = Revoke({.name = token_.name, .etag = etag, .validate_only = dry});
      ASSERT_TRUE(again.ok()) << again.status();
      EXPECT_EQ(again->token.state, TokenState::kRevoked);
      EXPECT_EQ(again->token.record, record);
    }
  }
  EXPECT_EQ(View(token_).record, record);
  EXPECT_EQ(CommitSequence(), before);
}

TEST_F(TokenRevocationTest, AWrongEtagStopsTheFirstTime) {
  const std::string etag = EtagOf(token_);
  ASSERT_TRUE(Update({.name = token_.name, .description = "changed", .update_mask = {"description"}}).ok());
  ExpectRefusal(Revoke({.name = token_.name, .etag = etag}).status(), absl::StatusCode::kAborted, "ETAG_MISMATCH");
  EXPECT_EQ(View(token_).state, TokenState::kActive);
  EXPECT_TRUE(Revoke({.name = token_.name, .etag = EtagOf(token_)}).ok());
}

TEST_F(TokenRevocationTest, AnExpiredTokenCanBeRevokedAndIsRevokedThen) {
  AdvanceTo(View(token_).expire_time);
  const absl::StatusOr<RevokedToken> revoked = Revoke({.name = token_.name});
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  EXPECT_EQ(revoked->token.state, TokenState::kRevoked);
}

TEST_F(TokenRevocationTest, AnAdministratorAndThePortalMay) {
  EXPECT_TRUE(tokens().Revoke(AsAdministrator("root"), {.name = token_.name}).ok());
  EXPECT_TRUE(tokens().Revoke(AsPortal("ada"), {.name = Issue().name}).ok());
  ExpectRefusal(
      tokens().Revoke(AsAdministrator("root"), {.name = absl::StrCat("users/ada/tokens/", kAbsentUid)}).status(),
      absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND");
}

// Their tokens do not work, but they come back when it is undone.
TEST_F(TokenRevocationTest, TheTokensOfADisabledOrForeignUserCanBeRevoked) {
  authority_.ChangeUser("ada", [](UserRecord& user) {
    user.disabled = true;
    user.type = UserType::kDirectory;
  });
  EXPECT_TRUE(tokens().Revoke(AsAdministrator("root"), {.name = token_.name}).ok());
}

TEST_F(TokenRevocationTest, ADryRunChecksAndChangesNothing) {
  const TokenRecord record = View(token_).record;
  const uint64_t before = CommitSequence();
  const absl::StatusOr<RevokedToken> dry = Revoke({.name = token_.name, .etag = EtagOf(token_), .validate_only = true});
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_EQ(dry->token.state, TokenState::kRevoked);
  EXPECT_EQ(View(token_).record, record);
  EXPECT_EQ(CommitSequence(), before);
  // The etag of a change that was not made would fit nothing.
  EXPECT_EQ(TokenLifecycle::EtagOf(dry->token.record), EtagOf(token_));

  ExpectRefusal(Revoke({.name = token_.name, .etag = "\"no such\"", .validate_only = true}).status(),
                absl::StatusCode::kAborted, "ETAG_MISMATCH");
  ExpectRefusal(tokens().Revoke(AsUser("bob"), {.name = token_.name, .validate_only = true}).status(),
                absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND");
}

TEST_F(TokenRevocationTest, WhatIsNotDurableIsNotAcknowledged) {
  authority_.store.FailCommitsWith(absl::UnavailableError("no disk"));
  EXPECT_EQ(Revoke({.name = token_.name}).status(), absl::UnavailableError("no disk"));
  EXPECT_EQ(View(token_).state, TokenState::kActive);
}

// ---- last_accept_time

class LastAcceptTimeTest : public TokenLifecycleTest {
 protected:
  LastAcceptTimeTest() { Grant(kTtl); }

  void Grant(absl::Duration ttl) { EXPECT_EQ(CommitCacheTtl(authority_.store, ttl, Now()), absl::OkStatus()); }

  absl::Time RevokeAgain() { return authority_.Revoke(token_); }

  const IssuedToken token_ = Issue();
};

// An entry that was loaded while the commit was under way counts: it may be as young as the acknowledgement.
TEST_F(LastAcceptTimeTest, CountsFromTheClockAfterTheCommit) {
  authority_.store.AfterCommit([this] { Advance(absl::Seconds(7)); });
  const absl::Time before = Now();
  EXPECT_EQ(authority_.Revoke(token_), before + absl::Seconds(7) + kTtl);

  const absl::StatusOr<TokenWithSecret> again = Regenerate({.name = Issue().name});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->previous_secret_last_accept_time, Now() + kTtl);
}

TEST_F(LastAcceptTimeTest, FollowsTheTtlUpAtOnce) {
  Grant(2 * kTtl);
  EXPECT_EQ(RevokeAgain(), Now() + 2 * kTtl);
}

TEST_F(LastAcceptTimeTest, FollowsTheTtlDownWhenTheOldEntriesHaveRunOut) {
  Grant(absl::Seconds(10));
  EXPECT_EQ(RevokeAgain(), Now() + kTtl);
  Advance(kTtl);
  EXPECT_EQ(RevokeAgain(), Now() + absl::Seconds(10));
}

TEST_F(LastAcceptTimeTest, WithoutACacheItIsNow) {
  Grant(absl::ZeroDuration());
  Advance(kTtl);
  EXPECT_EQ(RevokeAgain(), Now());
}

// An earlier answer may have been acted on. The TTL goes down while the token is revoked again and again: what runs
// out then must not make a later answer the earlier instant.
TEST_F(LastAcceptTimeTest, RevokingAgainIsNeverAnsweredWithAnEarlierInstant) {
  Advance(absl::Minutes(1));
  absl::Time latest = RevokeAgain();
  for (int minute = 0; minute < 300; ++minute) {
    if (minute == 20) Grant(absl::Seconds(10));
    if (minute == 40) Grant(absl::Minutes(30));
    if (minute == 60) Grant(absl::ZeroDuration());
    const absl::Time answer = RevokeAgain();
    ASSERT_GE(answer, latest) << "minute " << minute;
    latest = answer;
    Advance(absl::Minutes(1));
  }
  EXPECT_EQ(RevokeAgain(), Now());
}

TEST_F(LastAcceptTimeTest, ADryRunTellsItToo) {
  EXPECT_EQ(Revoke({.name = token_.name, .validate_only = true})->last_accept_time, Now() + kTtl);
  EXPECT_EQ(Regenerate({.name = token_.name, .validate_only = true})->previous_secret_last_accept_time, Now() + kTtl);
}

// ---- Regenerating

class TokenRegenerationTest : public TokenLifecycleTest {
 protected:
  const IssuedToken token_ = Issue();
};

TEST_F(TokenRegenerationTest, OnlyTheSecretIsNew) {
  TokenRecord expected = View(token_).record;
  Advance(kDay);
  const absl::StatusOr<TokenWithSecret> made = Regenerate({.name = token_.name});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(HasSecretForm(made->secret.Reveal()));
  EXPECT_NE(made->secret.Reveal(), token_.secret);
  expected.regenerate_time = Now();
  expected.hmac = authority_.peppers->Hmac(DigestOf(*made));
  expected.change_sequence = made->token.record.change_sequence;
  EXPECT_EQ(made->token.record, expected);
  EXPECT_EQ(View(token_).record, expected);
}

TEST_F(TokenRegenerationTest, TheOldSecretIsGoneFromTheStoreAtOnceAndTheNewOneIsThere) {
  const absl::StatusOr<TokenWithSecret> made = Regenerate({.name = token_.name});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_FALSE(Found(token_.digest).has_value());
  ASSERT_TRUE(Found(DigestOf(*made)).has_value());
  EXPECT_EQ(Found(DigestOf(*made))->uid, token_.uid);
}

TEST_F(TokenRegenerationTest, ANewExpiryIsTakenIfOneIsGiven) {
  const absl::StatusOr<TokenWithSecret> until = Regenerate({.name = token_.name, .expiration = At(Now() + 90 * kDay)});
  ASSERT_TRUE(until.ok()) << until.status();
  EXPECT_EQ(until->token.expire_time, Now() + 90 * kDay);
  const absl::StatusOr<TokenWithSecret> shorter = Regenerate({.name = token_.name, .expiration = For(kDay)});
  ASSERT_TRUE(shorter.ok()) << shorter.status();
  EXPECT_EQ(shorter->token.expire_time, Now() + kDay);
  EXPECT_EQ(View(token_).expire_time, Now() + kDay);
}

TEST_F(TokenRegenerationTest, AnExpiryBeyondThePolicyIsRefused) {
  EXPECT_TRUE(Regenerate({.name = token_.name, .expiration = For(365 * kDay)}).ok());
  EXPECT_THAT(ExpectInvalid(Regenerate({.name = token_.name, .expiration = For(366 * kDay)}).status()),
              ElementsAre("ttl"));
  EXPECT_THAT(ExpectInvalid(Regenerate({.name = token_.name, .expiration = At(Now())}).status()),
              ElementsAre("expire_time"));
}

TEST_F(TokenRegenerationTest, ATokenThatHasEndedIsNotBroughtBack) {
  const absl::Time end = View(token_).expire_time;
  AdvanceTo(end - kTick);
  EXPECT_TRUE(Regenerate({.name = token_.name}).ok());
  AdvanceTo(end);
  ExpectRefusal(Regenerate({.name = token_.name, .expiration = For(kDay)}).status(),
                absl::StatusCode::kFailedPrecondition, "TOKEN_EXPIRED");
  authority_.Revoke(token_);
  ExpectRefusal(Regenerate({.name = token_.name, .expiration = For(kDay)}).status(),
                absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED");
}

TEST_F(TokenRegenerationTest, ATokenThatThePolicyHasEndedIsNotBroughtBack) {
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_lifespan = 7 * kDay; });
  Advance(7 * kDay - kTick);
  EXPECT_TRUE(Regenerate({.name = token_.name, .validate_only = true}).ok());
  Advance(kTick);
  ExpectRefusal(Regenerate({.name = token_.name}).status(), absl::StatusCode::kFailedPrecondition, "TOKEN_EXPIRED");
}

TEST_F(TokenRegenerationTest, OnlyLocalUsersGetNewSecrets) {
  for (const UserType type : {UserType::kDirectory, UserType::kSaml}) {
    authority_.ChangeUser("ada", [type](UserRecord& user) { user.type = type; });
    ExpectRefusal(tokens().Regenerate(AsPortal("ada"), {.name = token_.name}).status(),
                  absl::StatusCode::kFailedPrecondition, "USER_NOT_LOCAL");
  }
  authority_.ChangeUser("ada", [](UserRecord& user) {
    user.type = UserType::kLocal;
    user.disabled = true;
  });
  ExpectRefusal(tokens().Regenerate(AsPortal("ada"), {.name = token_.name}).status(),
                absl::StatusCode::kFailedPrecondition, "USER_DISABLED");
  EXPECT_TRUE(Found(token_.digest).has_value());
}

// The limit is judged when a token is made.
TEST_F(TokenRegenerationTest, TheNumberOfTokensDoesNotMatter) {
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 0; });
  EXPECT_TRUE(Regenerate({.name = token_.name}).ok());
}

// It would hand over a secret, to a token that others trust.
TEST_F(TokenRegenerationTest, NobodyRegeneratesForOthers) {
  for (const std::string& name : {token_.name, absl::StrCat("users/ada/tokens/", kAbsentUid)}) {
    ExpectRefusal(tokens().Regenerate(AsAdministrator("root"), {.name = name}).status(),
                  absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
    ExpectRefusal(tokens().Regenerate(AsUser("bob"), {.name = name}).status(), absl::StatusCode::kNotFound,
                  "TOKEN_NOT_FOUND");
  }
  EXPECT_TRUE(Found(token_.digest).has_value());
  EXPECT_TRUE(tokens().Regenerate(AsPortal("ada"), {.name = token_.name}).ok());
}

TEST_F(TokenRegenerationTest, AWrongEtagStopsIt) {
  const std::string etag = EtagOf(token_);
  ASSERT_TRUE(Regenerate({.name = token_.name, .etag = etag}).ok());
  ExpectRefusal(Regenerate({.name = token_.name, .etag = etag}).status(), absl::StatusCode::kAborted, "ETAG_MISMATCH");
}

TEST_F(TokenRegenerationTest, EverythingThatIsWrongIsSaidAtOnceBeforeTheTokenIsLookedFor) {
  RegenerateTokenQuery query = {.name = "tokens/x", .expiration = For(-kDay), .request = {.id = "\n"}};
  EXPECT_THAT(ExpectInvalid(Regenerate(query).status()), ElementsAre("name", "ttl", "request_id"));
  query.request = {.id = "id", .body_hash = {1}};
  EXPECT_THAT(ExpectInvalid(Regenerate(query).status()), ElementsAre("name", "ttl"));
  for (const std::string& absent :
       {absl::StrCat("users/ada/tokens/", kAbsentUid), std::string("users/ada/tokens/no-uid")}) {
    query.name = absent;
    query.expiration = For(-kDay);
    EXPECT_THAT(ExpectInvalid(Regenerate(query).status()), ElementsAre("ttl")) << absent;
    query.expiration = NotRequested();
    ExpectRefusal(Regenerate(query).status(), absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND");
  }
}

TEST_F(TokenRegenerationTest, ADryRunChecksAndChangesNothing) {
  int told = 0;
  authority_.on_new_secret = [&told](const TokenDigest&) { ++told; };
  const TokenRecord record = View(token_).record;
  const uint64_t before = CommitSequence();
  const absl::StatusOr<TokenWithSecret> dry =
      Regenerate({.name = token_.name, .expiration = For(kDay), .etag = EtagOf(token_), .validate_only = true});
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_TRUE(dry->secret.empty());
  EXPECT_EQ(dry->token.expire_time, Now() + kDay);
  EXPECT_EQ(View(token_).record, record);
  EXPECT_TRUE(Found(token_.digest).has_value());
  EXPECT_EQ(CommitSequence(), before);
  EXPECT_EQ(told, 0);
  // Whoever tries and then does it may use the etag of the answer.
  EXPECT_TRUE(Regenerate({.name = token_.name, .etag = TokenLifecycle::EtagOf(dry->token.record)}).ok());

  ExpectRefusal(Regenerate({.name = token_.name, .etag = "\"no such\"", .validate_only = true}).status(),
                absl::StatusCode::kAborted, "ETAG_MISMATCH");
  authority_.Revoke(token_);
  ExpectRefusal(Regenerate({.name = token_.name, .validate_only = true}).status(),
                absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED");
}

TEST_F(TokenRegenerationTest, TheListenerIsToldAfterItIsDurableAndBeforeItIsShown) {
  std::vector<TokenDigest> told;
  bool returned = false;
  authority_.on_new_secret = [&](const TokenDigest& digest) {
    EXPECT_TRUE(Found(digest).has_value());
    EXPECT_FALSE(returned);
    told.push_back(digest);
  };
  const absl::StatusOr<TokenWithSecret> made = Regenerate({.name = token_.name});
  returned = true;
  ASSERT_TRUE(made.ok()) << made.status();
  ASSERT_EQ(told.size(), 1);
  EXPECT_TRUE(told[0] == DigestOf(*made));
}

TEST_F(TokenRegenerationTest, AFailedCommitLeavesTheOldSecretAndTellsNobody) {
  authority_.on_new_secret = [](const TokenDigest&) { ADD_FAILURE() << "nothing was made"; };
  authority_.store.FailCommitsWith(absl::UnavailableError("no disk"));
  EXPECT_EQ(Regenerate({.name = token_.name}).status(), absl::UnavailableError("no disk"));
  EXPECT_TRUE(Found(token_.digest).has_value());
}

}  // namespace
}  // namespace pat
