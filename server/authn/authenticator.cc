#include "server/authn/authenticator.h"

#include <optional>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/core/error.h"
#include "server/core/resource_name.h"
#include "server/crypto/wipe.h"

namespace pat {
namespace {

constexpr absl::string_view kBasic = "Basic ";
constexpr size_t kLongestAuthorization = 2048;

absl::Status Invalid(absl::string_view message) {
  return MakeError(absl::StatusCode::kUnauthenticated, message, {.reason = "CREDENTIALS_INVALID"});
}

absl::Status PortalRefused(absl::string_view message) {
  return MakeError(absl::StatusCode::kPermissionDenied, message,
                   {.reason = "ROLE_REQUIRED", .metadata = {{"role", "portal"}}});
}

}  // namespace

absl::StatusOr<Principal> Authenticator::Authenticate(const CallInfo& call) {
  if (call.authorization.size() > 1) return Invalid("the authorization header is given twice; give one credential");
  if (!call.authorization.empty()) return FromPassword(call.authorization.front());
  if (!call.portal_user.empty()) return FromPortal(call);
  if (call.listener_role != ListenerRole::kNone) {
    return Principal{.kind = PrincipalKind::kIntrospector,
                     .may_send_digests = call.listener_role == ListenerRole::kDev};
  }
  return MakeError(absl::StatusCode::kUnauthenticated,
                   "no credential; give \"authorization: Basic ...\" with a local user's name and password",
                   {.reason = "CREDENTIALS_MISSING"});
}

absl::StatusOr<Principal> Authenticator::FromPassword(absl::string_view authorization) {
  std::string decoded;
  const absl::Cleanup wipe = [&decoded] { SecureWipe(decoded); };
  if (authorization.size() > kLongestAuthorization || !absl::StartsWithIgnoreCase(authorization, kBasic) ||
      !absl::Base64Unescape(authorization.substr(kBasic.size()), &decoded)) {
    return Invalid("the authorization header is not \"Basic \" and base64 of name:password");
  }
  const size_t colon = decoded.find(':');
  if (colon == std::string::npos) {
    return Invalid("the authorization header is not \"Basic \" and base64 of name:password");
  }
  const absl::string_view both = decoded;
  const absl::StatusOr<std::optional<UserRecord>> user =
      passwords_.Verify(both.substr(0, colon), both.substr(colon + 1));
  if (!user.ok()) return user.status();
  if (!user->has_value()) return Invalid("no local user has this name and password");
  return Principal{.kind = PrincipalKind::kUser, .user_id = (*user)->id, .administrator = (*user)->administrator};
}

absl::StatusOr<Principal> Authenticator::FromPortal(const CallInfo& call) {
  if (call.listener_role != ListenerRole::kDev) {
    return PortalRefused("x-pat-user is for portals only; you are none");
  }
  if (call.portal_user.size() > 1) return PortalRefused("x-pat-user is given twice; name one user");
  const absl::string_view id = call.portal_user.front();
  if (!IsUserId(id)) return PortalRefused(absl::StrCat("x-pat-user: ", Quoted(id), " is no user id"));
  const absl::StatusOr<std::optional<UserRecord>> user = store_.GetUser(id);
  if (!user.ok()) return user.status();
  if (user->has_value() && (*user)->administrator) {
    return PortalRefused("a portal does not act for an administrator; administrators log in with their password");
  }
  return Principal{.kind = PrincipalKind::kPortal, .user_id = std::string(id)};
}

}  // namespace pat
