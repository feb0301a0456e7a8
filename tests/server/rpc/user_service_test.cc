// UserService over gRPC: who may, what goes over the wire both ways, and that no password comes back.
#include "server/rpc/user_service.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/rpc/management_server.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class UserServiceTest : public ManagementTest {
 protected:
  static v1::CreateUserRequest NewUser(const std::string& id) {
    v1::CreateUserRequest request;
    request.set_user_id(id);
    request.mutable_user()->set_type(v1::User::TYPE_LOCAL);
    request.mutable_user()->add_grants("OR.Folders");
    return request;
  }
  v1::User Get(const std::string& name) {
    v1::GetUserRequest request;
    request.set_name(name);
    const auto answer = Call(&Users::GetUser, request);
    EXPECT_EQ(Outcome(answer), "OK") << name;
    return answer.message.user();
  }
  static v1::UpdateUserRequest Change(const v1::User& user, const std::vector<std::string>& mask) {
    v1::UpdateUserRequest request;
    *request.mutable_user() = user;
    for (const std::string& path : mask) request.mutable_update_mask()->add_paths(path);
    return request;
  }
  static v1::SetPasswordRequest NewPassword(const std::string& name, const std::string& password,
                                            const std::string& current = "") {
    v1::SetPasswordRequest request;
    request.set_name(name);
    request.set_password(password);
    request.set_current_password(current);
    return request;
  }
};

// ---- Who may.

TEST_F(UserServiceTest, OnlyAdministratorsManageUsers) {
  const auto all = [this](const Metadata& metadata) {
    v1::GetUserRequest get;
    get.set_name("users/ada");
    v1::DeleteUserRequest remove;
    remove.set_name("users/ada");
    return std::vector<std::string>{
        Outcome(Call(&Users::CreateUser, NewUser("cleo"), metadata)),
        Outcome(Call(&Users::GetUser, get, metadata)),
        Outcome(Call(&Users::ListUsers, v1::ListUsersRequest(), metadata)),
        Outcome(Call(&Users::UpdateUser, Change(v1::User(), {"disabled"}), metadata)),
        Outcome(Call(&Users::DeleteUser, remove, metadata)),
    };
  };
  const std::string role = "PERMISSION_DENIED ROLE_REQUIRED";
  EXPECT_THAT(all(As("ada")), ElementsAre(role, role, role, role, role));
  EXPECT_THAT(all(AsPortalFor("ada")), ElementsAre(role, role, role, role, role));
  EXPECT_THAT(all({}), ElementsAre(role, role, role, role, role));  // An introspector of patd dev.
  const std::string wrong = "UNAUTHENTICATED CREDENTIALS_INVALID";
  EXPECT_THAT(all({{"authorization", Basic("admin", "wrong")}}), ElementsAre(wrong, wrong, wrong, wrong, wrong));
  EXPECT_EQ(Outcome(Call(&Users::SetPassword, NewPassword("users/ada", "a good password"), {})), role);
}

// What is wrong with a request is nobody's business who may not make it.
TEST_F(UserServiceTest, WhoIsCallingComesBeforeWhatIsWrong) {
  EXPECT_EQ(Outcome(Call(&Users::CreateUser, v1::CreateUserRequest(), As("ada"))), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Call(&Users::CreateUser, v1::CreateUserRequest())), "INVALID_ARGUMENT INVALID_REQUEST");
}

// ---- Create, get, list.

TEST_F(UserServiceTest, AUserIsMadeShownAndListed) {
  v1::CreateUserRequest request = NewUser("cleo");
  request.mutable_user()->set_disabled(true);
  request.mutable_user()->set_administrator(true);
  const auto made = Call(&Users::CreateUser, request);
  ASSERT_EQ(Outcome(made), "OK");
  const v1::User& user = made.message.user();
  EXPECT_EQ(user.name(), "users/cleo");
  EXPECT_EQ(user.type(), v1::User::TYPE_LOCAL);
  EXPECT_TRUE(user.disabled());
  EXPECT_TRUE(user.administrator());
  EXPECT_THAT(user.grants(), ElementsAre("OR.Folders"));
  EXPECT_EQ(user.uid().size(), 36);
  EXPECT_TRUE(user.has_create_time());
  EXPECT_NE(user.etag(), "");
  EXPECT_EQ(Get("users/cleo").SerializeAsString(), user.SerializeAsString());

  EXPECT_EQ(Outcome(Call(&Users::CreateUser, request)), "ALREADY_EXISTS USER_EXISTS");
}

