#include "client/patctl/admin_command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <optional>
#include <string>
#include <vector>

#include "client/patctl/command_line.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

absl::Time Utc(int year, int month, int day, int hour = 0) {
  return absl::FromCivil(absl::CivilHour(year, month, day, hour), absl::UTCTimeZone());
}

class AdminCommandLineTest : public ::testing::Test {
 protected:
  AdminCommandLineTest() { unsetenv("PATCTL_USER"); }
  ~AdminCommandLineTest() override { unsetenv("PATCTL_USER"); }

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
    return line.options();
  }

  static std::string Bad(std::vector<std::string> arguments) {
    CommandLine line;
    const auto parsed = Parse(line, std::move(arguments));
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(parsed.status().message());
  }
};

TEST_F(AdminCommandLineTest, KnowsTheCommands) {
  EXPECT_EQ(Good({"user", "create", "ada"}).command, Command::kUserCreate);
  EXPECT_EQ(Good({"user", "list"}).command, Command::kUserList);
  EXPECT_EQ(Good({"user", "show", "ada"}).command, Command::kUserShow);
  EXPECT_EQ(Good({"user", "update", "ada"}).command, Command::kUserUpdate);
  EXPECT_EQ(Good({"user", "delete", "ada"}).command, Command::kUserDelete);
  EXPECT_EQ(Good({"user", "set-password"}).command, Command::kUserSetPassword);
  EXPECT_EQ(Good({"policy", "show"}).command, Command::kPolicyShow);
  EXPECT_EQ(Good({"policy", "update"}).command, Command::kPolicyUpdate);
  EXPECT_EQ(Good({"audit", "list"}).command, Command::kAuditList);
  EXPECT_EQ(Good({"token", "revoke-all"}).command, Command::kTokenRevokeAll);
  EXPECT_EQ(Good({"token", "report-leaked"}).command, Command::kTokenReportLeaked);
}

TEST_F(AdminCommandLineTest, ParsesAUserToCreate) {
  UserCreateOptions create = Good({"user", "create", "ada"}).user_create;
  EXPECT_EQ(create.user, "ada");
  EXPECT_EQ(create.type, v1::User::TYPE_LOCAL);
  EXPECT_EQ(create.administrator, std::nullopt);
  EXPECT_FALSE(create.no_password);
  create = Good({"user", "create", "ada", "--type", "saml", "--grants", "A,B", "--grants", "*", "--administrator",
                 "true", "--disabled", "false", "--no-password", "--validate-only"})
               .user_create;
  EXPECT_EQ(create.type, v1::User::TYPE_SAML);
  EXPECT_THAT(create.grants, ElementsAre("A", "B", "*"));
  EXPECT_EQ(create.administrator, true);
  EXPECT_EQ(create.disabled, false);
  EXPECT_TRUE(create.no_password);
  EXPECT_TRUE(create.validate_only);
  EXPECT_THAT(Bad({"user", "create", "ada", "--no-password", "--new-password-file", "f"}), HasSubstr("excludes"));
  EXPECT_THAT(Bad({"user", "create"}), HasSubstr("user is required"));
}

TEST_F(AdminCommandLineTest, ParsesAChangeOfAUser) {
  UserUpdateOptions update = Good({"user", "update", "ada"}).user_update;
  EXPECT_EQ(update.type, std::nullopt);
  EXPECT_EQ(update.disabled, std::nullopt);
  EXPECT_EQ(update.administrator, std::nullopt);
  EXPECT_EQ(update.grants, std::nullopt);
  update = Good({"user", "update", "ada", "--type", "directory", "--disabled", "true", "--administrator", "false",
                 "--grant", "A,B", "--grant", "C", "--remove-grant", "D"})
               .user_update;
  EXPECT_EQ(update.type, v1::User::TYPE_DIRECTORY);
  EXPECT_EQ(update.disabled, true);
  EXPECT_EQ(update.administrator, false);
  EXPECT_THAT(update.add_grants, ElementsAre("A", "B", "C"));
  EXPECT_THAT(update.remove_grants, ElementsAre("D"));
}

