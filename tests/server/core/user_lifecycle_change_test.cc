// Users are changed and deleted, and get passwords.
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/cache_bound.h"
#include "tests/server/core/user_lifecycle_test.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using UserChangeTest = UserLifecycleTest;

// ---- Update

TEST_F(UserChangeTest, WhatTheMaskNamesIsChangedAndNothingElse) {
  UserRecord expected = Kept("ada").value();
  const UpdateUserQuery all{
      .name = "users/ada", .type = UserType::kSaml, .disabled = true, .administrator = true, .grants = {"TM.Defects"}};
  const auto update = [&](const std::vector<std::string>& mask) {
    UpdateUserQuery query = all;
    query.update_mask = mask;
    const absl::StatusOr<ChangedUser> changed = users_.Update(root_, query);
    ASSERT_TRUE(changed.ok()) << changed.status();
    expected.change_sequence = changed->user.change_sequence;
    EXPECT_EQ(changed->user, expected);
    EXPECT_EQ(Kept("ada"), expected);
  };
  expected.type = UserType::kSaml;
  update({"type"});
  expected.disabled = true;
  update({"disabled"});
  expected.administrator = true;
  update({"administrator"});
  expected.grants = {"TM.Defects"};
  update({"grants"});
  update({"type", "disabled", "administrator", "grants"});
  std::vector<std::string> details;
  for (const AuditRecord& row : Audit()) {
    EXPECT_EQ(row.method, "pat.v1.UserService/UpdateUser");
    EXPECT_EQ(row.target_user_id, "ada");
    details.push_back(row.detail);
  }
  EXPECT_THAT(details, ElementsAre("SAML", "disabled", "administrator", "grants: TM.Defects",
                                   "SAML; disabled; administrator; grants: TM.Defects"));
}

TEST_F(UserChangeTest, AllThatIsWrongIsSaidAtOnce) {
  EXPECT_THAT(ExpectInvalid(users_.Update(root_, {.name = "ada"}).status()), ElementsAre("user.name", "update_mask"));
  EXPECT_THAT(
      ExpectInvalid(
          users_.Update(root_, {.name = "users/-", .grants = {"No.Such"}, .update_mask = {"type", "grants", "id", "*"}})
              .status()),
      ElementsAre("user.name", "update_mask", "update_mask", "user.type", "user.grants[0]"));
  // What the mask does not name is not looked at.
  EXPECT_TRUE(users_.Update(root_, {.name = "users/ada", .grants = {"No.Such"}, .update_mask = {"disabled"}}).ok());
}

