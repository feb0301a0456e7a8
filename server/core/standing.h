// Standing: whether a caller still is who was let in.
//
// Authentication looks at the user once, and a call goes on for a while after that: it waits for scrypt, for the
// committer, for its turn. Meanwhile the user may be deleted, disabled or demoted, and that be acknowledged; or another
// user may have got the name. So every mutation asks for the standing in its transaction, before anything else, and
// goes on with what it got. A read asks after it has read and before it shows anything: what it shows is then of a time
// at which the caller still was somebody.
//
// A token has another judge, CheckStillLiving() (token_rules.h); to an introspector and to nobody there is no user.
#ifndef PAT_SERVER_CORE_STANDING_H_
#define PAT_SERVER_CORE_STANDING_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/core/principal.h"
#include "store/token_store.h"

namespace pat {

// The principal as it stands now: an administrator only if it was let in as one and still is one. Whoever becomes one
// meanwhile has to come again. Errors:
//
//   CREDENTIALS_INVALID  the user of a password was deleted, disabled, or is not local any more
//   USER_NOT_FOUND       the user of a portal was deleted, or is another one now
//   ROLE_REQUIRED        the user of a portal is an administrator now, and not among those that it acts for
//
// One without details is the store's.
absl::StatusOr<Principal> StandingOf(const Principal& principal, TokenTransaction& transaction);
absl::StatusOr<Principal> StandingOf(const Principal& principal, const TokenReader& store);

// OK for an administrator who still is one; else the errors above, or that of CheckAdministrator().
absl::Status CheckStillAdministrator(const Principal& principal, TokenTransaction& transaction);
absl::Status CheckStillAdministrator(const Principal& principal, const TokenReader& store);

// ROLE_REQUIRED: a portal acts for no administrator whom its entry in the configuration does not list.
absl::Status PortalNotForAdministrators();

}  // namespace pat

#endif  // PAT_SERVER_CORE_STANDING_H_
