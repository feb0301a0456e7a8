#include "client/patctl/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSecret[] = "pat_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghi";

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() {
    unsetenv("PATCTL_SERVER");
    unsetenv("PATCTL_USER");
  }

  ~CommandLineTest() override {
    unsetenv("PATCTL_SERVER");
    unsetenv("PATCTL_USER");
  }

  static absl::StatusOr<std::optional<std::string>> Parse(CommandLine& line, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "patctl");
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return line.Parse(static_cast<int>(argv.size()), argv.data());
  }

  static Options Good(std::vector<std::string> arguments) {
    CommandLine line;
    const auto parsed = Parse(line, std::move(arguments));
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_FALSE(parsed.ok() && parsed->has_value()) << "a text to print";
    return line.options();
  }

  static std::string Bad(std::vector<std::string> arguments) {
    CommandLine line;
    const auto parsed = Parse(line, std::move(arguments));
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(parsed.status().message());
  }

  static std::string Text(std::vector<std::string> arguments) {
    CommandLine line;
    const auto parsed = Parse(line, std::move(arguments));
    return parsed.ok() && parsed->has_value() ? **parsed : "";
  }
};

TEST_F(CommandLineTest, KnowsTheCommands) {
  EXPECT_EQ(Good({"token", "create"}).command, Command::kTokenCreate);
  EXPECT_EQ(Good({"token", "list"}).command, Command::kTokenList);
  EXPECT_EQ(Good({"token", "show", "ci"}).command, Command::kTokenShow);
  EXPECT_EQ(Good({"token", "update", "ci"}).command, Command::kTokenUpdate);
  EXPECT_EQ(Good({"token", "revoke", "ci"}).command, Command::kTokenRevoke);
  EXPECT_EQ(Good({"token", "regenerate", "ci"}).command, Command::kTokenRegenerate);
  EXPECT_EQ(Good({"scopes", "list"}).command, Command::kScopesList);
  EXPECT_EQ(Good({"scopes", "search", "folders"}).command, Command::kScopesSearch);
  EXPECT_EQ(Good({"introspect"}).command, Command::kIntrospect);
  EXPECT_EQ(Good({"health"}).command, Command::kHealth);
  EXPECT_EQ(Good({"completion", "bash"}).command, Command::kCompletion);
}

TEST_F(CommandLineTest, HasDefaults) {
  const GlobalOptions global = Good({"health"}).global;
  EXPECT_EQ(global.server, "127.0.0.1:7443");
  EXPECT_EQ(global.user, "");
  EXPECT_FALSE(global.tls);
  EXPECT_FALSE(global.json);
  EXPECT_FALSE(global.yes);
  EXPECT_EQ(global.timeout, absl::Seconds(10));
}

TEST_F(CommandLineTest, GlobalFlagsMayStandAnywhere) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--server", "[::1]:1", "--user", "ada", "--output", "json", "-y", "token", "list"},
        {"token", "--server", "[::1]:1", "--user", "ada", "list", "--output=json", "--yes"},
        {"token", "list", "--server=[::1]:1", "--user=ada", "--output", "json", "--yes"}}) {
    const Options options = Good(arguments);
    EXPECT_EQ(options.command, Command::kTokenList);
    EXPECT_EQ(options.global.server, "[::1]:1");
    EXPECT_EQ(options.global.user, "ada");
    EXPECT_TRUE(options.global.json);
    EXPECT_TRUE(options.global.yes);
  }
}

TEST_F(CommandLineTest, OfARepeatedFlagTheLastOneCounts) {
  EXPECT_EQ(Good({"--user", "ada", "health", "--user", "bob"}).global.user, "bob");
  EXPECT_EQ(Good({"health", "--timeout", "1s", "--timeout", "2s"}).global.timeout, absl::Seconds(2));
  EXPECT_THAT(Bad({"token", "revoke", "one", "two"}), HasSubstr("not expected: two"));
}

TEST_F(CommandLineTest, FlagsGoBeforeTheEnvironment) {
  setenv("PATCTL_SERVER", "unix:/run/pat/pat.sock", 1);
  setenv("PATCTL_USER", "bob", 1);
  EXPECT_EQ(Good({"health"}).global.server, "unix:/run/pat/pat.sock");
  EXPECT_EQ(Good({"health"}).global.user, "bob");
  EXPECT_EQ(Good({"health", "--user", "ada"}).global.user, "ada");
  setenv("PATCTL_SERVER", "nowhere", 1);
  EXPECT_THAT(Bad({"health"}), HasSubstr("the port is missing"));
}

TEST_F(CommandLineTest, ParsesATokenToCreate) {
  const TokenCreateOptions create =
      Good({"token", "create", "--name", "ci", "--scopes", "A,B", "--scope", "C", "--expires", "30d", "--description",
            "for builds", "--audience", "x,y", "--validate-only", "--request-id", "1", "--owner", "bob"})
          .token_create;
  EXPECT_EQ(create.name, "ci");
  EXPECT_THAT(create.scopes, ElementsAre("A", "B", "C"));
  EXPECT_EQ(create.expiry, Expiry(absl::Hours(24 * 30)));
  EXPECT_EQ(create.description, "for builds");
  EXPECT_THAT(create.audiences, ElementsAre("x", "y"));
  EXPECT_TRUE(create.validate_only);
  EXPECT_EQ(create.request_id, "1");
  EXPECT_EQ(create.owner, "bob");
}

