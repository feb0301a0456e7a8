// PasswordVerifier: is this the password of this user?
//
// Passwords are kept as scrypt leaves them. An answer costs the same for a user that does not exist, for one without a
// password and for a wrong one, so that its time tells nothing about who exists. This holds for passwords that were set
// at a lower cost than today's, too: what they lack is computed for nothing. (One set at a higher cost would show. So
// the cost may be raised from one version to the next, never lowered.)
//
// A right password is remembered for a minute, as a keyed hash that holds the stored hash too: a changed password is
// forgotten by itself. scrypt takes 32 MiB and a tenth of a second, so at most two run at a time; beyond a short queue
// callers are sent away with a delay. So is who was wrong too often (server/authn/attempt_limiter.h), with a right
// password too; that is looked at first, so that there is no way around it.
//
// Threads: thread-safe; calls block.
#ifndef PAT_SERVER_AUTHN_PASSWORD_VERIFIER_H_
#define PAT_SERVER_AUTHN_PASSWORD_VERIFIER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/authn/attempt_limiter.h"
#include "server/authn/turnstile.h"
#include "server/core/clock.h"
#include "server/core/passwords.h"
#include "server/crypto/digest.h"
#include "server/crypto/scrypt.h"
#include "store/records.h"
#include "store/token_store.h"

namespace pat {

// A new password as it is kept. One with a zero byte would never be right (see Verify); whoever sets it refuses it.
absl::StatusOr<PasswordRecord> MakePasswordRecord(absl::string_view password, ScryptCost cost = {});

// What to compute besides, for a password that is kept at `stored` cost, so that all together is the work of `today`.
// Nothing if `stored` is not the lower one.
std::vector<ScryptCost> MissingWork(const ScryptCost& stored, const ScryptCost& today);

struct PasswordOptions {
  ScryptCost cost = {};  // Of new passwords, and of strangers'.
  AttemptLimits limits = {};
};

class PasswordVerifier final : public Passwords {
 public:
  PasswordVerifier(const TokenReader& store, const Clock& clock, const PasswordOptions& options = {});

  // The user, if `id` is a local user who is not disabled and has this password; an empty optional if not, whatever the
  // reason. All of that holds when the answer is given, or held a moment before: what changed during scrypt counts.
  // `peer` is against whom a wrong one counts. Errors, which count against nobody: RATE_LIMITED (with a delay; also if
  // there is no memory for scrypt) and those of the store.
  absl::StatusOr<std::optional<UserRecord>> Verify(absl::string_view id, absl::string_view password,
                                                   absl::string_view peer);

  absl::StatusOr<PasswordRecord> Make(absl::string_view password) override;

  // As Verify().
  absl::StatusOr<bool> IsRight(absl::string_view user_id, absl::string_view password, absl::string_view peer) override;

 private:
  // Somebody who may log in with a password.
  struct Account {
    UserRecord user;
    PasswordRecord password;
  };

  // Nothing if there is no such user, or it may not log in, or has no password.
  absl::StatusOr<std::optional<Account>> ReadAccount(absl::string_view id) const;
  // Verify() without counting failures.
  absl::StatusOr<std::optional<UserRecord>> Judge(absl::string_view id, absl::string_view password);
  absl::StatusOr<bool> Matches(const PasswordRecord& record, absl::string_view password);
  Sha256Digest MemoOf(const UserUid& user, const PasswordRecord& record, absl::string_view password) const;

  const TokenReader& store_;
  const Clock& clock_;
  const HmacSha256Key memo_key_;
  const ScryptCost cost_;
  const PasswordRecord nobody_;  // Compared with for users who have no password.

  AttemptLimiter attempts_;
  Turnstile scrypt_turns_{/*most_inside=*/2, /*most_waiting=*/16};

  absl::Mutex mutex_;
  absl::flat_hash_map<Sha256Digest, absl::Time> right_until_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_PASSWORD_VERIFIER_H_
