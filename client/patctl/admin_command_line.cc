#include "client/patctl/admin_command_line.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/patctl/command_line_parts.h"
#include "client/patctl/expiry.h"

namespace pat::patctl {
namespace {

constexpr char kPasswordNever[] =
    "The password is never an argument: others could see it in the list of processes. patctl asks for it twice, or "
    "takes it from --new-password-file.\n";

absl::StatusOr<int64_t> ParseLimit(absl::string_view text) {
  constexpr int64_t kMost = 1'000'000;
  int64_t limit = 0;
  if (absl::SimpleAtoi(text, &limit) && limit >= 1 && limit <= kMost) return limit;
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": give a number from 1 to ", kMost));
}

// How many make sense is for the server to judge.
absl::StatusOr<int32_t> ParseCount(absl::string_view text) {
  int32_t count = 0;
  if (absl::SimpleAtoi(text, &count) && count >= 0) return count;
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": give a number, 0 or more"));
}

CLI::Option* AddUserArgument(CLI::App& app, std::string& user, const std::string& description) {
  return AddUser(app, "user", user, description);
}

template <typename Take>
CLI::Option* AddType(CLI::App& app, Take take, const std::string& description) {
  return app
      .add_option_function<std::string>(
          "--type",
          [take](const std::string& text) {
            if (text == "local") take(v1::User::TYPE_LOCAL);
            if (text == "directory") take(v1::User::TYPE_DIRECTORY);
            if (text == "saml") take(v1::User::TYPE_SAML);
          },
          description)
      ->type_name("TYPE")
      ->check(CLI::IsMember(std::vector<std::string>{"local", "directory", "saml"}));
}

CLI::Option* AddNewPasswordFile(CLI::App& app, std::string& file) {
  return app.add_option("--new-password-file", file, "Where the new password is; - is standard input")
      ->type_name("FILE");
}

void AddUserCreate(CLI::App& user, Options& options) {
  UserCreateOptions& create = options.user_create;
  CLI::App& app = AddCommand(user, "create", "Make a user", Command::kUserCreate, options);
  AddUserArgument(app, create.user, "What to call the user: lower case letters, digits, dots, underscores and hyphens")
      ->required();
  AddType(
      app, [&create](v1::User::Type type) { create.type = type; },
      "Where the user comes from; local unless given. Others have no password and no tokens");
  AddNames(app, "--grants", create.grants, "Scopes that the user has, as A,B or repeated; * is all of them");
  AddBool(app, "--administrator", create.administrator, "May manage users, policy and audit; false unless given");
  AddBool(app, "--disabled", create.disabled, "May not log in, nor use tokens; false unless given");
  CLI::Option* file = AddNewPasswordFile(app, create.new_password_file);
  app.add_flag("--no-password", create.no_password, "None for now: the user cannot log in until set-password")
      ->excludes(file);
  AddValidateOnly(app, create.validate_only);
  app.footer(absl::StrCat(kPasswordNever, kSeeGlobal));
}

void AddUserUpdate(CLI::App& user, Options& options) {
  UserUpdateOptions& update = options.user_update;
  CLI::App& app = AddCommand(user, "update", "Change what a user is or may do", Command::kUserUpdate, options);
  AddUserArgument(app, update.user, "Which user")->required();
  AddType(
      app, [&update](v1::User::Type type) { update.type = type; },
      "Where the user comes from. The tokens of users who are not local are inactive");
  AddBool(app, "--disabled", update.disabled, "May not log in, and the user's tokens are inactive while this is so");
  AddBool(app, "--administrator", update.administrator, "May manage users, policy and audit");
  CLI::Option* grants =
      app.add_option_function<std::string>(
             "--grants",
             [&update](const std::string& text) { update.grants = absl::StrSplit(text, ',', absl::SkipEmpty()); },
             "The scopes that the user has from now on, as A,B; * is all of them, '' none")
          ->type_name("NAME");
  AddNames(app, "--grant", update.add_grants, "One more scope, as A,B or repeated")->excludes(grants);
  AddNames(app, "--remove-grant", update.remove_grants, "A scope less, as A,B or repeated")->excludes(grants);
  AddValidateOnly(app, update.validate_only);
  app.footer(
      absl::StrCat("What somebody else has changed meanwhile is not overwritten: then the call fails.\n", kSeeGlobal));
}

