#include "server/core/user_lifecycle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/core/admin_rules.h"
#include "server/core/cache_bound.h"
#include "server/core/error.h"
#include "server/core/new_uid.h"
#include "server/core/resource_name.h"
#include "server/core/standing.h"
#include "server/core/token_rules.h"

namespace pat {
namespace {

constexpr absl::string_view kCreateMethod = "pat.v1.UserService/CreateUser";
constexpr absl::string_view kUpdateMethod = "pat.v1.UserService/UpdateUser";
constexpr absl::string_view kDeleteMethod = "pat.v1.UserService/DeleteUser";
constexpr absl::string_view kSetPasswordMethod = "pat.v1.UserService/SetPassword";

constexpr absl::string_view kType = "type";
constexpr absl::string_view kDisabled = "disabled";
constexpr absl::string_view kAdministrator = "administrator";
constexpr absl::string_view kGrants = "grants";

constexpr size_t kMostGrants = 200;
constexpr size_t kLongestPassword = 1024;  // Bytes.

absl::string_view TypeText(UserType type) {
  switch (type) {
    case UserType::kLocal:
      return "local";
    case UserType::kDirectory:
      return "directory";
    case UserType::kSaml:
      return "SAML";
  }
  return "unknown";
}

void CheckType(const std::optional<UserType>& type, int32_t unknown, Violations& violations) {
  if (type.has_value()) return;
  const std::string wrong = unknown == 0 ? "is missing" : absl::StrCat(unknown, " is no type");
  violations.push_back({"user.type", absl::StrCat(wrong, "; give TYPE_LOCAL, TYPE_DIRECTORY or TYPE_SAML")});
}

// With a password.
bool CanAdminister(const UserRecord& user) {
  return user.type == UserType::kLocal && !user.disabled && user.administrator;
}

// Refuses if `before` is the only one who can administer.
absl::Status CheckNotLast(TokenTransaction& transaction, const UserRecord& before) {
  if (!CanAdminister(before)) return absl::OkStatus();
  const absl::StatusOr<std::optional<PasswordRecord>> password = transaction.GetPassword(before.uid);
  if (!password.ok()) return password.status();
  if (!password->has_value()) return absl::OkStatus();
  const absl::StatusOr<uint64_t> administrators = transaction.CountAdministrators();
  if (!administrators.ok()) return administrators.status();
  if (*administrators > 1) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat(UserName(before.id),
                                " is the last administrator who can log in (is local, not disabled and has a "
                                "password); make another one first"),
                   {.reason = "LAST_ADMINISTRATOR"});
}

absl::Status CurrentPasswordWrong() {
  return MakeError(absl::StatusCode::kUnauthenticated, "current_password is not right",
                   {.reason = "CREDENTIALS_INVALID"});
}

absl::Status CheckCanHavePassword(const UserRecord& user) {
  if (user.type == UserType::kLocal) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat(UserName(user.id), " is not a local user; only local users have a password here"),
                   {.reason = "USER_NOT_LOCAL"});
}

// What was changed, for the audit log.
std::string DetailOf(const UserRecord& user, const std::vector<std::string>& mask) {
  std::vector<std::string> parts;
  if (Masks(mask, kType)) parts.emplace_back(TypeText(user.type));
  if (Masks(mask, kDisabled)) parts.emplace_back(user.disabled ? "disabled" : "enabled");
  if (Masks(mask, kAdministrator)) parts.emplace_back(user.administrator ? "administrator" : "no administrator");
  if (Masks(mask, kGrants)) parts.push_back(absl::StrCat("grants: ", ShortList(user.grants)));
  return absl::StrJoin(parts, "; ");
}

std::string ListContext(const Principal& principal) { return principal.ToString(); }

}  // namespace

UserLifecycle::UserLifecycle(TokenStore& store, const ScopeCatalog& catalog, Passwords& passwords, AuditLog& audit,
                             const Peppers& peppers, const Clock& clock)
    : store_(store),
      catalog_(catalog),
      passwords_(passwords),
      audit_(audit),
      clock_(clock),
      page_tokens_(peppers.DeriveKey("page tokens of ListUsers")) {}