TEST_F(AdminCommandLineTest, TellsNoGrantsFromUnchangedGrants) {
  EXPECT_THAT(*Good({"user", "update", "ada", "--grants", "A,*"}).user_update.grants, ElementsAre("A", "*"));
  EXPECT_THAT(*Good({"user", "update", "ada", "--grants", ""}).user_update.grants, IsEmpty());
  EXPECT_THAT(Bad({"user", "update", "ada", "--grants"}), HasSubstr("--grants"));
  for (const char* other : {"--grant", "--remove-grant"}) {
    EXPECT_THAT(Bad({"user", "update", "ada", "--grants", "A", other, "B"}), HasSubstr("excludes"));
  }
}

TEST_F(AdminCommandLineTest, ParsesAChangeOfThePolicy) {
  PolicyUpdateOptions update = Good({"policy", "update"}).policy_update;
  EXPECT_EQ(update.tokens_disabled, std::nullopt);
  EXPECT_EQ(update.maximum_lifespan, std::nullopt);
  EXPECT_EQ(update.maximum_live_tokens, std::nullopt);
  update = Good({"policy", "update", "--tokens", "disabled", "--maximum-lifespan", "90d", "--maximum-live-tokens", "0",
                 "--forbid", "A,B", "--allow", "C"})
               .policy_update;
  EXPECT_EQ(update.tokens_disabled, true);
  EXPECT_EQ(update.maximum_lifespan, absl::Hours(24 * 90));
  EXPECT_EQ(update.maximum_live_tokens, 0);
  EXPECT_THAT(update.forbid, ElementsAre("A", "B"));
  EXPECT_THAT(update.allow, ElementsAre("C"));
  EXPECT_EQ(Good({"policy", "update", "--tokens", "enabled"}).policy_update.tokens_disabled, false);
  EXPECT_EQ(Good({"policy", "update", "--maximum-lifespan", "36500d"}).policy_update.maximum_lifespan,
            absl::Hours(24 * 36500));
}

