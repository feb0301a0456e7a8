#include "client/patctl/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/client/patctl/clean_environment.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSecret[] = "pat_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghi";

class CommandLineTest : public ::testing::Test {
 protected:
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

 private:
  CleanEnvironmentScope clean_environment_;
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
  EXPECT_EQ(global.tls, std::nullopt);
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
  EXPECT_THAT(Bad({"health"}), HasSubstr("PATCTL_SERVER: \"nowhere\": the port is missing"));
  EXPECT_EQ(Good({"health", "--server", "[::1]:1"}).global.server, "[::1]:1");
  setenv("PATCTL_SERVER", "", 1);  // Empty is absent.
  EXPECT_EQ(Good({"health"}).global.server, "127.0.0.1:7443");
}

TEST_F(CommandLineTest, EveryOptionOfTheConnectionIsInTheEnvironmentToo) {
  const std::pair<const char*, const char*> variables[] = {
      {"PATCTL_SERVER", "[::1]:2"}, {"PATCTL_USER", "users/eve"},    {"PATCTL_PASSWORD_FILE", "p"},
      {"PATCTL_TLS", "true"},       {"PATCTL_TLS_CA", "ca"},         {"PATCTL_TLS_CERT", "cert"},
      {"PATCTL_TLS_KEY", "key"},    {"PATCTL_TLS_SERVER_NAME", "n"}, {"PATCTL_TIMEOUT", "90s"},
      {"PATCTL_OUTPUT", "jsonl"}};
  for (const auto& [name, value] : variables) setenv(name, value, 1);
  GlobalOptions global = Good({"health"}).global;
  EXPECT_EQ(global.server, "[::1]:2");
  EXPECT_EQ(global.user, "eve");
  EXPECT_EQ(global.password_file, "p");
  EXPECT_EQ(global.tls, true);
  EXPECT_EQ(global.tls_ca, "ca");
  EXPECT_EQ(global.tls_cert, "cert");
  EXPECT_EQ(global.tls_key, "key");
  EXPECT_EQ(global.tls_server_name, "n");
  EXPECT_EQ(global.timeout, absl::Seconds(90));
  EXPECT_TRUE(global.json_lines);
  EXPECT_FALSE(global.yes);

  global =
      Good({"health", "--user", "ada", "--password-file", "q", "--tls-ca", "x", "--timeout", "1s", "--output", "table"})
          .global;
  EXPECT_EQ(global.user, "ada");
  EXPECT_EQ(global.password_file, "q");
  EXPECT_EQ(global.tls_ca, "x");
  EXPECT_EQ(global.tls_cert, "cert");
  EXPECT_EQ(global.timeout, absl::Seconds(1));
  EXPECT_FALSE(global.json);

  const std::string help = Text({"--help"});
  for (const auto& [name, value] : variables) EXPECT_THAT(help, HasSubstr(absl::StrCat("[", name, "]")));
  EXPECT_THAT(help, HasSubstr("[PATCTL_TOKEN_FILE]"));
}

TEST_F(CommandLineTest, ABadValueInTheEnvironmentIsNamedByItsVariable) {
  for (const auto& [name, value, expected] :
       {std::tuple("PATCTL_TIMEOUT", "30", "PATCTL_TIMEOUT: \"30\": the unit is missing"),
        {"PATCTL_OUTPUT", "xml", "PATCTL_OUTPUT: xml not in {table,json,jsonl}"},
        {"PATCTL_TLS", "maybe", "PATCTL_TLS: \"maybe\": give true or false"},
        {"PATCTL_USER", "users/-", "PATCTL_USER: \"users/-\": give one user's name"}}) {
    setenv(name, value, 1);
    EXPECT_THAT(Bad({"health"}), HasSubstr(expected));
    EXPECT_THAT(Text({"--help"}), HasSubstr("Exit status"));
    unsetenv(name);
  }
}

