// What happens to the caller, to the user or to the password between the look that a rule takes first and its commit:
// while scrypt computes a new password, which is when the hook of FakePasswords lets something happen, or before.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/server/core/user_lifecycle_test.h"

namespace pat {
namespace {

// Somebody who was let in as an administrator, and is none any more.
struct Fall {
  std::string name;
  std::function<void(TestAuthority&)> happens;
  absl::StatusCode code = absl::StatusCode::kUnauthenticated;
  std::string reason = "CREDENTIALS_INVALID";
};

std::vector<Fall> Falls() {
  const auto change = [](std::function<void(UserRecord&)> how) {
    return [how = std::move(how)](TestAuthority& authority) { authority.ChangeUser("evil", how); };
  };
  return {{"deleted", [](TestAuthority& authority) { authority.DeleteUser("evil"); }},
          {"replaced",
           [](TestAuthority& authority) {
             authority.DeleteUser("evil");
             authority.AddUser("evil");
             authority.ChangeUser("evil", [](UserRecord& user) { user.administrator = true; });
           }},
          {"disabled", change([](UserRecord& user) { user.disabled = true; })},
          {"of a directory", change([](UserRecord& user) { user.type = UserType::kDirectory; })},
          {"demoted", change([](UserRecord& user) { user.administrator = false; }), absl::StatusCode::kPermissionDenied,
           "ROLE_REQUIRED"}};
}

class FallenAdministratorTest : public UserLifecycleTest, public testing::WithParamInterface<Fall> {
 protected:
  FallenAdministratorTest() {
    authority_.AddUser("evil");
    authority_.ChangeUser("evil", [](UserRecord& user) { user.administrator = true; });
    GivePassword("evil");
  }

  void Falls() { GetParam().happens(authority_); }
  static void ExpectRefused(const absl::Status& status) { ExpectRefusal(status, GetParam().code, GetParam().reason); }

  const Principal evil_ = AsAdministrator("evil");
};

INSTANTIATE_TEST_SUITE_P(Every, FallenAdministratorTest, testing::ValuesIn(Falls()), [](const auto& info) {
  std::string name = info.param.name;
  std::erase(name, ' ');
  return name;
});

TEST_P(FallenAdministratorTest, MakesNoUserWhilePasswordsAreComputed) {
  passwords_.Meanwhile([this] { Falls(); });
  ExpectRefused(
      users_
          .Create(
              evil_,
              {.user_id = "backdoor", .type = UserType::kLocal, .administrator = true, .password = "a password of it"})
          .status());
  EXPECT_FALSE(Kept("backdoor").has_value());
}

TEST_P(FallenAdministratorTest, SetsNobodysPasswordWhileItIsComputed) {
  passwords_.Meanwhile([this] { Falls(); });
  ExpectRefused(users_.SetPassword(evil_, {.name = "users/root", .password = "a password of it"}));
  EXPECT_TRUE(HasPassword("root", "root-password"));
}

TEST_P(FallenAdministratorTest, DoesAndSeesNothing) {
  Falls();
  const uint64_t sequence = CommitSequence();
  for (const bool dry : {true, false}) {
    ExpectRefused(
        users_
            .Create(evil_,
                    {.user_id = "backdoor", .type = UserType::kLocal, .administrator = true, .validate_only = dry})
            .status());
    ExpectRefused(
        users_
            .Update(
                evil_,
                {.name = "users/bob", .administrator = true, .update_mask = {"administrator"}, .validate_only = dry})
            .status());
    ExpectRefused(users_.Delete(evil_, {.name = "users/root", .validate_only = dry}).status());
  }
  // Before it is said whether there is such a user.
  for (const char* const name : {"users/bob", "users/nobody"}) {
    ExpectRefused(users_.Get(evil_, name).status());
    ExpectRefused(users_.Update(evil_, {.name = name, .update_mask = {"disabled"}}).status());
    ExpectRefused(users_.Delete(evil_, {.name = name}).status());
  }
  ExpectRefused(users_.List(evil_, {}).status());
  EXPECT_EQ(CommitSequence(), sequence);
}

// ---- The password itself.

class PasswordMeanwhileTest : public UserLifecycleTest {
 protected:
  PasswordMeanwhileTest() { GivePassword("ada"); }

  absl::Status SetOwn(absl::string_view password) {
    return users_.SetPassword(AsUser("ada"),
                              {.name = "users/ada", .password = password, .current_password = "ada-password"});
  }
  static void ExpectInvalidCredentials(const absl::Status& status) {
    ExpectRefusal(status, absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
  }
};

// Whoever has stolen a password must not be able to undo that it was taken away.
TEST_F(PasswordMeanwhileTest, AResetIsNotUndoneByWhoeverHasTheOldOne) {
  passwords_.Meanwhile(
      [this] { ASSERT_TRUE(users_.SetPassword(root_, {.name = "users/ada", .password = "reset by root"}).ok()); });
  ExpectInvalidCredentials(SetOwn("of the thief"));
  EXPECT_TRUE(HasPassword("ada", "reset by root"));
}

// The same password set anew is another one too.
TEST_F(PasswordMeanwhileTest, AResetToTheSamePasswordIsOneToo) {
  passwords_.Meanwhile([this] { GivePassword("ada"); });
  ExpectInvalidCredentials(SetOwn("of the thief"));
  EXPECT_TRUE(HasPassword("ada", "ada-password"));
}

TEST_F(PasswordMeanwhileTest, OfTwoWhoHaveTheOldOneOneIsTooLate) {
  passwords_.Meanwhile([this] { EXPECT_TRUE(SetOwn("of the first").ok()); });
  ExpectInvalidCredentials(SetOwn("of the second"));
  EXPECT_TRUE(HasPassword("ada", "of the first"));
}

TEST_F(PasswordMeanwhileTest, WhoIsDisabledOrDeletedMeanwhileSetsNone) {
  passwords_.Meanwhile([this] { authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; }); });
  ExpectInvalidCredentials(SetOwn("a new password"));
  EXPECT_TRUE(HasPassword("ada", "ada-password"));
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = false; });
  passwords_.Meanwhile([this] {
    authority_.DeleteUser("ada");
    authority_.AddUser("ada");
    GivePassword("ada");
  });
  ExpectInvalidCredentials(SetOwn("a new password"));
  EXPECT_TRUE(HasPassword("ada", "ada-password")) << "that of the later ada";
  // Of the later one it is the right one; but the caller is the former.
  ExpectInvalidCredentials(SetOwn("a new password"));
  EXPECT_TRUE(HasPassword("ada", "ada-password"));
}

// An administrator who sets somebody's password needs not know the one before.
TEST_F(PasswordMeanwhileTest, OfTwoResetsTheLaterOneHolds) {
  passwords_.Meanwhile(
      [this] { EXPECT_TRUE(users_.SetPassword(root_, {.name = "users/ada", .password = "reset first"}).ok()); });
  EXPECT_TRUE(users_.SetPassword(root_, {.name = "users/ada", .password = "reset later"}).ok());
  EXPECT_TRUE(HasPassword("ada", "reset later"));
}

TEST_F(PasswordMeanwhileTest, AResetIsOfTheUserWhoWasThere) {
  passwords_.Meanwhile([this] {
    authority_.DeleteUser("ada");
    authority_.AddUser("ada");
  });
  ExpectRefusal(users_.SetPassword(root_, {.name = "users/ada", .password = "reset by root"}),
                absl::StatusCode::kNotFound, "USER_NOT_FOUND");
  EXPECT_EQ(KeptPassword("ada"), std::nullopt);
}

}  // namespace
}  // namespace pat
