// Authenticator: who is calling.
//
// What is judged, in this order:
//
//   1. A client certificate that has no role here is nobody, whatever else comes with it.
//   2. The `authorization` header, if there is one, is the only credential: a local user's name and password (Basic) or
//      a personal access token (Bearer), which is judged from the store, never from a cache. Whatever the certificate's
//      or listener's role is, but only where nobody listens on the way (CallInfo::confidential).
//   3. `x-pat-user` names the user for whom a portal acts. Not an administrator, unless the portal's entry lists that
//      one; and never with an administrator's rights. To others than administrators `users` is no limit.
//   4. The role of the certificate, or of the listener where there is no certificate.
//
// Errors: UNAUTHENTICATED with CREDENTIALS_MISSING (also a portal without x-pat-user) or CREDENTIALS_INVALID (one text
// for all passwords and one for all tokens that do not fit, whatever was wrong with them), PERMISSION_DENIED with
// ROLE_REQUIRED (x-pat-user from somebody who is no portal, given twice, or naming an administrator), RATE_LIMITED, and
// those of the store.
//
// Whoever sends x-pat-user and may not is refused, but is not nobody: the transport has told who it is, and the audit
// log wants to know.
//
// Threads: thread-safe.
#ifndef PAT_SERVER_AUTHN_AUTHENTICATOR_H_
#define PAT_SERVER_AUTHN_AUTHENTICATOR_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/authn/call_info.h"
#include "server/authn/identities.h"
#include "server/authn/password_verifier.h"
#include "server/core/facts_reader.h"
#include "server/core/principal.h"
#include "store/token_store.h"

namespace pat {

class Authenticator {
 public:
  // `tokens` must be the store's facts, without a cache. What is given must outlive this object.
  Authenticator(const IdentityTable& identities, const TokenReader& store, PasswordVerifier& passwords,
                FactsReader& tokens)
      : identities_(identities), users_(Users{store, passwords, tokens}) {}

  // Where no users are known (a sidecar): certificates and listeners have their roles, any `authorization` is
  // CREDENTIALS_INVALID, and there are no portals.
  explicit Authenticator(const IdentityTable& identities) : identities_(identities) {}

  // True if Authenticate() may have to wait for scrypt or a disk: not to be called on the thread of a completion queue.
  static bool MayBlock(const CallInfo& call) { return !call.authorization.empty() || !call.portal_user.empty(); }

  // `refused`, if it is given and x-pat-user is what the caller is refused for, becomes that caller: the portal, with
  // the user that it named if that is a user id, or the one without a right to that header. In all other cases, and if
  // the transport knows nobody, kNobody; from where it came in any case.
  absl::StatusOr<Principal> Authenticate(const CallInfo& call, Principal* refused = nullptr);

  // One that was let in, as it stands now (server/core/standing.h), for calls that go on for long. Reads the store if
  // there is a user.
  absl::StatusOr<Principal> StandingNow(const Principal& principal) const;

 private:
  // For whom the transport takes a caller.
  struct Transport;

  // Who sends x-pat-user over it, whether or not it may.
  static Principal HolderOf(const Transport& transport);

  absl::StatusOr<Principal> Judge(const CallInfo& call, Principal& refused);
  absl::StatusOr<Principal> FromAuthorization(const CallInfo& call, const Transport& transport);
  absl::StatusOr<Principal> FromPassword(absl::string_view credentials, const CallInfo& call,
                                         const Transport& transport);
  absl::StatusOr<Principal> FromToken(absl::string_view secret);
  absl::StatusOr<Principal> FromPortal(const CallInfo& call, const Transport& transport, Principal& refused);

  struct Users {
    const TokenReader& store;
    PasswordVerifier& passwords;
    FactsReader& tokens;
  };

  const IdentityTable& identities_;
  const std::optional<Users> users_;
};

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_AUTHENTICATOR_H_
