#include "store/record_rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pat {

absl::Time EndOf(const TokenRecord& token) {
  return token.revoke_time.has_value() ? std::min(*token.revoke_time, token.expire_time) : token.expire_time;
}

absl::Status CheckReplacement(const TokenRecord& previous, const TokenRecord& next) {
  if (previous.uid != next.uid || previous.owner != next.owner || previous.owner_id != next.owner_id ||
      previous.create_sequence != next.create_sequence) {
    return absl::InvalidArgumentError(
        absl::StrCat("token ", previous.uid.ToString(), ": uid, owner, owner_id and create_sequence never change"));
  }
  return absl::OkStatus();
}

absl::Status CheckReplacement(const UserRecord& previous, const UserRecord& next) {
  if (previous.uid != next.uid || previous.id != next.id) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", previous.uid.ToString(), ": uid and id never change, and an id has one uid"));
  }
  return absl::OkStatus();
}

}  // namespace pat