TEST_F(CommandLineTest, AScopeFlagTakesOneArgumentOnly) {
  EXPECT_THAT(Bad({"token", "create", "--scopes", "A", "B"}), HasSubstr("not expected: B"));
}

TEST_F(CommandLineTest, TellsAnEmptyDescriptionFromNone) {
  EXPECT_EQ(Good({"token", "update", "ci", "--name", "x"}).token_update.description, std::nullopt);
  EXPECT_EQ(Good({"token", "update", "ci", "--description", ""}).token_update.description, "");
  EXPECT_EQ(Good({"token", "update", "ci", "--name", "x"}).token_update.name, "x");
}

TEST_F(CommandLineTest, ATokenMayBeNamedLikeACommand) {
  for (const char* name : {"list", "token", "scopes", "health", "create"}) {
    const Options options = Good({"token", "show", name});
    EXPECT_EQ(options.command, Command::kTokenShow);
    EXPECT_EQ(options.token_show.reference, name);
  }
  EXPECT_EQ(Good({"token", "show", "--", "-x"}).token_show.reference, "-x");
  EXPECT_THAT(Good({"scopes", "search", "token", "list", "--output", "json"}).scopes_search,
              ElementsAre("token", "list"));
}

TEST_F(CommandLineTest, ParsesWhatToIntrospect) {
  const IntrospectOptions introspect = Good({"introspect", "--require", "A|B", "--require", "C,D", "--audience", "x",
                                             "--max-staleness", "0s", "--token-file", "f"})
                                           .introspect;
  EXPECT_THAT(introspect.requirements, ElementsAre(ElementsAre("A", "B"), ElementsAre("C", "D")));
  EXPECT_EQ(introspect.audience, "x");
  EXPECT_EQ(introspect.max_staleness, absl::ZeroDuration());
  EXPECT_EQ(introspect.token_file, "f");
  EXPECT_THAT(Good({"introspect"}).introspect.requirements, IsEmpty());
  EXPECT_EQ(Good({"introspect"}).introspect.max_staleness, std::nullopt);
}

TEST_F(CommandLineTest, RefusesBadValuesWithWhatWouldBeRight) {
  EXPECT_THAT(Bad({"token", "create", "--expires", "soon"}), HasSubstr("--expires: \"soon\": give a duration"));
  EXPECT_THAT(Bad({"health", "--timeout", "0s"}), HasSubstr("--timeout: \"0s\": give at least one second"));
  EXPECT_THAT(Bad({"health", "--server", "x"}), HasSubstr("--server: \"x\": the port is missing"));
  EXPECT_THAT(Bad({"health", "--output", "xml"}), HasSubstr("xml not in {table,json,jsonl}"));
  EXPECT_THAT(Bad({"introspect", "--require", "A|"}), HasSubstr("a scope is missing"));
  EXPECT_THAT(Bad({"completion", "fish"}), HasSubstr("{bash,zsh}"));
  EXPECT_THAT(Bad({"token", "list", "--all-users", "--owner", "bob"}), HasSubstr("excludes"));
}

TEST_F(CommandLineTest, SaysWhatIsMissingOrUnknownAndWhereToLook) {
  EXPECT_EQ(Bad({}), "A subcommand is required; see patctl --help");
  EXPECT_EQ(Bad({"token"}), "A subcommand is required; see patctl token --help");
  EXPECT_EQ(Bad({"tokn", "list"}), "not expected: tokn; see patctl --help");
  EXPECT_EQ(Bad({"token", "show"}), "token is required; see patctl token show --help");
  EXPECT_EQ(Bad({"token", "list", "--al"}), "not expected: --al; see patctl token list --help");
}

TEST_F(CommandLineTest, NeverRepeatsASecret) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"introspect", kSecret},
                                                    {"introspect", "--token", kSecret},
                                                    {"introspect", std::string("--token=") + kSecret},
                                                    {"token", "list", kSecret},
                                                    {"scopes", "search", "x", "--require", kSecret},
                                                    {"token", "list", "--output", kSecret}}) {
    EXPECT_THAT(Bad(arguments), Not(HasSubstr(std::string(kSecret).substr(4))));
  }
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"token", "list", "--password", "hunter2"},
                                                    {"token", "list", "--password=hunter2"},
                                                    {"token", "list", "-p", "hunter2"},
                                                    {"-phunter2", "token", "list"}}) {
    EXPECT_THAT(Bad(arguments), HasSubstr("a password is never an argument"));
    EXPECT_THAT(Bad(arguments), Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(Bad({"introspect", kSecret}), HasSubstr("a token's secret is never an argument"));
}

TEST_F(CommandLineTest, HelpHasTheExitCodes) {
  const std::string help = Text({"--help"});
  for (const char* line : {"  0  done; introspect: the verdict is ALLOW\n", "  1  the call failed",
                           "  2  the command line is wrong\n", "  3  introspect: any other verdict\n",
                           "  4  not confirmed; nothing was changed\n", "PATCTL_SERVER", "PATCTL_USER"}) {
    EXPECT_THAT(help, HasSubstr(line));
  }
  EXPECT_THAT(Text({"token", "create", "--help"}), HasSubstr("--expires WHEN"));
  EXPECT_THAT(Text({"token", "create", "--help"}), HasSubstr("see patctl --help"));
}

TEST_F(CommandLineTest, HasAVersion) { EXPECT_THAT(Text({"--version"}), HasSubstr("patctl ")); }

}  // namespace
}  // namespace pat::patctl