std::string UserLifecycle::EtagOf(const UserRecord& user) { return absl::StrCat("\"", user.change_sequence, "\""); }

absl::StatusOr<UserRecord> UserLifecycle::Create(const Principal& principal, const CreateUserQuery& query) {
  if (absl::Status status = CheckAdministrator(principal); !status.ok()) return status;
  return CreateIf(principal, query, [&principal](TokenTransaction& transaction) {
    return CheckStillAdministrator(principal, transaction);
  });
}

absl::StatusOr<UserRecord> UserLifecycle::CreateFirst(const Principal& principal, const CreateUserQuery& query) {
  return CreateIf(principal, query, [](TokenTransaction& transaction) {
    const absl::StatusOr<uint64_t> administrators = transaction.CountAdministrators();
    if (!administrators.ok()) return administrators.status();
    return *administrators == 0 ? absl::OkStatus() : AdministratorRequired();
  });
}

absl::StatusOr<UserRecord> UserLifecycle::CreateIf(const Principal& principal, const CreateUserQuery& query,
                                                   absl::FunctionRef<absl::Status(TokenTransaction&)> may) {
  Violations violations;
  if (!IsUserId(query.user_id)) {
    violations.push_back({"user_id", absl::StrCat(Quoted(query.user_id),
                                                  " is no id; give 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning "
                                                  "with a letter or digit")});
  }
  CheckType(query.type, query.unknown_type, violations);
  CheckScopeNames(query.grants, catalog_, kMostGrants, /*star=*/true, "user.grants", violations);
  if (!query.password.empty()) {
    CheckPassword(query.password, "password", violations);
    if (query.type.has_value() && *query.type != UserType::kLocal) {
      violations.push_back({"password", "is given, but only local users have one here; leave it out"});
    }
  }
  if (!violations.empty()) return InvalidRequest(std::move(violations));

  std::optional<PasswordRecord> password;
  if (!query.password.empty() && !query.validate_only) {
    absl::StatusOr<PasswordRecord> made = passwords_.Make(query.password);
    if (!made.ok()) return made.status();
    password = *std::move(made);
  }
  UserRecord user;
  user.id = query.user_id;
  user.type = *query.type;
  user.disabled = query.disabled;
  user.administrator = query.administrator;
  user.grants = query.grants;
  user.create_time = clock_.Now();
  if (!query.validate_only) user.uid = NewUid<UserUid>();
  AuditRecord row = audit_.RowOf(principal, kCreateMethod, UserName(user.id));
  row.detail = absl::StrCat(DetailOf(user, {"type", "disabled", "administrator", "grants"}),
                            password.has_value() ? "; with a password" : "");
  const absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    absl::Status status = may(transaction);
    if (!status.ok()) return status;
    const absl::StatusOr<std::optional<UserRecord>> known = transaction.GetUser(user.id);
    if (!known.ok()) return known.status();
    if (known->has_value()) {
      return MakeError(absl::StatusCode::kAlreadyExists,
                       absl::StrCat("there is a user ", Quoted(user.id), " already; choose another id"),
                       {.reason = "USER_EXISTS"});
    }
    if (query.validate_only) return Decision::kDiscard;
    user.change_sequence = transaction.Sequence();
    if (status = transaction.PutUser(user); !status.ok()) return status;
    if (password.has_value()) {
      if (status = transaction.PutPassword(user.uid, *password); !status.ok()) return status;
    }
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  });
  if (!done.ok()) return done;
  if (!query.validate_only) audit_.Committed(row);
  return user;
}

absl::StatusOr<UserRecord> UserLifecycle::Get(const Principal& principal, const std::string& name) const {
  if (absl::Status status = CheckAdministrator(principal); !status.ok()) return status;
  Violations violations;
  const std::optional<std::string> id = CheckUserName(name, "name", violations);
  if (!violations.empty()) return InvalidRequest(std::move(violations));
  absl::StatusOr<std::optional<UserRecord>> user = store_.GetUser(*id);
  if (absl::Status status = CheckStillAdministrator(principal, store_); !status.ok()) return status;
  if (!user.ok()) return user.status();
  if (!user->has_value()) return UserNotFound(*id);
  return **std::move(user);
}

