// What all commands have in common: who asks, over which connection, and how it ends when that does not work.
#include <stdlib.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "google/rpc/error_details.pb.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using SessionTest = PatctlTest;

std::string Basic(const std::string& credentials) { return absl::StrCat("Basic ", absl::Base64Escape(credentials)); }

TEST_F(SessionTest, AsksForThePassword) {
  console_->hidden_answers = {"s3cret"};
  EXPECT_EQ(Run({"token", "list", "--user", "ada"}), 0);
  EXPECT_THAT(prompts(), ElementsAre("password of ada: "));
  EXPECT_THAT(server_.authorizations, ElementsAre(Basic("ada:s3cret")));
}

TEST_F(SessionTest, ReadsThePasswordFromStandardInput) {
  console_->input = "s3cret\n";
  EXPECT_EQ(Run({"token", "list", "--user", "ada", "--password-file", "-"}), 0);
  EXPECT_THAT(server_.authorizations, ElementsAre(Basic("ada:s3cret")));
}

TEST_F(SessionTest, TakesTheUserFromTheEnvironment) {
  setenv("PATCTL_USER", "bob", 1);
  console_->hidden_answers = {"s3cret"};
  EXPECT_EQ(Run({"token", "list"}), 0);
  EXPECT_THAT(server_.authorizations, ElementsAre(Basic("bob:s3cret")));
  EXPECT_EQ(server_.list_request.parent(), "users/bob");
}

TEST_F(SessionTest, TokensBelongToSomebody) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"token", "list"},
        {"token", "show", "ci"},
        {"token", "update", "ci", "--name", "x"},
        {"token", "revoke", "ci", "--yes"},
        {"token", "regenerate", "ci", "--yes"},
        {"token", "create", "--name", "x", "--scopes", "A", "--expires", "1d"}}) {
    EXPECT_EQ(Run(command), 2);
    EXPECT_THAT(said(), HasSubstr("give --user (or PATCTL_USER)"));
  }
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(SessionTest, WithoutAPasswordNothingIsSent) {
  EXPECT_EQ(Run({"token", "list", "--user", "ada"}), 2);
  EXPECT_THAT(said(), HasSubstr("the password is missing"));
  EXPECT_THAT(said(), HasSubstr("--password-file"));
  EXPECT_EQ(Run({"token", "list", "--user", "ada", "--password-file", "/nonexistent"}), 2);
  EXPECT_THAT(said(), HasSubstr("\"/nonexistent\": cannot be read"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(SessionTest, RefusesPlaintextBeyondThisMachineBeforeAskingForAnything) {
  // A token is as secret as a password.
  for (const char* command : {"token list", "introspect", "scopes list", "introspect --user ada"}) {
    std::vector<std::string> arguments = absl::StrSplit(command, ' ');
    arguments.insert(arguments.end(), {"--server", "192.0.2.1:7443"});
    console_->input_is_terminal = true;
    console_->hidden_answers = {"s3cret", "s3cret"};
    if (arguments.front() == "token") arguments.insert(arguments.end(), {"--user", "ada"});
    EXPECT_EQ(Run(arguments), 2) << command;
    EXPECT_THAT(said(), HasSubstr("refusing to send passwords or tokens in plaintext to 192.0.2.1:7443"));
    EXPECT_THAT(prompts(), IsEmpty());
  }
}

TEST_F(SessionTest, ShowsAllThatTheServerSaysAboutAnError) {
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("scopes[1]");
  bad.mutable_field_violations(0)->set_description("\"X\" is not in the catalogue");
  server_.error = client::ErrorWith(grpc::StatusCode::INVALID_ARGUMENT, "one is wrong", "INVALID_REQUEST", {&bad});
  EXPECT_EQ(RunAsAda({"token", "list"}), 1);
  EXPECT_EQ(said(),
            "patctl: INVALID_ARGUMENT: one is wrong\n"
            "  reason: INVALID_REQUEST\n"
            "  scopes[1]: \"X\" is not in the catalogue\n");
  EXPECT_EQ(written(), "");
}

TEST_F(SessionTest, NeverShowsThePassword) {
  server_.error = client::ErrorWith(grpc::StatusCode::UNAUTHENTICATED, "no", "CREDENTIALS_INVALID");
  EXPECT_EQ(RunAsAda({"token", "list"}), 1);
  EXPECT_THAT(said() + written(), Not(HasSubstr("ada-password")));
}

TEST_F(SessionTest, GivesUpWhenTimeIsUp) {
  absl::Notification given_up;
  server_.on_call = [&given_up](grpc::ServerContext&) { given_up.WaitForNotification(); };
  EXPECT_EQ(RunAsAda({"token", "list", "--timeout", "1s"}), 1);
  given_up.Notify();
  EXPECT_THAT(said(), HasSubstr("DEADLINE_EXCEEDED"));
  EXPECT_THAT(said(), HasSubstr("no answer within 1s"));
}

TEST_F(SessionTest, SaysWhenNobodyAnswers) {
  console_->hidden_answers = {"s3cret"};
  EXPECT_EQ(Run({"token", "list", "--user", "ada", "--server", "unix:/nonexistent.sock"}), 1);
  EXPECT_THAT(said(), HasSubstr("UNAVAILABLE"));
  EXPECT_THAT(
      said(),
      HasSubstr("  cause: nobody listens at unix:/nonexistent.sock\n  hint: is --server (PATCTL_SERVER) right"));
}

TEST_F(SessionTest, AResultThatCannotBeWrittenIsAnError) {
  server_.tokens = {MakeToken(kCi, "ci")};
  console_->BreakOutput();
  EXPECT_EQ(RunAsAda({"token", "list"}), 1);
  EXPECT_THAT(said(), HasSubstr("standard output cannot be written to"));
}

TEST_F(SessionTest, HelpAndCompletionNeedNoServer) {
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(written(), HasSubstr("Exit status:"));
  EXPECT_EQ(Run({"completion", "bash"}), 0);
  EXPECT_THAT(written(), HasSubstr("complete -F _patctl patctl"));
  EXPECT_EQ(Run({"completion", "zsh"}), 0);
  EXPECT_THAT(written(), HasSubstr("#compdef patctl"));
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(written(), "");
  EXPECT_EQ(said(), "patctl: A subcommand is required; see patctl --help\n");
}

}  // namespace
}  // namespace pat::patctl
