// The program itself, as a process of its own: what its streams, its arguments and its terminal show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/client/fake_server.h"
#include "tests/client/patctl/clean_environment.h"
#include "tests/client/patctl/process.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class BinaryTest : public ::testing::Test {
 protected:
  BinaryTest() {
    v1::Token token;
    token.set_uid("0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3");
    token.set_name("users/ada/tokens/" + token.uid());
    token.set_display_name("ci");
    server_.tokens = {token};
    server_.introspection.set_active(true);
    server_.introspection.set_verdict(v1::IntrospectResponse::VERDICT_ALLOW);
  }

  std::vector<std::string> Patctl(const std::vector<std::string>& arguments) const {
    std::vector<std::string> argv = {PATCTL_BINARY, "--server", server_.address()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }

  const std::vector<std::string> kCreate = {"token", "create",   "--user", "ada",       "--name",
                                            "ci",    "--scopes", "A",      "--expires", "1d"};

  std::vector<std::string> CreateWith(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = kCreate;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Patctl(arguments);
  }

  // Seen from outside while a call runs: what /proc shows of the arguments and environments of all patctl.
  static std::string ShownToOthers() {
    std::string seen;
    for (const auto& process : std::filesystem::directory_iterator("/proc")) {
      std::error_code error;
      const auto program = std::filesystem::read_symlink(process.path() / "exe", error);
      if (error || program != std::filesystem::path(PATCTL_BINARY)) continue;
      for (const char* file : {"cmdline", "environ"}) {
        std::ostringstream content;
        content << std::ifstream(process.path() / file, std::ios::binary).rdbuf();
        seen += content.str();
      }
    }
    return seen;
  }

  CleanEnvironmentScope clean_environment_;
  client::FakeServer server_;
  const std::string kAda = absl::StrCat("Basic ", absl::Base64Escape("ada:ada-password"));
};

TEST_F(BinaryTest, StandardOutputHasTheSecretAndNothingElse) {
  const ProcessResult result = RunProcess(CreateWith({"--password-file", "-"}), "ada-password\n");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, std::string(client::kFakeSecret) + "\n");
  EXPECT_THAT(result.err, HasSubstr("copy the secret now, it is not shown again"));
  EXPECT_THAT(result.err, Not(HasSubstr(client::kFakeSecret)));
  EXPECT_THAT(server_.authorizations, ElementsAre(kAda));
}

TEST_F(BinaryTest, ArgumentsAndEnvironmentOfTheProcessHoldNoSecret) {
  std::string seen;
  server_.on_call = [&seen](grpc::ServerContext&) { seen = ShownToOthers(); };
  const ProcessResult result = RunProcess(Patctl({"introspect"}), std::string(client::kFakeSecret) + "\n");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(seen, HasSubstr("introspect"));
  EXPECT_THAT(seen, Not(HasSubstr(client::kFakeSecret)));
  EXPECT_EQ(server_.introspect_request.token(), client::kFakeSecret);
}

TEST_F(BinaryTest, ASecretAmongTheArgumentsIsRefusedAndNotRepeated) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"introspect", client::kFakeSecret}, {"introspect", "--token", client::kFakeSecret}}) {
    const ProcessResult result = RunProcess(Patctl(arguments), "");
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.out + result.err, Not(HasSubstr(client::kFakeSecret)));
  }
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(BinaryTest, GrpcsTracesStayOff) {
  setenv("GRPC_TRACE", "all", 1);
  setenv("GRPC_VERBOSITY", "DEBUG", 1);
  const ProcessResult result = RunProcess(CreateWith({"--password-file", "-"}), "ada-password\n");
  unsetenv("GRPC_TRACE");
  unsetenv("GRPC_VERBOSITY");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, Not(HasSubstr(kAda)));
  EXPECT_THAT(result.err, Not(HasSubstr("authorization")));
}

TEST_F(BinaryTest, WithoutATerminalNobodyIsAsked) {
  ProcessResult result = RunProcess(CreateWith({}), "ada-password\n");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("the password is missing: there is no terminal to ask at"));
  result = RunProcess(Patctl({"token", "revoke", "ci", "--user", "ada", "--password-file", "-"}), "ada-password\n");
  EXPECT_EQ(result.status, 4);
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(BinaryTest, AFullDiskIsAnError) {
  std::string command;
  for (const std::string& argument : CreateWith({"--password-file", "-"}))
    absl::StrAppend(&command, "'", argument, "' ");
  const ProcessResult result = RunProcess({"/bin/sh", "-c", command + " >/dev/full"}, "ada-password\n");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("is lost; regenerate the token, or revoke it"));
}

