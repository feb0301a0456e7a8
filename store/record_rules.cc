#include "store/record_rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pat {

absl::Time EndOf(const TokenRecord& token) {
  return token.revoke_time.has_value() ? std::min(*token.revoke_time, token.expire_time) : token.expire_time;
}

absl::Time SecretTimeOf(const TokenRecord& token) { return token.regenerate_time.value_or(token.create_time); }

absl::Time EffectiveExpireTime(absl::Time expire_time, absl::Time secret_time, const PolicyRecord& policy) {
  const absl::Time latest = secret_time + policy.maximum_lifespan;
  return std::min(expire_time, absl::FromUnixSeconds(absl::ToUnixSeconds(latest)));
}

absl::Time EffectiveExpireTime(const TokenRecord& token, const PolicyRecord& policy) {
  return EffectiveExpireTime(token.expire_time, SecretTimeOf(token), policy);
}

absl::Time CutToMinute(absl::Time time) {
  constexpr int64_t kMinute = 60;
  const int64_t seconds = absl::ToUnixSeconds(time);
  const int64_t past_minute = ((seconds % kMinute) + kMinute) % kMinute;
  return absl::FromUnixSeconds(seconds - past_minute);
}

bool IsActiveAdministrator(const UserRecord& user, bool has_password) {
  return user.administrator && !user.disabled && user.type == UserType::kLocal && has_password;
}

absl::Status CheckReplacement(const TokenRecord& previous, const TokenRecord& next) {
  if (previous.uid != next.uid || previous.owner != next.owner || previous.owner_id != next.owner_id ||
      previous.create_sequence != next.create_sequence || previous.epochs != next.epochs) {
    return absl::InvalidArgumentError(absl::StrCat("token ", previous.uid.ToString(),
                                                   ": uid, owner, owner_id, epochs and create_sequence never change"));
  }
  return absl::OkStatus();
}

absl::Status CheckReplacement(const UserRecord& previous, const UserRecord& next) {
  if (previous.uid != next.uid || previous.id != next.id) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", previous.uid.ToString(), ": uid and id never change, and an id has one uid"));
  }
  if (previous.token_epoch != next.token_epoch) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", previous.uid.ToString(), ": token_epoch is changed by RevokeAll alone"));
  }
  return absl::OkStatus();
}

absl::Status CheckInsertion(const TokenRecord& token, uint64_t sequence) {
  if (token.create_sequence == sequence) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("token ", token.uid.ToString(), " is made in mutation ", sequence,
                                                 ", not in ", token.create_sequence));
}

absl::Status CheckInsertion(const UserRecord& user, bool inherits) {
  if (inherits) {
    return absl::InvalidArgumentError(absl::StrCat(
        "user ", user.uid.ToString(), ": a uid is not given again, and tokens of the former one are there"));
  }
  if (user.token_epoch == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("user ", user.uid.ToString(), ": the token_epoch of a new user is 0, not ", user.token_epoch));
}

absl::Status CheckInsertion(const AuditRecord& row, uint64_t sequence) {
  if (row.sequence == sequence && row.count > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("an audit row of mutation ", sequence, " that counts ", row.count,
                                                 " and says that it is of mutation ", row.sequence));
}

// Copied and made alike where a difference does not matter: a field that is added one day matters until somebody says
// that it does not.
bool IsChange(const TokenRecord& previous, const TokenRecord& next) {
  TokenRecord alike = next;
  alike.display_name = previous.display_name;
  alike.description = previous.description;
  alike.last_use_time = previous.last_use_time;
  alike.change_sequence = previous.change_sequence;
  return alike != previous;
}

bool IsChange(const UserRecord& previous, const UserRecord& next) {
  UserRecord alike = next;
  alike.administrator = previous.administrator;
  alike.create_time = previous.create_time;
  alike.change_sequence = previous.change_sequence;
  return alike != previous;
}

bool IsChange(const PolicyRecord& previous, const PolicyRecord& next) {
  PolicyRecord alike = next;
  alike.maximum_live_tokens = previous.maximum_live_tokens;
  alike.change_sequence = previous.change_sequence;
  return alike != previous;
}

absl::Status CheckEpochs(const TokenRecord& token, uint64_t global_epoch, const std::optional<UserRecord>& owner) {
  if (owner.has_value() && token.epochs == Epochs{.global = global_epoch, .owner = owner->token_epoch}) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("token ", token.uid.ToString(), " is of an epoch that has ended, or of nobody"));
}

}  // namespace pat
