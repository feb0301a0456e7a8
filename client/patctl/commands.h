// The commands of patctl. Each is in the file of its name: token_create.cc, token_show.cc, ...
//
// Results go to standard output, everything else to standard error. A secret is alone on standard output, once. A
// status that is not OK says why the command ended; nothing was printed about that yet. See exit_code.h.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_COMMANDS_H_
#define PAT_CLIENT_PATCTL_COMMANDS_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/options.h"
#include "client/patctl/session.h"

namespace pat::patctl {

absl::StatusOr<ExitCode> TokenCreate(const TokenCreateOptions& options, Session& session);
absl::StatusOr<ExitCode> TokenList(const TokenListOptions& options, Session& session);
absl::StatusOr<ExitCode> TokenShow(const TokenSelection& options, Session& session);
absl::StatusOr<ExitCode> TokenUpdate(const TokenUpdateOptions& options, Session& session);
absl::StatusOr<ExitCode> TokenRevoke(const TokenRevokeOptions& options, Session& session);
absl::StatusOr<ExitCode> TokenRegenerate(const TokenRegenerateOptions& options, Session& session);

absl::StatusOr<ExitCode> TokenRevokeAll(const TokenRevokeAllOptions& options, Session& session);

// An empty file is standard input.
absl::StatusOr<ExitCode> TokenReportLeaked(const std::string& secret_file, Session& session);

absl::StatusOr<ExitCode> UserCreate(const UserCreateOptions& options, Session& session);
absl::StatusOr<ExitCode> UserList(Session& session);
absl::StatusOr<ExitCode> UserShow(const std::string& user_id, Session& session);
absl::StatusOr<ExitCode> UserUpdate(const UserUpdateOptions& options, Session& session);
absl::StatusOr<ExitCode> UserDelete(const UserDeleteOptions& options, Session& session);
absl::StatusOr<ExitCode> UserSetPassword(const UserSetPasswordOptions& options, Session& session);

absl::StatusOr<ExitCode> PolicyShow(Session& session);
absl::StatusOr<ExitCode> PolicyUpdate(const PolicyUpdateOptions& options, Session& session);

absl::StatusOr<ExitCode> AuditList(const AuditListOptions& options, Session& session);

// An empty query lists all.
absl::StatusOr<ExitCode> Scopes(const std::string& query, Session& session);

absl::StatusOr<ExitCode> Introspect(const IntrospectOptions& options, Session& session);

// Done only if the server is serving.
absl::StatusOr<ExitCode> Health(const std::string& service, Session& session);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_COMMANDS_H_