TEST_F(BinaryTest, ThePasswordIsNotShownWhileItIsTyped) {
  TerminalProcess patctl(CreateWith({}));
  ASSERT_TRUE(patctl.WaitFor("password of ada: ")) << patctl.screen();
  EXPECT_FALSE(patctl.Echoes());
  patctl.Type("ada-password\n");
  ASSERT_TRUE(patctl.WaitFor("copy the secret now")) << patctl.screen();
  EXPECT_TRUE(patctl.WaitFor(client::kFakeSecret));
  EXPECT_EQ(patctl.Wait(), 0);
  EXPECT_THAT(patctl.screen(), Not(HasSubstr("ada-password")));
  EXPECT_TRUE(patctl.Echoes());
  EXPECT_THAT(server_.authorizations, ElementsAre(kAda));
}

TEST_F(BinaryTest, NeitherPasswordIsShownWhileOneIsChanged) {
  std::string seen;
  server_.on_call = [&seen](grpc::ServerContext&) { seen = ShownToOthers(); };
  TerminalProcess patctl(Patctl({"user", "set-password", "--user", "ada"}));
  for (const auto& [prompt, answer] : {std::pair("password of ada: ", "ada-password\n"),
                                       {"new password of ada: ", "new-password\n"},
                                       {"new password of ada, once more: ", "new-password\n"}}) {
    ASSERT_TRUE(patctl.WaitFor(prompt)) << patctl.screen();
    EXPECT_FALSE(patctl.Echoes());
    patctl.Type(answer);
  }
  ASSERT_TRUE(patctl.WaitFor("users/ada has a new password")) << patctl.screen();
  EXPECT_EQ(patctl.Wait(), 0);
  EXPECT_THAT(patctl.screen(), Not(HasSubstr("ada-password")));
  EXPECT_THAT(patctl.screen(), Not(HasSubstr("new-password")));
  EXPECT_THAT(seen, HasSubstr("set-password"));
  EXPECT_THAT(seen, Not(HasSubstr("ada-password")));
  EXPECT_THAT(seen, Not(HasSubstr("new-password")));
  EXPECT_EQ(server_.set_password_request.password(), "new-password");
  EXPECT_EQ(server_.set_password_request.current_password(), "ada-password");
}

TEST_F(BinaryTest, APipedPasswordIsThatOfWhoAsks) {
  const ProcessResult result =
      RunProcess(Patctl({"user", "create", "carol", "--user", "admin", "--password-file", "-", "--no-password"}),
                 "admin-password\n");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "created users/carol\n");
  EXPECT_EQ(
      RunProcess(Patctl({"user", "create", "carol", "--user", "admin", "--password-file", "-"}), "admin-password\n")
          .status,
      2);
}

TEST_F(BinaryTest, WhoTypesNoPasswordDoesNothing) {
  TerminalProcess patctl(CreateWith({}));
  ASSERT_TRUE(patctl.WaitFor("password of ada: "));
  patctl.Type("\n");
  EXPECT_EQ(patctl.Wait(), 4);
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(BinaryTest, InterruptedAtThePasswordTheTerminalIsAsItWas) {
  TerminalProcess patctl(CreateWith({}));
  ASSERT_TRUE(patctl.WaitFor("password of ada: "));
  EXPECT_FALSE(patctl.Echoes());
  patctl.Type("half\x03");
  EXPECT_EQ(patctl.Wait(), -SIGINT);
  EXPECT_TRUE(patctl.Echoes());
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(BinaryTest, RevokesWhenThePersonSaysYes) {
  TerminalProcess patctl(Patctl({"token", "revoke", "ci", "--user", "ada"}));
  ASSERT_TRUE(patctl.WaitFor("password of ada: "));
  patctl.Type("ada-password\n");
  ASSERT_TRUE(patctl.WaitFor(" [y/N] ")) << patctl.screen();
  patctl.Type("y\n");
  ASSERT_TRUE(patctl.WaitFor("revoked \"ci\"")) << patctl.screen();
  EXPECT_EQ(patctl.Wait(), 0);
  EXPECT_THAT(server_.calls, ElementsAre("ListTokens", "RevokeToken validate_only", "RevokeToken"));
}

}  // namespace
}  // namespace pat::patctl
