#include "client/patctl/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/patctl/command_line.h"

namespace pat::patctl {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Runs the script in a real shell.
class CompletionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "completion-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
    std::ofstream(directory_ / "patctl.bash") << BashCompletion(line_.app());
    std::ofstream(directory_ / "my file");
  }

  void TearDown() override { std::filesystem::remove_all(directory_); }

  // What bash offers when the cursor is behind the last of these words.
  std::vector<std::string> Complete(const std::vector<std::string>& words) const {
    const std::string script =
        absl::StrCat("cd '", directory_.string(), "' && . ./patctl.bash && COMP_WORDS=('", absl::StrJoin(words, "' '"),
                     "') && COMP_CWORD=", words.size() - 1, " && _patctl && printf '%s\\n' \"${COMPREPLY[@]}\"");
    std::ofstream(directory_ / "run.bash") << script;
    FILE* shell = popen(absl::StrCat("bash '", (directory_ / "run.bash").string(), "' 2>&1").c_str(), "r");
    std::string output;
    char buffer[4096];
    while (const size_t count = fread(buffer, 1, sizeof(buffer), shell)) output.append(buffer, count);
    EXPECT_EQ(pclose(shell), 0) << output;
    return absl::StrSplit(output, '\n', absl::SkipEmpty());
  }

  CommandLine line_;
  std::filesystem::path directory_;
};

TEST_F(CompletionTest, OffersCommands) {
  EXPECT_THAT(Complete({"patctl", "t"}), ElementsAre("token"));
  EXPECT_THAT(Complete({"patctl", "token", "re"}), ElementsAre("revoke", "regenerate", "revoke-all", "report-leaked"));
  EXPECT_THAT(Complete({"patctl", "scopes", ""}), Contains("search"));
}

TEST_F(CompletionTest, OffersTheFlagsOfTheCommandAndTheGlobalOnes) {
  const auto flags = Complete({"patctl", "token", "create", "--"});
  EXPECT_THAT(flags, Contains("--expires"));
  EXPECT_THAT(flags, Contains("--server"));
  EXPECT_THAT(flags, Not(Contains("--show-revoked")));
  EXPECT_THAT(flags, Not(Contains("--version")));
  EXPECT_THAT(Complete({"patctl", "--ver"}), ElementsAre("--version"));
}

TEST_F(CompletionTest, IsNotMisledByValues) {
  EXPECT_THAT(Complete({"patctl", "--user", "scopes", "token", "sh"}), ElementsAre("show"));
  EXPECT_THAT(Complete({"patctl", "--user", "=", "scopes", "token", "sh"}), ElementsAre("show"));
  EXPECT_THAT(Complete({"patctl", "token", "--yes", "sh"}), ElementsAre("show"));
}

TEST_F(CompletionTest, OffersValues) {
  EXPECT_THAT(Complete({"patctl", "health", "--output", ""}), ElementsAre("table", "json", "jsonl"));
  EXPECT_THAT(Complete({"patctl", "health", "--output", "=", "j"}), ElementsAre("json", "jsonl"));
  EXPECT_THAT(Complete({"patctl", "completion", "z"}), ElementsAre("zsh"));
  EXPECT_THAT(Complete({"patctl", "--password-file", "my"}), ElementsAre("my file"));
  EXPECT_THAT(Complete({"patctl", "--user", ""}), IsEmpty());
}

TEST_F(CompletionTest, KnowsTheCommandsOfAdministrators) {
  EXPECT_THAT(Complete({"patctl", "user", ""}), Contains("set-password"));
  EXPECT_THAT(Complete({"patctl", "user", "update", "--type", ""}), ElementsAre("local", "directory", "saml"));
  EXPECT_THAT(Complete({"patctl", "user", "update", "bob", "--disabled", "t"}), ElementsAre("true"));
  EXPECT_THAT(Complete({"patctl", "policy", "update", "--tokens", ""}), ElementsAre("enabled", "disabled"));
  EXPECT_THAT(Complete({"patctl", "audit", "list", "--new"}), ElementsAre("--newest-first"));
  EXPECT_THAT(Complete({"patctl", "user", "set-password", "--new-password-file", "my"}), ElementsAre("my file"));
  EXPECT_THAT(Complete({"patctl", "--token-file", "my"}), ElementsAre("my file"));
}

TEST_F(CompletionTest, ComesFromTheCommandLineItself) {
  CLI::App app("", "patctl");
  app.add_subcommand("invented", "It's new: a command")->add_flag("--brand-new");
  EXPECT_THAT(BashCompletion(app), HasSubstr("\"patctl invented\") candidates='--help --brand-new' ;;"));
  EXPECT_THAT(ZshCompletion(app), HasSubstr("'invented:It'\\''s new\\: a command'"));
}

TEST_F(CompletionTest, ForZshKnowsTheSame) {
  const std::string script = ZshCompletion(line_.app());
  EXPECT_THAT(script, HasSubstr("#compdef patctl\n"));
  EXPECT_THAT(script, HasSubstr("'regenerate:Give a token a new secret and print it, once'"));
  EXPECT_THAT(script, HasSubstr("--output) compadd -- table json jsonl; return ;;"));
  EXPECT_THAT(script, HasSubstr("commands=(bash zsh)"));
}

}  // namespace
}  // namespace pat::patctl
