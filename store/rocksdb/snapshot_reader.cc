#include "store/rocksdb/snapshot_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "store/rocksdb/key_encoding.h"
#include "store/rocksdb/record_codec.h"
#include "store/rocksdb/status_mapping.h"

namespace pat::rocks {
namespace {

absl::Status Dangling(absl::string_view index) {
  return absl::DataLossError(absl::StrCat("the index of tokens by ", index, " names a token that is not there"));
}

}  // namespace

SnapshotReader::SnapshotReader(const Database& database, const rocksdb::Snapshot* snapshot, const StoreState& state,
                               Blocking blocking)
    : database_(database), state_(state) {
  options_.snapshot = snapshot;
  if (blocking == Blocking::kForbidden) options_.read_tier = rocksdb::kBlockCacheTier;
}

absl::StatusOr<std::optional<std::string>> SnapshotReader::Get(Family family, absl::string_view key) {
  absl::StatusOr<ReadResult> read = database_.Get(options_, family, key);
  if (!read.ok()) return read.status();
  if (read->would_block) would_block_ = true;
  return std::move(read->value);
}

template <typename Record>
absl::StatusOr<std::optional<Record>> SnapshotReader::GetRecord(Family family, absl::string_view key,
                                                                absl::StatusOr<Record> (*decode)(absl::string_view)) {
  absl::StatusOr<std::optional<std::string>> bytes = Get(family, key);
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  absl::StatusOr<Record> record = decode(**bytes);
  if (!record.ok()) return record.status();
  return *std::move(record);
}

absl::StatusOr<std::optional<TokenRecord>> SnapshotReader::GetToken(const TokenUid& uid) {
  absl::StatusOr<std::optional<TokenRecord>> token = GetRecord(Family::kTokens, UidBytes(uid), DecodeToken);
  if (!token.ok() || !token->has_value()) return token;
  absl::StatusOr<std::optional<absl::Time>> use = GetRecord(Family::kUses, UidBytes(uid), DecodeInstant);
  if (!use.ok()) return use.status();
  (*token)->last_use_time = *use;
  if ((*token)->revoke_time.has_value()) return token;
  absl::StatusOr<std::optional<absl::Time>> end = EndOf((*token)->owner, (*token)->epochs);
  if (!end.ok()) return end.status();
  (*token)->revoke_time = *end;
  return token;
}

absl::StatusOr<std::optional<UserRecord>> SnapshotReader::GetUserByUid(const UserUid& uid) {
  return GetRecord(Family::kUsers, UserKey(uid), DecodeUser);
}

absl::StatusOr<std::optional<UserRecord>> SnapshotReader::GetUser(absl::string_view id) {
  absl::StatusOr<std::optional<std::string>> uid = Get(Family::kUsers, UserIdKey(id));
  if (!uid.ok()) return uid.status();
  if (!uid->has_value()) return std::nullopt;
  return GetRecord(Family::kUsers, UserKeyOf(**uid), DecodeUser);
}

absl::StatusOr<std::optional<PasswordRecord>> SnapshotReader::GetPassword(const UserUid& user) {
  return GetRecord(Family::kPasswords, UidBytes(user), DecodePassword);
}

absl::StatusOr<CacheBoundRecord> SnapshotReader::GetCacheBound() {
  absl::StatusOr<std::optional<CacheBoundRecord>> bound = GetRecord(Family::kMeta, kCacheBoundKey, DecodeCacheBound);
  if (!bound.ok()) return bound.status();
  return bound->value_or(CacheBoundRecord{});
}

absl::StatusOr<std::optional<TokenSnapshot>> SnapshotReader::FindByHmac(absl::Span<const TokenHmac> candidates) {
  for (const TokenHmac& candidate : candidates) {
    absl::StatusOr<std::optional<std::string>> uid = Get(Family::kHmacs, HmacKey(candidate));
    if (!uid.ok()) return uid.status();
    // An unread candidate must not be skipped for a later one.
    if (would_block_) return std::nullopt;
    if (!uid->has_value()) continue;

    absl::StatusOr<std::optional<TokenRecord>> token = GetRecord(Family::kTokens, **uid, DecodeToken);
    if (!token.ok()) return token.status();
    if (would_block_) return std::nullopt;
    if (!token->has_value() || (*token)->hmac != candidate) return Dangling("HMAC");

    absl::StatusOr<std::optional<UserRecord>> owner = GetUserByUid((*token)->owner);
    if (!owner.ok()) return owner.status();
    if (would_block_ || !owner->has_value()) return std::nullopt;
    return TokenSnapshot{**std::move(token), **std::move(owner), state_.global_epoch, *state_.policy};
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<PepperId>> SnapshotReader::PepperIds() {
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_.db().NewIterator(options_, database_.family(Family::kHmacs)));
  std::vector<PepperId> ids;
  iterator->SeekToFirst();
  while (iterator->Valid()) {
    const std::optional<PepperId> id = PepperIdOf(AsView(iterator->key()));
    if (!id.has_value()) return absl::DataLossError("the index of tokens by HMAC has a key that is too short");
    ids.push_back(*id);
    const std::string next = EndOfPrefix(std::string(id->begin(), id->end()));
    if (next.empty()) break;  // Nothing is behind ff…ff.
    iterator->Seek(AsSlice(next));
  }
  if (!iterator->status().ok()) return FromRocksDb(iterator->status(), "reading the peppers of tokens");
  return ids;
}

absl::StatusOr<std::optional<absl::Time>> SnapshotReader::EndOf(const UserUid& owner, const Epochs& epochs) {
  const OwnerEpoch pair{owner, epochs};
  if (const auto known = ends_.find(pair); known != ends_.end()) return known->second;
  const absl::StatusOr<std::optional<OwnerEpochRecord>> owner_epoch =
      GetRecord(Family::kEpochs, OwnerEpochKey(owner, epochs), DecodeOwnerEpoch);
  if (!owner_epoch.ok()) return owner_epoch.status();
  absl::StatusOr<std::optional<GlobalEpochRecord>> global_epoch = std::nullopt;
  if (epochs.global != state_.global_epoch) {
    global_epoch = GetRecord(Family::kEpochs, GlobalEpochKey(epochs.global), DecodeGlobalEpoch);
    if (!global_epoch.ok()) return global_epoch.status();
  }
  return ends_[pair] = EndOfEpochs(*owner_epoch, *global_epoch);
}

absl::StatusOr<uint64_t> SnapshotReader::FirstOfGlobalEpoch() {
  if (state_.global_epoch == 0) return 0;
  const absl::StatusOr<std::optional<GlobalEpochRecord>> before =
      GetRecord(Family::kEpochs, GlobalEpochKey(state_.global_epoch - 1), DecodeGlobalEpoch);
  if (!before.ok()) return before.status();
  if (!before->has_value()) return absl::DataLossError("the end of the global epoch before this one is missing");
  return (*before)->last_sequence;
}

absl::StatusOr<TokenPage> SnapshotReader::ListTokens(const TokenQuery& query) {
  TokenPage page;
  page.up_to = query.after_sequence;
  if (query.after_sequence == std::numeric_limits<uint64_t>::max()) return page;
  uint64_t begin = query.after_sequence + 1;

  std::string prefix;
  if (!query.owner.has_value()) {
    prefix = query.include_revoked ? AllPrefix() : UnrevokedPrefix();
  } else if (query.include_revoked) {
    prefix = OwnerAllPrefix(*query.owner);
  } else {
    const absl::StatusOr<std::optional<UserRecord>> owner = GetUserByUid(*query.owner);
    if (!owner.ok()) return owner.status();
    if (!owner->has_value()) return page;
    prefix = OwnerUnrevokedPrefix(*query.owner, {.global = state_.global_epoch, .owner = (*owner)->token_epoch});
  }
  // In the list of everybody's unrevoked tokens those of ended epochs still stand, until they are purged: an epoch ends
  // without a write per token. Those of a global epoch are all in front; the others are passed over, one read each.
  const bool pass_over = !query.owner.has_value() && !query.include_revoked;
  if (pass_over) {
    const absl::StatusOr<uint64_t> first = FirstOfGlobalEpoch();
    if (!first.ok()) return first.status();
    begin = std::max(begin, *first);
  }

  const std::string end = EndOfPrefix(prefix);
  const rocksdb::Slice upper_bound = AsSlice(end);
  rocksdb::ReadOptions options = options_;
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_.db().NewIterator(options, database_.family(Family::kLists)));

  absl::Status failed;
  size_t passed_over = 0;
  absl::Status scanned = Scan(*iterator, ListPosition(prefix, begin), end, [&](absl::string_view key) {
    if ((page.tokens.size() >= query.limit && !pass_over) || passed_over == kMostPassedOver) {
      page.more = true;
      return false;
    }
    absl::StatusOr<std::optional<TokenRecord>> token = GetToken(UidAtEnd(key).value_or(TokenUid{}));
    if (!token.ok() || !token->has_value()) {
      failed = token.ok() ? Dangling("creation") : token.status();
      return false;
    }
    if (pass_over && (*token)->revoke_time.has_value()) {
      ++passed_over;
      page.up_to = (*token)->create_sequence;
      return true;
    }
    if (page.tokens.size() >= query.limit) {
      page.more = true;
      return false;
    }
    page.up_to = (*token)->create_sequence;
    page.tokens.push_back(**std::move(token));
    return true;
  });
  if (!failed.ok()) return failed;
  if (!scanned.ok()) return scanned;
  return page;
}

absl::StatusOr<UserPage> SnapshotReader::ListUsers(const UserQuery& query) {
  const std::string end = EndOfPrefix(UserIdPrefix());
  const rocksdb::Slice upper_bound = AsSlice(end);
  rocksdb::ReadOptions options = options_;
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_.db().NewIterator(options, database_.family(Family::kUsers)));
  UserPage page;
  absl::Status failed;
  absl::Status scanned = Scan(*iterator, UserIdPosition(query.after_id), end, [&](absl::string_view) {
    if (page.users.size() >= query.limit) {
      page.more = true;
      return false;
    }
    absl::StatusOr<std::optional<UserRecord>> user =
        GetRecord(Family::kUsers, UserKeyOf(AsView(iterator->value())), DecodeUser);
    if (!user.ok() || !user->has_value()) {
      failed =
          user.ok() ? absl::DataLossError("the index of users by id names a user who is not there") : user.status();
      return false;
    }
    page.users.push_back(**std::move(user));
    return true;
  });
  if (!failed.ok()) return failed;
  if (!scanned.ok()) return scanned;
  return page;
}

