#include "server/authn/password_verifier.h"

#include <array>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/core/error.h"
#include "server/crypto/bytes.h"
#include "server/crypto/constant_time.h"
#include "server/crypto/random.h"
#include "server/crypto/wipe.h"

namespace pat {
namespace {

constexpr size_t kMostRemembered = 1024;
constexpr size_t kSaltBytes = 16;
constexpr absl::Duration kRememberedFor = absl::Seconds(60);

HmacSha256Key RandomKey() {
  std::array<uint8_t, 32> bytes{};
  FillRandom(absl::MakeSpan(bytes));
  HmacSha256Key key(bytes);
  SecureWipe(bytes.data(), bytes.size());
  return key;
}

// A record that no password matches.
PasswordRecord NobodysRecord(const ScryptCost& cost) {
  PasswordRecord record{
      .scrypt_n = cost.n, .scrypt_r = cost.r, .scrypt_p = cost.p, .salt = std::string(kSaltBytes, '\0')};
  FillRandom(absl::MakeSpan(record.hash));
  return record;
}

// To what scrypt's time is proportional.
uint64_t WorkOf(const ScryptCost& cost) { return cost.n * cost.r * cost.p; }

absl::Status TryAgain(absl::string_view message, absl::Duration delay) {
  return MakeError(absl::StatusCode::kResourceExhausted, message, {.reason = "RATE_LIMITED", .retry_delay = delay});
}

}  // namespace

absl::StatusOr<PasswordRecord> MakePasswordRecord(absl::string_view password, ScryptCost cost) {
  PasswordRecord record{
      .scrypt_n = cost.n, .scrypt_r = cost.r, .scrypt_p = cost.p, .salt = std::string(kSaltBytes, '\0')};
  FillRandom(absl::MakeSpan(reinterpret_cast<uint8_t*>(record.salt.data()), record.salt.size()));
  const absl::StatusOr<ScryptKey> key = Scrypt(password, AsBytes(record.salt), cost);
  if (!key.ok()) return key.status();
  record.hash = *key;
  return record;
}

std::vector<ScryptCost> MissingWork(const ScryptCost& stored, const ScryptCost& today) {
  std::vector<ScryptCost> missing;
  if (WorkOf(stored) >= WorkOf(today)) return missing;
  uint64_t rest = (WorkOf(today) - WorkOf(stored)) / today.r;
  // Powers of two, the largest first, but none larger than today's memory.
  for (uint64_t n = today.n; n >= 2; n /= 2) {
    for (; rest >= n; rest -= n) missing.push_back({.n = n, .r = today.r, .p = 1});
  }
  return missing;
}

PasswordVerifier::PasswordVerifier(const TokenReader& store, const Clock& clock, const PasswordOptions& options)
    : store_(store),
      clock_(clock),
      memo_key_(RandomKey()),
      cost_(options.cost),
      nobody_(NobodysRecord(options.cost)),
      attempts_(options.limits, RandomKey(), clock) {}

Sha256Digest PasswordVerifier::MemoOf(const UserUid& user, const PasswordRecord& record,
                                      absl::string_view password) const {
  std::string input = absl::StrCat(AsText(user.bytes), AsText(record.hash), password);
  const Sha256Digest memo = memo_key_.Mac(AsBytes(input));
  SecureWipe(input);
  return memo;
}

absl::StatusOr<bool> PasswordVerifier::Matches(const PasswordRecord& record, absl::string_view password) {
  if (!scrypt_turns_.Enter()) return TryAgain("too many passwords are being checked", absl::Seconds(1));
  const absl::Cleanup leave = [this] { scrypt_turns_.Leave(); };
  const ScryptCost cost{.n = record.scrypt_n, .r = record.scrypt_r, .p = record.scrypt_p};
  absl::StatusOr<ScryptKey> key = Scrypt(password, AsBytes(record.salt), cost);
  // Not the store: it has no details yet, and would read as if its disk were full.
  if (absl::IsResourceExhausted(key.status())) {
    return TryAgain("there is not enough memory to check a password", absl::Seconds(1));
  }
  if (!key.ok()) return key.status();
  const bool match = ConstantTimeEqual(*key, record.hash);
  SecureWipe(key->data(), key->size());
  for (const ScryptCost& rest : MissingWork(cost, cost_)) {
    absl::StatusOr<ScryptKey> for_nothing = Scrypt(password, AsBytes(record.salt), rest);
    if (for_nothing.ok()) SecureWipe(for_nothing->data(), for_nothing->size());
  }
  return match;
}

absl::StatusOr<PasswordRecord> PasswordVerifier::Make(absl::string_view password) {
  if (!scrypt_turns_.Enter()) return TryAgain("too many passwords are being computed", absl::Seconds(1));
  const absl::Cleanup leave = [this] { scrypt_turns_.Leave(); };
  absl::StatusOr<PasswordRecord> record = MakePasswordRecord(password, cost_);
  if (absl::IsResourceExhausted(record.status())) {
    return TryAgain("there is not enough memory to compute a password", absl::Seconds(1));
  }
  return record;
}

absl::StatusOr<bool> PasswordVerifier::IsRight(absl::string_view user_id, absl::string_view password,
                                               absl::string_view peer) {
  const absl::StatusOr<std::optional<UserRecord>> user = Verify(user_id, password, peer);
  if (!user.ok()) return user.status();
  return user->has_value();
}

absl::StatusOr<std::optional<UserRecord>> PasswordVerifier::Verify(absl::string_view id, absl::string_view password,
                                                                   absl::string_view peer) {
  // Before what is remembered, too: else that could be guessed at the speed of a hash.
  if (const absl::Duration wait = attempts_.Begin(id, peer); wait > absl::ZeroDuration()) {
    return TryAgain("too many wrong passwords; wait", wait);
  }
  absl::StatusOr<std::optional<UserRecord>> user = Judge(id, password);
  if (!user.ok()) {
    attempts_.Neither(id, peer);
  } else if (user->has_value()) {
    attempts_.Right(id, peer);
  } else {
    attempts_.Wrong(id, peer);
  }
  return user;
}

absl::StatusOr<std::optional<PasswordVerifier::Account>> PasswordVerifier::ReadAccount(absl::string_view id) const {
  absl::StatusOr<std::optional<UserRecord>> user = store_.GetUser(id);
  if (!user.ok()) return user.status();
  if (!user->has_value() || (*user)->type != UserType::kLocal || (*user)->disabled) return std::nullopt;
  absl::StatusOr<std::optional<PasswordRecord>> password = store_.GetPassword((*user)->uid);
  if (!password.ok()) return password.status();
  if (!password->has_value()) return std::nullopt;
  return Account{**std::move(user), **std::move(password)};
}

absl::StatusOr<std::optional<UserRecord>> PasswordVerifier::Judge(absl::string_view id, absl::string_view password) {
  const absl::StatusOr<std::optional<Account>> account = ReadAccount(id);
  if (!account.ok()) return account.status();
  // To scrypt (to HMAC, under it) "x" and "x\0" are the same password. So none with a zero byte is ever right.
  if (!account->has_value() || absl::StrContains(password, '\0')) {
    const absl::StatusOr<bool> same_work = Matches(nobody_, password);
    if (!same_work.ok()) return same_work.status();
    return std::nullopt;
  }

  const auto& [user, record] = **account;
  const Sha256Digest memo = MemoOf(user.uid, record, password);
  const absl::Time now = clock_.Now();
  {
    const absl::MutexLock lock(&mutex_);
    const auto remembered = right_until_.find(memo);
    if (remembered != right_until_.end() && now <= remembered->second) return user;
  }
  const absl::StatusOr<bool> match = Matches(record, password);
  if (!match.ok()) return match.status();
  if (!*match) return std::nullopt;
  // That took a while. What was compared with must be what holds now.
  absl::StatusOr<std::optional<Account>> still = ReadAccount(id);
  if (!still.ok()) return still.status();
  if (!still->has_value() || (*still)->user.uid != user.uid || (*still)->password != record) return std::nullopt;
  const absl::MutexLock lock(&mutex_);
  // Few people manage tokens at a time; forgetting all of them now and then costs each one scrypt.
  if (right_until_.size() >= kMostRemembered) right_until_.clear();
  right_until_[memo] = now + kRememberedFor;
  return std::move((*still)->user);
}

}  // namespace pat
