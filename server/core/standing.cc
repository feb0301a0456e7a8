#include "server/core/standing.h"

#include <optional>

#include "server/core/admin_rules.h"
#include "server/core/error.h"
#include "server/core/token_rules.h"

namespace pat {
namespace {

absl::Status NotLetInAnyMore() {
  return MakeError(absl::StatusCode::kUnauthenticated, "this user may not log in any more",
                   {.reason = "CREDENTIALS_INVALID"});
}

// `Store`: a transaction or a reader.
template <typename Store>
absl::StatusOr<Principal> Judge(const Principal& principal, Store& store) {
  const bool by_password = principal.kind == PrincipalKind::kUser;
  if (!by_password && principal.kind != PrincipalKind::kPortal) return principal;
  const absl::StatusOr<std::optional<UserRecord>> found = store.GetUser(principal.user_id);
  if (!found.ok()) return found.status();
  const std::optional<UserRecord>& user = *found;
  const bool is_there = user.has_value() && user->uid == principal.user_uid;
  if (by_password) {
    if (!is_there || user->disabled || user->type != UserType::kLocal) return NotLetInAnyMore();
  } else {
    // For one who was not there and is not: the rules say so, each in its way.
    if (!user.has_value() && !principal.user_uid.has_value()) return principal;
    // A portal has its own credential, with which nothing is wrong.
    if (!is_there) return UserNotFound(principal.user_id);
    if (user->administrator && !principal.user_is_listed) return PortalNotForAdministrators();
  }
  Principal now = principal;
  now.administrator = principal.administrator && user->administrator;
  return now;
}

template <typename Store>
absl::Status JudgeAdministrator(const Principal& principal, Store& store) {
  const absl::StatusOr<Principal> now = Judge(principal, store);
  return now.ok() ? CheckAdministrator(*now) : now.status();
}

}  // namespace

absl::StatusOr<Principal> StandingOf(const Principal& principal, TokenTransaction& transaction) {
  return Judge(principal, transaction);
}

absl::StatusOr<Principal> StandingOf(const Principal& principal, const TokenReader& store) {
  return Judge(principal, store);
}

absl::Status CheckStillAdministrator(const Principal& principal, TokenTransaction& transaction) {
  return JudgeAdministrator(principal, transaction);
}

absl::Status CheckStillAdministrator(const Principal& principal, const TokenReader& store) {
  return JudgeAdministrator(principal, store);
}

absl::Status PortalNotForAdministrators() {
  return MakeError(
      absl::StatusCode::kPermissionDenied,
      "this portal does not act for this administrator; administrators log in with their password, or the portal's "
      "entry in the configuration lists them under users",
      {.reason = "ROLE_REQUIRED", .metadata = {{"role", "portal"}}});
}

}  // namespace pat
