// PasswordVerifier: is this the password of this user?
//
// Passwords are kept as scrypt leaves them. An answer costs the same for a user that does not exist, for one without a
// password and for a wrong one, so that its time tells nothing about who exists.
//
// A right password is remembered for a minute, as a keyed hash that holds the stored hash too: a changed password is
// forgotten by itself. scrypt takes 32 MiB and a tenth of a second, so at most two run at a time; beyond a short queue
// callers are sent away with a delay.
//
// Threads: Verify() is thread-safe and blocks.
#ifndef PAT_SERVER_AUTHN_PASSWORD_VERIFIER_H_
#define PAT_SERVER_AUTHN_PASSWORD_VERIFIER_H_

#include <cstddef>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/authn/turnstile.h"
#include "server/core/clock.h"
#include "server/crypto/digest.h"
#include "server/crypto/scrypt.h"
#include "store/records.h"
#include "store/token_store.h"

namespace pat {

// A new password as it is kept. One with a zero byte would never be right (see Verify); whoever sets it refuses it.
absl::StatusOr<PasswordRecord> MakePasswordRecord(absl::string_view password, ScryptCost cost = {});

class PasswordVerifier {
 public:
  PasswordVerifier(const TokenReader& store, const Clock& clock);

  // The user, if `id` is a local user who is not disabled and has this password; an empty optional if not, whatever the
  // reason. Errors: RATE_LIMITED (with a delay; also if there is no memory for scrypt) and those of the store.
  absl::StatusOr<std::optional<UserRecord>> Verify(absl::string_view id, absl::string_view password);

 private:
  absl::StatusOr<bool> Matches(const PasswordRecord& record, absl::string_view password);
  Sha256Digest MemoOf(const UserUid& user, const PasswordRecord& record, absl::string_view password) const;

  const TokenReader& store_;
  const Clock& clock_;
  const HmacSha256Key memo_key_;
  const PasswordRecord nobody_;  // Compared with for users who have no password.

  Turnstile scrypt_turns_{/*most_inside=*/2, /*most_waiting=*/16};

  absl::Mutex mutex_;
  absl::flat_hash_map<Sha256Digest, absl::Time> right_until_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_PASSWORD_VERIFIER_H_
