// Small facts about records that every engine must see the same way. No state, no clock.
#ifndef PAT_STORE_RECORD_RULES_H_
#define PAT_STORE_RECORD_RULES_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "store/records.h"

namespace pat {

// When the token ended or will end, as far as the record itself tells: its revocation or its expiry, whichever is
// earlier. A token that died with its epoch ends, by this measure, when it expires.
absl::Time EndOf(const TokenRecord& token);

// OK if `next` may replace `previous`: the fields that never change are the same. Otherwise kInvalidArgument, which is
// a mistake of the program and never of a caller.
absl::Status CheckReplacement(const TokenRecord& previous, const TokenRecord& next);
absl::Status CheckReplacement(const UserRecord& previous, const UserRecord& next);

}  // namespace pat

#endif  // PAT_STORE_RECORD_RULES_H_
