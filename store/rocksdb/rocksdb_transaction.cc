#include "store/rocksdb/rocksdb_transaction.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/record_rules.h"
#include "store/rocksdb/key_encoding.h"
#include "store/rocksdb/record_codec.h"
#include "store/rocksdb/status_mapping.h"

namespace pat::rocks {

absl::Status RocksDbTransaction::Noted(absl::Status status) {
  if (engine_status_.ok()) engine_status_ = status;
  return status;
}

absl::StatusOr<std::optional<std::string>> RocksDbTransaction::Get(Family family, absl::string_view key) {
  std::string value;
  const rocksdb::Status status =
      batch_.GetFromBatchAndDB(&database_.db(), rocksdb::ReadOptions(), database_.family(family), AsSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return Noted(FromRocksDb(status, absl::StrCat("reading from ", kFamilyNames[IndexOf(family)])));
  return value;
}

template <typename Record>
absl::StatusOr<std::optional<Record>> RocksDbTransaction::GetRecord(
    Family family, absl::string_view key, absl::StatusOr<Record> (*decode)(absl::string_view)) {
  absl::StatusOr<std::optional<std::string>> bytes = Get(family, key);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  absl::StatusOr<Record> record = decode(**bytes);
  if (!record.ok()) return Noted(record.status());
  return *std::move(record);
}

absl::Status RocksDbTransaction::Scan(Family family, absl::string_view begin, absl::string_view end,
                                      absl::FunctionRef<bool(absl::string_view key)> visit) {
  // The bound keeps RocksDB from walking over the tombstones behind the range.
  const rocksdb::Slice upper_bound = AsSlice(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> iterator(batch_.NewIteratorWithBase(
      database_.family(family), database_.db().NewIterator(options, database_.family(family)), &options));
  return Noted(rocks::Scan(*iterator, begin, end, visit));
}

absl::Status RocksDbTransaction::Put(Family family, absl::string_view key, absl::string_view value) {
  staged_ = true;
  return Noted(FromRocksDb(batch_.Put(database_.family(family), AsSlice(key), AsSlice(value)), "staging a write"));
}

absl::Status RocksDbTransaction::Delete(Family family, absl::string_view key) {
  staged_ = true;
  return Noted(FromRocksDb(batch_.Delete(database_.family(family), AsSlice(key)), "staging a removal"));
}

absl::Status RocksDbTransaction::ReplaceRows(const std::vector<Row>& previous, const std::vector<Row>& next) {
  for (const Row& row : previous) {
    if (std::find(next.begin(), next.end(), row) != next.end()) continue;
    if (absl::Status status = Delete(row.family, row.key); !status.ok()) return status;
  }
  for (const Row& row : next) {
    if (std::find(previous.begin(), previous.end(), row) != previous.end()) continue;
    if (absl::Status status = Put(row.family, row.key, row.value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TokenRecord>> RocksDbTransaction::GetPlainToken(const TokenUid& uid) {
  return GetRecord(Family::kTokens, UidBytes(uid), DecodeToken);
}

absl::StatusOr<std::optional<absl::Time>> RocksDbTransaction::GetUse(const TokenUid& uid) {
  return GetRecord(Family::kUses, UidBytes(uid), DecodeInstant);
}

absl::StatusOr<std::optional<OwnerEpochRecord>> RocksDbTransaction::GetOwnerEpoch(absl::string_view key) {
  return GetRecord(Family::kEpochs, key, DecodeOwnerEpoch);
}

absl::StatusOr<std::optional<GlobalEpochRecord>> RocksDbTransaction::GetGlobalEpoch(absl::string_view key) {
  return GetRecord(Family::kEpochs, key, DecodeGlobalEpoch);
}

absl::StatusOr<std::optional<TokenRecord>> RocksDbTransaction::GetToken(const TokenUid& uid) {
  absl::StatusOr<std::optional<TokenRecord>> token = GetPlainToken(uid);
  if (!token.ok() || !token->has_value()) return token;
  absl::StatusOr<std::optional<absl::Time>> use = GetUse(uid);
  if (!use.ok()) return use.status();
  (*token)->last_use_time = *use;
  if ((*token)->revoke_time.has_value()) return token;
  const absl::StatusOr<std::optional<OwnerEpochRecord>> owner_epoch =
      GetOwnerEpoch(OwnerEpochKey((*token)->owner, (*token)->epochs));
  if (!owner_epoch.ok()) return owner_epoch.status();
  absl::StatusOr<std::optional<GlobalEpochRecord>> global_epoch = std::nullopt;
  if ((*token)->epochs.global != state_.global_epoch) {
    global_epoch = GetGlobalEpoch(GlobalEpochKey((*token)->epochs.global));
    if (!global_epoch.ok()) return global_epoch.status();
  }
  (*token)->revoke_time = EndOfEpochs(*owner_epoch, *global_epoch);
  return token;
}

absl::StatusOr<std::optional<UserRecord>> RocksDbTransaction::GetUserByUid(absl::string_view uid_bytes) {
  return GetRecord(Family::kUsers, uid_bytes, DecodeUser);
}

absl::StatusOr<std::optional<UserRecord>> RocksDbTransaction::GetUser(absl::string_view id) {
  absl::StatusOr<std::optional<std::string>> uid = Get(Family::kUsers, UserIdKey(id));
  if (!uid.ok()) return uid.status();
  if (!uid->has_value()) return std::nullopt;
  return GetUserByUid(UserKeyOf(**uid));
}

absl::StatusOr<std::optional<PasswordRecord>> RocksDbTransaction::GetPassword(const UserUid& user) {
  return GetRecord(Family::kPasswords, UidBytes(user), DecodePassword);
}

absl::StatusOr<std::optional<RequestRecord>> RocksDbTransaction::GetRequest(absl::string_view key) {
  return GetRecord(Family::kRequests, RequestKey(key), DecodeRequest);
}

absl::StatusOr<CacheBoundRecord> RocksDbTransaction::GetCacheBound() {
  absl::StatusOr<std::optional<CacheBoundRecord>> bound = GetRecord(Family::kMeta, kCacheBoundKey, DecodeCacheBound);
  if (!bound.ok()) return bound.status();
  return bound->value_or(CacheBoundRecord{});
}

absl::StatusOr<std::optional<TokenUid>> RocksDbTransaction::FindLiveByDisplayName(const UserRecord& owner,
                                                                                  absl::string_view display_name,
                                                                                  absl::Time now) {
  const Epochs epochs{.global = state_.global_epoch, .owner = owner.token_epoch};
  const std::string prefix = LiveNamePrefix(owner.uid, epochs, display_name);
  std::optional<TokenUid> live;
  bool decoded = true;
  absl::Status scanned = Scan(Family::kLive, prefix, EndOfPrefix(prefix), [&](absl::string_view key) {
    const std::optional<LiveTimes> times = LiveTimesOfNameKey(key);
    decoded = times.has_value();
    // The latest expiry comes first: if one is over, all behind it are.
    if (!decoded || now >= times->expire_time) return false;
    if (IsLive(*times, now)) live = UidAtEnd(key);
    return !live.has_value();
  });
  if (!scanned.ok()) return scanned;
  if (!decoded) return Noted(absl::DataLossError("the index of live tokens by name does not decode"));
  return live;
}

absl::StatusOr<size_t> RocksDbTransaction::CountLive(const UserRecord& owner, absl::Time now, size_t limit) {
  const Epochs epochs{.global = state_.global_epoch, .owner = owner.token_epoch};
  const std::string prefix = LiveExpiryPrefix(owner.uid, epochs);
  size_t count = 0;
  if (limit == 0) return count;
  bool decoded = true;
  absl::Status scanned =
      Scan(Family::kLive, LiveExpiryPosition(prefix, now), EndOfPrefix(prefix), [&](absl::string_view key) {
        const std::optional<LiveTimes> times = LiveTimesOfExpiryKey(key);
        decoded = times.has_value();
        if (decoded && IsLive(*times, now)) ++count;
        return decoded && count < limit;
      });
  if (!scanned.ok()) return scanned;
  if (!decoded) return Noted(absl::DataLossError("the index of live tokens by expiry does not decode"));
  return count;
}

bool RocksDbTransaction::IsLive(const LiveTimes& times, absl::Time now) const {
  return now < EffectiveExpireTime(times.expire_time, times.secret_time, *state_.policy);
}

absl::StatusOr<std::vector<std::string>> RocksDbTransaction::ListForgettableRequests(absl::Time cutoff, size_t limit) {
  std::vector<std::string> keys;
  if (limit == 0) return keys;
  absl::Status scanned = Scan(Family::kRequests, ForgetPrefix(), ForgetPosition(cutoff), [&](absl::string_view row) {
    if (const std::optional<absl::string_view> key = RequestOf(row); key.has_value()) keys.emplace_back(*key);
    return keys.size() < limit;
  });
  if (!scanned.ok()) return scanned;
  return keys;
}

absl::Status RocksDbTransaction::PutToken(const TokenRecord& token) {
  absl::StatusOr<std::optional<TokenRecord>> previous = GetPlainToken(token.uid);
  if (!previous.ok()) return previous.status();
  absl::StatusOr<std::optional<UserRecord>> owner = GetUserByUid(UserKey(token.owner));
  if (!owner.ok()) return owner.status();
  absl::Status checked = previous->has_value() ? CheckReplacement(**previous, token) : CheckInsertion(token, sequence_);
  if (checked.ok()) checked = CheckEpochs(token, state_.global_epoch, *owner);
  if (!checked.ok()) return checked;
  if (!previous->has_value() || (*previous)->hmac != token.hmac) {
    absl::StatusOr<std::optional<std::string>> holder = Get(Family::kHmacs, HmacKey(token.hmac));
    if (!holder.ok()) return holder.status();
    if (holder->has_value()) {
      const std::optional<TokenUid> uid = UidAtEnd(**holder);
      return absl::AlreadyExistsError(
          absl::StrCat("token ", uid.has_value() ? uid->ToString() : "?", " has this HMAC already"));
    }
  }
  std::vector<Row> previous_rows;
  if (previous->has_value()) previous_rows = IndexRowsOf(**previous);
  if (absl::Status status = ReplaceRows(previous_rows, IndexRowsOf(token)); !status.ok()) return status;
  if (absl::Status status = Put(Family::kTokens, UidBytes(token.uid), EncodeToken(token)); !status.ok()) return status;
  if (previous->has_value() && IsChange(**previous, token)) {
    absl::Status status = PutChange({.kind = Change::Kind::kToken, .token = token.uid});
    if (!status.ok()) return status;
  }
  const bool was_unrevoked = previous->has_value() && !(*previous)->revoke_time.has_value();
  const bool is_unrevoked = !token.revoke_time.has_value();
  return CountUnrevoked(token.owner, token.epochs, static_cast<int>(is_unrevoked) - static_cast<int>(was_unrevoked));
}

absl::Status RocksDbTransaction::PutUser(const UserRecord& user) {
  absl::StatusOr<std::optional<UserRecord>> same_uid = GetUserByUid(UserKey(user.uid));
  if (!same_uid.ok()) return same_uid.status();
  absl::StatusOr<std::optional<UserRecord>> same_id = GetUser(user.id);
  if (!same_id.ok()) return same_id.status();
  absl::Status checked;
  if (same_uid->has_value()) {
    checked = CheckReplacement(**same_uid, user);
  } else {
    bool inherits = false;
    const std::string prefix = OwnerEpochsPrefix(user.uid);
    absl::Status scanned = Scan(Family::kEpochs, prefix, EndOfPrefix(prefix), [&inherits](absl::string_view) {
      inherits = true;
      return false;
    });
    if (!scanned.ok()) return scanned;
    checked = CheckInsertion(user, inherits);
  }
  if (checked.ok() && same_id->has_value()) checked = CheckReplacement(**same_id, user);
  if (!checked.ok()) return checked;
  if (absl::Status status = ReplaceRows({}, IndexRowsOf(user)); !status.ok()) return status;
  if (same_uid->has_value() && IsChange(**same_uid, user)) {
    if (absl::Status status = PutChangeOf(user); !status.ok()) return status;
  }
  if (absl::Status status = CountAdministrator(*same_uid, user); !status.ok()) return status;
  return Put(Family::kUsers, UserKey(user.uid), EncodeUser(user));
}

absl::Status RocksDbTransaction::CountAdministrator(const std::optional<UserRecord>& previous,
                                                    const std::optional<UserRecord>& next) {
  const auto counts = [](const std::optional<UserRecord>& user) {
    return user.has_value() && IsActiveAdministrator(*user, /*has_password=*/true);
  };
  if (counts(previous) == counts(next)) return absl::OkStatus();
  const absl::StatusOr<std::optional<PasswordRecord>> password = GetPassword((next.has_value() ? next : previous)->uid);
  if (!password.ok()) return password.status();
  if (password->has_value() && counts(next)) ++state_.counters.administrators;
  if (password->has_value() && counts(previous)) --state_.counters.administrators;
  return absl::OkStatus();
}

absl::Status RocksDbTransaction::PutPassword(const UserUid& user, const PasswordRecord& password) {
  const absl::StatusOr<std::optional<PasswordRecord>> previous = GetPassword(user);
  if (!previous.ok()) return previous.status();
  if (!previous->has_value()) {
    const absl::StatusOr<std::optional<UserRecord>> kept = GetUserByUid(UserKey(user));
    if (!kept.ok()) return kept.status();
    if (kept->has_value() && IsActiveAdministrator(**kept, /*has_password=*/true)) ++state_.counters.administrators;
  }
  return Put(Family::kPasswords, UidBytes(user), EncodePassword(password));
}

absl::Status RocksDbTransaction::PutRequest(absl::string_view key, const RequestRecord& request) {
  absl::StatusOr<std::optional<RequestRecord>> previous = GetRequest(key);
  if (!previous.ok()) return previous.status();
  std::vector<Row> previous_rows;
  if (previous->has_value()) previous_rows = IndexRowsOf(key, **previous);
  if (absl::Status status = ReplaceRows(previous_rows, IndexRowsOf(key, request)); !status.ok()) return status;
  return Put(Family::kRequests, RequestKey(key), EncodeRequest(request));
}

absl::Status RocksDbTransaction::PutCacheBound(const CacheBoundRecord& bound) {
  return Put(Family::kMeta, kCacheBoundKey, EncodeCacheBound(bound));
}

absl::Status RocksDbTransaction::PutPolicy(const PolicyRecord& policy) {
  const bool is_change = IsChange(*state_.policy, policy);
  state_.policy = std::make_shared<const PolicyRecord>(policy);
  return is_change ? PutChange({.kind = Change::Kind::kEverything}) : absl::OkStatus();
}

absl::Status RocksDbTransaction::PutChange(Change change) {
  change.sequence = sequence_;
  return Put(Family::kChanges, ChangeKey(change), "");
}

absl::Status RocksDbTransaction::PutAudit(const AuditRecord& row) {
  if (absl::Status checked = CheckInsertion(row, sequence_); !checked.ok()) return checked;
  const std::string key = AuditKey(AuditPrefix(), row.time, row.sequence);
  absl::StatusOr<std::optional<std::string>> there = Get(Family::kAudit, key);
  if (!there.ok()) return there.status();
  if (there->has_value()) return absl::AlreadyExistsError("this mutation has an audit row of that time");
  if (absl::Status status = ReplaceRows({}, IndexRowsOf(row)); !status.ok()) return status;
  return Put(Family::kAudit, key, EncodeAudit(row));
}

absl::Status RocksDbTransaction::NoteUse(const TokenUid& uid, absl::Time time) {
  absl::StatusOr<std::optional<std::string>> token = Get(Family::kTokens, UidBytes(uid));
  if (!token.ok()) return token.status();
  absl::StatusOr<std::optional<absl::Time>> use = GetUse(uid);
  if (!use.ok()) return use.status();
  const absl::Time minute = CutToMinute(time);
  if (!token->has_value() || minute <= use->value_or(absl::InfinitePast())) return absl::OkStatus();
  return Put(Family::kUses, UidBytes(uid), EncodeInstant(minute));
}

absl::Status RocksDbTransaction::DeleteToken(const TokenUid& uid) {
  absl::StatusOr<std::optional<TokenRecord>> previous = GetPlainToken(uid);
  if (!previous.ok()) return previous.status();
  if (!previous->has_value()) return absl::OkStatus();
  absl::StatusOr<std::optional<absl::Time>> use = GetUse(uid);
  if (!use.ok()) return use.status();
  absl::Status status = ReplaceRows(IndexRowsOf(**previous), {});
  if (status.ok()) status = Delete(Family::kTokens, UidBytes(uid));
  if (status.ok() && use->has_value()) status = Delete(Family::kUses, UidBytes(uid));
  if (!status.ok() || (*previous)->revoke_time.has_value()) return status;
  return CountUnrevoked((*previous)->owner, (*previous)->epochs, -1);
}

absl::StatusOr<size_t> RocksDbTransaction::DeleteAuditBefore(absl::Time cutoff, size_t limit) {
  std::vector<std::string> keys;
  if (limit == 0) return keys.size();
  absl::Status status =
      Scan(Family::kAudit, AuditPrefix(), AuditPlace(AuditPrefix(), cutoff), [&](absl::string_view key) {
        keys.emplace_back(key);
        return keys.size() < limit;
      });
  for (const std::string& key : keys) {
    if (!status.ok()) return status;
    absl::StatusOr<std::optional<AuditRecord>> row = GetRecord(Family::kAudit, key, DecodeAudit);
    if (!row.ok()) return row.status();
    status = ReplaceRows(IndexRowsOf((*row).value()), {});
    if (status.ok()) status = Delete(Family::kAudit, key);
  }
  if (!status.ok()) return status;
  return keys.size();
}

absl::StatusOr<size_t> RocksDbTransaction::DeleteChangesThrough(uint64_t sequence, size_t limit) {
  absl::StatusOr<std::optional<uint64_t>> floor = GetRecord(Family::kMeta, kChangeFloorKey, DecodeNumber);
  if (!floor.ok()) return floor.status();
  std::vector<std::string> keys;
  const uint64_t end = std::min(sequence, sequence_);
  if (limit == 0 || end < floor->value_or(0)) return keys.size();
  // From the floor on: in front of it there are only the remains of what was removed.
  absl::Status status =
      Scan(Family::kChanges, ChangePosition(floor->value_or(0)), ChangePosition(end + 1), [&](absl::string_view key) {
        keys.emplace_back(key);
        return keys.size() < limit;
      });
  for (const std::string& key : keys) {
    if (status.ok()) status = Delete(Family::kChanges, key);
  }
  if (status.ok() && !keys.empty()) {
    const std::optional<Change> last = ChangeOf(keys.back());
    if (!last.has_value()) return Noted(absl::DataLossError("a change does not decode"));
    status = Put(Family::kMeta, kChangeFloorKey, EncodeNumber(last->sequence));
  }
  if (!status.ok()) return status;
  return keys.size();
}

absl::Status RocksDbTransaction::DeleteRequest(absl::string_view key) {
  absl::StatusOr<std::optional<RequestRecord>> previous = GetRequest(key);
  if (!previous.ok()) return previous.status();
  if (!previous->has_value()) return absl::OkStatus();
  if (absl::Status status = ReplaceRows(IndexRowsOf(key, **previous), {}); !status.ok()) return status;
  return Delete(Family::kRequests, RequestKey(key));
}

}  // namespace pat::rocks