absl::StatusOr<AuditRecord> SnapshotReader::GetAudit(absl::string_view key) {
  const std::optional<std::string> row_key = AuditRowKeyOf(key);
  if (!row_key.has_value()) return absl::DataLossError("the index of the audit log has a key that is too short");
  absl::StatusOr<std::optional<AuditRecord>> row = GetRecord(Family::kAudit, *row_key, DecodeAudit);
  if (!row.ok()) return row.status();
  if (!row->has_value()) return absl::DataLossError("the index of the audit log names a row that is not there");
  return **std::move(row);
}

absl::StatusOr<AuditPage> SnapshotReader::ListAudit(const AuditQuery& query) {
  const bool by_user = query.user_id.has_value() && !query.token.has_value();
  std::string prefix = AuditPrefix();
  if (query.token.has_value()) prefix = AuditTokenPrefix(*query.token);
  if (by_user) prefix = AuditUserPrefix(*query.user_id);
  // From `begin` on and before `end`, whichever way.
  std::string begin = AuditPlace(prefix, query.start);
  std::string end = query.end == absl::InfiniteFuture() ? EndOfPrefix(prefix) : AuditPlace(prefix, query.end);
  if (query.after.has_value()) {
    std::string after = AuditKey(prefix, query.after->time, query.after->sequence);
    if (query.newest_first) {
      end = std::min(end, after);
    } else {
      after.push_back('\0');
      begin = std::max(begin, after);
    }
  }
  AuditPage page;
  if (begin >= end) return page;

  const rocksdb::Slice lower_bound = AsSlice(begin);
  const rocksdb::Slice upper_bound = AsSlice(end);
  rocksdb::ReadOptions options = options_;
  options.iterate_lower_bound = &lower_bound;
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_.db().NewIterator(options, database_.family(Family::kAudit)));
  query.newest_first ? iterator->SeekToLast() : iterator->SeekToFirst();
  for (; iterator->Valid(); query.newest_first ? iterator->Prev() : iterator->Next()) {
    // A row that is known to belong to the list need not be read to know that there are more.
    if (page.rows.size() >= query.limit && (by_user || !query.user_id.has_value())) {
      page.more = true;
      break;
    }
    absl::StatusOr<AuditRecord> row = GetAudit(AsView(iterator->key()));
    if (!row.ok()) return row.status();
    if (query.user_id.has_value() &&
        (query.user_id->empty() || (row->user_id != *query.user_id && row->target_user_id != *query.user_id))) {
      continue;
    }
    if (page.rows.size() >= query.limit) {
      page.more = true;
      break;
    }
    page.rows.push_back(*std::move(row));
  }
  if (!iterator->status().ok()) return FromRocksDb(iterator->status(), "reading the audit log");
  return page;
}

