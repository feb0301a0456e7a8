// What a person asks patctl for: the command line, parsed. Every value here is valid as far as that can be said without
// the server.
//
// Threads: plain values.
#ifndef PAT_CLIENT_PATCTL_OPTIONS_H_
#define PAT_CLIENT_PATCTL_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/patctl/expiry.h"
#include "client/patctl/requirement.h"
#include "pat/v1/user_service.pb.h"

namespace pat::patctl {

enum class Command {
  kNone,
  kTokenCreate,
  kTokenList,
  kTokenShow,
  kTokenUpdate,
  kTokenRevoke,
  kTokenRegenerate,
  kTokenRevokeAll,
  kTokenReportLeaked,
  kScopesList,
  kScopesSearch,
  kIntrospect,
  kUserCreate,
  kUserList,
  kUserShow,
  kUserUpdate,
  kUserDelete,
  kUserSetPassword,
  kPolicyShow,
  kPolicyUpdate,
  kAuditList,
  kHealth,
  kCompletion,
};

// Users stand here by their bare names: "ada", never "users/ada".

// How to reach the server, as whom, and how to print what it says. The same for all commands.
struct GlobalOptions {
  std::string server = "127.0.0.1:7443";
  std::string user;           // Empty, and no token_file either: calls carry no credentials.
  std::string password_file;  // "-": standard input; empty: the person is asked.
  std::string token_file;     // A token is who asks, instead of a user; never both.
  std::optional<bool> tls;    // Absent: if one of what is below is given.
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_server_name;
  absl::Duration timeout = absl::Seconds(10);
  bool json = false;
  bool json_lines = false;  // Then `json` is set too.
  bool yes = false;
};

// Which of whose tokens. `owner` empty: the user who asks. `reference`: a full name, a uid or a display name.
struct TokenSelection {
  std::string owner;
  std::string reference;
};

struct TokenCreateOptions {
  std::string owner;
  std::string name;
  std::string description;
  std::vector<std::string> scopes;
  std::vector<std::string> audiences;
  std::optional<Expiry> expiry;
  std::string request_id;
  bool validate_only = false;
};

struct TokenListOptions {
  std::string owner;
  bool all_users = false;
  bool show_revoked = false;
};

struct TokenUpdateOptions {
  TokenSelection token;
  std::optional<std::string> name;  // Absent: unchanged.
  std::optional<std::string> description;
};

struct TokenRevokeOptions {
  TokenSelection token;
  bool validate_only = false;
};

struct TokenRegenerateOptions {
  TokenSelection token;
  std::optional<Expiry> expiry;  // Absent: unchanged.
  std::string request_id;
  bool validate_only = false;
};

struct TokenRevokeAllOptions {
  std::string owner;
  bool all_users = false;
  bool validate_only = false;
};

struct UserCreateOptions {
  std::string user;
  v1::User::Type type = v1::User::TYPE_LOCAL;
  std::vector<std::string> grants;
  std::optional<bool> administrator;  // Absent: false.
  std::optional<bool> disabled;
  std::string new_password_file;  // "-": standard input; empty: the person is asked.
  bool no_password = false;
  bool validate_only = false;
};

struct UserUpdateOptions {
  std::string user;
  std::optional<v1::User::Type> type;  // Absent: unchanged; so are the others.
  std::optional<bool> disabled;
  std::optional<bool> administrator;
  std::optional<std::vector<std::string>> grants;
  std::vector<std::string> add_grants;
  std::vector<std::string> remove_grants;
  bool validate_only = false;
};

struct UserDeleteOptions {
  std::string user;
  bool validate_only = false;
};

struct UserSetPasswordOptions {
  std::string user;               // Empty: the user who asks.
  std::string new_password_file;  // As in UserCreateOptions.
};

struct PolicyUpdateOptions {
  std::optional<bool> tokens_disabled;  // Absent: unchanged; so are the others.
  std::optional<absl::Duration> maximum_lifespan;
  std::optional<int32_t> maximum_live_tokens;
  std::vector<std::string> forbid;
  std::vector<std::string> allow;
  bool validate_only = false;
};

struct AuditListOptions {
  std::string about;  // A user; empty: everybody.
  std::string token;  // As TokenSelection::reference; its owner is `about`, or the user who asks.
  std::optional<Moment> since;
  std::optional<Moment> until;
  bool newest_first = false;
  int64_t limit = 10'000;
};

struct IntrospectOptions {
  std::string token_file;  // "-" or empty: standard input, or the person is asked.
  std::vector<Requirement> requirements;
  std::string audience;
  std::optional<absl::Duration> max_staleness;
};

struct Options {
  Command command = Command::kNone;
  GlobalOptions global;
  TokenCreateOptions token_create;
  TokenListOptions token_list;
  TokenSelection token_show;
  TokenUpdateOptions token_update;
  TokenRevokeOptions token_revoke;
  TokenRegenerateOptions token_regenerate;
  TokenRevokeAllOptions token_revoke_all;
  std::string leaked_secret_file;  // "-" or empty: standard input, or the person is asked.
  std::vector<std::string> scopes_search;
  IntrospectOptions introspect;
  UserCreateOptions user_create;
  std::string user_show;
  UserUpdateOptions user_update;
  UserDeleteOptions user_delete;
  UserSetPasswordOptions user_set_password;
  PolicyUpdateOptions policy_update;
  AuditListOptions audit_list;
  std::string health_service;  // Empty: the server as a whole.
  std::string completion_shell;
};

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_OPTIONS_H_
