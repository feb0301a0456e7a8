// Users are made and looked at.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/core/user_lifecycle_test.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UserCreationTest : public UserLifecycleTest {
 protected:
  static CreateUserQuery Good() {
    return {.user_id = "eve", .type = UserType::kLocal, .grants = {"OR.Folders"}, .password = "eve-password"};
  }
};

TEST_F(UserCreationTest, ANewUserIsWhatWasAskedFor) {
  CreateUserQuery query = Good();
  query.disabled = true;
  query.administrator = true;
  query.grants = {"*", "TM.Defects"};
  const absl::StatusOr<UserRecord> user = users_.Create(root_, query);
  ASSERT_TRUE(user.ok()) << user.status();
  EXPECT_EQ(user->id, "eve");
  EXPECT_EQ(user->type, UserType::kLocal);
  EXPECT_TRUE(user->disabled);
  EXPECT_TRUE(user->administrator);
  EXPECT_EQ(user->grants, query.grants);
  EXPECT_EQ(user->create_time, Now());
  EXPECT_EQ(user->uid.ToString()[14], '4');
  EXPECT_EQ(Kept("eve"), *user);
  EXPECT_TRUE(HasPassword("eve", "eve-password"));
}

TEST_F(UserCreationTest, WithoutAPasswordThereIsNone) {
  CreateUserQuery query = Good();
  query.password = {};
  ASSERT_TRUE(users_.Create(root_, query).ok());
  EXPECT_EQ(KeptPassword("eve"), std::nullopt);
  EXPECT_EQ(passwords_.made(), 0);
}

