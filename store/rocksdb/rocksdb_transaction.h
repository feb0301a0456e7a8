// A mutation under way: reads see the database plus what this group of mutations has staged; writes are staged.
//
// The staged writes are a batch that the whole group shares. Taking back one mutation's part is up to the owner of the
// batch (save points). See token_store.h for what each method does; threads: for the committer alone.
#ifndef PAT_STORE_ROCKSDB_ROCKSDB_TRANSACTION_H_
#define PAT_STORE_ROCKSDB_ROCKSDB_TRANSACTION_H_

#include <rocksdb/utilities/write_batch_with_index.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/epoch_records.h"
#include "store/rocksdb/families.h"
#include "store/rocksdb/index_rows.h"
#include "store/rocksdb/key_encoding.h"
#include "store/token_store.h"

namespace pat::rocks {

class RocksDbTransaction final : public TokenTransaction {
 public:
  // `database` and `batch` must outlive this. `batch` must be one that keeps a single entry per key. `state` is that of
  // the store after what the group has staged so far.
  RocksDbTransaction(const Database& database, rocksdb::WriteBatchWithIndex& batch, StoreState state, uint64_t sequence)
      : database_(database), batch_(batch), sequence_(sequence), state_(std::move(state)) {
    state_.sequence = sequence;
  }

  // The state after this mutation, if it is kept. Its rows are not in the batch: they are written once for the group.
  const StoreState& state() const { return state_; }

  // Whether anything was staged that would have to be taken back.
  bool staged() const { return staged_; }

  // The first error of the engine itself in any call. A function that went on after it has judged on half the facts, so
  // what it staged must not be kept.
  const absl::Status& engine_status() const { return engine_status_; }

  uint64_t Sequence() const override { return sequence_; }
  absl::StatusOr<uint64_t> GlobalEpoch() override { return state_.global_epoch; }
  absl::StatusOr<std::optional<TokenRecord>> GetToken(const TokenUid& uid) override;
  absl::StatusOr<std::optional<UserRecord>> GetUser(absl::string_view id) override;
  absl::StatusOr<std::optional<PasswordRecord>> GetPassword(const UserUid& user) override;
  absl::StatusOr<std::optional<RequestRecord>> GetRequest(absl::string_view key) override;
  absl::StatusOr<CacheBoundRecord> GetCacheBound() override;
  absl::StatusOr<PolicyRecord> GetPolicy() override { return *state_.policy; }
  absl::StatusOr<uint64_t> CountAdministrators() override { return state_.counters.administrators; }
  absl::StatusOr<std::optional<TokenUid>> FindLiveByDisplayName(const UserRecord& owner, absl::string_view display_name,
                                                                absl::Time now) override;
  absl::StatusOr<size_t> CountLive(const UserRecord& owner, absl::Time now, size_t limit) override;
  absl::StatusOr<std::vector<TokenUid>> ListEnded(absl::Time cutoff, size_t limit) override;
  absl::StatusOr<std::vector<std::string>> ListForgettableRequests(absl::Time cutoff, size_t limit) override;
  absl::Status PutToken(const TokenRecord& token) override;
  absl::Status PutUser(const UserRecord& user) override;
  absl::Status PutPassword(const UserUid& user, const PasswordRecord& password) override;
  absl::Status PutRequest(absl::string_view key, const RequestRecord& request) override;
  absl::Status PutCacheBound(const CacheBoundRecord& bound) override;
  absl::Status PutPolicy(const PolicyRecord& policy) override;
  absl::Status PutAudit(const AuditRecord& row) override;
  absl::Status NoteUse(const TokenUid& uid, absl::Time time) override;
  absl::StatusOr<uint64_t> RevokeAll(const std::optional<UserUid>& owner, absl::Time time) override;
  absl::StatusOr<uint64_t> DeleteUser(const UserUid& uid, absl::Time time) override;
  absl::Status DeleteToken(const TokenUid& uid) override;
  absl::Status DeleteRequest(absl::string_view key) override;
  absl::StatusOr<size_t> DeleteAuditBefore(absl::Time cutoff, size_t limit) override;
  absl::StatusOr<size_t> DeleteChangesThrough(uint64_t sequence, size_t limit) override;

 private:
  // Notes `status` as the engine's if it is an error, and returns it.
  absl::Status Noted(absl::Status status);

  absl::StatusOr<std::optional<std::string>> Get(Family family, absl::string_view key);
  // The record under a key, decoded.
  template <typename Record>
  absl::StatusOr<std::optional<Record>> GetRecord(Family family, absl::string_view key,
                                                  absl::StatusOr<Record> (*decode)(absl::string_view));
  absl::StatusOr<std::optional<UserRecord>> GetUserByUid(absl::string_view uid_bytes);
  // The token as it was put, without what its epochs and its uses add to it.
  absl::StatusOr<std::optional<TokenRecord>> GetPlainToken(const TokenUid& uid);
  absl::StatusOr<std::optional<absl::Time>> GetUse(const TokenUid& uid);
  absl::StatusOr<std::optional<OwnerEpochRecord>> GetOwnerEpoch(absl::string_view key);
  absl::StatusOr<std::optional<GlobalEpochRecord>> GetGlobalEpoch(absl::string_view key);
  // Whether a token with these times, which is not revoked, is live by the policy as it is in this mutation.
  bool IsLive(const LiveTimes& times, absl::Time now) const;
  absl::Status Scan(Family family, absl::string_view begin, absl::string_view end,
                    absl::FunctionRef<bool(absl::string_view key)> visit);

  absl::Status Put(Family family, absl::string_view key, absl::string_view value);
  absl::Status Delete(Family family, absl::string_view key);
  // Stages what turns the index rows `previous` into `next`; rows in both are left alone.
  absl::Status ReplaceRows(const std::vector<Row>& previous, const std::vector<Row>& next);

  // Stages a change of this mutation. Twice is as good as once.
  absl::Status PutChange(Change change);
  absl::Status PutChangeOf(const UserRecord& owner) {
    return PutChange({.kind = Change::Kind::kOwner, .owner_id = owner.id});
  }

  // Counts a token that is, or is no longer, one without a revoke_time of its own in these epochs: +1 or -1.
  absl::Status CountUnrevoked(const UserUid& owner, const Epochs& epochs, int change);
  // Counts what a user was, and is now, among the administrators who can log in; before the password goes.
  absl::Status CountAdministrator(const std::optional<UserRecord>& previous, const std::optional<UserRecord>& next);
  absl::StatusOr<uint64_t> EndOwnerEpoch(const UserRecord& user, absl::Time time);
  absl::StatusOr<uint64_t> EndGlobalEpoch(absl::Time time);
  // Adds to `ended` tokens of the ended epoch with this key, until there are `limit`. Where to go on next time, if it
  // is further on, is staged in `resumed`.
  absl::Status CollectOwnerEpoch(absl::string_view key, size_t limit, absl::flat_hash_set<TokenUid>& ended,
                                 std::vector<Row>& resumed);
  absl::Status CollectGlobalEpoch(absl::string_view key, size_t limit, absl::flat_hash_set<TokenUid>& ended,
                                  std::vector<Row>& resumed);

  const Database& database_;
  rocksdb::WriteBatchWithIndex& batch_;
  const uint64_t sequence_;
  StoreState state_;
  bool staged_ = false;
  absl::Status engine_status_;
};

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_ROCKSDB_TRANSACTION_H_
