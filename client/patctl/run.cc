#include "client/patctl/run.h"

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/patctl/command_line.h"
#include "client/patctl/commands.h"
#include "client/patctl/completion.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/session.h"

namespace pat::patctl {
namespace {

absl::StatusOr<ExitCode> PrintText(const std::string& text, Session& session) {
  absl::Status status = session.Print(text);
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

absl::StatusOr<ExitCode> Dispatch(const CommandLine& command_line, Session& session) {
  const Options& options = command_line.options();
  switch (options.command) {
    case Command::kTokenCreate:
      return TokenCreate(options.token_create, session);
    case Command::kTokenList:
      return TokenList(options.token_list, session);
    case Command::kTokenShow:
      return TokenShow(options.token_show, session);
    case Command::kTokenUpdate:
      return TokenUpdate(options.token_update, session);
    case Command::kTokenRevoke:
      return TokenRevoke(options.token_revoke, session);
    case Command::kTokenRegenerate:
      return TokenRegenerate(options.token_regenerate, session);
    case Command::kTokenRevokeAll:
      return TokenRevokeAll(options.token_revoke_all, session);
    case Command::kTokenReportLeaked:
      return TokenReportLeaked(options.leaked_secret_file, session);
    case Command::kUserCreate:
      return UserCreate(options.user_create, session);
    case Command::kUserList:
      return UserList(session);
    case Command::kUserShow:
      return UserShow(options.user_show, session);
    case Command::kUserUpdate:
      return UserUpdate(options.user_update, session);
    case Command::kUserDelete:
      return UserDelete(options.user_delete, session);
    case Command::kUserSetPassword:
      return UserSetPassword(options.user_set_password, session);
    case Command::kPolicyShow:
      return PolicyShow(session);
    case Command::kPolicyUpdate:
      return PolicyUpdate(options.policy_update, session);
    case Command::kAuditList:
      return AuditList(options.audit_list, session);
    case Command::kScopesList:
      return Scopes("", session);
    case Command::kScopesSearch:
      return Scopes(absl::StrJoin(options.scopes_search, " "), session);
    case Command::kIntrospect:
      return Introspect(options.introspect, session);
    case Command::kHealth:
      return Health(options.health_service, session);
    case Command::kCompletion:
      return PrintText(
          options.completion_shell == "zsh" ? ZshCompletion(command_line.app()) : BashCompletion(command_line.app()),
          session);
    case Command::kNone:
      break;
  }
  return UsageError("a command is missing");
}

int Report(const absl::Status& status, Session& session) {
  session.Say(absl::StrCat("patctl: ", status.message()));
  return static_cast<int>(ExitCodeOf(status));
}

}  // namespace

int Run(int argc, const char* const* argv, Console& console, const client::Clock& clock) {
  CommandLine command_line;
  const auto parsed = command_line.Parse(argc, argv);
  Session session(command_line.options().global, console, clock);
  if (!parsed.ok()) return Report(parsed.status(), session);
  const auto result = parsed->has_value() ? PrintText(**parsed, session) : Dispatch(command_line, session);
  if (!result.ok()) return Report(result.status(), session);
  return static_cast<int>(*result);
}

}  // namespace pat::patctl