void AddUsers(CLI::App& root, Options& options) {
  CLI::App& user = *root.add_subcommand("user", "Users: for administrators, and set-password for oneself");
  user.require_subcommand(1);
  AddUserCreate(user, options);
  AddCommand(user, "list", "All users", Command::kUserList, options);
  AddUserArgument(AddCommand(user, "show", "One user", Command::kUserShow, options), options.user_show, "Which user")
      ->required();
  AddUserUpdate(user, options);
  CLI::App& remove =
      AddCommand(user, "delete", "Remove a user and end the user's tokens for ever", Command::kUserDelete, options);
  AddUserArgument(remove, options.user_delete.user, "Which user")->required();
  AddValidateOnly(remove, options.user_delete.validate_only);
  CLI::App& set_password =
      AddCommand(user, "set-password", "Give a user a new password", Command::kUserSetPassword, options);
  AddUserArgument(set_password, options.user_set_password.user, "Whose; the user who asks, unless given");
  AddNewPasswordFile(set_password, options.user_set_password.new_password_file);
  set_password.footer(absl::StrCat(kPasswordNever, kSeeGlobal));
}

void AddPolicy(CLI::App& root, Options& options) {
  CLI::App& policy = *root.add_subcommand("policy", "What holds for everybody's tokens (for administrators)");
  policy.require_subcommand(1);
  AddCommand(policy, "show", "The policy", Command::kPolicyShow, options);

  PolicyUpdateOptions& update = options.policy_update;
  CLI::App& app = AddCommand(policy, "update", "Change the policy", Command::kPolicyUpdate, options);
  app.add_option_function<std::string>(
         "--tokens", [&update](const std::string& text) { update.tokens_disabled = text == "disabled"; },
         "Whether there are tokens at all: while they are disabled all are inactive, and none is made")
      ->type_name("STATE")
      ->check(CLI::IsMember(std::vector<std::string>{"enabled", "disabled"}));
  AddParsed<absl::Duration>(
      app, "--maximum-lifespan", ParsePositiveDuration,
      [&update](absl::Duration duration) { update.maximum_lifespan = duration; },
      "A token lives at most so long after it was created or last regenerated: 12h, 90d, ...")
      ->type_name("DURATION");
  AddParsed<int32_t>(
      app, "--maximum-live-tokens", ParseCount, [&update](int32_t count) { update.maximum_live_tokens = count; },
      "How many live tokens a user can have")
      ->type_name("N");
  AddNames(app, "--forbid", update.forbid, "A scope that no token can have, as A,B or repeated");
  AddNames(app, "--allow", update.allow, "A scope that is no longer forbidden, as A,B or repeated");
  AddValidateOnly(app, update.validate_only);
  app.footer(
      absl::StrCat("It holds for tokens that there are, too, from the next read of the store on; the number of "
                   "live tokens only when one is made.\n"
                   "What somebody else has changed meanwhile is not overwritten: then the call fails.\n",
                   kSeeGlobal));
}

void AddAudit(CLI::App& root, Options& options) {
  CLI::App& audit = *root.add_subcommand("audit", "Who did what, and who was refused (for administrators)");
  audit.require_subcommand(1);
  AuditListOptions& list = options.audit_list;
  CLI::App& app = AddCommand(audit, "list", "Events, oldest first", Command::kAuditList, options);
  AddUser(app, "--about", list.about, "Only what was done for this user or to something of this user's");
  app.add_option("--token", list.token,
                 "Only what was done to this token: its name (users/ada/tokens/...), or of the user --about its ID or "
                 "display name")
      ->type_name("TOKEN");
  AddParsed<Moment>(
      app, "--since", ParseSince, [&list](Moment moment) { list.since = moment; },
      "From then on: 24h or 7d ago, 2027-01-31 (UTC) or 2027-01-31T18:00:00Z")
      ->type_name("WHEN");
  AddParsed<Moment>(
      app, "--until", ParseUntil, [&list](Moment moment) { list.until = moment; },
      "Before then; a date: through its end")
      ->type_name("WHEN");
  app.add_flag("--newest-first", list.newest_first, "The newest first");
  AddParsed<int64_t>(
      app, "--limit", ParseLimit, [&list](int64_t limit) { list.limit = limit; }, "At most so many; 10000 unless given")
      ->type_name("N");
  app.footer(absl::StrCat("Who asks is said with --user, as everywhere. --output jsonl prints a line for each event.\n",
                          kSeeGlobal));
}

}  // namespace

void AddAdminCommands(CLI::App& root, Options& options) {
  AddUsers(root, options);
  AddPolicy(root, options);
  AddAudit(root, options);
}

}  // namespace pat::patctl
