#include <string>

#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using UserSetPasswordTest = PatctlTest;

constexpr char kNew[] = "a-new-password";

TEST_F(UserSetPasswordTest, OnesOwnTakesTheCurrentOne) {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"user", "set-password"},
                                                  {"user", "set-password", "ada"},
                                                  {"user", "set-password", "users/ada"}}) {
    server_.calls.clear();
    console_->hidden_answers = {kNew, kNew};
    EXPECT_EQ(RunAsAda(command), 0);
    EXPECT_THAT(prompts(),
                ElementsAre("password of ada: ", "new password of ada: ", "new password of ada, once more: "));
    EXPECT_THAT(server_.calls, ElementsAre("SetPassword"));
    EXPECT_EQ(server_.set_password_request.name(), "users/ada");
    EXPECT_EQ(server_.set_password_request.password(), kNew);
    EXPECT_EQ(server_.set_password_request.current_password(), "ada-password");
    EXPECT_EQ(said(), "users/ada has a new password\n");
    EXPECT_EQ(written(), "");
  }
}

TEST_F(UserSetPasswordTest, AnAdministratorsOwnPasswordStaysWithIt) {
  console_->input = std::string(kNew) + "\n";
  EXPECT_EQ(RunAsAdmin({"user", "set-password", "bob", "--new-password-file", "-"}), 0);
  EXPECT_EQ(server_.set_password_request.name(), "users/bob");
  EXPECT_EQ(server_.set_password_request.password(), kNew);
  EXPECT_EQ(server_.set_password_request.current_password(), "");
}

TEST_F(UserSetPasswordTest, ChangesNothingUnlessItWasTypedTwice) {
  console_->hidden_answers = {kNew, "another-password"};
  EXPECT_EQ(RunAsAda({"user", "set-password"}), 4);
  EXPECT_THAT(said(), HasSubstr("nothing was changed"));
  console_->hidden_answers = {kNew};
  EXPECT_EQ(RunAsAda({"user", "set-password"}), 2);
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserSetPasswordTest, NeedsAUser) {
  EXPECT_EQ(Run({"user", "set-password"}), 2);
  EXPECT_THAT(said(), HasSubstr("give --user (or PATCTL_USER)"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserSetPasswordTest, StandardInputIsOneOfTheTwoPasswords) {
  console_->input = "ada-password\n";
  EXPECT_EQ(Run({"user", "set-password", "--user", "ada", "--password-file", "-", "--new-password-file", "-"}), 2);
  EXPECT_THAT(said(), HasSubstr("standard input cannot be both"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserSetPasswordTest, RepeatsNoPasswordWhateverComes) {
  for (const std::vector<std::string>& output : {std::vector<std::string>{}, {"--output", "json"}}) {
    for (const bool fails : {false, true}) {
      server_.error =
          fails ? client::ErrorWith(grpc::StatusCode::UNAUTHENTICATED, "no", "CREDENTIALS_INVALID") : grpc::Status::OK;
      std::vector<std::string> command = {"user", "set-password"};
      command.insert(command.end(), output.begin(), output.end());
      console_->hidden_answers = {kNew, kNew};
      EXPECT_EQ(RunAsAda(command), fails ? 1 : 0);
      EXPECT_THAT(said() + written(), Not(HasSubstr(kNew)));
      EXPECT_THAT(said() + written(), Not(HasSubstr("ada-password")));
    }
  }
}

}  // namespace
}  // namespace pat::patctl
