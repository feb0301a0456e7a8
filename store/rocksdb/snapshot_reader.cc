#include "store/rocksdb/snapshot_reader.h"

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

SnapshotReader::SnapshotReader(const Database& database, const rocksdb::Snapshot* snapshot, uint64_t global_epoch,
                               Blocking blocking)
    : database_(database), global_epoch_(global_epoch) {
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
  return GetRecord(Family::kTokens, UidBytes(uid), DecodeToken);
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
    return TokenSnapshot{**std::move(token), **std::move(owner), global_epoch_};
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

absl::StatusOr<std::optional<Epochs>> SnapshotReader::CurrentEpochs(const UserUid& owner) {
  if (const auto known = epochs_.find(owner); known != epochs_.end()) return known->second;
  absl::StatusOr<std::optional<UserRecord>> user = GetUserByUid(owner);
  if (!user.ok()) return user.status();
  std::optional<Epochs> epochs;
  if (user->has_value()) epochs = Epochs{.global = global_epoch_, .owner = (*user)->token_epoch};
  epochs_.emplace(owner, epochs);
  return epochs;
}

absl::StatusOr<TokenPage> SnapshotReader::ListTokens(const TokenQuery& query) {
  TokenPage page;
  if (query.after_sequence == std::numeric_limits<uint64_t>::max()) return page;

  std::string prefix;
  if (!query.owner.has_value()) {
    prefix = query.include_revoked ? AllPrefix() : UnrevokedPrefix();
  } else if (query.include_revoked) {
    prefix = OwnerAllPrefix(*query.owner);
  } else {
    absl::StatusOr<std::optional<Epochs>> epochs = CurrentEpochs(*query.owner);
    if (!epochs.ok()) return epochs.status();
    if (!epochs->has_value()) return page;
    prefix = OwnerUnrevokedPrefix(*query.owner, **epochs);
  }
  // In the list of everybody's unrevoked tokens those of past epochs still stand, until they expire and are purged: an
  // epoch ends without a write per token. Here they are passed over, one read each.
  const bool check_epochs = !query.owner.has_value() && !query.include_revoked;

  const std::string end = EndOfPrefix(prefix);
  const rocksdb::Slice upper_bound = AsSlice(end);
  rocksdb::ReadOptions options = options_;
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> iterator(
      database_.db().NewIterator(options, database_.family(Family::kLists)));

  absl::Status failed;
  absl::Status scanned =
      Scan(*iterator, ListPosition(prefix, query.after_sequence + 1), end, [&](absl::string_view key) {
        if (page.tokens.size() >= query.limit && !check_epochs) {
          page.more = true;
          return false;
        }
        const std::optional<TokenUid> uid = UidAtEnd(key);
        absl::StatusOr<std::optional<TokenRecord>> token = GetToken(uid.value_or(TokenUid{}));
        if (!token.ok() || !token->has_value()) {
          failed = token.ok() ? Dangling("creation") : token.status();
          return false;
        }
        if (check_epochs) {
          absl::StatusOr<std::optional<Epochs>> epochs = CurrentEpochs((*token)->owner);
          if (!epochs.ok()) {
            failed = epochs.status();
            return false;
          }
          if (!epochs->has_value() || (*token)->epochs != **epochs) return true;
          if (page.tokens.size() >= query.limit) {
            page.more = true;
            return false;
          }
        }
        page.tokens.push_back(**std::move(token));
        return true;
      });
  if (!failed.ok()) return failed;
  if (!scanned.ok()) return scanned;
  return page;
}

}  // namespace pat::rocks