TEST_F(UserCreationTest, ForAdministratorsOnly) {
  std::vector<absl::Status> refusals;
  for (const Principal& other : Others()) {
    refusals.push_back(users_.Create(other, Good()).status());
    // Whatever is wrong besides.
    refusals.push_back(users_.Create(other, {}).status());
  }
  for (const absl::Status& refused : refusals) {
    ExpectRefusal(refused, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
    EXPECT_EQ(refused, refusals.front());
  }
  EXPECT_FALSE(Kept("eve").has_value());
  EXPECT_THAT(Audit(), IsEmpty());
}

TEST_F(UserCreationTest, AllThatIsWrongIsSaidAtOnce) {
  const absl::Status refused =
      users_.Create(root_, {.user_id = "Eve", .grants = {"OR.Folders", "No.Such"}, .password = "short"}).status();
  EXPECT_THAT(ExpectInvalid(refused), ElementsAre("user_id", "user.type", "user.grants[1]", "password"));
  EXPECT_TRUE(absl::StrContains(DetailsOf(refused)->violations[0].description, "\"Eve\""));
  EXPECT_TRUE(absl::StrContains(DetailsOf(refused)->violations[2].description, "\"No.Such\""));
  const ErrorDetails details = DetailsOf(refused).value();
  for (const FieldViolation& violation : details.violations) {
    EXPECT_FALSE(absl::StrContains(violation.description, "short")) << "a password is not repeated";
  }
}

TEST_F(UserCreationTest, IdsAreOneTo63OfAFewCharacters) {
  for (const std::string& id : {std::string("a"), std::string("0"), std::string("a.b_c-d"), std::string(63, 'a')}) {
    CreateUserQuery query = Good();
    query.user_id = id;
    EXPECT_TRUE(users_.Create(root_, query).ok()) << id;
  }
  for (const std::string& id : {std::string(), std::string("-"), std::string(".a"), std::string("A"),
                                std::string("a/b"), std::string("ä"), std::string("a\n"), std::string(64, 'a')}) {
    CreateUserQuery query = Good();
    query.user_id = id;
    EXPECT_THAT(ExpectInvalid(users_.Create(root_, query).status()), ElementsAre("user_id")) << id;
  }
}

TEST_F(UserCreationTest, GrantsAreNamesOfTheCatalogueEachOnceAndAtMost200) {
  CreateUserQuery query = Good();
  query.grants = {"*", "OR.Folders", "*"};
  EXPECT_THAT(ExpectInvalid(users_.Create(root_, query).status()), ElementsAre("user.grants[2]"));
  query.grants = std::vector<std::string>(201, "OR.Folders");
  EXPECT_THAT(ExpectInvalid(users_.Create(root_, query).status()), ElementsAre("user.grants"));
  // 200 are looked at: all but the first are given twice.
  query.grants.pop_back();
  const ErrorDetails details = DetailsOf(users_.Create(root_, query).status()).value();
  EXPECT_EQ(details.violations.size() + details.more_violations, 199);
  query.grants.clear();
  EXPECT_TRUE(users_.Create(root_, query).ok());
}

TEST_F(UserCreationTest, APasswordHasEightCharactersAndAtMost1024Bytes) {
  const auto refused = [&](absl::string_view password) {
    CreateUserQuery query = Good();
    query.password = password;
    query.validate_only = true;
    const absl::Status status = users_.Create(root_, query).status();
    return status.ok() ? std::vector<std::string>() : ExpectInvalid(status);
  };
  EXPECT_THAT(refused("1234567"), ElementsAre("password"));
  EXPECT_THAT(refused("12345678"), IsEmpty());
  EXPECT_THAT(refused("пароль1"), ElementsAre("password"));  // 7 characters, 13 bytes.
  EXPECT_THAT(refused("пароль12"), IsEmpty());
  EXPECT_THAT(refused("pass phrases have spaces"), IsEmpty());
  EXPECT_THAT(refused(std::string(1024, 'p')), IsEmpty());
  EXPECT_THAT(refused(std::string(1025, 'p')), ElementsAre("password"));
  EXPECT_THAT(refused(absl::string_view("1234\0005678", 9)), ElementsAre("password"));
  EXPECT_THAT(refused("password\n"), ElementsAre("password"));
  EXPECT_THAT(refused("password\xff"), ElementsAre("password"));
}

TEST_F(UserCreationTest, OnlyLocalUsersHaveAPassword) {
  for (const UserType type : {UserType::kDirectory, UserType::kSaml}) {
    CreateUserQuery query = Good();
    query.type = type;
    EXPECT_THAT(ExpectInvalid(users_.Create(root_, query).status()), ElementsAre("password"));
    query.user_id = absl::StrCat("user-", static_cast<int>(type));
    query.password = {};
    EXPECT_TRUE(users_.Create(root_, query).ok());
  }
}

TEST_F(UserCreationTest, AnIdIsTakenOnce) {
  CreateUserQuery query = Good();
  query.user_id = "ada";
  const UserRecord before = Kept("ada").value();
  ExpectRefusal(users_.Create(root_, query).status(), absl::StatusCode::kAlreadyExists, "USER_EXISTS");
  query.validate_only = true;
  ExpectRefusal(users_.Create(root_, query).status(), absl::StatusCode::kAlreadyExists, "USER_EXISTS");
  EXPECT_EQ(Kept("ada"), before);
  EXPECT_EQ(KeptPassword("ada"), std::nullopt);
}

TEST_F(UserCreationTest, ADryRunMakesNobodyAndComputesNoPassword) {
  const uint64_t before = CommitSequence();
  CreateUserQuery query = Good();
  query.validate_only = true;
  const absl::StatusOr<UserRecord> user = users_.Create(root_, query);
  ASSERT_TRUE(user.ok()) << user.status();
  EXPECT_EQ(user->id, "eve");
  EXPECT_EQ(user->uid, UserUid());
  EXPECT_FALSE(Kept("eve").has_value());
  EXPECT_EQ(CommitSequence(), before);
  EXPECT_EQ(passwords_.made(), 0);
  EXPECT_THAT(Audit(), IsEmpty());
}

TEST_F(UserCreationTest, TooManyPasswordsAtOnceIsSaidAndMakesNobody) {
  passwords_.FailWith(MakeError(absl::StatusCode::kResourceExhausted, "too many", {.reason = "RATE_LIMITED"}));
  ExpectRefusal(users_.Create(root_, Good()).status(), absl::StatusCode::kResourceExhausted, "RATE_LIMITED");
  EXPECT_FALSE(Kept("eve").has_value());
}

TEST_F(UserCreationTest, TheAuditRowSaysWhoMadeWhomAndNoPassword) {
  Principal root = root_;
  root.peer = "ipv4:10.0.0.7:4711";
  ASSERT_TRUE(users_.Create(root, Good()).ok());
  ASSERT_EQ(Audit().size(), 1);
  const AuditRecord row = Audit().front();
  EXPECT_EQ(row.time, Now());
  EXPECT_EQ(row.sequence, Kept("eve")->change_sequence);
  EXPECT_EQ(row.principal, "user:root");
  EXPECT_EQ(row.user_id, "root");
  EXPECT_EQ(row.method, "pat.v1.UserService/CreateUser");
  EXPECT_EQ(row.target, "users/eve");
  EXPECT_EQ(row.target_user_id, "eve");
  EXPECT_EQ(row.target_token, std::nullopt);
  EXPECT_EQ(row.peer, "ipv4:10.0.0.7:4711");
  EXPECT_EQ(row.outcome, "OK");
  EXPECT_EQ(row.detail, "local; enabled; no administrator; grants: OR.Folders; with a password");
  EXPECT_EQ(row.count, 1);
}

// ---- The first administrator

// In a store where nobody can be asked; there is no root here.
class FirstAdministratorTest : public UserCreationTest {
 protected:
  FirstAdministratorTest() { authority_.DeleteUser("root"); }

  static CreateUserQuery First() {
    return {.user_id = "first",
            .type = UserType::kLocal,
            .administrator = true,
            .grants = {"*"},
            .password = "first-password"};
  }
  absl::Status CreateFirst(const CreateUserQuery& query) { return users_.CreateFirst(init_, query).status(); }

  // Who asks has no account: `patd init`.
  const Principal init_ = {.kind = PrincipalKind::kUser, .user_id = "init"};
};

TEST_F(FirstAdministratorTest, IsMadeInAnEmptyStore) {
  for (const absl::string_view id : {"ada", "bob", "dora"}) authority_.DeleteUser(id);
  ASSERT_EQ(CreateFirst(First()), absl::OkStatus());
  EXPECT_TRUE(Kept("first").value().administrator);
  EXPECT_TRUE(HasPassword("first", "first-password"));
  ASSERT_EQ(Audit().size(), 1);
  EXPECT_EQ(Audit()[0].principal, "user:init");
  EXPECT_EQ(Audit()[0].method, "pat.v1.UserService/CreateUser");
  EXPECT_EQ(Audit()[0].target, "users/first");
  EXPECT_EQ(Audit()[0].detail, "local; enabled; administrator; grants: *; with a password");
  // From here on there is somebody to ask, and this one may.
  CreateUserQuery second = First();
  second.user_id = "second";
  ExpectRefusal(CreateFirst(second), absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  EXPECT_FALSE(Kept("second").has_value());
  EXPECT_TRUE(users_.Create(authority_.Anew(AsAdministrator("first")), second).ok());
}

TEST_F(FirstAdministratorTest, IsMadeBesideUsersOfWhomNoneCanAdminister) {
  GivePassword("ada");
  // An administrator who cannot log in: without a password, disabled, not local.
  for (const absl::string_view id : {"bob", "dora"}) {
    authority_.ChangeUser(id, [](UserRecord& user) { user.administrator = true; });
  }
  GivePassword("dora");
  authority_.AddUser("eve");
  GivePassword("eve");
  authority_.ChangeUser("eve", [](UserRecord& user) { user.administrator = user.disabled = true; });
  EXPECT_EQ(CreateFirst(First()), absl::OkStatus());
}

TEST_F(FirstAdministratorTest, IsNotMadeWhereOneCanLogIn) {
  GivePassword("ada");
  authority_.ChangeUser("ada", [](UserRecord& user) { user.administrator = true; });
  const uint64_t before = CommitSequence();
  ExpectRefusal(CreateFirst(First()), absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  CreateUserQuery dry = First();
  dry.validate_only = true;
  ExpectRefusal(CreateFirst(dry), absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  EXPECT_EQ(CommitSequence(), before);
  EXPECT_FALSE(Kept("first").has_value());
}

// Decided with the change: the one who came first is the first.
TEST_F(FirstAdministratorTest, IsNotMadeIfAnotherIsWhileThePasswordIsComputed) {
  GivePassword("ada");
  passwords_.Meanwhile([this] { authority_.ChangeUser("ada", [](UserRecord& user) { user.administrator = true; }); });
  ExpectRefusal(CreateFirst(First()), absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  EXPECT_FALSE(Kept("first").has_value());
}

TEST_F(FirstAdministratorTest, IsAUserLikeAnyOther) {
  CreateUserQuery query = First();
  query.user_id = "Not An Id";
  query.grants = {"No.Such"};
  query.password = "short";
  EXPECT_THAT(ExpectInvalid(CreateFirst(query)), ElementsAre("user_id", "user.grants[0]", "password"));
  query = First();
  query.user_id = "ada";
  ExpectRefusal(CreateFirst(query), absl::StatusCode::kAlreadyExists, "USER_EXISTS");
  EXPECT_FALSE(Kept("ada").value().administrator);
  EXPECT_EQ(KeptPassword("ada"), std::nullopt);
}

// It changes nothing for the next one: nobody can log in yet.
TEST_F(FirstAdministratorTest, WithoutAPasswordIsNoneYet) {
  CreateUserQuery query = First();
  query.password = {};
  ASSERT_EQ(CreateFirst(query), absl::OkStatus());
  query = First();
  query.user_id = "second";
  EXPECT_EQ(CreateFirst(query), absl::OkStatus());
}

// ---- Looking

TEST_F(UserCreationTest, AUserIsLookedAt) {
  EXPECT_EQ(users_.Get(root_, "users/ada").value(), Kept("ada").value());
  ExpectRefusal(users_.Get(root_, "users/nobody").status(), absl::StatusCode::kNotFound, "USER_NOT_FOUND");
  for (const char* const name : {"", "ada", "users/", "users/-", "users/Ada", "users/ada/tokens/x"}) {
    EXPECT_THAT(ExpectInvalid(users_.Get(root_, name).status()), ElementsAre("name")) << name;
  }
  for (const Principal& other : Others()) {
    for (const char* const name : {"users/ada", "users/nobody", ""}) {
      EXPECT_EQ(users_.Get(other, name).status(), users_.Get(Others().front(), "users/ada").status());
    }
  }
}

TEST_F(UserCreationTest, AllUsersAreListedByIdInPages) {
  for (int i = 0; i < 60; ++i) authority_.AddUser(absl::StrFormat("user-%02d", i));
  std::vector<std::string> listed;
  ListUsersQuery query{.page_size = 7};
  do {
    const absl::StatusOr<UserViewPage> page = users_.List(root_, query);
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_LE(page->users.size(), 7);
    for (const UserRecord& user : page->users) listed.push_back(user.id);
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty());
  EXPECT_EQ(listed.size(), 64);
  EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end()));
  EXPECT_EQ(users_.List(root_, {}).value().users.size(), 50);
}

TEST_F(UserCreationTest, AListIsForAdministratorsAndAPageTokenForItsCaller) {
  for (const Principal& other : Others()) {
    ExpectRefusal(users_.List(other, {.page_size = -1}).status(), absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
  }
  EXPECT_THAT(ExpectInvalid(users_.List(root_, {.page_size = -1, .page_token = "x"}).status()),
              ElementsAre("page_size", "page_token"));
  const std::string token = users_.List(root_, {.page_size = 1}).value().next_page_token;
  EXPECT_FALSE(token.empty());
  EXPECT_TRUE(users_.List(root_, {.page_token = token}).ok());
  EXPECT_THAT(ExpectInvalid(users_.List(AsAdministrator("other"), {.page_token = token}).status()),
              ElementsAre("page_token"));
}

}  // namespace
}  // namespace pat
