#include "store/rocksdb/key_encoding.h"

#include <algorithm>
#include <utility>

#include "store/rocksdb/ordered_bytes.h"

namespace pat::rocks {
namespace {

// The letters that tell the kinds of row in one family apart.
constexpr char kAll = 'A';
constexpr char kUnrevoked = 'B';
constexpr char kOwnerAll = 'C';
constexpr char kOwnerUnrevoked = 'D';
constexpr char kLiveExpiry = 'E';
constexpr char kLiveName = 'N';
constexpr char kUser = 'U';
constexpr char kUserId = 'I';
constexpr char kRequest = 'R';
constexpr char kForget = 'F';
constexpr char kOwnerEpoch = 'O';
constexpr char kGlobalEpoch = 'G';
constexpr char kEpochEnd = 'T';
constexpr char kAuditRow = 'A';
constexpr char kAuditUser = 'U';
constexpr char kAuditToken = 'K';

constexpr size_t kUidSize = 16;
constexpr size_t kSequenceSize = 8;
constexpr size_t kTimeSize = 12;

std::string OwnerPrefix(char kind, const UserUid& owner) {
  std::string key(1, kind);
  AppendArray(key, owner.bytes);
  return key;
}

std::string EpochsPrefix(char kind, const UserUid& owner, const Epochs& epochs) {
  std::string key = OwnerPrefix(kind, owner);
  AppendUint64(key, epochs.global);
  AppendUint64(key, epochs.owner);
  return key;
}

// The times at the end of a key of Family::kLive, in front of the uid.
std::optional<LiveTimes> LiveTimesOf(absl::string_view key, bool (*consume_expiry)(absl::string_view&, absl::Time&)) {
  constexpr size_t kEndSize = 2 * kTimeSize + kUidSize;
  if (key.size() < kEndSize) return std::nullopt;
  key.remove_prefix(key.size() - kEndSize);
  LiveTimes times;
  if (!consume_expiry(key, times.expire_time) || !ConsumeTime(key, times.secret_time)) return std::nullopt;
  return times;
}

}  // namespace

std::optional<TokenUid> UidAtEnd(absl::string_view key) {
  if (key.size() < kUidSize) return std::nullopt;
  TokenUid uid;
  key.remove_prefix(key.size() - kUidSize);
  ConsumeArray(key, uid.bytes);
  return uid;
}

std::string HmacKey(const TokenHmac& hmac) {
  std::string key;
  key.reserve(hmac.pepper_id.size() + hmac.mac.size());
  AppendArray(key, hmac.pepper_id);
  AppendArray(key, hmac.mac);
  return key;
}

std::optional<PepperId> PepperIdOf(absl::string_view hmac_key) {
  PepperId id{};
  if (!ConsumeArray(hmac_key, id)) return std::nullopt;
  return id;
}

std::string AllPrefix() { return std::string(1, kAll); }
std::string UnrevokedPrefix() { return std::string(1, kUnrevoked); }
std::string OwnerAllPrefix(const UserUid& owner) { return OwnerPrefix(kOwnerAll, owner); }
std::string OwnerUnrevokedPrefix(const UserUid& owner, const Epochs& epochs) {
  return EpochsPrefix(kOwnerUnrevoked, owner, epochs);
}

std::string ListPosition(std::string prefix, uint64_t create_sequence) {
  AppendUint64(prefix, create_sequence);
  return prefix;
}

std::string ListKey(std::string prefix, uint64_t create_sequence, const TokenUid& uid) {
  std::string key = ListPosition(std::move(prefix), create_sequence);
  AppendArray(key, uid.bytes);
  return key;
}

std::optional<uint64_t> CreateSequenceOf(absl::string_view list_key) {
  if (list_key.size() < kSequenceSize + kUidSize) return std::nullopt;
  list_key.remove_prefix(list_key.size() - kSequenceSize - kUidSize);
  uint64_t sequence = 0;
  ConsumeUint64(list_key, sequence);
  return sequence;
}

std::string LiveNamePrefix(const UserUid& owner, const Epochs& epochs, absl::string_view display_name) {
  std::string key = EpochsPrefix(kLiveName, owner, epochs);
  AppendTerminated(key, display_name);
  return key;
}

std::string LiveNameKey(std::string prefix, const LiveTimes& times, const TokenUid& uid) {
  AppendDescendingTime(prefix, times.expire_time);
  AppendTime(prefix, times.secret_time);
  AppendArray(prefix, uid.bytes);
  return prefix;
}

std::optional<LiveTimes> LiveTimesOfNameKey(absl::string_view live_name_key) {
  return LiveTimesOf(live_name_key, ConsumeDescendingTime);
}

std::string LiveExpiryPrefix(const UserUid& owner, const Epochs& epochs) {
  return EpochsPrefix(kLiveExpiry, owner, epochs);
}

std::string LiveExpiryPosition(std::string prefix, absl::Time now) {
  // Not expired means now < expire_time, and expiries are kept to the nanosecond: so the first such one is at the next
  // nanosecond, also if `now` is finer than that.
  AppendTime(prefix, now + absl::Nanoseconds(1));
  return prefix;
}

std::string LiveExpiryKey(std::string prefix, const LiveTimes& times, const TokenUid& uid) {
  AppendTime(prefix, times.expire_time);
  AppendTime(prefix, times.secret_time);
  AppendArray(prefix, uid.bytes);
  return prefix;
}

std::optional<LiveTimes> LiveTimesOfExpiryKey(absl::string_view live_expiry_key) {
  return LiveTimesOf(live_expiry_key, ConsumeTime);
}

std::string EndedPosition(absl::Time cutoff) {
  std::string key;
  AppendTime(key, cutoff);
  return key;
}

std::string EndedKey(absl::Time end, const TokenUid& uid) {
  std::string key = EndedPosition(end);
  AppendArray(key, uid.bytes);
  return key;
}

std::string UserKey(const UserUid& uid) { return OwnerPrefix(kUser, uid); }

std::string UserKeyOf(absl::string_view uid_bytes) {
  std::string key(1, kUser);
  key.append(uid_bytes.data(), uid_bytes.size());
  return key;
}

std::string UserIdKey(absl::string_view id) {
  std::string key(1, kUserId);
  key.append(id.data(), id.size());
  return key;
}

bool IsUserKey(absl::string_view key) { return !key.empty() && key.front() == kUser; }

std::string UserIdPrefix() { return std::string(1, kUserId); }

std::string UserIdPosition(absl::string_view after_id) {
  if (after_id.empty()) return UserIdPrefix();
  std::string key = UserIdKey(after_id);
  key.push_back('\0');
  return key;
}

std::string RequestKey(absl::string_view key) {
  std::string row(1, kRequest);
  row.append(key.data(), key.size());
  return row;
}

std::optional<absl::string_view> RequestKeyOf(absl::string_view row) {
  if (row.empty() || row.front() != kRequest) return std::nullopt;
  return row.substr(1);
}

std::string ForgetPrefix() { return std::string(1, kForget); }

std::string ForgetPosition(absl::Time cutoff) {
  std::string row = ForgetPrefix();
  AppendTime(row, cutoff);
  return row;
}

std::string ForgetKey(absl::Time forget_time, absl::string_view key) {
  std::string row = ForgetPosition(forget_time);
  row.append(key.data(), key.size());
  return row;
}

std::optional<absl::string_view> RequestOf(absl::string_view forget_key) {
  if (forget_key.size() < 1 + kTimeSize) return std::nullopt;
  return forget_key.substr(1 + kTimeSize);
}

std::string OwnerEpochsPrefix(const UserUid& owner) { return OwnerPrefix(kOwnerEpoch, owner); }

std::string OwnerEpochKey(const UserUid& owner, const Epochs& epochs) {
  return EpochsPrefix(kOwnerEpoch, owner, epochs);
}

std::string GlobalEpochKey(uint64_t epoch) {
  std::string key(1, kGlobalEpoch);
  AppendUint64(key, epoch);
  return key;
}

std::string EpochEndPrefix() { return std::string(1, kEpochEnd); }

std::string EpochEndPosition(absl::Time cutoff) {
  std::string key = EpochEndPrefix();
  AppendTime(key, cutoff);
  return key;
}

std::string EpochEndKey(absl::Time end, absl::string_view epoch_key) {
  std::string key = EpochEndPosition(end);
  key.append(epoch_key.data(), epoch_key.size());
  return key;
}

std::optional<OwnerEpoch> OwnerEpochOf(absl::string_view key) {
  if (key.empty() || key.front() != kOwnerEpoch) return std::nullopt;
  key.remove_prefix(1);
  OwnerEpoch epoch;
  if (!ConsumeArray(key, epoch.owner.bytes) || !ConsumeUint64(key, epoch.epochs.global) ||
      !ConsumeUint64(key, epoch.epochs.owner) || !key.empty()) {
    return std::nullopt;
  }
  return epoch;
}

std::optional<uint64_t> GlobalEpochOf(absl::string_view key) {
  if (key.empty() || key.front() != kGlobalEpoch) return std::nullopt;
  key.remove_prefix(1);
  uint64_t epoch = 0;
  if (!ConsumeUint64(key, epoch) || !key.empty()) return std::nullopt;
  return epoch;
}

std::optional<absl::string_view> EpochKeyOf(absl::string_view end_key) {
  if (end_key.size() <= 1 + kTimeSize || end_key.front() != kEpochEnd) return std::nullopt;
  return end_key.substr(1 + kTimeSize);
}

std::optional<OwnerEpoch> OwnerEpochOfListKey(absl::string_view list_key) {
  if (list_key.size() < kSequenceSize + kUidSize || list_key.front() != kOwnerUnrevoked) return std::nullopt;
  std::string key(list_key.substr(0, list_key.size() - kSequenceSize - kUidSize));
  key.front() = kOwnerEpoch;
  return OwnerEpochOf(key);
}

std::string AuditPrefix() { return std::string(1, kAuditRow); }

std::string AuditUserPrefix(absl::string_view user_id) {
  std::string key(1, kAuditUser);
  AppendTerminated(key, user_id);
  return key;
}

std::string AuditTokenPrefix(const TokenUid& token) {
  std::string key(1, kAuditToken);
  AppendArray(key, token.bytes);
  return key;
}

std::string AuditPlace(std::string prefix, absl::Time time) {
  AppendTime(prefix, time);
  return prefix;
}

std::string AuditKey(std::string prefix, absl::Time time, uint64_t sequence) {
  std::string key = AuditPlace(std::move(prefix), time);
  AppendUint64(key, sequence);
  return key;
}

std::optional<std::string> AuditRowKeyOf(absl::string_view key) {
  constexpr size_t kPlaceSize = kTimeSize + kSequenceSize;
  if (key.size() < 1 + kPlaceSize) return std::nullopt;
  std::string row_key = AuditPrefix();
  key.remove_prefix(key.size() - kPlaceSize);
  row_key.append(key.data(), key.size());
  return row_key;
}

bool IsAuditRowKey(absl::string_view key) { return !key.empty() && key.front() == kAuditRow; }

std::string ChangePosition(uint64_t sequence) {
  std::string key;
  AppendUint64(key, sequence);
  return key;
}

std::string ChangeKey(const Change& change) {
  std::string key = ChangePosition(change.sequence);
  key.push_back(static_cast<char>(change.kind));
  if (change.kind == Change::Kind::kToken) AppendArray(key, change.token.bytes);
  if (change.kind == Change::Kind::kOwner) key.append(change.owner_id);
  return key;
}

std::optional<Change> ChangeOf(absl::string_view key) {
  Change change;
  if (!ConsumeUint64(key, change.sequence) || key.empty()) return std::nullopt;
  change.kind = static_cast<Change::Kind>(key.front());
  key.remove_prefix(1);
  switch (change.kind) {
    case Change::Kind::kToken:
      if (!ConsumeArray(key, change.token.bytes) || !key.empty()) return std::nullopt;
      return change;
    case Change::Kind::kOwner:
      if (key.empty()) return std::nullopt;
      change.owner_id = std::string(key);
      return change;
    case Change::Kind::kEverything:
      if (!key.empty()) return std::nullopt;
      return change;
  }
  return std::nullopt;
}

std::string EndOfPrefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

}  // namespace pat::rocks
