#include "store/rocksdb/rocksdb_token_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "store/incarnation.h"
#include "store/rocksdb/index_check.h"
#include "store/rocksdb/key_encoding.h"
#include "store/rocksdb/record_codec.h"
#include "store/rocksdb/rocksdb_token_store_internal.h"
#include "store/rocksdb/snapshot_reader.h"
#include "store/rocksdb/status_mapping.h"

namespace pat {
namespace rocks {
namespace {

// Makes an empty store. The last step gives the database its name: whatever is interrupted before it is made anew the
// next time, and after it everything is there.
absl::Status CreateStore(const RocksDbOptions& options, const DataDirectory& directory,
                         const std::shared_ptr<rocksdb::FileSystem>& file_system) {
  if (absl::Status status = directory.StartCreation(); !status.ok()) return status;
  const std::string incarnation = NewIncarnation();
  {
    absl::StatusOr<std::unique_ptr<Database>> database =
        Database::Open(options, directory.unfinished_path(), file_system, OpenMode::kCreate);
    if (!database.ok()) return database.status();
    rocksdb::WriteBatch batch;
    rocksdb::ColumnFamilyHandle* meta = (*database)->family(Family::kMeta);
    rocksdb::Status status = batch.Put(meta, AsSlice(kFormatKey), EncodeNumber(kFormatVersion));
    if (status.ok()) status = batch.Put(meta, AsSlice(kIncarnationKey), incarnation);
    if (status.ok()) status = batch.Put(meta, AsSlice(kDevelopmentKey), EncodeNumber(options.development ? 1 : 0));
    if (status.ok()) status = batch.Put(meta, AsSlice(kSequenceKey), EncodeSequenceRow({}));
    if (status.ok()) status = batch.Put(meta, AsSlice(kGlobalEpochKey), EncodeNumber(0));
    if (status.ok()) status = batch.Put(meta, AsSlice(kCountersKey), EncodeCounters({}));
    rocksdb::WriteOptions synced;
    synced.sync = true;
    if (status.ok()) status = (*database)->db().Write(synced, &batch);
    // Into a table file, so that a store without its log still says what it is.
    if (status.ok()) status = (*database)->db().Flush(rocksdb::FlushOptions(), meta);
    if (!status.ok()) return FromRocksDb(status, absl::StrCat("making ", directory.path()));
  }
  if (absl::Status status = CommitSequenceFile::Create(*file_system, directory.path(), incarnation, 0); !status.ok()) {
    return status;
  }
  return directory.FinishCreation();
}

// Whether there is a store, or the rest of one whose creation was interrupted, or what is left of one.
absl::StatusOr<bool> HasStore(const DataDirectory& directory, rocksdb::FileSystem& file_system) {
  if (directory.HasDatabase()) return true;
  const absl::StatusOr<std::unique_ptr<CommitSequenceFile>> file =
      CommitSequenceFile::Open(file_system, directory.path());
  if (absl::IsNotFound(file.status())) return false;
  if (!file.ok()) return file.status();
  if ((*file)->newest().sequence == 0) return false;
  return absl::DataLossError(absl::StrCat(directory.database_path(), " is missing, but commit_seq says that mutation ",
                                          (*file)->newest().sequence, " was acknowledged"));
}

}  // namespace

RocksDbTokenStore::RocksDbTokenStore(std::unique_ptr<DataDirectory> directory,
                                     std::unique_ptr<CommitSequenceFile> sequence_file,
                                     std::unique_ptr<Database> database, const StoreFacts& facts)
    : directory_(std::move(directory)),
      sequence_file_(std::move(sequence_file)),
      database_(std::move(database)),
      incarnation_(facts.incarnation),
      latest_(std::make_shared<Published>(database_->db(), facts.state)),
      signal_(facts.state.durable_sequence),
      committer_(*database_, *sequence_file_, facts.state, [this](const StoreState& state) { Publish(state); }) {}

std::shared_ptr<const Published> RocksDbTokenStore::Latest() const {
  const absl::MutexLock lock(&mutex_);
  return latest_;
}

void RocksDbTokenStore::Publish(const StoreState& state) {
  std::shared_ptr<const Published> next = std::make_shared<Published>(database_->db(), state);
  {
    const absl::MutexLock lock(&mutex_);
    latest_.swap(next);
  }
  signal_.Raise(state.durable_sequence);
  // The snapshot before is given up here, outside the lock that readers take, unless one of them still uses it.
}

absl::StatusOr<FindOutcome> RocksDbTokenStore::FindByHmac(absl::Span<const TokenHmac> candidates,
                                                          Blocking blocking) const {
  const std::shared_ptr<const Published> latest = Latest();
  SnapshotReader reader(*database_, latest->snapshot, latest->state, blocking);
  absl::StatusOr<std::optional<TokenSnapshot>> found = reader.FindByHmac(candidates);
  if (!found.ok()) return found.status();
  FindOutcome outcome;
  outcome.would_block = reader.would_block();
  outcome.found = *std::move(found);
  return outcome;
}

absl::StatusOr<TokenPage> RocksDbTokenStore::ListTokens(const TokenQuery& query) const {
  const std::shared_ptr<const Published> latest = Latest();
  return SnapshotReader(*database_, latest->snapshot, latest->state).ListTokens(query);
}

absl::StatusOr<UserPage> RocksDbTokenStore::ListUsers(const UserQuery& query) const {
  const std::shared_ptr<const Published> latest = Latest();
  return SnapshotReader(*database_, latest->snapshot, latest->state).ListUsers(query);
}

absl::StatusOr<AuditPage> RocksDbTokenStore::ListAudit(const AuditQuery& query) const {
  const std::shared_ptr<const Published> latest = Latest();
  return SnapshotReader(*database_, latest->snapshot, latest->state).ListAudit(query);
}

absl::StatusOr<PolicyRecord> RocksDbTokenStore::GetPolicy() const { return *Latest()->state.policy; }

absl::StatusOr<std::optional<TokenRecord>> RocksDbTokenStore::GetToken(const TokenUid& uid) const {
  const std::shared_ptr<const Published> latest = Latest();
  return SnapshotReader(*database_, latest->snapshot, latest->state).GetToken(uid);
}

absl::StatusOr<std::optional<UserRecord>> RocksDbTokenStore::GetUser(absl::string_view id) const {
  const std::shared_ptr<const Published> latest = Latest();
  return SnapshotReader(*database_, latest->snapshot, latest->state).GetUser(id);
}

absl::StatusOr<std::optional<PasswordRecord>> RocksDbTokenStore::GetPassword(const UserUid& user) const {
  const std::shared_ptr<const Published> latest = Latest();
  return SnapshotReader(*database_, latest->snapshot, latest->state).GetPassword(user);
}

absl::StatusOr<CacheBoundRecord> RocksDbTokenStore::GetCacheBound() const {
  const std::shared_ptr<const Published> latest = Latest();
  return SnapshotReader(*database_, latest->snapshot, latest->state).GetCacheBound();
}

absl::StatusOr<std::vector<PepperId>> RocksDbTokenStore::PepperIds() const {
  const std::shared_ptr<const Published> latest = Latest();
  return SnapshotReader(*database_, latest->snapshot, latest->state).PepperIds();
}

uint64_t RocksDbTokenStore::CommitSequence() const { return Latest()->state.sequence; }

uint64_t RocksDbTokenStore::DurableSequence() const { return Latest()->state.durable_sequence; }

absl::StatusOr<ChangePage> RocksDbTokenStore::ListChanges(uint64_t after_sequence, size_t limit) const {
  const std::shared_ptr<const Published> latest = Latest();
  return SnapshotReader(*database_, latest->snapshot, latest->state).ListChanges(after_sequence, limit);
}

bool RocksDbTokenStore::WaitForCommit(uint64_t after_sequence, absl::Duration timeout) const {
  return signal_.Wait(after_sequence, timeout);
}

absl::Status RocksDbTokenStore::Commit(Mutation mutation) { return committer_.Commit(mutation, LogSync::kYes); }

absl::Status RocksDbTokenStore::CommitWithoutSync(Mutation mutation) {
  return committer_.Commit(mutation, LogSync::kNo);
}

absl::Status RocksDbTokenStore::Verify() const {
  const std::shared_ptr<const Published> latest = Latest();
  return CheckIndexes(*database_, latest->snapshot);
}

absl::StatusOr<std::unique_ptr<RocksDbTokenStore>> OpenWithFileSystem(
    const RocksDbOptions& options, const std::shared_ptr<rocksdb::FileSystem>& file_system) {
  absl::StatusOr<std::unique_ptr<DataDirectory>> directory =
      DataDirectory::Open(options.directory, options.create_if_missing);
  if (!directory.ok()) return directory.status();
  const std::string database_path = (*directory)->database_path();

  absl::StatusOr<bool> has_store = HasStore(**directory, *file_system);
  if (!has_store.ok()) return has_store.status();
  if (!*has_store) {
    if (!options.create_if_missing) {
      return absl::NotFoundError(absl::StrCat("there is no token store in ", options.directory));
    }
    if (absl::Status created = CreateStore(options, **directory, file_system); !created.ok()) return created;
  }

  absl::StatusOr<std::unique_ptr<CommitSequenceFile>> sequence_file =
      CommitSequenceFile::Open(*file_system, options.directory);
  if (absl::IsNotFound(sequence_file.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat(sequence_file.status().message(), ", but ", database_path,
                     " is there: whether it has lost acknowledged mutations cannot be told"));
  }
  if (!sequence_file.ok()) return sequence_file.status();

  const absl::StatusOr<StoreFacts> facts =
      InspectDatabase(options, database_path, file_system, (*sequence_file)->newest());
  if (!facts.ok()) return facts.status();
  absl::StatusOr<std::unique_ptr<Database>> database =
      Database::Open(options, database_path, file_system, OpenMode::kWrite, facts->log_end);
  if (!database.ok()) return database.status();

  // A crash between the two writes of a group leaves the database ahead. It is the truth; the file follows.
  if (facts->state.sequence > (*sequence_file)->newest().sequence || !(*sequence_file)->intact()) {
    if (absl::Status status = (*sequence_file)->Write(facts->state.sequence); !status.ok()) return status;
  }
  return std::make_unique<RocksDbTokenStore>(*std::move(directory), *std::move(sequence_file), *std::move(database),
                                             *facts);
}

}  // namespace rocks

absl::StatusOr<std::unique_ptr<TokenStore>> OpenRocksDbTokenStore(const RocksDbOptions& options) {
  return rocks::OpenWithFileSystem(options, rocksdb::FileSystem::Default());
}

absl::StatusOr<bool> HasRocksDbTokenStore(const std::string& directory) {
  return rocks::DataDirectory::HoldsStore(directory);
}

absl::Status RemoveRocksDbTokenStore(const std::string& directory) { return rocks::DataDirectory::Remove(directory); }

absl::Status VerifyRocksDbTokenStore(const RocksDbOptions& options) {
  absl::StatusOr<std::unique_ptr<rocks::RocksDbTokenStore>> store =
      rocks::OpenWithFileSystem(options, rocksdb::FileSystem::Default());
  if (!store.ok()) return store.status();
  return (*store)->Verify();
}

}  // namespace pat
