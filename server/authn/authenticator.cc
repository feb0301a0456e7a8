#include "server/authn/authenticator.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "server/authn/attempt_limiter.h"
#include "server/core/error.h"
#include "server/core/resource_name.h"
#include "server/core/standing.h"
#include "server/core/token_secret.h"
#include "server/crypto/wipe.h"

namespace pat {
namespace {

constexpr absl::string_view kBasic = "Basic ";
constexpr absl::string_view kBearer = "Bearer ";
constexpr size_t kLongestAuthorization = 2048;

absl::Status Invalid(absl::string_view message) {
  return MakeError(absl::StatusCode::kUnauthenticated, message, {.reason = "CREDENTIALS_INVALID"});
}

absl::Status MalformedAuthorization() {
  return Invalid(
      "the authorization header is neither \"Basic \" and base64 of name:password nor \"Bearer \" and a token");
}

absl::Status Missing(absl::string_view message) {
  return MakeError(absl::StatusCode::kUnauthenticated, message, {.reason = "CREDENTIALS_MISSING"});
}

absl::Status PortalRefused(absl::string_view message) {
  return MakeError(absl::StatusCode::kPermissionDenied, message,
                   {.reason = "ROLE_REQUIRED", .metadata = {{"role", "portal"}}});
}

// From where a call comes. gRPC calls all peers on Unix sockets "unix:"; which socket it was says more.
absl::string_view PeerOf(const CallInfo& call) {
  const bool over_unix_socket = call.peer.empty() || absl::StartsWith(call.peer, "unix:");
  return over_unix_socket && !call.listener.empty() ? call.listener : call.peer;
}

// Waits for the facts of a token and keeps what a principal is made of.
class WaitingReceiver final : public FactsReceiver {
 public:
  void Receive(const absl::StatusOr<FactsAnswer>& answer) override {
    if (!answer.ok()) {
      principal_ = answer.status();
    } else if (answer->facts != nullptr && answer->now < answer->facts->expire_time) {
      principal_ = Principal{.kind = PrincipalKind::kToken,
                             .user_id = answer->facts->owner_id,
                             .token = answer->facts->uid,
                             .may_regenerate_itself = answer->facts->scopes.Contains(kSelfRegenerateScope)};
    }
    received_.Notify();
  }

  absl::StatusOr<Principal> Wait() {
    received_.WaitForNotification();
    return std::move(principal_);
  }