TEST_F(CommandLineTest, WhoAsksOnTheCommandLineGoesBeforeTheEnvironment) {
  setenv("PATCTL_USER", "bob", 1);
  EXPECT_EQ(Good({"token", "list", "--token-file", "t"}).global.user, "");
  EXPECT_EQ(Good({"token", "list", "--token-file", "t"}).global.token_file, "t");
  setenv("PATCTL_TOKEN_FILE", "u", 1);
  EXPECT_EQ(Good({"token", "list", "--user", "ada"}).global.token_file, "");
  EXPECT_EQ(Good({"token", "list", "--user", "ada"}).global.user, "ada");
  EXPECT_EQ(Good({"token", "list", "--token-file", "t"}).global.token_file, "t");
  EXPECT_THAT(Bad({"token", "list"}), HasSubstr("PATCTL_USER and PATCTL_TOKEN_FILE are both set"));
  EXPECT_EQ(Good({"token", "list", "--user", ""}).global.token_file, "u");
  unsetenv("PATCTL_USER");
  EXPECT_EQ(Good({"token", "list"}).global.token_file, "u");
  // It is not the one to be asked about, and cannot ask.
  EXPECT_EQ(Good({"introspect"}).global.token_file, "");
  EXPECT_EQ(Good({"introspect"}).introspect.token_file, "");
  unsetenv("PATCTL_TOKEN_FILE");
  EXPECT_THAT(Bad({"token", "list", "--user", "ada", "--token-file", "t"}), HasSubstr("not both"));
}

TEST_F(CommandLineTest, TlsOfTheEnvironmentIsNotForEveryServer) {
  setenv("PATCTL_TLS", "true", 1);
  setenv("PATCTL_TLS_CA", "ca", 1);
  setenv("PATCTL_TLS_SERVER_NAME", "n", 1);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"health", "--server", "unix:/s"}, {"health", "--tls=false"}}) {
    const GlobalOptions global = Good(arguments).global;
    EXPECT_FALSE(global.tls.value_or(false));
    EXPECT_EQ(global.tls_ca, "");
    EXPECT_EQ(global.tls_server_name, "");
  }
  // What is on the command line stays.
  EXPECT_EQ(Good({"health", "--server", "unix:/s", "--tls-ca", "x"}).global.tls_ca, "x");
  EXPECT_THAT(Bad({"health", "--tls=false", "--tls-ca", "x"}), HasSubstr("--tls=false does not go with --tls-ca"));
  setenv("PATCTL_TLS", "false", 1);
  const GlobalOptions global = Good({"health", "--tls-ca", "x"}).global;
  EXPECT_EQ(global.tls, std::nullopt);
  EXPECT_EQ(global.tls_ca, "x");
  EXPECT_EQ(Good({"health", "--tls"}).global.tls, true);
  EXPECT_EQ(Good({"health", "--tls"}).global.tls_ca, "ca");
  EXPECT_THAT(Bad({"health", "--tls=maybe"}), HasSubstr("give true or false"));
}

TEST_F(CommandLineTest, AUserIsNamedInTwoWaysEverywhere) {
  for (const std::string user : {"kim", "users/kim"}) {
    EXPECT_EQ(Good({"health", "--user", user}).global.user, "kim");
    EXPECT_EQ(Good({"token", "create", "--owner", user}).token_create.owner, "kim");
    EXPECT_EQ(Good({"token", "list", "--owner", user}).token_list.owner, "kim");
    EXPECT_EQ(Good({"token", "show", "x", "--owner", user}).token_show.owner, "kim");
    EXPECT_EQ(Good({"token", "update", "x", "--owner", user}).token_update.token.owner, "kim");
    EXPECT_EQ(Good({"token", "revoke", "x", "--owner", user}).token_revoke.token.owner, "kim");
    EXPECT_EQ(Good({"token", "regenerate", "x", "--owner", user}).token_regenerate.token.owner, "kim");
    EXPECT_EQ(Good({"token", "revoke-all", "--owner", user}).token_revoke_all.owner, "kim");
    EXPECT_EQ(Good({"user", "create", user}).user_create.user, "kim");
    EXPECT_EQ(Good({"user", "show", user}).user_show, "kim");
    EXPECT_EQ(Good({"user", "update", user}).user_update.user, "kim");
    EXPECT_EQ(Good({"user", "delete", user}).user_delete.user, "kim");
    EXPECT_EQ(Good({"user", "set-password", user}).user_set_password.user, "kim");
    EXPECT_EQ(Good({"audit", "list", "--about", user}).audit_list.about, "kim");
  }
  for (const char* user : {"-", "users/-", "users/", "users/kim/tokens/1", "kim/x"}) {
    EXPECT_THAT(Bad({"token", "list", "--owner", user}), HasSubstr("give one user's name, as in ada or users/ada"));
    EXPECT_THAT(Bad({"user", "delete", user}), HasSubstr("give one user's name"));
    EXPECT_THAT(Bad({"health", "--user", user}), HasSubstr("give one user's name"));
  }
  EXPECT_THAT(Bad({"token", "list", "--owner", ""}), HasSubstr("give one user's name"));
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