absl::StatusOr<ChangePage> SnapshotReader::ListChanges(uint64_t after_sequence, size_t limit) {
  const absl::StatusOr<std::optional<uint64_t>> floor = GetRecord(Family::kMeta, kChangeFloorKey, DecodeNumber);
  if (!floor.ok()) return floor.status();
  ChangePage page{.changes = {}, .up_to = state_.durable_sequence};
  page.truncated = after_sequence < floor->value_or(0) || after_sequence > state_.durable_sequence;
  if (page.truncated || after_sequence == state_.durable_sequence) return page;

  const std::string end = ChangePosition(state_.durable_sequence + 1);
  const rocksdb::Slice upper_bound = AsSlice(end);
  rocksdb::ReadOptions options = options_;
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_.db().NewIterator(options, database_.family(Family::kChanges)));
  bool decoded = true;
  absl::Status scanned = Scan(*iterator, ChangePosition(after_sequence + 1), end, [&](absl::string_view key) {
    std::optional<Change> change = ChangeOf(key);
    decoded = change.has_value();
    if (!decoded) return false;
    const uint64_t last = page.changes.empty() ? after_sequence : page.changes.back().sequence;
    if (page.changes.size() >= limit && change->sequence != last) {
      page.up_to = last;
      return false;
    }
    page.changes.push_back(*std::move(change));
    return true;
  });
  if (!decoded) return absl::DataLossError("a change does not decode");
  if (!scanned.ok()) return scanned;
  return page;
}

}  // namespace pat::rocks
