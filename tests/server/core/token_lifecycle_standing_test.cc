// Callers who were let in, and then were deleted, replaced, disabled or demoted: what they do to tokens.
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "server/core/standing.h"
#include "tests/server/core/token_lifecycle_test.h"

namespace pat {
namespace {

class TokenStandingTest : public TokenLifecycleTest {
 protected:
  // Every operation on `token` and the list that it is in. Those that would change it come last.
  std::vector<absl::Status> DoAll(const Principal& principal, const IssuedToken& token, const std::string& parent,
                                  bool own) {
    std::vector<absl::Status> done = {tokens().Get(principal, token.name).status(),
                                      tokens().List(principal, {.parent = parent}).status()};
    if (own) {
      CreateTokenQuery query = authority_.GoodCreation(principal.user_id);
      done.push_back(tokens().Create(principal, query).status());
      query.request = {.id = "id", .body_hash = {1}};
      done.push_back(tokens().Create(principal, query).status());
      query.validate_only = true;
      done.push_back(tokens().Create(principal, query).status());
      done.push_back(tokens().Update(principal, {.name = token.name, .update_mask = {"description"}}).status());
      done.push_back(tokens().Regenerate(principal, {.name = token.name}).status());
    }
    done.push_back(tokens().Revoke(principal, {.name = token.name}).status());
    done.push_back(tokens().RevokeAll(principal, {.parent = parent}).status());
    return done;
  }

  void Replace(absl::string_view id) {
    authority_.DeleteUser(id);
    authority_.AddUser(id);
  }
};

// Else the former user would get the secret of a token that acts for the later one.
TEST_F(TokenStandingTest, AFormerUserHasNothingToDoWithALaterOneOfTheName) {
  const IssuedToken former = Issue();
  Replace("ada");
  const IssuedToken later = Issue();
  const uint64_t sequence = CommitSequence();
  for (const IssuedToken& token : {former, later}) {
    for (const absl::Status& status : DoAll(AsUser("ada"), token, "users/ada", /*own=*/true)) {
      ExpectRefusal(status, absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
    }
    for (const absl::Status& status : DoAll(AsPortal("ada"), token, "users/ada", /*own=*/true)) {
      ExpectRefusal(status, absl::StatusCode::kNotFound, "USER_NOT_FOUND");
    }
  }
  EXPECT_EQ(CommitSequence(), sequence);
}

// A portal that named nobody does not act for somebody who came later.
TEST_F(TokenStandingTest, WhoCameAfterThePortalAskedIsNotMeant) {
  const Principal portal = authority_.Anew(AsPortal("eve"));
  ASSERT_EQ(portal.user_uid, std::nullopt);
  authority_.AddUser("eve");
  const IssuedToken token = authority_.Issue("eve");
  for (const absl::Status& status : DoAll(portal, token, "users/eve", /*own=*/true)) {
    ExpectRefusal(status, absl::StatusCode::kNotFound, "USER_NOT_FOUND");
  }
}

TEST_F(TokenStandingTest, WhoMayNotLogInAnyMoreDoesNothing) {
  const IssuedToken token = Issue();
  const std::vector<std::function<void(UserRecord&)>> changes = {[](UserRecord& user) { user.disabled = true; },
                                                                 [](UserRecord& user) {
                                                                   user.disabled = false;
                                                                   user.type = UserType::kSaml;
                                                                 }};
  for (const auto& change : changes) {
    authority_.ChangeUser("ada", change);
    for (const absl::Status& status : DoAll(AsUser("ada"), token, "users/ada", /*own=*/true)) {
      ExpectRefusal(status, absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
    }
  }
}

TEST_F(TokenStandingTest, ADeletedAdministratorEndsAndSeesNoTokens) {
  const IssuedToken token = Issue();
  authority_.DeleteUser("root");
  for (const char* const parent : {"users/ada", "users/nobody", "users/-"}) {
    for (const absl::Status& status : DoAll(AsAdministrator("root"), token, parent, /*own=*/false)) {
      ExpectRefusal(status, absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
    }
  }
  EXPECT_EQ(View(token).state, TokenState::kActive);
}

// As anybody who never was one; and goes on with what is the own.
TEST_F(TokenStandingTest, ADemotedAdministratorIsAUser) {
  const IssuedToken token = Issue();
  const IssuedToken own = authority_.Issue("root");
  authority_.ChangeUser("root", [](UserRecord& user) { user.administrator = false; });
  for (const std::string parent : {"users/ada", "users/nobody", "users/-"}) {
    const std::vector<absl::Status> demoted = DoAll(AsAdministrator("root"), token, parent, /*own=*/false);
    EXPECT_EQ(demoted, DoAll(AsUser("bob"), token, parent, /*own=*/false));
    for (const absl::Status& status : demoted) EXPECT_FALSE(status.ok());
  }
  EXPECT_EQ(View(token).state, TokenState::kActive);
  for (const absl::Status& status : DoAll(AsAdministrator("root"), own, "users/root", /*own=*/true)) {
    EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kAlreadyExists) << status;
  }
}

TEST_F(TokenStandingTest, APortalDoesNotGoOnForWhoHasBecomeAnAdministrator) {
  const IssuedToken token = Issue();
  authority_.ChangeUser("ada", [](UserRecord& user) { user.administrator = true; });
  for (const absl::Status& status : DoAll(AsPortal("ada"), token, "users/ada", /*own=*/true)) {
    ExpectRefusal(status, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  }
  Principal listed = AsPortal("ada");
  listed.user_is_listed = true;
  EXPECT_TRUE(tokens().Get(listed, token.name).ok());
  EXPECT_TRUE(tokens().Revoke(listed, {.name = token.name}).ok());
}

// ---- StandingOf itself.

TEST_F(TokenStandingTest, NobodyBecomesAnAdministratorWithinACall) {
  authority_.ChangeUser("ada", [](UserRecord& user) { user.administrator = true; });
  EXPECT_FALSE(StandingOf(AsUser("ada"), *authority_.engine)->administrator);
  EXPECT_TRUE(StandingOf(AsAdministrator("ada"), *authority_.engine)->administrator);
  ExpectRefusal(CheckStillAdministrator(AsUser("ada"), *authority_.engine), absl::StatusCode::kPermissionDenied,
                "ROLE_REQUIRED");
}

TEST_F(TokenStandingTest, OfThoseWhoAreNoUsersNothingIsRead) {
  authority_.store.FailReadsWith(absl::DataLossError("bad block"));
  for (const Principal& principal :
       {Principal(), Principal{.kind = PrincipalKind::kToken, .user_id = "ada"},
        Principal{.kind = PrincipalKind::kIntrospector, .identity = "spiffe://example.org/web"}}) {
    const absl::StatusOr<Principal> now = StandingOf(principal, authority_.store);
    ASSERT_TRUE(now.ok()) << now.status();
    EXPECT_EQ(now->ToString(), principal.ToString());
  }
  EXPECT_EQ(StandingOf(AsUser("ada"), authority_.store).status(), absl::DataLossError("bad block"));
}

}  // namespace
}  // namespace pat
