// Passwords: what the rules for users need to know of passwords. Implemented by server/authn, where scrypt's cost is
// bounded.
#ifndef PAT_SERVER_CORE_PASSWORDS_H_
#define PAT_SERVER_CORE_PASSWORDS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/records.h"

namespace pat {

// Threads: thread-safe; calls block.
class Passwords {
 public:
  virtual ~Passwords() = default;

  // A new password as it is kept. RATE_LIMITED if too many are being computed.
  virtual absl::StatusOr<PasswordRecord> Make(absl::string_view password) = 0;

  // Whether this is the password of that enabled local user. Costs the same for users who do not exist. `peer` is whom
  // a wrong one counts against (Principal::attempt_peer). RATE_LIMITED: too many are being computed, or too many were
  // wrong.
  virtual absl::StatusOr<bool> IsRight(absl::string_view user_id, absl::string_view password,
                                       absl::string_view peer) = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_PASSWORDS_H_
