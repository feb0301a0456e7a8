// What the policy keeps from tokens, and where: some of it when they are made, some whenever they are read.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/core/token_lifecycle_test.h"

namespace pat {
namespace {

using ::testing::ElementsAre;

class TokenPolicyTest : public TokenLifecycleTest {
 protected:
  void Change(absl::FunctionRef<void(PolicyRecord&)> change) { authority_.ChangePolicy(change); }
};

TEST_F(TokenPolicyTest, SwitchedOffNobodyGetsANewSecret) {
  const IssuedToken token = Issue();
  Change([](PolicyRecord& policy) { policy.tokens_disabled = true; });
  const uint64_t before = CommitSequence();
  for (const bool dry : {true, false}) {
    CreateTokenQuery query = GoodCreation();
    query.validate_only = dry;
    ExpectRefusal(Create(query).status(), absl::StatusCode::kFailedPrecondition, "TOKENS_DISABLED");
    ExpectRefusal(Regenerate({.name = token.name, .validate_only = dry}).status(),
                  absl::StatusCode::kFailedPrecondition, "TOKENS_DISABLED");
  }
  EXPECT_EQ(CommitSequence(), before);
  // What is wrong with the request comes first.
  CreateTokenQuery query = GoodCreation();
  query.scopes.clear();
  EXPECT_THAT(ExpectInvalid(Create(query).status()), ElementsAre("scopes"));

  // Everything else goes on.
  EXPECT_EQ(View(token).state, TokenState::kActive);
  EXPECT_TRUE(Update({.name = token.name, .description = "d", .update_mask = {"description"}}).ok());
  EXPECT_TRUE(Revoke({.name = token.name}).ok());
  Change([](PolicyRecord& policy) { policy.tokens_disabled = false; });
  EXPECT_TRUE(Create(GoodCreation()).ok());
}

TEST_F(TokenPolicyTest, AForbiddenScopeIsAViolationEach) {
  Change([](PolicyRecord& policy) { policy.forbidden_scopes = {"Many.07", "OR.Folders.Read"}; });
  CreateTokenQuery query = GoodCreation();
  query.scopes = {"OR.Folders", "OR.Folders.Read", "No.Such", "Many.07"};
  const absl::Status refused = Create(query).status();
  ASSERT_THAT(ExpectInvalid(refused), ElementsAre("scopes[2]", "scopes[1]", "scopes[3]"));
  EXPECT_TRUE(absl::StrContains(DetailsOf(refused)->violations[1].description, "\"OR.Folders.Read\""));
  query.validate_only = true;
  EXPECT_EQ(ExpectInvalid(Create(query).status()).size(), 3);
  // One that covers a forbidden one is no forbidden one: what it covers is taken away when the token is read.
  query.scopes = {"OR.Folders"};
  EXPECT_TRUE(Create(query).ok());
}

// However many there are, and forbidden on top: nobody reads a hundred thousand of them.
TEST_F(TokenPolicyTest, TooManyScopesAreOneViolation) {
  Change([](PolicyRecord& policy) { policy.forbidden_scopes = {"Many.07"}; });
  CreateTokenQuery query = GoodCreation();
  query.scopes.assign(30'000, "Many.07");
  EXPECT_THAT(ExpectInvalid(Create(query).status()), ElementsAre("scopes"));
  query.request = {.id = "id", .body_hash = {1}};
  EXPECT_THAT(ExpectInvalid(Create(query).status()), ElementsAre("scopes"));
  query.scopes.assign(64, "Many.07");
  const absl::Status refused = Create(query).status();
  EXPECT_EQ(DetailsOf(refused)->violations.size() + DetailsOf(refused)->more_violations, 63 + 64)
      << "given twice, and forbidden";
}

TEST_F(TokenPolicyTest, ATokenThatHasAForbiddenScopeCanStillBeRegenerated) {
  const IssuedToken token = Issue();
  Change([](PolicyRecord& policy) { policy.forbidden_scopes = {"OR.Folders"}; });
  EXPECT_TRUE(Regenerate({.name = token.name}).ok());
}

TEST_F(TokenPolicyTest, TheLifespanIsJudgedWhenATokenIsMadeAndRegenerated) {
  Change([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(1); });
  CreateTokenQuery query = GoodCreation();
  query.expiration = For(absl::Hours(1));
  const absl::StatusOr<TokenWithSecret> made = Create(query);
  ASSERT_TRUE(made.ok()) << made.status();
  query.expiration = For(absl::Hours(1) + absl::Seconds(1));
  const absl::Status refused = Create(query).status();
  EXPECT_THAT(ExpectInvalid(refused), ElementsAre("ttl"));
  EXPECT_TRUE(absl::StrContains(refused.message(), "at most 1h (3600s)")) << refused;
  query.expiration = At(Now() + absl::Hours(1) + absl::Seconds(1));
  EXPECT_THAT(ExpectInvalid(Create(query).status()), ElementsAre("expire_time"));
  const std::string name = NameOf(made->token);
  EXPECT_THAT(ExpectInvalid(Regenerate({.name = name, .expiration = For(absl::Hours(1) + absl::Seconds(1))}).status()),
              ElementsAre("ttl"));
  EXPECT_TRUE(Regenerate({.name = name, .expiration = For(absl::Hours(1))}).ok());
}

TEST_F(TokenPolicyTest, AShorterLifespanEndsWhatIsThere) {
  const IssuedToken token = Issue();
  Advance(absl::Hours(1));
  Change([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(1) + absl::Seconds(1); });
  EXPECT_EQ(View(token).expire_time, Now() + absl::Seconds(1));
  EXPECT_EQ(View(token).state, TokenState::kActive);
  Advance(absl::Seconds(1));
  EXPECT_EQ(View(token).state, TokenState::kExpired);
  ExpectRefusal(Regenerate({.name = token.name}).status(), absl::StatusCode::kFailedPrecondition, "TOKEN_EXPIRED");
  ExpectRefusal(Update({.name = token.name, .description = "d", .update_mask = {"description"}}).status(),
                absl::StatusCode::kFailedPrecondition, "TOKEN_EXPIRED");
  Change([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(2); });
  EXPECT_EQ(View(token).state, TokenState::kActive);
}

TEST_F(TokenPolicyTest, WhatAShorterLifespanHasEndedKeepsNeitherNameNorPlace) {
  CreateTokenQuery query = GoodCreation();
  query.display_name = "deploy";
  query.expiration = For(absl::Hours(1));
  Change([](PolicyRecord& policy) { policy.maximum_live_tokens = 2; });
  CreateTokenQuery first = query;
  first.expiration = For(absl::Hours(48));
  const IssuedToken ended = authority_.Issue(first);
  Advance(absl::Hours(2));
  const IssuedToken other = Issue();
  ExpectRefusal(Create(query).status(), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
  ExpectRefusal(Create(GoodCreation()).status(), absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
  const UpdateTokenQuery rename = {.name = other.name, .display_name = "deploy", .update_mask = {"display_name"}};
  ExpectRefusal(Update(rename).status(), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");

  Change([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(2) + absl::Seconds(1); });
  ExpectRefusal(Create(query).status(), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
  Change([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(2); });
  ASSERT_EQ(View(ended).state, TokenState::kExpired);
  EXPECT_TRUE(Create(query).ok());
  // Two live ones again, and one that the policy has ended.
  CreateTokenQuery third = GoodCreation();
  third.expiration = For(absl::Hours(1));
  ExpectRefusal(Create(third).status(), absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
  ExpectRefusal(Update(rename).status(), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
}

TEST_F(TokenPolicyTest, ANameThatThePolicyHasFreedIsFreeForARenamingToo) {
  const IssuedToken ended = Issue();
  const std::string name = View(ended).record.display_name;
  Advance(absl::Hours(2));
  const IssuedToken other = Issue();
  Change([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(2); });
  EXPECT_TRUE(Update({.name = other.name, .display_name = name, .update_mask = {"display_name"}}).ok());
}

TEST_F(TokenPolicyTest, ARegeneratedTokenKeepsNameAndPlaceForAsLongAsItsSecretLives) {
  CreateTokenQuery query = GoodCreation();
  const IssuedToken token = authority_.Issue(query);
  Advance(absl::Hours(2));
  authority_.Regenerate(token);
  Change([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(1); });
  query.expiration = For(absl::Minutes(10));
  Advance(absl::Hours(1) - kTick);
  ExpectRefusal(Create(query).status(), absl::StatusCode::kAlreadyExists, "DISPLAY_NAME_TAKEN");
  Advance(kTick);
  EXPECT_TRUE(Create(query).ok());
}

TEST_F(TokenPolicyTest, LiveTokensAreCountedWhenOneIsMadeAndNotWhenOneIsRegenerated) {
  const IssuedToken token = Issue();
  Issue();
  Change([](PolicyRecord& policy) { policy.maximum_live_tokens = 2; });
  ExpectRefusal(Create(GoodCreation()).status(), absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
  Change([](PolicyRecord& policy) { policy.maximum_live_tokens = 1; });
  EXPECT_TRUE(Regenerate({.name = token.name}).ok());
  Change([](PolicyRecord& policy) { policy.maximum_live_tokens = 3; });
  EXPECT_TRUE(Create(GoodCreation()).ok());
  Change([](PolicyRecord& policy) { policy.maximum_live_tokens = 0; });
  ExpectRefusal(tokens().Create(AsUser("bob"), authority_.GoodCreation("bob")).status(),
                absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED");
}

}  // namespace
}  // namespace pat