TEST_F(AdminCommandLineTest, ParsesWhichEvents) {
  AuditListOptions list = Good({"audit", "list"}).audit_list;
  EXPECT_EQ(list.limit, 10'000);
  EXPECT_FALSE(list.newest_first);
  EXPECT_EQ(list.since, std::nullopt);
  list = Good({"audit", "list", "--about", "bob", "--token", "ci", "--since", "24h", "--until", "2026-11-23T08:00:00Z",
               "--newest-first", "--limit", "1000000"})
             .audit_list;
  EXPECT_EQ(list.about, "bob");
  EXPECT_EQ(list.token, "ci");
  EXPECT_EQ(list.since, Moment(absl::Hours(24)));
  EXPECT_EQ(list.until, Moment(Utc(2026, 11, 23, 8)));
  EXPECT_TRUE(list.newest_first);
  EXPECT_EQ(list.limit, 1'000'000);
}

TEST_F(AdminCommandLineTest, ADateIsFromItsBeginningAndThroughItsEnd) {
  const AuditListOptions list = Good({"audit", "list", "--since", "2026-11-01", "--until", "2026-11-30"}).audit_list;
  EXPECT_EQ(list.since, Moment(Utc(2026, 11, 1)));
  EXPECT_EQ(list.until, Moment(Utc(2026, 12, 1)));
}

TEST_F(AdminCommandLineTest, UserIsAlwaysWhoAsks) {
  EXPECT_EQ(Good({"audit", "list", "--user", "admin", "--about", "bob"}).global.user, "admin");
  EXPECT_EQ(Good({"user", "show", "bob", "--user", "admin"}).global.user, "admin");
}

TEST_F(AdminCommandLineTest, RefusesBadValuesWithWhatWouldBeRight) {
  EXPECT_THAT(Bad({"user", "create", "ada", "--type", "ldap"}), HasSubstr("ldap not in {local,directory,saml}"));
  EXPECT_THAT(Bad({"user", "update", "ada", "--disabled", "yes"}), HasSubstr("yes not in {true,false}"));
  EXPECT_THAT(Bad({"policy", "update", "--tokens", "off"}), HasSubstr("off not in {enabled,disabled}"));
  EXPECT_THAT(Bad({"policy", "update", "--maximum-lifespan", "0s"}), HasSubstr("give at least one second"));
  EXPECT_THAT(Bad({"policy", "update", "--maximum-lifespan", "36501d"}), HasSubstr("give at most 36500d"));
  for (const char* count : {"-1", "many", "2147483648"}) {
    EXPECT_THAT(Bad({"policy", "update", std::string("--maximum-live-tokens=") + count}),
                HasSubstr("give a number, 0 or more"));
  }
  for (const char* limit : {"0", "-1", "1000001", "all"}) {
    EXPECT_THAT(Bad({"audit", "list", std::string("--limit=") + limit}), HasSubstr("give a number from 1 to 1000000"));
  }
  EXPECT_THAT(Bad({"audit", "list", "--since", "yesterday"}), HasSubstr("\"yesterday\": give how long ago"));
  EXPECT_THAT(Bad({"token", "revoke-all", "--all-users", "--owner", "bob"}), HasSubstr("excludes"));
}

TEST_F(AdminCommandLineTest, ANewPasswordIsNeverAnArgument) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"user", "set-password", "bob", "hunter2hunter2"},
        {"user", "create", "bob", "hunter2hunter2"},
        {"user", "create", "bob", "--new-password", "hunter2hunter2"},
        {"user", "set-password", "--new-password=hunter2hunter2"},
        {"user", "set-password", "--password", "hunter2hunter2"},
        {"user", "create", "bob", "-p", "hunter2hunter2"}}) {
    EXPECT_THAT(Bad(arguments), HasSubstr("a password is never an argument"));
    EXPECT_THAT(Bad(arguments), Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(Bad({"user", "set-password", "--whatever"}), HasSubstr("not expected: --whatever"));
}

TEST_F(AdminCommandLineTest, AUserOrATokenAsksNotBoth) {
  EXPECT_THAT(Bad({"scopes", "list", "--user", "ada", "--token-file", "f"}), HasSubstr("not both"));
  EXPECT_EQ(Good({"scopes", "list", "--token-file", "f"}).global.token_file, "f");
  setenv("PATCTL_USER", "ada", 1);
  const GlobalOptions global = Good({"scopes", "list", "--token-file", "f"}).global;
  EXPECT_EQ(global.user, "");
  EXPECT_EQ(global.token_file, "f");
  EXPECT_THAT(Bad({"scopes", "list", "--token-file", "f", "--user", "bob"}), HasSubstr("not both"));
}

TEST_F(AdminCommandLineTest, OfIntrospectTheTokenFileIsThatOfTheTokenToAskAbout) {
  const Options behind = Good({"introspect", "--token-file", "f", "--user", "admin"});
  EXPECT_EQ(behind.introspect.token_file, "f");
  EXPECT_EQ(behind.global.token_file, "");
  EXPECT_EQ(behind.global.user, "admin");
}

TEST_F(AdminCommandLineTest, OutputMayBeALineForEach) {
  EXPECT_TRUE(Good({"audit", "list", "--output", "jsonl"}).global.json);
  EXPECT_TRUE(Good({"audit", "list", "--output", "jsonl"}).global.json_lines);
  EXPECT_FALSE(Good({"audit", "list", "--output", "json"}).global.json_lines);
  EXPECT_FALSE(Good({"audit", "list", "--output", "jsonl", "--output", "table"}).global.json);
}

}  // namespace
}  // namespace pat::patctl