absl::StatusOr<UserViewPage> UserLifecycle::List(const Principal& principal, const ListUsersQuery& query) const {
  if (absl::Status status = CheckAdministrator(principal); !status.ok()) return status;
  Violations violations;
  const std::optional<size_t> page_size = CheckPageSize(query.page_size, violations);
  std::optional<std::string> after = std::string();
  if (!query.page_token.empty()) after = page_tokens_.DecodeText(query.page_token, ListContext(principal));
  if (!after.has_value()) {
    violations.push_back({"page_token", "is not from an answer to this caller; start over"});
  }
  if (!violations.empty()) return InvalidRequest(std::move(violations));
  absl::StatusOr<UserPage> page = store_.ListUsers({.after_id = *after, .limit = *page_size});
  if (absl::Status status = CheckStillAdministrator(principal, store_); !status.ok()) return status;
  if (!page.ok()) return page.status();
  UserViewPage view;
  if (page->more) view.next_page_token = page_tokens_.EncodeText(page->users.back().id, ListContext(principal));
  view.users = std::move(page->users);
  return view;
}

absl::StatusOr<ChangedUser> UserLifecycle::Update(const Principal& principal, const UpdateUserQuery& query) {
  if (absl::Status status = CheckAdministrator(principal); !status.ok()) return status;
  Violations violations;
  const std::vector<std::string>& mask = query.update_mask;
  const std::optional<std::string> id = CheckUserName(query.name, "user.name", violations);
  CheckMask(mask, {kType, kDisabled, kAdministrator, kGrants}, violations);
  if (Masks(mask, kType)) CheckType(query.type, query.unknown_type, violations);
  if (Masks(mask, kGrants)) {
    CheckScopeNames(query.grants, catalog_, kMostGrants, /*star=*/true, "user.grants", violations);
  }
  if (!violations.empty()) return InvalidRequest(std::move(violations));

  UserRecord user;
  AuditRecord row = audit_.RowOf(principal, kUpdateMethod, query.name);
  absl::StatusOr<CacheBoundRecord> bound;
  const absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    if (bound = transaction.GetCacheBound(); !bound.ok()) return bound.status();
    absl::Status status = CheckStillAdministrator(principal, transaction);
    if (!status.ok()) return status;
    const absl::StatusOr<UserRecord> before = LoadUser(transaction, *id);
    if (!before.ok()) return before.status();
    user = *before;
    if (status = CheckEtagIs(EtagOf(user), query.etag, "the user"); !status.ok()) return status;
    if (Masks(mask, kType)) user.type = *query.type;
    if (Masks(mask, kDisabled)) user.disabled = query.disabled;
    if (Masks(mask, kAdministrator)) user.administrator = query.administrator;
    if (Masks(mask, kGrants)) user.grants = query.grants;
    if (!CanAdminister(user)) {
      if (status = CheckNotLast(transaction, *before); !status.ok()) return status;
    }
    if (query.validate_only) return Decision::kDiscard;
    user.change_sequence = transaction.Sequence();
    if (status = transaction.PutUser(user); !status.ok()) return status;
    row.detail = DetailOf(user, mask);
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  });
  if (!done.ok()) return done;
  if (!query.validate_only) audit_.Committed(row);
  return ChangedUser{std::move(user), LastAcceptTime(*bound, clock_.Now())};
}

