// Authenticator: who is calling.
//
// The `authorization` header, if there is one, is the only credential that is judged. Without it, `x-pat-user` names
// the user for whom a portal acts. Without either, the listener's role counts.
//
// Errors: UNAUTHENTICATED with CREDENTIALS_MISSING or CREDENTIALS_INVALID (one text, whatever was wrong with a
// password), PERMISSION_DENIED with ROLE_REQUIRED (x-pat-user from somebody who is no portal, given twice, or naming an
// administrator), RATE_LIMITED, and those of the store.
//
// Threads: thread-safe.
#ifndef PAT_SERVER_AUTHN_AUTHENTICATOR_H_
#define PAT_SERVER_AUTHN_AUTHENTICATOR_H_

#include "absl/status/statusor.h"
#include "server/authn/call_info.h"
#include "server/authn/password_verifier.h"
#include "server/core/principal.h"
#include "store/token_store.h"

namespace pat {

class Authenticator {
 public:
  Authenticator(const TokenReader& store, PasswordVerifier& passwords) : store_(store), passwords_(passwords) {}

  // True if Authenticate() may have to wait for scrypt or a disk: not to be called on the thread of a completion queue.
  static bool MayBlock(const CallInfo& call) { return !call.authorization.empty() || !call.portal_user.empty(); }

  absl::StatusOr<Principal> Authenticate(const CallInfo& call);

 private:
  absl::StatusOr<Principal> FromPassword(absl::string_view authorization);
  absl::StatusOr<Principal> FromPortal(const CallInfo& call);

  const TokenReader& store_;
  PasswordVerifier& passwords_;
};

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_AUTHENTICATOR_H_
