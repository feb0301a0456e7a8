#include "store/rocksdb/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <cstdarg>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "store/rocksdb/status_mapping.h"

namespace pat::rocks {
namespace {

// RocksDB's own log repeats options and file events, grows with time and is written beside the data. What matters
// reaches our log as the text of a status.
class DiscardingLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::DBOptions MakeDbOptions(const RocksDbOptions& options, rocksdb::Env* env, OpenMode mode, LogEnd log_end,
                                 rocksdb::WalFilter* wal_filter) {
  rocksdb::DBOptions db;
  db.env = env;
  db.create_if_missing = mode == OpenMode::kCreate;
  db.error_if_exists = mode == OpenMode::kCreate;
  db.create_missing_column_families = mode == OpenMode::kCreate;
  db.paranoid_checks = true;
  db.wal_recovery_mode = log_end == LogEnd::kStrict ? rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords
                                                    : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.wal_filter = wal_filter;
  // All families reach table files together. Otherwise, were the log lost, the sequence row could be newer than the
  // tokens.
  db.atomic_flush = true;
  // What was written past the log is worth nothing (see full_disk.h), and everything else is in the log.
  db.avoid_flush_during_shutdown = true;
  // One budget for the memtables of all families.
  db.db_write_buffer_size = options.memtable_bytes;
  db.max_total_wal_size = 4 * options.memtable_bytes;
  db.max_open_files = options.max_open_files;
  db.max_background_jobs = 2;
  db.bytes_per_sync = size_t{1} << 20;
  // Readers are on latency-critical threads: leave the deletion of files to the background.
  db.avoid_unnecessary_blocking_io = true;
  db.info_log = std::make_shared<DiscardingLogger>();
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.skip_stats_update_on_db_open = true;
  return db;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(Family family, const RocksDbOptions& options,
                                               const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  // Memory is bounded by the cache, whatever the number of tokens.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // Only point reads profit from a filter, and there an unknown token must not cost a read of the disk.
  const bool point_reads = family == Family::kTokens || family == Family::kHmacs || family == Family::kUsers ||
                           family == Family::kPasswords || family == Family::kRequests || family == Family::kEpochs ||
                           family == Family::kUses;
  if (point_reads) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));

  rocksdb::ColumnFamilyOptions column_family;
  column_family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  column_family.compression = rocksdb::kNoCompression;
  column_family.bottommost_compression = rocksdb::kNoCompression;
  column_family.write_buffer_size = std::max<size_t>(options.memtable_bytes / 2, 64 << 10);
  column_family.level_compaction_dynamic_level_bytes = true;
  // Rows that are read from the front and removed there leave tombstones that every later read walks over.
  const bool queue = family == Family::kEnded || family == Family::kRequests || family == Family::kLive ||
                     family == Family::kLists || family == Family::kAudit;
  if (queue) {
    column_family.table_properties_collector_factories = {
        rocksdb::NewCompactOnDeletionCollectorFactory(/*sliding_window_size=*/1024, /*deletion_trigger=*/512)};
  }
  return column_family;
}

// RocksDB locks db/ too. Our own lock comes first, so this is somebody who opened the database without the store.
bool IsLockConflict(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && (absl::StrContains(text, "While lock file") || absl::StrContains(text, "lock hold by"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const RocksDbOptions& options, const std::string& directory,
                                                         const std::shared_ptr<rocksdb::FileSystem>& file_system,
                                                         OpenMode mode, LogEnd log_end,
                                                         rocksdb::WalFilter* wal_filter) {
  auto database = std::unique_ptr<Database>(new Database(file_system));
  rocksdb::DBOptions db_options = MakeDbOptions(options, database->env_.get(), mode, log_end, wal_filter);
  db_options.listeners.push_back(database->space_);
  const std::shared_ptr<rocksdb::Cache> cache =
      rocksdb::NewLRUCache(mode == OpenMode::kReadMetaOnly ? 0 : options.block_cache_bytes);

  const size_t count = mode == OpenMode::kReadMetaOnly ? 1 : kFamilyCount;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (size_t i = 0; i < count; ++i) {
    descriptors.emplace_back(kFamilyNames[i], MakeFamilyOptions(static_cast<Family>(i), options, cache));
  }

  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      mode == OpenMode::kReadMetaOnly
          ? rocksdb::DB::OpenForReadOnly(db_options, directory, descriptors, &database->families_, &db)
          : rocksdb::DB::Open(db_options, directory, descriptors, &database->families_, &db);
  if (!opened.ok() && IsLockConflict(opened)) {
    return absl::FailedPreconditionError(absl::StrCat(directory, " is in use by another process"));
  }
  if (!opened.ok()) return FromRocksDb(opened, absl::StrCat("opening ", directory));
  database->db_.reset(db);
  return database;
}

Database::~Database() {
  if (db_ == nullptr) return;
  // So that only a crash can take something back.
  if (unsynced_) db_->SyncWAL().PermitUncheckedError();
  // First of all, or Close() may wait for a recovery that waits for space.
  rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/false);
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

absl::StatusOr<ReadResult> Database::Get(const rocksdb::ReadOptions& options, Family family,
                                         absl::string_view key) const {
  std::string value;
  const rocksdb::Status status = db_->Get(options, this->family(family), AsSlice(key), &value);
  if (status.ok()) return ReadResult{.value = std::move(value)};
  if (status.IsNotFound()) return ReadResult{};
  if (status.IsIncomplete() && options.read_tier == rocksdb::kBlockCacheTier) return ReadResult{.would_block = true};
  return FromRocksDb(status, absl::StrCat("reading from ", kFamilyNames[IndexOf(family)]));
}

absl::Status Scan(rocksdb::Iterator& iterator, absl::string_view begin, absl::string_view end,
                  absl::FunctionRef<bool(absl::string_view key)> visit) {
  for (iterator.Seek(AsSlice(begin)); iterator.Valid(); iterator.Next()) {
    const absl::string_view key = AsView(iterator.key());
    if (key >= end || !visit(key)) break;
  }
  return FromRocksDb(iterator.status(), "reading a list");
}

}  // namespace pat::rocks