absl::StatusOr<EndedTokens> UserLifecycle::Delete(const Principal& principal, const DeleteUserQuery& query) {
  if (absl::Status status = CheckAdministrator(principal); !status.ok()) return status;
  Violations violations;
  const std::optional<std::string> id = CheckUserName(query.name, "name", violations);
  if (!violations.empty()) return InvalidRequest(std::move(violations));

  EndedTokens ended;
  AuditRecord row = audit_.RowOf(principal, kDeleteMethod, query.name);
  absl::StatusOr<CacheBoundRecord> bound;
  const absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    if (bound = transaction.GetCacheBound(); !bound.ok()) return bound.status();
    absl::Status status = CheckStillAdministrator(principal, transaction);
    if (!status.ok()) return status;
    const absl::StatusOr<UserRecord> user = LoadUser(transaction, *id);
    if (!user.ok()) return user.status();
    if (status = CheckEtagIs(EtagOf(*user), query.etag, "the user"); !status.ok()) return status;
    if (status = CheckNotLast(transaction, *user); !status.ok()) return status;
    const absl::StatusOr<uint64_t> count = transaction.DeleteUser(user->uid, clock_.Now());
    if (!count.ok()) return count.status();
    ended.revoked_count = *count;
    if (query.validate_only) return Decision::kDiscard;
    row.detail = TokensRevoked(*count);
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  });
  if (!done.ok()) return done;
  if (!query.validate_only) audit_.Committed(row);
  ended.last_accept_time = LastAcceptTime(*bound, clock_.Now());
  return ended;
}

absl::Status UserLifecycle::SetPassword(const Principal& principal, const SetPasswordQuery& query) {
  Violations violations;
  const std::optional<std::string> id = CheckUserName(query.name, "name", violations);
  const bool own = principal.kind == PrincipalKind::kUser && id == principal.user_id;
  // Who may not is told so before anything else, whether or not that user exists.
  if (!own && !principal.IsAdministrator()) return AdministratorRequired();
  CheckPassword(query.password, "password", violations);
  if (own && query.current_password.empty()) {
    violations.push_back({"current_password", "is missing; it takes the password until now to set one's own"});
  } else if (query.current_password.size() > kLongestPassword) {
    violations.push_back({"current_password",
                          absl::StrCat("has ", query.current_password.size(), " bytes; at most ", kLongestPassword)});
  }
  if (!violations.empty()) return InvalidRequest(std::move(violations));

  // Before scrypt is asked for anything.
  const absl::StatusOr<std::optional<UserRecord>> user = store_.GetUser(*id);
  if (!user.ok()) return user.status();
  if (!user->has_value()) return UserNotFound(*id);
  if (absl::Status status = CheckCanHavePassword(**user); !status.ok()) return status;
  // Read before it is compared with: if this is what is kept at the end, it was this that matched. A password set anew
  // never makes the same record, because of its salt.
  absl::StatusOr<std::optional<PasswordRecord>> matched;
  if (own) {
    if (matched = store_.GetPassword((*user)->uid); !matched.ok()) return matched.status();
    const absl::StatusOr<bool> right = passwords_.IsRight(*id, query.current_password, principal.attempt_peer);
    if (!right.ok()) return right.status();
    if (!*right) return CurrentPasswordWrong();
  }
  const absl::StatusOr<PasswordRecord> password = passwords_.Make(query.password);
  if (!password.ok()) return password.status();
  AuditRecord row = audit_.RowOf(principal, kSetPasswordMethod, query.name);
  absl::Status done = store_.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    const absl::StatusOr<Principal> now = StandingOf(principal, transaction);
    if (!now.ok()) return now.status();
    if (!own && !now->IsAdministrator()) return AdministratorRequired();
    const absl::StatusOr<UserRecord> kept = LoadUser(transaction, *id);
    if (!kept.ok()) return kept.status();
    // Another one of the same name meanwhile: whoever asked did not mean that one.
    if (kept->uid != (*user)->uid) return UserNotFound(*id);
    absl::Status status = CheckCanHavePassword(*kept);
    if (!status.ok()) return status;
    if (own) {
      const absl::StatusOr<std::optional<PasswordRecord>> still = transaction.GetPassword(kept->uid);
      if (!still.ok()) return still.status();
      // Reset by an administrator, or set by somebody with the same password, while this call waited for scrypt.
      if (*still != *matched) return CurrentPasswordWrong();
    }
    if (status = transaction.PutPassword(kept->uid, *password); !status.ok()) return status;
    if (status = audit_.Put(transaction, row); !status.ok()) return status;
    return Decision::kCommit;
  });
  if (done.ok()) audit_.Committed(row);
  return done;
}

}  // namespace pat
