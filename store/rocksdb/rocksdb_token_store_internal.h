// The store's class and the way in for tests; programs use rocksdb_token_store.h.
#ifndef PAT_STORE_ROCKSDB_ROCKSDB_TOKEN_STORE_INTERNAL_H_
#define PAT_STORE_ROCKSDB_ROCKSDB_TOKEN_STORE_INTERNAL_H_

#include <rocksdb/file_system.h>
#include <rocksdb/snapshot.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "store/commit_signal.h"
#include "store/rocksdb/commit_sequence_file.h"
#include "store/rocksdb/data_directory.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/epoch_records.h"
#include "store/rocksdb/group_committer.h"
#include "store/rocksdb/inspection.h"
#include "store/token_store.h"

namespace pat::rocks {

// One point of the store's history: what readers see.
struct Published {
  Published(rocksdb::DB& database, StoreState then)
      : db(database), snapshot(db.GetSnapshot()), state(std::move(then)) {}
  ~Published() { db.ReleaseSnapshot(snapshot); }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  rocksdb::DB& db;
  const rocksdb::Snapshot* const snapshot;
  const StoreState state;
};

class RocksDbTokenStore final : public TokenStore {
 public:
  RocksDbTokenStore(std::unique_ptr<DataDirectory> directory, std::unique_ptr<CommitSequenceFile> sequence_file,
                    std::unique_ptr<Database> database, const StoreFacts& facts);

  absl::StatusOr<FindOutcome> FindByHmac(absl::Span<const TokenHmac> candidates, Blocking blocking) const override;
  absl::StatusOr<TokenPage> ListTokens(const TokenQuery& query) const override;
  absl::StatusOr<UserPage> ListUsers(const UserQuery& query) const override;
  absl::StatusOr<AuditPage> ListAudit(const AuditQuery& query) const override;
  absl::StatusOr<PolicyRecord> GetPolicy() const override;
  absl::StatusOr<std::optional<TokenRecord>> GetToken(const TokenUid& uid) const override;
  absl::StatusOr<std::optional<UserRecord>> GetUser(absl::string_view id) const override;
  absl::StatusOr<std::optional<PasswordRecord>> GetPassword(const UserUid& user) const override;
  absl::StatusOr<CacheBoundRecord> GetCacheBound() const override;
  absl::StatusOr<std::vector<PepperId>> PepperIds() const override;
  uint64_t CommitSequence() const override;
  uint64_t DurableSequence() const override;
  absl::StatusOr<ChangePage> ListChanges(uint64_t after_sequence, size_t limit) const override;
  bool WaitForCommit(uint64_t after_sequence, absl::Duration timeout) const override;
  void EndWaiting() override { signal_.End(); }
  std::string Incarnation() const override { return incarnation_; }
  absl::Status Commit(Mutation mutation) override;
  absl::Status CommitWithoutSync(Mutation mutation) override;

  // Reads everything; see VerifyRocksDbTokenStore.
  absl::Status Verify() const;

  const Database& database() const { return *database_; }
  // How many calls of Commit() are under way.
  size_t WaitingCommits() const { return committer_.waiting(); }

 private:
  std::shared_ptr<const Published> Latest() const;
  void Publish(const StoreState& state);

  // Constant after construction. The order matters: the directory is given up last.
  const std::unique_ptr<DataDirectory> directory_;
  const std::unique_ptr<CommitSequenceFile> sequence_file_;
  const std::unique_ptr<Database> database_;
  const std::string incarnation_;

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Published> latest_ ABSL_GUARDED_BY(mutex_);

  CommitSignal signal_;
  GroupCommitter committer_;
};

// OpenRocksDbTokenStore with all access to db/ and commit_seq through `file_system`.
absl::StatusOr<std::unique_ptr<RocksDbTokenStore>> OpenWithFileSystem(
    const RocksDbOptions& options, const std::shared_ptr<rocksdb::FileSystem>& file_system);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_ROCKSDB_TOKEN_STORE_INTERNAL_H_
