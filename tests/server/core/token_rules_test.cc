// The single rules, each by itself. What the operations make of them is in token_lifecycle_*_test.cc.
#include "server/core/token_rules.h"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/token_lifecycle.h"
#include "store/memory/memory_token_store.h"
#include "tests/store/records_for_tests.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr absl::Duration kTick = absl::Nanoseconds(1);

// ---- Whose tokens

const TokenUid kUid = TokenUidNumber(7);
constexpr TokenAction kAllActions[] = {TokenAction::kLook, TokenAction::kRevoke, TokenAction::kChange,
                                       TokenAction::kRegenerate};

// What AuthoriseToken says; a violation fails the test.
absl::StatusOr<std::optional<TokenUid>> Authorise(const Principal& principal, const std::string& name,
                                                  TokenAction action) {
  Violations violations;
  absl::StatusOr<std::optional<TokenUid>> uid = AuthoriseToken(principal, name, action, violations);
  EXPECT_THAT(violations, IsEmpty());
  return uid;
}

TEST(AuthoriseTokenTest, OnesOwnForEverything) {
  for (const Principal& principal : {AsUser("ada"), AsPortal("ada"), AsAdministrator("ada")}) {
    for (const TokenAction action : kAllActions) {
      const auto uid = Authorise(principal, TokenName("ada", kUid), action);
      ASSERT_TRUE(uid.ok()) << uid.status();
      EXPECT_EQ(*uid, kUid);
    }
  }
}

