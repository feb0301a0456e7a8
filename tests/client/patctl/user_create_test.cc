#include <stdio.h>

#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using UserCreateTest = PatctlTest;

constexpr char kNew[] = "carol-password";

TEST_F(UserCreateTest, AsksForThePasswordTwice) {
  console_->hidden_answers = {kNew, kNew};
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol", "--grants", "A,B", "--administrator", "true"}), 0);
  EXPECT_THAT(prompts(),
              ElementsAre("password of admin: ", "new password of carol: ", "new password of carol, once more: "));
  EXPECT_THAT(server_.calls, ElementsAre("CreateUser"));
  EXPECT_THAT(server_.authorizations, ElementsAre(absl::StrCat("Basic ", absl::Base64Escape("admin:admin-password"))));
  const v1::CreateUserRequest& request = server_.create_user_request;
  EXPECT_EQ(request.user_id(), "carol");
  EXPECT_EQ(request.password(), kNew);
  EXPECT_EQ(request.user().type(), v1::User::TYPE_LOCAL);
  EXPECT_TRUE(request.user().administrator());
  EXPECT_FALSE(request.user().disabled());
  EXPECT_THAT(request.user().grants(), ElementsAre("A", "B"));
  EXPECT_FALSE(request.validate_only());
  EXPECT_EQ(said(), "created users/carol\n");
  EXPECT_EQ(written(),
            "NAME           carol\n"
            "TYPE           LOCAL\n"
            "DISABLED       no\n"
            "ADMINISTRATOR  yes\n"
            "GRANTS         A\n"
            "               B\n"
            "ID             7e57ab1e-0000-4000-8000-000000000001\n"
            "FULL NAME      users/carol\n");
}

TEST_F(UserCreateTest, TwoDifferentPasswordsAreNone) {
  console_->hidden_answers = {kNew, "carol-passwort"};
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol"}), 4);
  EXPECT_THAT(said(), HasSubstr("the two passwords are not the same; nothing was changed"));
  EXPECT_THAT(said(), Not(HasSubstr("carol-passwor")));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserCreateTest, WithoutATerminalThePasswordIsMissing) {
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol"}), 2);
  EXPECT_THAT(said(), HasSubstr("the new password is missing: there is no terminal to ask at; give it with "
                                "--new-password-file"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserCreateTest, ReadsThePasswordFromStandardInputOrAFile) {
  console_->input = absl::StrCat(kNew, "\n");
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol", "--new-password-file", "-"}), 0);
  EXPECT_EQ(server_.create_user_request.password(), kNew);
  EXPECT_THAT(prompts(), ElementsAre("password of admin: "));

  const std::string file = ::testing::TempDir() + "/user_create_test_password";
  std::ofstream(file) << "other-password\n";
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol", "--new-password-file", file}), 0);
  remove(file.c_str());
  EXPECT_EQ(server_.create_user_request.password(), "other-password");
}

TEST_F(UserCreateTest, StandardInputAtATerminalIsAskedForTwiceToo) {
  console_->input_is_terminal = true;
  console_->hidden_answers = {kNew, kNew};
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol", "--new-password-file", "-"}), 0);
  EXPECT_THAT(prompts(), ::testing::SizeIs(3));
}

TEST_F(UserCreateTest, StandardInputIsOneOfTheTwoPasswords) {
  console_->input = "admin-password\n";
  EXPECT_EQ(Run({"user", "create", "carol", "--user", "admin", "--password-file", "-", "--new-password-file", "-"}), 2);
  EXPECT_THAT(said(), HasSubstr("standard input cannot be both the password and the new password"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserCreateTest, MayBeWithoutAPassword) {
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol", "--no-password"}), 0);
  EXPECT_EQ(server_.create_user_request.password(), "");
  EXPECT_THAT(prompts(), ElementsAre("password of admin: "));
}

TEST_F(UserCreateTest, OnlyLocalUsersHaveAPassword) {
  EXPECT_EQ(RunAsAdmin({"user", "create", "dora", "--type", "directory", "--disabled", "true"}), 0);
  EXPECT_THAT(prompts(), ElementsAre("password of admin: "));
  EXPECT_EQ(server_.create_user_request.user().type(), v1::User::TYPE_DIRECTORY);
  EXPECT_TRUE(server_.create_user_request.user().disabled());
  server_.calls.clear();
  EXPECT_EQ(RunAsAdmin({"user", "create", "dora", "--type", "saml", "--new-password-file", "f"}), 2);
  EXPECT_THAT(said(), HasSubstr("only local users have a password"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserCreateTest, TheNameIsOfOneUser) {
  for (const char* name : {"-", "users/-", "", "users/", "users/a/tokens/b"}) {
    EXPECT_EQ(RunAsAdmin({"user", "create", name, "--no-password"}), 2) << name;
    EXPECT_THAT(said(), HasSubstr("give one user's name"));
  }
  EXPECT_THAT(server_.calls, IsEmpty());
  EXPECT_EQ(RunAsAdmin({"user", "create", "users/carol", "--no-password"}), 0);
  EXPECT_EQ(server_.create_user_request.user_id(), "carol");
}

TEST_F(UserCreateTest, ValidateOnlyMakesNobody) {
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol", "--no-password", "--validate-only"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("CreateUser validate_only"));
  EXPECT_EQ(said(), "the request is good; nothing was created\n");
  EXPECT_EQ(written(), "");
}

TEST_F(UserCreateTest, JsonHasTheWholeResponseAndNoPassword) {
  console_->hidden_answers = {kNew, kNew};
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"name\": \"users/carol\""));
  EXPECT_THAT(written() + said(), Not(HasSubstr(kNew)));
}

TEST_F(UserCreateTest, ARefusalNamesTheField) {
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("password");
  bad.mutable_field_violations(0)->set_description("at least 8 characters");
  server_.error = client::ErrorWith(grpc::StatusCode::INVALID_ARGUMENT, "one is wrong", "INVALID_REQUEST", {&bad});
  console_->hidden_answers = {"short", "short"};
  EXPECT_EQ(RunAsAdmin({"user", "create", "carol"}), 1);
  EXPECT_THAT(said(), HasSubstr("  password: at least 8 characters\n"));
  EXPECT_EQ(written(), "");
}

}  // namespace
}  // namespace pat::patctl