TEST_F(UserServiceTest, ADryRunMakesNobody) {
  v1::CreateUserRequest request = NewUser("cleo");
  request.set_password("a good password");
  request.set_validate_only(true);
  const auto made = Call(&Users::CreateUser, request);
  ASSERT_EQ(Outcome(made), "OK");
  EXPECT_EQ(made.message.user().name(), "users/cleo");
  EXPECT_EQ(made.message.user().uid(), "");
  EXPECT_EQ(made.message.user().etag(), "");
  v1::GetUserRequest get;
  get.set_name("users/cleo");
  EXPECT_EQ(Outcome(Call(&Users::GetUser, get)), "NOT_FOUND USER_NOT_FOUND");
}

TEST_F(UserServiceTest, AllThatIsWrongIsNamed) {
  v1::CreateUserRequest request;
  request.set_user_id("No Such Form");
  request.mutable_user()->set_type(static_cast<v1::User::Type>(7));
  request.mutable_user()->add_grants("OR.Folders");
  request.mutable_user()->add_grants("OR.Nothing");
  request.set_password("short");
  const auto refused = Call(&Users::CreateUser, request);
  EXPECT_EQ(Outcome(refused), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_THAT(FieldsOf(refused.status),
              testing::UnorderedElementsAre("user_id", "user.type", "user.grants[1]", "password"));
  EXPECT_THAT(ParsedDetails(refused.status).DebugString(), testing::HasSubstr("7 is no type"));
}

TEST_F(UserServiceTest, UsersAreListedByNamePageByPage) {
  v1::ListUsersRequest request;
  request.set_page_size(2);
  const auto first = Call(&Users::ListUsers, request);
  ASSERT_EQ(Outcome(first), "OK");
  ASSERT_EQ(first.message.users_size(), 2);
  EXPECT_EQ(first.message.users(0).name(), "users/ada");
  EXPECT_EQ(first.message.users(1).name(), "users/admin");
  ASSERT_NE(first.message.next_page_token(), "");

  request.set_page_token(first.message.next_page_token());
  const auto second = Call(&Users::ListUsers, request);
  ASSERT_EQ(Outcome(second), "OK");
  ASSERT_EQ(second.message.users_size(), 1);
  EXPECT_EQ(second.message.users(0).name(), "users/bob");
  EXPECT_EQ(second.message.next_page_token(), "");

  request.set_page_token("made up");
  request.set_page_size(-1);
  const auto refused = Call(&Users::ListUsers, request);
  EXPECT_EQ(Outcome(refused), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_THAT(FieldsOf(refused.status), testing::UnorderedElementsAre("page_size", "page_token"));
}

// ---- Update.

TEST_F(UserServiceTest, OnlyTheFieldsOfTheMaskAreTaken) {
  v1::User wanted;
  wanted.set_name("users/ada");
  wanted.set_type(v1::User::TYPE_SAML);
  wanted.set_disabled(true);
  wanted.set_administrator(true);
  wanted.add_grants("TM.Defects");
  const auto changed = Call(&Users::UpdateUser, Change(wanted, {"disabled", "grants"}));
  ASSERT_EQ(Outcome(changed), "OK");
  EXPECT_EQ(changed.message.user().type(), v1::User::TYPE_LOCAL);
  EXPECT_TRUE(changed.message.user().disabled());
  EXPECT_FALSE(changed.message.user().administrator());
  EXPECT_THAT(changed.message.user().grants(), ElementsAre("TM.Defects"));
  EXPECT_GE(changed.message.last_accept_time().seconds(), absl::ToUnixSeconds(authority_.clock.Now()));

  const auto again = Call(&Users::UpdateUser, Change(wanted, {"type", "administrator"}));
  ASSERT_EQ(Outcome(again), "OK");
  EXPECT_EQ(again.message.user().type(), v1::User::TYPE_SAML);
  EXPECT_TRUE(again.message.user().administrator());
  EXPECT_EQ(Get("users/ada").SerializeAsString(), again.message.user().SerializeAsString());
}

TEST_F(UserServiceTest, AMaskNamesFieldsThatCanBeChanged) {
  v1::User ada = Get("users/ada");
  EXPECT_THAT(FieldsOf(Call(&Users::UpdateUser, Change(ada, {})).status), ElementsAre("update_mask"));
  const auto refused = Call(&Users::UpdateUser, Change(ada, {"disabled", "uid"}));
  EXPECT_EQ(Outcome(refused), "INVALID_ARGUMENT INVALID_REQUEST");
  ASSERT_EQ(FieldsOf(refused.status).size(), 1);
  EXPECT_THAT(FieldsOf(refused.status)[0], HasSubstr("update_mask"));
}

// It is judged only if it is to be taken.
TEST_F(UserServiceTest, ATypeThatIsNoneIsRefusedByItsName) {
  v1::User wanted;
  wanted.set_name("users/ada");
  for (const int type : {0, 4, -1}) {
    wanted.set_type(static_cast<v1::User::Type>(type));
    const auto refused = Call(&Users::UpdateUser, Change(wanted, {"type"}));
    EXPECT_EQ(Outcome(refused), "INVALID_ARGUMENT INVALID_REQUEST") << type;
    EXPECT_THAT(FieldsOf(refused.status), ElementsAre("user.type")) << type;
    EXPECT_EQ(Outcome(Call(&Users::UpdateUser, Change(wanted, {"disabled"}))), "OK") << type;
  }
}

TEST_F(UserServiceTest, AnEtagThatHasPassedIsAborted) {
  v1::User ada = Get("users/ada");
  ada.set_disabled(true);
  ASSERT_EQ(Outcome(Call(&Users::UpdateUser, Change(ada, {"disabled"}))), "OK");
  EXPECT_EQ(Outcome(Call(&Users::UpdateUser, Change(ada, {"disabled"}))), "ABORTED ETAG_MISMATCH");
  v1::DeleteUserRequest remove;
  remove.set_name("users/ada");
  remove.set_etag(ada.etag());
  EXPECT_EQ(Outcome(Call(&Users::DeleteUser, remove)), "ABORTED ETAG_MISMATCH");
}

TEST_F(UserServiceTest, TheLastAdministratorStays) {
  v1::User admin = Get("users/admin");
  admin.set_administrator(false);
  EXPECT_EQ(Outcome(Call(&Users::UpdateUser, Change(admin, {"administrator"}))),
            "FAILED_PRECONDITION LAST_ADMINISTRATOR");
  v1::DeleteUserRequest remove;
  remove.set_name("users/admin");
  EXPECT_EQ(Outcome(Call(&Users::DeleteUser, remove)), "FAILED_PRECONDITION LAST_ADMINISTRATOR");
}

// ---- Delete.

TEST_F(UserServiceTest, DeletingSaysWhatEndedWithTheUser) {
  authority_.Issue("ada");
  authority_.Issue("ada");
  authority_.Revoke(authority_.Issue("ada"));
  v1::DeleteUserRequest remove;
  remove.set_name("users/ada");
  remove.set_validate_only(true);
  const auto dry = Call(&Users::DeleteUser, remove);
  ASSERT_EQ(Outcome(dry), "OK");
  EXPECT_EQ(dry.message.revoked_count(), 2);
  EXPECT_EQ(Get("users/ada").name(), "users/ada");

  remove.set_validate_only(false);
  const auto removed = Call(&Users::DeleteUser, remove);
  ASSERT_EQ(Outcome(removed), "OK");
  EXPECT_EQ(removed.message.revoked_count(), 2);
  EXPECT_GE(removed.message.last_accept_time().seconds(), absl::ToUnixSeconds(authority_.clock.Now()));
  EXPECT_EQ(Outcome(Call(&Users::DeleteUser, remove)), "NOT_FOUND USER_NOT_FOUND");
}

// ---- Passwords.

TEST_F(UserServiceTest, APasswordThatIsSetIsTheOneThatLogsIn) {
  v1::CreateUserRequest request = NewUser("cleo");
  request.set_password("the first password");
  ASSERT_EQ(Outcome(Call(&Users::CreateUser, request)), "OK");
  v1::ListTokensRequest list;
  list.set_parent("users/cleo");
  const Metadata first = {{"authorization", Basic("cleo", "the first password")}};
  const Metadata second = {{"authorization", Basic("cleo", "the second password")}};
  EXPECT_EQ(Outcome(Call(&Tokens::ListTokens, list, first)), "OK");

  // By oneself, with the old one.
  EXPECT_EQ(
      Outcome(Call(&Users::SetPassword, NewPassword("users/cleo", "the second password", "the first password"), first)),
      "OK");
  EXPECT_EQ(Outcome(Call(&Tokens::ListTokens, list, first)), "UNAUTHENTICATED CREDENTIALS_INVALID");
  EXPECT_EQ(Outcome(Call(&Tokens::ListTokens, list, second)), "OK");

  // By an administrator, without.
  EXPECT_EQ(Outcome(Call(&Users::SetPassword, NewPassword("users/cleo", "the first password"))), "OK");
  EXPECT_EQ(Outcome(Call(&Tokens::ListTokens, list, first)), "OK");
}

TEST_F(UserServiceTest, OneselfNeedsTheOldPasswordAndNobodySetsAnothers) {
  EXPECT_FALSE(Call(&Users::SetPassword, NewPassword("users/ada", "a good password", "wrong"), As("ada")).status.ok());
  EXPECT_FALSE(Call(&Users::SetPassword, NewPassword("users/ada", "a good password"), As("ada")).status.ok());
  EXPECT_EQ(Outcome(Call(&Users::SetPassword, NewPassword("users/bob", "a good password", kPassword), As("ada"))),
            "PERMISSION_DENIED ROLE_REQUIRED");
  v1::ListTokensRequest list;
  list.set_parent("users/ada");
  EXPECT_EQ(Outcome(Call(&Tokens::ListTokens, list, As("ada"))), "OK");
}

// Somebody else's user and one that is not there are the same to everybody but administrators.
TEST_F(UserServiceTest, APasswordOfAForeignAndOfAnAbsentUserAreRefusedAlike) {
  const auto foreign = Call(&Users::SetPassword, NewPassword("users/bob", "a good password"), As("ada"));
  const auto absent = Call(&Users::SetPassword, NewPassword("users/eve", "a good password"), As("ada"));
  EXPECT_FALSE(foreign.status.ok());
  EXPECT_EQ(foreign.status.error_message(), absent.status.error_message());
  EXPECT_EQ(foreign.status.error_details(), absent.status.error_details());
}

TEST_F(UserServiceTest, NoPasswordComesBackAnywhere) {
  const std::string secret = "Sesame-\x01-open";
  v1::CreateUserRequest request = NewUser("cleo");
  request.set_password(secret);
  const auto created = Call(&Users::CreateUser, request);
  EXPECT_EQ(Outcome(created), "INVALID_ARGUMENT INVALID_REQUEST");
  const auto set = Call(&Users::SetPassword, NewPassword("users/ada", secret, secret), As("ada"));
  EXPECT_FALSE(set.status.ok());
  const auto by_name = Call(&Users::SetPassword, NewPassword(secret, "Sesame-open-again", "Sesame-open-again"));
  EXPECT_FALSE(by_name.status.ok());
  ASSERT_EQ(Outcome(Call(&Users::SetPassword, NewPassword("users/ada", "Sesame-open-again"))), "OK");
  for (const grpc::Status& status : {created.status, set.status}) {
    EXPECT_THAT(status.error_message(), Not(HasSubstr("Sesame")));
    EXPECT_THAT(status.error_details(), Not(HasSubstr("Sesame")));
  }
  const std::vector<AuditRecord> rows = AuditRows();
  EXPECT_GE(rows.size(), 3);
  for (const AuditRecord& row : rows) {
    EXPECT_THAT(absl::StrCat(row.principal, row.method, row.target, row.detail, row.outcome), Not(HasSubstr("Sesame")));
  }
}

}  // namespace
}  // namespace pat