// A message has room for a hundred thousand paths. They are one violation, which names one that is wrong, if one is.
TEST_F(UserChangeTest, MorePathsThanFieldsAreOneViolation) {
  const auto violations = [this](const std::vector<std::string>& mask) {
    const absl::Status refused = users_.Update(root_, {.name = "users/ada", .update_mask = mask}).status();
    ExpectInvalid(refused);
    return DetailsOf(refused)->violations;
  };
  const std::string advice = "; give some of type, disabled, administrator, grants, each once";
  std::vector<std::string> flood(130'000, "no such");
  flood.front() = "disabled";
  EXPECT_THAT(
      violations(flood),
      ElementsAre(FieldViolation{"update_mask", "has 130000 paths, of which \"no such\" cannot be changed" + advice}));
  EXPECT_THAT(violations(std::vector<std::string>(5, "disabled")),
              ElementsAre(FieldViolation{"update_mask", "has 5 paths" + advice}));
  EXPECT_TRUE(users_.Update(root_, {.name = "users/ada", .update_mask = {4, "disabled"}}).ok());
}

TEST_F(UserChangeTest, AnUnknownTypeIsSaidByItsNumber) {
  const auto said = [](const absl::Status& status) { return DetailsOf(status)->violations.at(0).description; };
  const std::string advice = "; give TYPE_LOCAL, TYPE_DIRECTORY or TYPE_SAML";
  const UpdateUserQuery update{.name = "users/ada", .unknown_type = -7, .update_mask = {"type"}};
  EXPECT_EQ(said(users_.Update(root_, update).status()), "-7 is no type" + advice);
  EXPECT_EQ(said(users_.Create(root_, {.user_id = "eve", .unknown_type = 7}).status()), "7 is no type" + advice);
  EXPECT_EQ(said(users_.Create(root_, {.user_id = "eve"}).status()), "is missing" + advice);
}

TEST_F(UserChangeTest, ForAdministratorsOnlyWhetherOrNotThatUserExists) {
  for (const Principal& other : Others()) {
    for (const char* const name : {"users/ada", "users/nobody", "nonsense"}) {
      const absl::Status update = users_.Update(other, {.name = name, .update_mask = {"disabled"}}).status();
      const absl::Status removal = users_.Delete(other, {.name = name}).status();
      ExpectRefusal(update, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
      EXPECT_EQ(update, removal);
      EXPECT_EQ(update, users_.Delete(Others().front(), {.name = "users/ada"}).status());
    }
  }
  ExpectRefusal(users_.Update(root_, {.name = "users/nobody", .update_mask = {"disabled"}}).status(),
                absl::StatusCode::kNotFound, "USER_NOT_FOUND");
  ExpectRefusal(users_.Delete(root_, {.name = "users/nobody"}).status(), absl::StatusCode::kNotFound, "USER_NOT_FOUND");
  EXPECT_THAT(ExpectInvalid(users_.Delete(root_, {.name = "users/-"}).status()), ElementsAre("name"));
}

TEST_F(UserChangeTest, AnEtagIsJudgedIfItIsGiven) {
  const std::string etag = EtagOf("ada");
  ASSERT_TRUE(
      users_.Update(root_, {.name = "users/ada", .disabled = true, .update_mask = {"disabled"}, .etag = etag}).ok());
  ExpectRefusal(users_.Update(root_, {.name = "users/ada", .update_mask = {"disabled"}, .etag = etag}).status(),
                absl::StatusCode::kAborted, "ETAG_MISMATCH");
  ExpectRefusal(users_.Delete(root_, {.name = "users/ada", .etag = etag}).status(), absl::StatusCode::kAborted,
                "ETAG_MISMATCH");
  EXPECT_TRUE(Kept("ada")->disabled);
  EXPECT_TRUE(users_.Delete(root_, {.name = "users/ada", .etag = EtagOf("ada")}).ok());
}

TEST_F(UserChangeTest, ADryRunChangesNothing) {
  const UserRecord before = Kept("ada").value();
  authority_.Issue("ada");
  const uint64_t sequence = CommitSequence();
  const size_t rows = Audit().size();
  const absl::StatusOr<ChangedUser> changed =
      users_.Update(root_, {.name = "users/ada", .disabled = true, .update_mask = {"disabled"}, .validate_only = true});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_TRUE(changed->user.disabled);
  const absl::StatusOr<EndedTokens> ended = users_.Delete(root_, {.name = "users/ada", .validate_only = true});
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->revoked_count, 1);
  EXPECT_EQ(Kept("ada"), before);
  EXPECT_EQ(CommitSequence(), sequence);
  EXPECT_EQ(Audit().size(), rows);
}

// By the clock after the commit, and what is left of an older TTL too.
TEST_F(UserChangeTest, LastAcceptTimeIsWhenTheLastCacheHasForgotten) {
  ASSERT_TRUE(CommitCacheTtl(*authority_.engine, absl::Hours(1), Now()).ok());
  authority_.store.AfterCommit([&] { Advance(absl::Seconds(3)); });
  absl::StatusOr<ChangedUser> changed = users_.Update(root_, {.name = "users/ada", .update_mask = {"disabled"}});
  EXPECT_EQ(changed->last_accept_time, Now() + absl::Hours(1));
  absl::StatusOr<EndedTokens> ended = users_.Delete(root_, {.name = "users/ada"});
  EXPECT_EQ(ended->last_accept_time, Now() + absl::Hours(1));
  ASSERT_TRUE(CommitCacheTtl(*authority_.engine, absl::Minutes(1), Now()).ok());
  ended = users_.Delete(root_, {.name = "users/bob"});
  EXPECT_GT(ended->last_accept_time, Now() + absl::Minutes(59));
}

// ---- The last administrator

TEST_F(UserChangeTest, TheLastAdministratorStays) {
  const auto refused = [&](UpdateUserQuery query, const std::string& path) {
    query.name = "users/root";
    query.update_mask = {path};
    for (const bool dry : {true, false}) {
      query.validate_only = dry;
      ExpectRefusal(users_.Update(root_, query).status(), absl::StatusCode::kFailedPrecondition, "LAST_ADMINISTRATOR");
    }
  };
  const UserRecord before = Kept("root").value();
  refused({.type = UserType::kDirectory}, "type");
  refused({.disabled = true}, "disabled");
  refused({.administrator = false}, "administrator");
  for (const bool dry : {true, false}) {
    ExpectRefusal(users_.Delete(root_, {.name = "users/root", .validate_only = dry}).status(),
                  absl::StatusCode::kFailedPrecondition, "LAST_ADMINISTRATOR");
  }
  EXPECT_EQ(Kept("root"), before);
  EXPECT_THAT(Audit(), IsEmpty());
  // What leaves an administrator is no matter.
  EXPECT_TRUE(users_.Update(root_, {.name = "users/root", .grants = {}, .update_mask = {"grants"}}).ok());
}

TEST_F(UserChangeTest, OneWhoCannotLogInDoesNotCount) {
  for (const char* const id : {"ada", "bob", "dora"}) {
    ASSERT_TRUE(
        users_
            .Update(root_,
                    {.name = absl::StrCat("users/", id), .administrator = true, .update_mask = {"administrator"}})
            .ok());
  }
  ASSERT_TRUE(users_.Update(root_, {.name = "users/bob", .disabled = true, .update_mask = {"disabled"}}).ok());
  for (const char* const id : {"bob", "dora"}) GivePassword(id);
  // Bob is disabled, dora is not local and ada has no password: root is left.
  ExpectRefusal(users_.Delete(root_, {.name = "users/root"}).status(), absl::StatusCode::kFailedPrecondition,
                "LAST_ADMINISTRATOR");
  ASSERT_TRUE(users_.SetPassword(root_, {.name = "users/ada", .password = "ada-password"}).ok());
  ASSERT_TRUE(users_.Delete(root_, {.name = "users/bob"}).ok());
  ASSERT_TRUE(users_.Update(root_, {.name = "users/dora", .update_mask = {"administrator"}}).ok());
  ASSERT_TRUE(users_.Delete(root_, {.name = "users/root"}).ok());
  ExpectRefusal(users_.Delete(AsAdministrator("ada"), {.name = "users/ada"}).status(),
                absl::StatusCode::kFailedPrecondition, "LAST_ADMINISTRATOR");
  // Somebody else makes room, but not without a password.
  const Principal ada = AsAdministrator("ada");
  CreateUserQuery eve{.user_id = "eve", .type = UserType::kLocal, .administrator = true};
  ASSERT_TRUE(users_.Create(ada, eve).ok());
  ExpectRefusal(users_.Delete(ada, {.name = "users/ada"}).status(), absl::StatusCode::kFailedPrecondition,
                "LAST_ADMINISTRATOR");
  // Whoever cannot log in is no loss.
  EXPECT_TRUE(users_.Delete(ada, {.name = "users/eve"}).ok());
  eve.password = "eve-password";
  ASSERT_TRUE(users_.Create(ada, eve).ok());
  EXPECT_TRUE(users_.Delete(authority_.Anew(AsAdministrator("eve")), {.name = "users/ada"}).ok());
}

// ---- Delete

TEST_F(UserChangeTest, WithTheUserTheTokensEndForEver) {
  const IssuedToken token = authority_.Issue("ada");
  const IssuedToken revoked = authority_.Issue("ada");
  const IssuedToken expired = authority_.Issue("ada");
  const IssuedToken others = authority_.Issue("bob");
  authority_.Revoke(revoked);
  Advance(absl::Hours(24 * 31));
  const IssuedToken young = authority_.Issue("ada");
  const absl::StatusOr<EndedTokens> ended = users_.Delete(root_, {.name = "users/ada"});
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->revoked_count, 3);
  EXPECT_FALSE(Kept("ada").has_value());
  EXPECT_EQ(Audit().back().detail, "3 tokens revoked");

  // They can be looked at by administrators.
  for (const IssuedToken& each : {token, expired, young}) {
    const absl::StatusOr<TokenView> view = authority_.tokens.Get(root_, each.name);
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(view->state, TokenState::kRevoked);
    EXPECT_EQ(view->record.revoke_time, Now());
  }
  EXPECT_LT(authority_.tokens.Get(root_, revoked.name)->record.revoke_time, Now());
  EXPECT_EQ(authority_.tokens.Get(root_, others.name)->state, TokenState::kExpired);

  // A later user of that name has none of it.
  ASSERT_TRUE(users_.Create(root_, {.user_id = "ada", .type = UserType::kLocal, .grants = {"*"}}).ok());
  EXPECT_EQ(KeptPassword("ada"), std::nullopt);
  const Principal ada = authority_.Anew(AsUser("ada"));
  EXPECT_THAT(authority_.tokens.List(ada, {.parent = "users/ada", .show_revoked = true})->tokens, IsEmpty());
  for (const IssuedToken& each : {token, revoked, young}) {
    for (const absl::Status& status :
         {authority_.tokens.Get(ada, each.name).status(),
          authority_.tokens.Update(ada, {.name = each.name, .update_mask = {"description"}}).status(),
          authority_.tokens.Revoke(ada, {.name = each.name}).status(),
          authority_.tokens.Regenerate(ada, {.name = each.name}).status()}) {
      ExpectRefusal(status, absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND");
    }
  }
}

// ---- SetPassword

class SetPasswordTest : public UserLifecycleTest {
 protected:
  SetPasswordTest() { EXPECT_TRUE(users_.SetPassword(root_, {.name = "users/ada", .password = "ada-password"}).ok()); }
};

TEST_F(SetPasswordTest, AnAdministratorGivesOneToAnybodyLocal) {
  EXPECT_TRUE(HasPassword("ada", "ada-password"));
  EXPECT_EQ(passwords_.judged(), 0);
  EXPECT_EQ(Audit().back().method, "pat.v1.UserService/SetPassword");
  EXPECT_EQ(Audit().back().target, "users/ada");
  EXPECT_EQ(Audit().back().detail, "");
  ExpectRefusal(users_.SetPassword(root_, {.name = "users/dora", .password = "dora-password"}),
                absl::StatusCode::kFailedPrecondition, "USER_NOT_LOCAL");
  ExpectRefusal(users_.SetPassword(root_, {.name = "users/nobody", .password = "dora-password"}),
                absl::StatusCode::kNotFound, "USER_NOT_FOUND");
  EXPECT_EQ(passwords_.made(), 1) << "nothing is computed for who cannot have one";
}

TEST_F(SetPasswordTest, AUserSetsTheOwnOneWithTheCurrentOne) {
  Principal ada = AsUser("ada");
  ada.attempt_peer = "ipv4:10.0.0.7 laptop";
  const SetPasswordQuery query{.name = "users/ada", .password = "a new password", .current_password = "ada-password"};
  ASSERT_TRUE(users_.SetPassword(ada, query).ok());
  EXPECT_TRUE(HasPassword("ada", "a new password"));
  EXPECT_EQ(passwords_.peer(), "ipv4:10.0.0.7 laptop");
  // The same again: it is not the current one any more.
  ExpectRefusal(users_.SetPassword(ada, query), absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
  EXPECT_TRUE(HasPassword("ada", "a new password"));
}

TEST_F(SetPasswordTest, AnAdministratorNeedsTheCurrentOneForTheOwnToo) {
  EXPECT_THAT(ExpectInvalid(users_.SetPassword(root_, {.name = "users/root", .password = "a new password"})),
              ElementsAre("current_password"));
  ExpectRefusal(
      users_.SetPassword(root_, {.name = "users/root", .password = "a new password", .current_password = "wrong"}),
      absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
  EXPECT_TRUE(HasPassword("root", "root-password"));
  EXPECT_TRUE(
      users_
          .SetPassword(root_, {.name = "users/root", .password = "a new password", .current_password = "root-password"})
          .ok());
}

TEST_F(SetPasswordTest, NobodyElseMayWhetherOrNotThatUserExists) {
  const absl::Status refused = users_.SetPassword(AsUser("bob"), {.name = "users/ada", .password = "a new password"});
  ExpectRefusal(refused, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  for (const Principal& other : Others()) {
    for (const char* const name : {"users/ada", "users/bob", "users/nobody", "users/-", "nonsense"}) {
      if (other.kind == PrincipalKind::kUser && absl::string_view(name) == "users/ada") continue;
      EXPECT_EQ(users_.SetPassword(other, {.name = name, .password = "x", .current_password = "ada-password"}),
                refused);
    }
  }
  EXPECT_TRUE(HasPassword("ada", "ada-password"));
  EXPECT_EQ(passwords_.judged(), 0);
}

TEST_F(SetPasswordTest, AllThatIsWrongIsSaidAtOnceAndNoPassword) {
  const absl::Status refused = users_.SetPassword(root_, {.name = "users/-", .password = "short"});
  EXPECT_THAT(ExpectInvalid(refused), ElementsAre("name", "password"));
  EXPECT_FALSE(absl::StrContains(refused.message(), "short"));
  EXPECT_THAT(ExpectInvalid(users_.SetPassword(AsUser("ada"), {.name = "users/ada"})),
              ElementsAre("password", "current_password"));
  EXPECT_THAT(ExpectInvalid(users_.SetPassword(
                  AsUser("ada"),
                  {.name = "users/ada", .password = "a new password", .current_password = std::string(1025, 'p')})),
              ElementsAre("current_password"));
}

TEST_F(SetPasswordTest, WhoIsDisabledMeanwhileHasNoPasswordThatIsRight) {
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });
  ExpectRefusal(
      users_.SetPassword(AsUser("ada"),
                         {.name = "users/ada", .password = "a new password", .current_password = "ada-password"}),
      absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
}

TEST_F(SetPasswordTest, TooManyAttemptsAreSaid) {
  passwords_.FailWith(MakeError(absl::StatusCode::kResourceExhausted, "too many", {.reason = "RATE_LIMITED"}));
  ExpectRefusal(
      users_.SetPassword(AsUser("ada"),
                         {.name = "users/ada", .password = "a new password", .current_password = "ada-password"}),
      absl::StatusCode::kResourceExhausted, "RATE_LIMITED");
}

}  // namespace
}  // namespace pat