 private:
  // The same text whatever was wrong with the token.
  absl::StatusOr<Principal> principal_ = Invalid("this token is not active");
  absl::Notification received_;
};

}  // namespace

// ListenerRole says it all: a certificate's role is one of them.
struct Authenticator::Transport {
  ListenerRole role = ListenerRole::kNone;
  absl::string_view identity = {};  // In the configuration, or the listener's address.
  bool digests = false;
  const Identity* certificate = nullptr;  // Null: there is none.
};

Principal Authenticator::HolderOf(const Transport& transport) {
  Principal holder{.identity = std::string(transport.identity)};
  switch (transport.role) {
    case ListenerRole::kPortal:
    case ListenerRole::kDev:
      holder.kind = PrincipalKind::kPortal;
      break;
    case ListenerRole::kIntrospector:
      holder.kind = PrincipalKind::kIntrospector;
      break;
    case ListenerRole::kUser:
    case ListenerRole::kNone:
      // Without a certificate it is anybody.
      if (transport.certificate != nullptr) holder.kind = PrincipalKind::kHolder;
      break;
  }
  return holder;
}

absl::StatusOr<Principal> Authenticator::Authenticate(const CallInfo& call, Principal* refused) {
  Principal not_let_in;
  absl::StatusOr<Principal> principal = Judge(call, not_let_in);
  const absl::string_view peer = PeerOf(call);
  if (principal.ok()) {
    principal->peer.assign(peer.data(), peer.size());
  } else if (refused != nullptr) {
    *refused = std::move(not_let_in);
    refused->peer.assign(peer.data(), peer.size());
  }
  return principal;
}

absl::StatusOr<Principal> Authenticator::StandingNow(const Principal& principal) const {
  if (!users_.has_value()) return principal;
  return StandingOf(principal, users_->store);
}

absl::StatusOr<Principal> Authenticator::Judge(const CallInfo& call, Principal& refused) {
  Transport transport;
  if (call.certificate.has_value()) {
    transport.certificate = identities_.Find(*call.certificate);
    if (transport.certificate == nullptr) {
      return Invalid(
          "this client certificate has no role here; its SPIFFE ID, URI or DNS name is not in the "
          "configuration, or is there with different roles");
    }
    transport.identity = transport.certificate->name;
    transport.digests = transport.certificate->digests;
    switch (transport.certificate->role) {
      case IdentityRole::kIntrospector:
        transport.role = ListenerRole::kIntrospector;
        break;
      case IdentityRole::kPortal:
        transport.role = ListenerRole::kPortal;
        break;
      case IdentityRole::kUser:
        transport.role = ListenerRole::kUser;
        break;
    }
  } else {
    transport.role = call.listener_role;
    transport.digests = call.listener_role == ListenerRole::kDev;
    if (call.listener_role != ListenerRole::kDev) transport.identity = call.listener;
  }

  if (!call.authorization.empty()) return FromAuthorization(call, transport);
  if (!call.portal_user.empty()) return FromPortal(call, transport, refused);
  switch (transport.role) {
    case ListenerRole::kIntrospector:
    case ListenerRole::kDev:
      return Principal{.kind = PrincipalKind::kIntrospector,
                       .identity = std::string(transport.identity),
                       .may_send_digests = transport.digests};
    case ListenerRole::kPortal:
      refused = HolderOf(transport);
      return Missing("x-pat-user is missing; a portal names the user for whom it acts");
    case ListenerRole::kNone:
    case ListenerRole::kUser:
      break;
  }
  return Missing(
      "no credential; give \"authorization: Basic ...\" with a local user's name and password, or "
      "\"authorization: Bearer ...\" with a token");
}

absl::StatusOr<Principal> Authenticator::FromAuthorization(const CallInfo& call, const Transport& transport) {
  if (!users_.has_value()) {
    return Invalid(
        "there are no users here, and no credential is taken; whoever may introspect here is known by the connection");
  }
  if (call.authorization.size() > 1) return Invalid("the authorization header is given twice; give one credential");
  if (!call.confidential) {
    return Invalid("passwords and tokens are not accepted in plaintext; connect with TLS or over a Unix socket");
  }
  const absl::string_view authorization = call.authorization.front();
  if (authorization.size() > kLongestAuthorization) return MalformedAuthorization();
  if (absl::StartsWithIgnoreCase(authorization, kBearer)) return FromToken(authorization.substr(kBearer.size()));
  if (!absl::StartsWithIgnoreCase(authorization, kBasic)) return MalformedAuthorization();
  return FromPassword(authorization.substr(kBasic.size()), call, transport);
}

absl::StatusOr<Principal> Authenticator::FromPassword(absl::string_view credentials, const CallInfo& call,
                                                      const Transport& transport) {
  std::string decoded;
  const absl::Cleanup wipe = [&decoded] { SecureWipe(decoded); };
  if (!absl::Base64Unescape(credentials, &decoded)) return MalformedAuthorization();
  const size_t colon = decoded.find(':');
  if (colon == std::string::npos) return MalformedAuthorization();
  const absl::string_view both = decoded;

  // Behind one address there may be many certificates (a proxy), and one certificate may be at many addresses (shared
  // by people): both together are a peer, so that failures elsewhere refuse nobody.
  std::string peer = AttemptPeerOf(PeerOf(call));
  if (transport.certificate != nullptr) absl::StrAppend(&peer, " ", transport.identity);
  const absl::StatusOr<std::optional<UserRecord>> user =
      users_->passwords.Verify(both.substr(0, colon), both.substr(colon + 1), peer);
  if (!user.ok()) return user.status();
  if (!user->has_value()) return Invalid("no local user has this name and password");
  return Principal{.kind = PrincipalKind::kUser,
                   .user_id = (*user)->id,
                   .administrator = (*user)->administrator,
                   .user_uid = (*user)->uid,
                   .attempt_peer = std::move(peer)};
}

absl::StatusOr<Principal> Authenticator::FromToken(absl::string_view secret) {
  WaitingReceiver receiver;
  if (!HasSecretForm(secret)) {
    receiver.Receive(FactsAnswer{});
    return receiver.Wait();
  }
  const TokenDigest digest = DigestOf(secret);
  users_->tokens.Find(digest, {.max_staleness = absl::ZeroDuration()}, receiver);
  absl::StatusOr<Principal> principal = receiver.Wait();
  if (principal.ok()) principal->token_digest = digest;
  return principal;
}

absl::StatusOr<Principal> Authenticator::FromPortal(const CallInfo& call, const Transport& transport,
                                                    Principal& refused) {
  refused = HolderOf(transport);
  if (!users_.has_value() || (transport.role != ListenerRole::kPortal && transport.role != ListenerRole::kDev)) {
    return PortalRefused("x-pat-user is for portals only; you are none");
  }
  if (call.portal_user.size() > 1) return PortalRefused("x-pat-user is given twice; name one user");
  const absl::string_view id = call.portal_user.front();
  if (!IsUserId(id)) return PortalRefused(absl::StrCat("x-pat-user: ", Quoted(id), " is no user id"));
  refused.user_id.assign(id.data(), id.size());
  const bool is_listed = transport.certificate != nullptr && std::binary_search(transport.certificate->users.begin(),
                                                                                transport.certificate->users.end(), id);
  const absl::StatusOr<std::optional<UserRecord>> user = users_->store.GetUser(id);
  if (!user.ok()) return user.status();
  if (user->has_value() && (*user)->administrator && !is_listed) return PortalNotForAdministrators();
  Principal portal{.kind = PrincipalKind::kPortal,
                   .user_id = std::string(id),
                   .identity = std::string(transport.identity),
                   .user_is_listed = is_listed};
  if (user->has_value()) portal.user_uid = (*user)->uid;
  return portal;
}

}  // namespace pat
