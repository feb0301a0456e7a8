// All tokens of a user, or of everybody, are revoked at once; and what the audit log says of each change.
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
using ::testing::IsEmpty;

class RevokeAllTest : public TokenLifecycleTest {
 protected:
  std::vector<AuditRecord> Audit() { return authority_.engine->ListAudit({.limit = 1000}).value().rows; }
};

TEST_F(RevokeAllTest, AUserRevokesTheOwnOnesAndNobodyElses) {
  const IssuedToken first = Issue();
  const IssuedToken second = Issue();
  const IssuedToken revoked = Issue();
  const IssuedToken others = authority_.Issue("bob");
  authority_.Revoke(revoked);
  const TokenRecord revoked_before = View(revoked).record;
  Advance(absl::Hours(1));
  const absl::StatusOr<RevokedTokens> all = tokens().RevokeAll(AsUser("ada"), {.parent = "users/ada"});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->revoked_count, 2);
  for (const IssuedToken& token : {first, second}) {
    EXPECT_EQ(View(token).state, TokenState::kRevoked);
    EXPECT_EQ(View(token).record.revoke_time, Now());
    ExpectRefusal(Regenerate({.name = token.name}).status(), absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED");
    ExpectRefusal(Update({.name = token.name, .description = "d", .update_mask = {"description"}}).status(),
                  absl::StatusCode::kFailedPrecondition, "TOKEN_REVOKED");
  }
  EXPECT_EQ(View(revoked).record, revoked_before);
  EXPECT_EQ(tokens().Get(AsUser("bob"), others.name)->state, TokenState::kActive);
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_THAT(Listed(/*show_revoked=*/true), ElementsAre(first.name, second.name, revoked.name));

  // What is made from now on lives, also under a name that a revoked one had.
  CreateTokenQuery query = GoodCreation();
  query.display_name = View(first).record.display_name;
  const absl::StatusOr<TokenWithSecret> made = Create(query);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(View(NameOf(made->token)).state, TokenState::kActive);
  EXPECT_THAT(Listed(), ElementsAre(NameOf(made->token)));
}

TEST_F(RevokeAllTest, ExpiredOnesCountAndRevokedBeatsExpired) {
  const IssuedToken expired = Issue();
  AdvanceTo(View(expired).expire_time);
  Issue();
  EXPECT_EQ(tokens().RevokeAll(AsUser("ada"), {.parent = "users/ada"})->revoked_count, 2);
  EXPECT_EQ(Audit().back().detail, "2 tokens revoked");
  Issue();
  EXPECT_EQ(tokens().RevokeAll(AsUser("ada"), {.parent = "users/ada"})->revoked_count, 1);
  EXPECT_EQ(Audit().back().detail, "1 token revoked");
  EXPECT_EQ(View(expired).state, TokenState::kRevoked);
  EXPECT_EQ(tokens().RevokeAll(AsUser("ada"), {.parent = "users/ada"})->revoked_count, 0);
}

TEST_F(RevokeAllTest, RevokingARevokedOneAgainKeepsItsTime) {
  const IssuedToken token = Issue();
  ASSERT_TRUE(tokens().RevokeAll(AsUser("ada"), {.parent = "users/ada"}).ok());
  const absl::Time then = Now();
  Advance(absl::Hours(1));
  const absl::StatusOr<RevokedToken> again = Revoke({.name = token.name});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->token.record.revoke_time, then);
}

TEST_F(RevokeAllTest, AnAdministratorRevokesAnybodysAndEverybodys) {
  const IssuedToken ada = Issue();
  const IssuedToken bob = authority_.Issue("bob");
  EXPECT_EQ(tokens().RevokeAll(AsAdministrator("root"), {.parent = "users/ada"})->revoked_count, 1);
  EXPECT_EQ(tokens().Get(AsUser("bob"), bob.name)->state, TokenState::kActive);
  const IssuedToken young = Issue();
  EXPECT_EQ(tokens().RevokeAll(AsAdministrator("root"), {.parent = "users/-"})->revoked_count, 2);
  EXPECT_EQ(View(young).state, TokenState::kRevoked);
  EXPECT_EQ(tokens().Get(AsUser("bob"), bob.name)->state, TokenState::kRevoked);
  EXPECT_EQ(View(ada).state, TokenState::kRevoked);
  ExpectRefusal(tokens().RevokeAll(AsAdministrator("root"), {.parent = "users/nobody"}).status(),
                absl::StatusCode::kNotFound, "USER_NOT_FOUND");
}

