// A token that asks instead of a user: --token-file.
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/patctl/time_text.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TokenAsCallerTest : public PatctlTest {
 protected:
  TokenAsCallerTest() { server_.tokens = {MakeToken(kCi, "ci")}; }

  int RunWithToken(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--token-file", "-"});
    console_->input = absl::StrCat(client::kFakeSecret, "\n");
    return Run(std::move(arguments));
  }

  const std::string kName = absl::StrCat("users/ada/tokens/", kCi);
  const std::string kBearer = absl::StrCat("Bearer ", client::kFakeSecret);
};

TEST_F(TokenAsCallerTest, LooksAtItself) {
  EXPECT_EQ(RunWithToken({"token", "show", kName}), 0);
  EXPECT_THAT(server_.authorizations, ElementsAre(kBearer));
  EXPECT_EQ(server_.get_request.name(), kName);
  EXPECT_THAT(written(), HasSubstr("NAME       ci\n"));
  EXPECT_THAT(said() + written(), Not(HasSubstr(client::kFakeSecret)));
}

TEST_F(TokenAsCallerTest, RevokesAndRegeneratesItself) {
  server_.secret = "pat_ZZZZ456789abcdefghijABCDEFGHIJ0123456789abcdefghi";
  EXPECT_EQ(RunWithToken({"token", "regenerate", kName, "--yes"}), 0);
  EXPECT_EQ(written(), server_.secret + "\n");
  EXPECT_EQ(RunWithToken({"token", "revoke", kCi, "--owner", "ada", "--yes"}), 0);
  EXPECT_EQ(server_.revoke_request.name(), kName);
  EXPECT_THAT(server_.calls, ElementsAre("RegenerateToken", "RevokeToken"));
  EXPECT_THAT(server_.authorizations, Each(kBearer));
}

TEST_F(TokenAsCallerTest, AsksAtATerminalToo) {
  console_->input_is_terminal = true;
  console_->hidden_answers = {client::kFakeSecret};
  console_->input = "n\n";
  EXPECT_EQ(Run({"--token-file", "-", "token", "revoke", kName}), 4);
  EXPECT_THAT(prompts(), ElementsAre("token: "));
  EXPECT_THAT(server_.calls, ElementsAre("GetToken", "RevokeToken validate_only"));
}

TEST_F(TokenAsCallerTest, IsReadFromAFile) {
  std::string directory = (std::filesystem::temp_directory_path() / "token-as-caller-test-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  std::ofstream(directory + "/token") << client::kFakeSecret << "\n";
  EXPECT_EQ(Run({"scopes", "list", "--token-file", directory + "/token"}), 0);
  EXPECT_THAT(server_.authorizations, ElementsAre(kBearer));
  // The very token that leaked may report itself.
  EXPECT_EQ(
      Run({"token", "report-leaked", "--token-file", directory + "/token", "--secret-file", directory + "/token"}), 0);
  EXPECT_EQ(server_.leaked_request.secret(), client::kFakeSecret);
  std::filesystem::remove_all(directory);
  EXPECT_EQ(Run({"scopes", "list", "--token-file", directory + "/token"}), 2);
  EXPECT_THAT(said(), HasSubstr("cannot be read"));
}

TEST_F(TokenAsCallerTest, KnowsItselfByItsFullNameOnly) {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"token", "show", "ci"},
                                                  {"token", "show", kCi},
                                                  {"token", "revoke", "ci", "--owner", "ada", "--yes"},
                                                  {"token", "regenerate", "ci", "--yes"}}) {
    EXPECT_EQ(RunWithToken(command), 2);
    EXPECT_THAT(said(), HasSubstr("by its full name only"));
  }
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(TokenAsCallerTest, CanDoNothingElse) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"token", "list"},
        {"token", "create", "--name", "x", "--scopes", "A", "--expires", "1d"},
        {"token", "update", "ci", "--name", "x"},
        {"token", "revoke-all", "--yes"},
        {"user", "list"},
        {"user", "show", "ada"},
        {"user", "create", "carol", "--no-password"},
        {"user", "update", "ada", "--administrator", "true"},
        {"user", "delete", "ada", "--yes"},
        {"user", "set-password", "ada"},
        {"policy", "show"},
        {"policy", "update", "--tokens", "enabled"},
        {"audit", "list"}}) {
    EXPECT_EQ(RunWithToken(command), 2);
    EXPECT_THAT(said(), HasSubstr("a token cannot do this"));
  }
  EXPECT_EQ(RunWithToken({"introspect"}), 2);
  EXPECT_THAT(said(), HasSubstr("put --token-file behind introspect"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(TokenAsCallerTest, WhatCannotBeAHeaderIsRefused) {
  console_->input = "pat_one\npat_two\n";
  EXPECT_EQ(Run({"--token-file", "-", "scopes", "list"}), 2);
  EXPECT_THAT(said(), HasSubstr("a token has no blank"));
  EXPECT_THAT(said(), Not(HasSubstr("pat_one")));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(TokenAsCallerTest, DoesNotCrossANetworkInPlaintext) {
  EXPECT_EQ(RunWithToken({"scopes", "list", "--server", "192.0.2.1:7443"}), 2);
  EXPECT_THAT(said(), HasSubstr("refusing to send passwords or tokens in plaintext"));
}

TEST_F(TokenAsCallerTest, HealthDoesNotNeedIt) {
  EXPECT_EQ(RunWithToken({"health"}), 1);  // Not serving, says the fake.
  EXPECT_THAT(server_.authorizations, ElementsAre(""));
}

}  // namespace
}  // namespace pat::patctl
