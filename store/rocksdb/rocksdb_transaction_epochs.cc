// Of RocksDbTransaction: how epochs end, what is counted in them, and the tokens that ended with them.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/rocksdb/key_encoding.h"
#include "store/rocksdb/record_codec.h"
#include "store/rocksdb/rocksdb_transaction.h"

namespace pat::rocks {
namespace {

absl::Status WrongCount() { return absl::DataLossError("an epoch counts fewer tokens than it has"); }

absl::Status NoSuchEpoch() { return absl::DataLossError("the end of an epoch that tokens are of is missing"); }

}  // namespace

absl::Status RocksDbTransaction::CountUnrevoked(const UserUid& owner, const Epochs& epochs, int change) {
  if (change == 0) return absl::OkStatus();
  const std::string key = OwnerEpochKey(owner, epochs);
  absl::StatusOr<std::optional<OwnerEpochRecord>> found = GetOwnerEpoch(key);
  if (!found.ok()) return found.status();
  OwnerEpochRecord epoch = found->value_or(OwnerEpochRecord{});
  const bool global_epoch_is_current = epochs.global == state_.global_epoch;
  const bool counted_in_all = global_epoch_is_current && !epoch.end.has_value();
  if (change < 0 && (epoch.unrevoked == 0 || (counted_in_all && state_.counters.unrevoked == 0) ||
                     (global_epoch_is_current && state_.counters.unrevoked_in_epoch == 0))) {
    return Noted(WrongCount());
  }

  epoch.unrevoked += static_cast<uint64_t>(change);
  if (counted_in_all) state_.counters.unrevoked += static_cast<uint64_t>(change);
  if (global_epoch_is_current) state_.counters.unrevoked_in_epoch += static_cast<uint64_t>(change);
  absl::Status status =
      epoch.unrevoked > 0 ? Put(Family::kEpochs, key, EncodeOwnerEpoch(epoch)) : Delete(Family::kEpochs, key);
  if (status.ok() && epoch.unrevoked == 0 && epoch.end.has_value()) {
    status = Delete(Family::kEpochs, EpochEndKey(epoch.end->time, key));
  }
  if (!status.ok() || global_epoch_is_current) return status;

  const std::string global_key = GlobalEpochKey(epochs.global);
  absl::StatusOr<std::optional<GlobalEpochRecord>> global_epoch = GetGlobalEpoch(global_key);
  if (!global_epoch.ok()) return global_epoch.status();
  if (!global_epoch->has_value()) return Noted(NoSuchEpoch());
  if ((*global_epoch)->unrevoked == 0) return Noted(WrongCount());
  (*global_epoch)->unrevoked += static_cast<uint64_t>(change);
  if ((*global_epoch)->unrevoked == 0) {
    status = Delete(Family::kEpochs, EpochEndKey((*global_epoch)->end.time, global_key));
  }
  return status.ok() ? Put(Family::kEpochs, global_key, EncodeGlobalEpoch(**global_epoch)) : status;
}

absl::StatusOr<uint64_t> RocksDbTransaction::EndOwnerEpoch(const UserRecord& user, absl::Time time) {
  const std::string key = OwnerEpochKey(user.uid, {.global = state_.global_epoch, .owner = user.token_epoch});
  absl::StatusOr<std::optional<OwnerEpochRecord>> epoch = GetOwnerEpoch(key);
  if (!epoch.ok()) return epoch.status();
  if (!epoch->has_value()) return 0;
  const uint64_t count = (*epoch)->unrevoked;
  if (state_.counters.unrevoked < count) return Noted(WrongCount());
  state_.counters.unrevoked -= count;
  (*epoch)->end = EpochEnd{.time = time};
  absl::Status status = Put(Family::kEpochs, key, EncodeOwnerEpoch(**epoch));
  if (status.ok()) status = Put(Family::kEpochs, EpochEndKey(time, key), "");
  if (!status.ok()) return status;
  return count;
}

absl::StatusOr<uint64_t> RocksDbTransaction::EndGlobalEpoch(absl::Time time) {
  const uint64_t count = state_.counters.unrevoked;
  GlobalEpochRecord epoch{.unrevoked = state_.counters.unrevoked_in_epoch, .end = {.time = time}};
  epoch.last_sequence = sequence_;
  if (state_.global_epoch > 0) {
    absl::StatusOr<std::optional<GlobalEpochRecord>> before = GetGlobalEpoch(GlobalEpochKey(state_.global_epoch - 1));
    if (!before.ok()) return before.status();
    if (!before->has_value()) return Noted(NoSuchEpoch());
    epoch.end.resume = (*before)->last_sequence;
  }
  const std::string key = GlobalEpochKey(state_.global_epoch);
  absl::Status status = Put(Family::kEpochs, key, EncodeGlobalEpoch(epoch));
  if (status.ok() && epoch.unrevoked > 0) status = Put(Family::kEpochs, EpochEndKey(time, key), "");
  if (status.ok()) status = PutChange({.kind = Change::Kind::kEverything});
  if (!status.ok()) return status;
  ++state_.global_epoch;
  state_.counters.unrevoked = 0;
  state_.counters.unrevoked_in_epoch = 0;
  return count;
}

absl::StatusOr<uint64_t> RocksDbTransaction::RevokeAll(const std::optional<UserUid>& owner, absl::Time time) {
  if (!owner.has_value()) return EndGlobalEpoch(time);
  absl::StatusOr<std::optional<UserRecord>> user = GetUserByUid(UserKey(*owner));
  if (!user.ok()) return user.status();
  if (!user->has_value()) return 0;
  absl::StatusOr<uint64_t> count = EndOwnerEpoch(**user, time);
  if (!count.ok()) return count;
  ++(*user)->token_epoch;
  absl::Status status = Put(Family::kUsers, UserKey(*owner), EncodeUser(**user));
  if (status.ok()) status = PutChangeOf(**user);
  if (!status.ok()) return status;
  return count;
}

absl::StatusOr<uint64_t> RocksDbTransaction::DeleteUser(const UserUid& uid, absl::Time time) {
  absl::StatusOr<std::optional<UserRecord>> user = GetUserByUid(UserKey(uid));
  if (!user.ok()) return user.status();
  if (!user->has_value()) return 0;
  absl::StatusOr<uint64_t> count = EndOwnerEpoch(**user, time);
  if (!count.ok()) return count;
  absl::Status status = CountAdministrator(*user, std::nullopt);
  if (status.ok()) status = ReplaceRows(IndexRowsOf(**user), {});
  if (status.ok()) status = Delete(Family::kUsers, UserKey(uid));
  if (status.ok()) status = Delete(Family::kPasswords, UidBytes(uid));
  if (status.ok()) status = PutChangeOf(**user);
  if (!status.ok()) return status;
  return count;
}

absl::StatusOr<std::vector<TokenUid>> RocksDbTransaction::ListEnded(absl::Time cutoff, size_t limit) {
  absl::flat_hash_set<TokenUid> ended;
  if (limit == 0) return std::vector<TokenUid>();
  absl::Status status = Scan(Family::kEnded, "", EndedPosition(cutoff), [&](absl::string_view key) {
    if (const std::optional<TokenUid> uid = UidAtEnd(key); uid.has_value()) ended.insert(*uid);
    return ended.size() < limit;
  });
  // Each row here stands for tokens that are still there, so the work is not in vain.
  std::vector<Row> resumed;
  absl::Status failed;
  if (status.ok() && ended.size() < limit) {
    status = Scan(Family::kEpochs, EpochEndPrefix(), EpochEndPosition(cutoff), [&](absl::string_view end_key) {
      const absl::string_view key = EpochKeyOf(end_key).value_or("");
      failed = GlobalEpochOf(key).has_value() ? CollectGlobalEpoch(key, limit, ended, resumed)
                                              : CollectOwnerEpoch(key, limit, ended, resumed);
      return failed.ok() && ended.size() < limit;
    });
  }
  if (!failed.ok()) return failed;
  // After the scan, because it must not be written to what is being read.
  for (const Row& row : resumed) {
    if (status.ok()) status = Put(row.family, row.key, row.value);
  }
  if (!status.ok()) return status;
  return std::vector<TokenUid>(ended.begin(), ended.end());
}

absl::Status RocksDbTransaction::CollectOwnerEpoch(absl::string_view key, size_t limit,
                                                   absl::flat_hash_set<TokenUid>& ended, std::vector<Row>& resumed) {
  const std::optional<OwnerEpoch> pair = OwnerEpochOf(key);
  absl::StatusOr<std::optional<OwnerEpochRecord>> epoch = GetOwnerEpoch(key);
  if (!epoch.ok()) return epoch.status();
  if (!pair.has_value() || !epoch->has_value() || !(*epoch)->end.has_value()) return Noted(NoSuchEpoch());
  const std::string prefix = OwnerUnrevokedPrefix(pair->owner, pair->epochs);
  std::optional<uint64_t> first;
  absl::Status scanned = Scan(Family::kLists, ListPosition(prefix, (*epoch)->end->resume), EndOfPrefix(prefix),
                              [&](absl::string_view row) {
                                const std::optional<TokenUid> uid = UidAtEnd(row);
                                if (uid.has_value()) ended.insert(*uid);
                                if (!first.has_value()) first = CreateSequenceOf(row);
                                return ended.size() < limit;
                              });
  if (!scanned.ok() || first.value_or(0) <= (*epoch)->end->resume) return scanned;
  // What was before it has been deleted, and walking over that again and again would be the most of the work.
  (*epoch)->end->resume = *first;
  resumed.push_back({Family::kEpochs, std::string(key), EncodeOwnerEpoch(**epoch)});
  return absl::OkStatus();
}

absl::Status RocksDbTransaction::CollectGlobalEpoch(absl::string_view key, size_t limit,
                                                    absl::flat_hash_set<TokenUid>& ended, std::vector<Row>& resumed) {
  const std::optional<uint64_t> number = GlobalEpochOf(key);
  absl::StatusOr<std::optional<GlobalEpochRecord>> epoch = GetGlobalEpoch(key);
  if (!epoch.ok()) return epoch.status();
  if (!number.has_value() || !epoch->has_value()) return Noted(NoSuchEpoch());
  const uint64_t begin = (*epoch)->end.resume;
  const uint64_t last = (*epoch)->last_sequence;
  std::optional<uint64_t> first;
  absl::Status failed;
  absl::Status scanned = Scan(Family::kLists, ListPosition(UnrevokedPrefix(), begin),
                              ListPosition(UnrevokedPrefix(), last + 1), [&](absl::string_view row) {
                                const std::optional<TokenUid> uid = UidAtEnd(row);
                                const std::optional<uint64_t> made = CreateSequenceOf(row);
                                if (!uid.has_value() || !made.has_value()) return true;
                                if (*made <= begin || *made >= last) {
                                  // The mutation that ends an epoch may make tokens before that, and after.
                                  const absl::StatusOr<std::optional<TokenRecord>> token = GetPlainToken(*uid);
                                  if (!token.ok()) failed = token.status();
                                  if (!token.ok()) return false;
                                  if (!token->has_value() || (*token)->epochs.global != *number) return true;
                                }
                                ended.insert(*uid);
                                if (!first.has_value()) first = made;
                                return ended.size() < limit;
                              });
  if (!failed.ok()) return failed;
  if (!scanned.ok() || first.value_or(0) <= begin) return scanned;
  (*epoch)->end.resume = *first;
  resumed.push_back({Family::kEpochs, std::string(key), EncodeGlobalEpoch(**epoch)});
  return absl::OkStatus();
}

}  // namespace pat::rocks