TEST_F(RevokeAllTest, NobodyElseMayWhetherOrNotThatUserExists) {
  const IssuedToken token = Issue();
  const absl::Status refused = tokens().RevokeAll(AsUser("bob"), {.parent = "users/ada"}).status();
  ExpectRefusal(refused, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  Principal portal = AsPortal("root");
  portal.administrator = true;
  for (const Principal& caller :
       {AsUser("bob"), AsPortal("bob"), portal, Principal{.kind = PrincipalKind::kIntrospector}, Principal(),
        Principal{.kind = PrincipalKind::kToken, .user_id = "ada", .administrator = true, .token = token.uid}}) {
    for (const char* const parent : {"users/ada", "users/nobody", "users/-"}) {
      EXPECT_EQ(tokens().RevokeAll(caller, {.parent = parent}).status(), refused) << caller.ToString();
    }
  }
  EXPECT_EQ(View(token).state, TokenState::kActive);
  EXPECT_EQ(tokens().RevokeAll(AsPortal("ada"), {.parent = "users/ada"})->revoked_count, 1);
  for (const char* const parent : {"", "ada", "users/", "users/Ada", "users/ada/tokens/x"}) {
    EXPECT_THAT(ExpectInvalid(tokens().RevokeAll(AsAdministrator("root"), {.parent = parent}).status()),
                ElementsAre("parent"));
  }
}

TEST_F(RevokeAllTest, ADryRunCountsAndChangesNothing) {
  const IssuedToken token = Issue();
  const uint64_t before = CommitSequence();
  const size_t rows = Audit().size();
  for (const char* const parent : {"users/ada", "users/-"}) {
    EXPECT_EQ(tokens().RevokeAll(AsAdministrator("root"), {.parent = parent, .validate_only = true})->revoked_count, 1);
  }
  EXPECT_EQ(View(token).state, TokenState::kActive);
  EXPECT_EQ(CommitSequence(), before);
  EXPECT_EQ(Audit().size(), rows);
}

TEST_F(RevokeAllTest, LastAcceptTimeIsByTheClockAfterTheCommit) {
  ASSERT_TRUE(CommitCacheTtl(*authority_.engine, absl::Hours(1), Now()).ok());
  authority_.store.AfterCommit([&] { Advance(absl::Seconds(3)); });
  const absl::StatusOr<RevokedTokens> all = tokens().RevokeAll(AsUser("ada"), {.parent = "users/ada"});
  EXPECT_EQ(all->last_accept_time, Now() + absl::Hours(1));
}

// ---- The audit log

using TokenAuditTest = RevokeAllTest;

TEST_F(TokenAuditTest, EachChangeHasItsRow) {
  Principal ada = AsUser("ada");
  ada.peer = "ipv4:10.0.0.7:4711";
  const absl::StatusOr<TokenWithSecret> made = tokens().Create(ada, GoodCreation());
  ASSERT_TRUE(made.ok()) << made.status();
  const std::string name = NameOf(made->token);
  ASSERT_TRUE(tokens().Update(ada, {.name = name, .description = "d", .update_mask = {"description"}}).ok());
  ASSERT_TRUE(tokens().Regenerate(ada, {.name = name}).ok());
  ASSERT_TRUE(tokens().Revoke(AsAdministrator("root"), {.name = name}).ok());
  ASSERT_TRUE(tokens().RevokeAll(AsAdministrator("root"), {.parent = "users/-"}).ok());
  ASSERT_TRUE(tokens().RevokeAll(AsPortal("bob"), {.parent = "users/bob"}).ok());
  std::vector<std::string> rows;
  for (const AuditRecord& row : Audit()) {
    rows.push_back(absl::StrCat(row.principal, "|", row.user_id, "|", row.method.substr(row.method.find('/') + 1), "|",
                                row.target == name ? "token" : row.target, "|", row.target_user_id, "|", row.peer, "|",
                                row.outcome, "|", row.detail));
    EXPECT_EQ(row.target_token.has_value(), row.target == name);
    EXPECT_EQ(row.count, 1);
    EXPECT_EQ(row.time, Now());
  }
  EXPECT_THAT(rows, ElementsAre("user:ada|ada|CreateToken|token|ada|ipv4:10.0.0.7:4711|OK|scopes: OR.Folders",
                                "user:ada|ada|UpdateToken|token|ada|ipv4:10.0.0.7:4711|OK|changed: description",
                                "user:ada|ada|RegenerateToken|token|ada|ipv4:10.0.0.7:4711|OK|",
                                "user:root|root|RevokeToken|token|ada||OK|",
                                "user:root|root|RevokeAllTokens|users/-|||OK|0 tokens revoked",
                                "portal as bob|bob|RevokeAllTokens|users/bob|bob||OK|0 tokens revoked"));
}

TEST_F(TokenAuditTest, WhatChangesNothingHasNone) {
  const IssuedToken token = Issue();
  authority_.Revoke(token);
  const IssuedToken living = Issue();
  const size_t before = Audit().size();
  EXPECT_TRUE(Revoke({.name = token.name}).ok());
  EXPECT_TRUE(Revoke({.name = living.name, .validate_only = true}).ok());
  EXPECT_TRUE(Regenerate({.name = living.name, .validate_only = true}).ok());
  CreateTokenQuery dry = GoodCreation();
  dry.validate_only = true;
  EXPECT_TRUE(Create(dry).ok());
  EXPECT_FALSE(Regenerate({.name = token.name}).ok());
  EXPECT_TRUE(tokens().Get(AsUser("ada"), token.name).ok());
  EXPECT_EQ(Audit().size(), before);
}

// A change that is not kept leaves no row.
TEST_F(TokenAuditTest, NoChangeNoRow) {
  const IssuedToken token = Issue();
  const size_t before = Audit().size();
  authority_.store.FailCommitsWith(absl::UnavailableError("broken"));
  EXPECT_FALSE(Revoke({.name = token.name}).ok());
  EXPECT_FALSE(Create(GoodCreation()).ok());
  EXPECT_EQ(Audit().size(), before);
}

}  // namespace
}  // namespace pat