TEST(AuthoriseTokenTest, AnAdministratorLooksAtAndRevokesThoseOfOthersAndNoMore) {
  const std::string name = TokenName("ada", kUid);
  for (const TokenAction action : {TokenAction::kLook, TokenAction::kRevoke}) {
    EXPECT_EQ(Authorise(AsAdministrator("root"), name, action).value(), kUid);
  }
  for (const TokenAction action : {TokenAction::kChange, TokenAction::kRegenerate}) {
    const absl::Status refused = Authorise(AsAdministrator("root"), name, action).status();
    ExpectRefusal(refused, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  }
}

TEST(AuthoriseTokenTest, ToEverybodyElseThereIsNoSuchToken) {
  for (const Principal& principal : {AsUser("bob"), AsPortal("bob"), Principal{}}) {
    for (const TokenAction action : kAllActions) {
      for (const std::string& name : {TokenName("ada", kUid), std::string("users/ada/tokens/no-uid")}) {
        EXPECT_EQ(Authorise(principal, name, action).status(), TokenNotFound()) << name;
      }
    }
  }
  ExpectRefusal(TokenNotFound(), absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND");
}

TEST(AuthoriseTokenTest, ATokenIsItsOwnAndNothingElseIs) {
  Principal token{.kind = PrincipalKind::kToken, .user_id = "ada", .token = kUid};
  const std::string name = TokenName("ada", kUid);
  EXPECT_EQ(Authorise(token, name, TokenAction::kLook).value(), kUid);
  EXPECT_EQ(Authorise(token, name, TokenAction::kRevoke).value(), kUid);
  ExpectRefusal(Authorise(token, name, TokenAction::kChange).status(), absl::StatusCode::kPermissionDenied,
                "ROLE_REQUIRED");
  ExpectRefusal(Authorise(token, name, TokenAction::kRegenerate).status(), absl::StatusCode::kPermissionDenied,
                "SCOPE_REQUIRED");
  token.may_regenerate_itself = true;
  EXPECT_EQ(Authorise(token, name, TokenAction::kRegenerate).value(), kUid);
  token.administrator = true;
  for (const TokenAction action : kAllActions) {
    for (const std::string& other : {TokenName("ada", TokenUidNumber(8)), TokenName("bob", kUid),
                                     TokenName("bob", TokenUidNumber(8)), std::string("users/ada/tokens/no-uid")}) {
      EXPECT_EQ(Authorise(token, other, action).status(), TokenNotFound()) << other;
    }
  }
}

// Not refused here: the form of the rest of the request is judged first, as for any token that is not there.
TEST(AuthoriseTokenTest, ANameThatNoTokenCanHaveIsLeftToTheLookUp) {
  for (const TokenAction action : kAllActions) {
    const auto uid = Authorise(AsUser("ada"), "users/ada/tokens/no-uid", action);
    ASSERT_TRUE(uid.ok()) << uid.status();
    EXPECT_EQ(*uid, std::nullopt);
  }
}

TEST(AuthoriseTokenTest, WhatIsNoNameIsAViolationAmongOthers) {
  for (const std::string& name : {std::string(), std::string("users/ada"), std::string("users/-/tokens/x")}) {
    Violations violations = {{"update_mask", "is empty"}};
    const auto uid = AuthoriseToken(AsUser("ada"), name, TokenAction::kChange, violations);
    ASSERT_TRUE(uid.ok()) << uid.status();
    EXPECT_EQ(*uid, std::nullopt);
    ASSERT_EQ(violations.size(), 2);
    EXPECT_EQ(violations[1].field, "name");
  }
}

// ---- Rules that look at records

TEST(CheckMayHaveSecretsTest, OnlyALocalUserWhoIsNotDisabled) {
  UserRecord user = UserNumber(1);
  EXPECT_TRUE(CheckMayHaveSecrets(user).ok());
  for (const UserType type : {UserType::kDirectory, UserType::kSaml}) {
    user.type = type;
    ExpectRefusal(CheckMayHaveSecrets(user), absl::StatusCode::kFailedPrecondition, "USER_NOT_LOCAL");
  }
  user.type = UserType::kLocal;
  user.disabled = true;
  ExpectRefusal(CheckMayHaveSecrets(user), absl::StatusCode::kFailedPrecondition, "USER_DISABLED");
}

TEST(CheckAliveTest, ATokenLivesBeforeItsExpiry) {
  const TokenRecord token = TokenNumber(1, UserNumber(1));
  EXPECT_TRUE(CheckAlive(token, {}, token.expire_time - kTick).ok());
  ExpectRefusal(CheckAlive(token, {}, token.expire_time), absl::StatusCode::kFailedPrecondition, "TOKEN_EXPIRED");
}

TEST(CheckAliveTest, TheMaximumLifespanEndsItEarlier) {
  TokenRecord token = TokenNumber(1, UserNumber(1));
  const PolicyRecord policy{.maximum_lifespan = absl::Seconds(10)};
  EXPECT_TRUE(CheckAlive(token, policy, token.create_time + absl::Seconds(10) - kTick).ok());
  ExpectRefusal(CheckAlive(token, policy, token.create_time + absl::Seconds(10)), absl::StatusCode::kFailedPrecondition,
                "TOKEN_EXPIRED");
  token.regenerate_time = token.create_time + absl::Seconds(5);
  EXPECT_TRUE(CheckAlive(token, policy, token.create_time + absl::Seconds(15) - kTick).ok());
}

TEST(CheckAliveTest, RevokedBeatsExpired) {
  TokenRecord token = TokenNumber(1, UserNumber(1));
  token.revoke_time = token.expire_time + absl::Hours(1);
  for (const absl::Time now : {token.create_time, token.expire_time, token.expire_time + absl::Hours(2)}) {
    ExpectRefusal(CheckAlive(token, {}, now), absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED");
  }
}

TEST(CheckEtagTest, NoneOrTheRightOne) {
  TokenRecord token = TokenNumber(1, UserNumber(1));
  token.change_sequence = 12;
  const std::string etag = TokenLifecycle::EtagOf(token);
  EXPECT_TRUE(CheckEtag(token, "").ok());
  EXPECT_TRUE(CheckEtag(token, etag).ok());
  for (const std::string& other : {std::string("*"), std::string("12 "), absl::StrCat(etag, " "), etag.substr(1)}) {
    ExpectRefusal(CheckEtag(token, other), absl::StatusCode::kAborted, "ETAG_MISMATCH");
  }
  ++token.change_sequence;
  ExpectRefusal(CheckEtag(token, etag), absl::StatusCode::kAborted, "ETAG_MISMATCH");
}

// ---- Rules that look into the store

class TokenRulesTest : public testing::Test {
 protected:
  TokenRulesTest() { EXPECT_TRUE(Put(*store_, owner_).ok()); }

  // Runs a rule in a transaction that leaves no trace.
  absl::Status Ask(const std::function<absl::Status(TokenTransaction&)>& rule) {
    return store_->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      if (absl::Status status = rule(transaction); !status.ok()) return status;
      return Decision::kDiscard;
    });
  }

  absl::Status Replayed(const std::string& key, const RequestIdentity& request, absl::Time now) {
    return Ask([&](TokenTransaction& transaction) { return CheckNotReplayed(transaction, key, request, now); });
  }

  const UserRecord owner_ = UserNumber(1);
  const std::unique_ptr<TokenStore> store_ = NewMemoryTokenStore();
};

// The name is what was authorised: somebody else's uid in it must not lead to the token.
TEST_F(TokenRulesTest, ATokenIsFoundUnderItsOwnNameOnly) {
  TokenRecord token = TokenNumber(7, owner_);
  ASSERT_TRUE(Insert(*store_, token).ok());
  const auto load = [&](const std::optional<TokenUid>& uid, const std::string& name) {
    return Ask([&](TokenTransaction& transaction) { return LoadToken(transaction, uid, name).status(); });
  };
  EXPECT_TRUE(load(kUid, TokenName(owner_.id, kUid)).ok());
  EXPECT_EQ(load(kUid, TokenName("mallory", kUid)), TokenNotFound());
  EXPECT_EQ(load(TokenUidNumber(8), TokenName(owner_.id, TokenUidNumber(8))), TokenNotFound());
  EXPECT_EQ(load(std::nullopt, "users/user-1/tokens/no-uid"), TokenNotFound());
}

// A user who was deleted and made again has the same id and inherits nothing.
TEST_F(TokenRulesTest, ANewUserOfTheSameIdOwnsNothingOfTheOldOnes) {
  UserRecord former = owner_;
  former.uid = UserUidNumber(99);
  const auto load = [&](const TokenRecord& token) {
    return Ask([&](TokenTransaction& transaction) { return LoadOwner(transaction, token).status(); });
  };
  EXPECT_TRUE(load(TokenNumber(1, owner_)).ok());
  EXPECT_EQ(load(TokenNumber(2, former)), TokenNotFound());
  EXPECT_EQ(load(TokenNumber(3, UserNumber(2))), TokenNotFound());
}

TEST_F(TokenRulesTest, AUserWhoIsNotThereIsNamed) {
  const absl::Status status =
      Ask([](TokenTransaction& transaction) { return LoadUser(transaction, "nobody").status(); });
  ExpectRefusal(status, absl::StatusCode::kNotFound, "USER_NOT_FOUND");
}

TEST_F(TokenRulesTest, ANameIsTakenByAnotherLiveTokenOnly) {
  TokenRecord token = TokenNumber(7, owner_);
  ASSERT_TRUE(Insert(*store_, token).ok());
  const auto check = [&](const std::string& name, const std::optional<TokenUid>& except, absl::Time now) {
    return Ask([&](TokenTransaction& transaction) { return CheckNameFree(transaction, owner_, name, except, now); });
  };
  const ErrorDetails details = ExpectRefusal(check("token-7", std::nullopt, token.expire_time - kTick),
                                             absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
  EXPECT_THAT(details.metadata, ElementsAre(Pair("token", TokenName(owner_.id, kUid))));
  ExpectRefusal(check("token-7", TokenUidNumber(8), At(0)), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
  EXPECT_TRUE(check("token-7", kUid, At(0)).ok());
  EXPECT_TRUE(check("token-7", std::nullopt, token.expire_time).ok());
  EXPECT_TRUE(check("Token-7", std::nullopt, At(0)).ok());
}

TEST_F(TokenRulesTest, ThereIsRoomUpToTheLimitOfLiveTokens) {
  const auto check = [&](uint32_t limit, absl::Time now) {
    const PolicyRecord policy{.maximum_live_tokens = limit};
    return Ask([&](TokenTransaction& transaction) { return CheckRoomForOneMore(transaction, owner_, policy, now); });
  };
  EXPECT_TRUE(check(1, At(0)).ok());
  for (uint64_t number = 1; number <= 3; ++number) {
    TokenRecord token = TokenNumber(number, owner_);
    if (number == 3) token.revoke_time = At(0);
    ASSERT_TRUE(Insert(*store_, token).ok());
  }
  EXPECT_TRUE(check(3, At(0)).ok());
  const ErrorDetails details =
      ExpectRefusal(check(2, At(1000) - kTick), absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
  EXPECT_EQ(details.quota_subject, UserName(owner_.id));
  EXPECT_FALSE(details.quota_description.empty());
  EXPECT_TRUE(check(2, At(1000)).ok());
}

// ---- Requests with an id

TEST(RequestKeyTest, EachPartCounts) {
  const RequestIdentity request{.id = "id"};
  const std::vector<std::string> keys = {
      RequestKey(AsUser("ada"), "CreateToken", "users/ada", request),
      RequestKey(AsUser("bob"), "CreateToken", "users/ada", request),
      RequestKey(AsPortal("ada"), "CreateToken", "users/ada", request),
      RequestKey(AsUser("ada"), "RegenerateToken", "users/ada", request),
      RequestKey(AsUser("ada"), "CreateToken", "users/bob", request),
      RequestKey(AsUser("ada"), "CreateToken", "users/ada", {.id = "other"}),
      RequestKey(AsUser("ada"), "CreateToken", "users/ada\nid", {.id = "id"}),
  };
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
  EXPECT_EQ(RequestKey(AsUser("ada"), "CreateToken", "users/ada", request), keys[0]);
}

TEST(RequestKeyTest, WithoutAnIdThereIsNone) {
  EXPECT_EQ(RequestKey(AsUser("ada"), "CreateToken", "users/ada", {}), "");
}

TEST_F(TokenRulesTest, ARequestIsKnownUntilItsTimeToTheNanosecond) {
  const RequestIdentity done{.id = "id", .body_hash = {1}};
  ASSERT_TRUE(store_
                  ->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
                    const RequestRecord record{
                        .body_hash = done.body_hash, .token_name = "the token", .forget_time = At(100)};
                    if (absl::Status put = transaction.PutRequest("key", record); !put.ok()) return put;
                    return Decision::kCommit;
                  })
                  .ok());
  const ErrorDetails replayed =
      ExpectRefusal(Replayed("key", done, At(100) - kTick), absl::StatusCode::kAlreadyExists, "REQUEST_REPLAYED");
  EXPECT_THAT(replayed.metadata, ElementsAre(Pair("token", "the token")));
  const ErrorDetails reused = ExpectRefusal(Replayed("key", {.id = "id", .body_hash = {2}}, At(100) - kTick),
                                            absl::StatusCode::kInvalidArgument, "REQUEST_ID_REUSED");
  ASSERT_EQ(reused.violations.size(), 1);
  EXPECT_EQ(reused.violations[0].field, "request_id");

  EXPECT_TRUE(Replayed("key", done, At(100)).ok());
  EXPECT_TRUE(Replayed("key", {.id = "id", .body_hash = {2}}, At(100)).ok());
  EXPECT_TRUE(Replayed("another key", done, At(0)).ok());
  EXPECT_TRUE(Replayed("", done, At(0)).ok());
}

}  // namespace
}  // namespace pat
