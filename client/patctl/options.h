// What a person asks patctl for: the command line, parsed. Every value here is valid as far as that can be said without
// the server.
//
// Threads: plain values.
#ifndef PAT_CLIENT_PATCTL_OPTIONS_H_
#define PAT_CLIENT_PATCTL_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/patctl/expiry.h"
#include "client/patctl/requirement.h"

namespace pat::patctl {

enum class Command {
  kNone,
  kTokenCreate,
  kTokenList,
  kTokenShow,
  kTokenUpdate,
  kTokenRevoke,
  kTokenRegenerate,
  kScopesList,
  kScopesSearch,
  kIntrospect,
  kHealth,
  kCompletion,
};

// How to reach the server, as whom, and how to print what it says. The same for all commands.
struct GlobalOptions {
  std::string server = "127.0.0.1:7443";
  std::string user;           // Empty: calls carry no credentials.
  std::string password_file;  // "-": standard input; empty: the person is asked.
  bool tls = false;           // Also if one of the files below is given.
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  absl::Duration timeout = absl::Seconds(10);
  bool json = false;
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
  std::vector<std::string> scopes_search;
  IntrospectOptions introspect;
  std::string health_service;  // Empty: the server as a whole.
  std::string completion_shell;
};

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_OPTIONS_H_
