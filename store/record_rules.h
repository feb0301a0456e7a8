// Small facts about records that every engine must see the same way. No state, no clock.
#ifndef PAT_STORE_RECORD_RULES_H_
#define PAT_STORE_RECORD_RULES_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "store/records.h"

namespace pat {

// When the token ended or will end, as far as the record itself tells: its revocation or its expiry, whichever is
// earlier. A token that died with its epoch ends, by this measure, when it expires.
absl::Time EndOf(const TokenRecord& token);

// From when on the token's secret is what it is: it was made with the token, or the last time it was regenerated.
absl::Time SecretTimeOf(const TokenRecord& token);

// When a token ends that nobody revokes: at its own expire_time, or earlier if its secret is then as old as the policy
// lets one become, cut to a whole second, so that `exp` says exactly when (docs/adr/0010-expiry-in-whole-seconds.md).
absl::Time EffectiveExpireTime(absl::Time expire_time, absl::Time secret_time, const PolicyRecord& policy);
absl::Time EffectiveExpireTime(const TokenRecord& token, const PolicyRecord& policy);

// `time` cut to the minute: how exactly uses are kept.
absl::Time CutToMinute(absl::Time time);

// Counts for TokenTransaction::CountAdministrators. With `has_password` false nobody does.
bool IsActiveAdministrator(const UserRecord& user, bool has_password);

// OK if `next` may replace `previous`: the fields that never change are the same. Otherwise kInvalidArgument, which is
// a mistake of the program and never of a caller.
absl::Status CheckReplacement(const TokenRecord& previous, const TokenRecord& next);
absl::Status CheckReplacement(const UserRecord& previous, const UserRecord& next);

// The same for one that is new: in mutation `sequence`, or, for a user, with `inherits` if there is a token that a user
// of this uid left behind unrevoked.
absl::Status CheckInsertion(const TokenRecord& token, uint64_t sequence);
absl::Status CheckInsertion(const UserRecord& user, bool inherits);
absl::Status CheckInsertion(const AuditRecord& row, uint64_t sequence);

// Whether `next` instead of `previous` is a Change: a read may come to something else now.
bool IsChange(const TokenRecord& previous, const TokenRecord& next);
bool IsChange(const UserRecord& previous, const UserRecord& next);
bool IsChange(const PolicyRecord& previous, const PolicyRecord& next);

// OK if the token was made in the epochs that are current: the global one, and that of its owner (nullopt: is gone).
absl::Status CheckEpochs(const TokenRecord& token, uint64_t global_epoch, const std::optional<UserRecord>& owner);

}  // namespace pat

#endif  // PAT_STORE_RECORD_RULES_H_
