// UserLifecycle: the rules for users. Create, look at, change, delete, set a password.
//
// For administrators; SetPassword also for a user with the own current password. Whether somebody still is one is
// decided with the change, in its transaction, and so is whether current_password still is the password. Whoever is
// disabled, is no longer local or is deleted has no active token from the next read of the store on; what that costs
// does not depend on how many tokens there are. The last administrator who can log in (local, enabled, with a password)
// stays.
//
// Every change writes a row of the audit log in the same transaction.
//
// Errors carry ErrorDetails: INVALID_REQUEST, ROLE_REQUIRED, USER_NOT_FOUND, USER_EXISTS, USER_NOT_LOCAL (a password
// for somebody who has none here), LAST_ADMINISTRATOR, ETAG_MISMATCH, CREDENTIALS_INVALID (a wrong current_password, or
// a caller who may not log in any more), RATE_LIMITED. One without details is the store's.
//
// Threads: thread-safe; calls block.
#ifndef PAT_SERVER_CORE_USER_LIFECYCLE_H_
#define PAT_SERVER_CORE_USER_LIFECYCLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/core/audit_log.h"
#include "server/core/clock.h"
#include "server/core/page_token.h"
#include "server/core/passwords.h"
#include "server/core/peppers.h"
#include "server/core/principal.h"
#include "server/core/scope_catalog.h"
#include "server/crypto/secret.h"
#include "store/token_store.h"

namespace pat {

struct CreateUserQuery {
  std::string user_id = {};
  std::optional<UserType> type = {};  // Absent: not said, or an enumerator that is none,
  int32_t unknown_type = 0;           // which is this.
  bool disabled = false;
  bool administrator = false;
  std::vector<std::string> grants = {};
  absl::string_view password = {};  // A view. Empty: none.
  bool validate_only = false;
};

struct UpdateUserQuery {
  std::string name = {};
  std::optional<UserType> type = {};  // As above.
  int32_t unknown_type = 0;
  bool disabled = false;
  bool administrator = false;
  std::vector<std::string> grants = {};
  std::vector<std::string> update_mask = {};
  std::string etag = {};
  bool validate_only = false;
};

struct DeleteUserQuery {
  std::string name = {};
  std::string etag = {};
  bool validate_only = false;
};

struct SetPasswordQuery {
  std::string name = {};
  absl::string_view password = {};          // A view.
  absl::string_view current_password = {};  // A view.
};

struct ListUsersQuery {
  int64_t page_size = 0;
  std::string page_token = {};
};

struct ChangedUser {
  UserRecord user;
  absl::Time last_accept_time;  // After it no cache anywhere answers from what the user was before.
};

struct EndedTokens {
  uint64_t revoked_count = 0;
  absl::Time last_accept_time;
};

struct UserViewPage {
  std::vector<UserRecord> users;
  std::string next_page_token;
};

class UserLifecycle {
 public:
  // What is given must outlive this object.
  UserLifecycle(TokenStore& store, const ScopeCatalog& catalog, Passwords& passwords, AuditLog& audit,
                const Peppers& peppers, const Clock& clock);

  absl::StatusOr<UserRecord> Create(const Principal& principal, const CreateUserQuery& query);

  // In a store where no administrator can log in yet, so that nobody could be asked; else ROLE_REQUIRED. For `patd
  // init`, which is who `principal` says for the audit log.
  absl::StatusOr<UserRecord> CreateFirst(const Principal& principal, const CreateUserQuery& query);

  absl::StatusOr<UserRecord> Get(const Principal& principal, const std::string& name) const;
  absl::StatusOr<UserViewPage> List(const Principal& principal, const ListUsersQuery& query) const;
  absl::StatusOr<ChangedUser> Update(const Principal& principal, const UpdateUserQuery& query);
  absl::StatusOr<EndedTokens> Delete(const Principal& principal, const DeleteUserQuery& query);
  absl::Status SetPassword(const Principal& principal, const SetPasswordQuery& query);

  static std::string EtagOf(const UserRecord& user);

 private:
  absl::StatusOr<UserRecord> CreateIf(const Principal& principal, const CreateUserQuery& query,
                                      absl::FunctionRef<absl::Status(TokenTransaction&)> may);

  TokenStore& store_;
  const ScopeCatalog& catalog_;
  Passwords& passwords_;
  AuditLog& audit_;
  const Clock& clock_;
  const PageTokens page_tokens_;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_USER_LIFECYCLE_H_
