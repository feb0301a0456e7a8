#include "store/rocksdb/full_disk.h"

#include <utility>

#include "absl/strings/match.h"

namespace pat::rocks {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// Beside the rows: the log, the manifest, and what table files have of their own.
constexpr uint64_t kSpaceBesideRows = uint64_t{1} << 20;

constexpr char kAnchorKey[] = "anchor";

// This thread merges table files.
thread_local bool merging = false;
// This thread flushes for a recovery.
thread_local bool recovering = false;
// This thread has asked for the free space before.
thread_local bool asked = false;

// A log for which there was no space.
class AbsentLog final : public rocksdb::FSWritableFile {
 public:
  explicit AbsentLog(IOStatus reason) : reason_(std::move(reason)) {}

  using FSWritableFile::Append;
  IOStatus Append(const Slice& /*data*/, const IOOptions& /*options*/, IODebugContext* /*debug*/) override {
    return reason_;
  }
  IOStatus Close(const IOOptions& /*options*/, IODebugContext* /*debug*/) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions& /*options*/, IODebugContext* /*debug*/) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions& /*options*/, IODebugContext* /*debug*/) override { return IOStatus::OK(); }

 private:
  const IOStatus reason_;
};

// After such an error RocksDB does the merge again, a second later.
IOStatus TryAgain() {
  IOStatus status = IOStatus::IOError("no space to merge table files");
  status.SetRetryable(true);
  return status;
}

// A table file that a merge writes: fails in time, and with an error that is nobody else's business.
class MergedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  MergedFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name, const FullDiskFileSystem& file_system,
             DiskSpace& space)
      : FSWritableFileOwnerWrapper(std::move(file)), name_(std::move(name)), file_system_(file_system), space_(space) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (!file_system_.HasSpaceFor(name_, data.size())) return Judge(IOStatus::NoSpace());
    return Judge(FSWritableFileOwnerWrapper::Append(data, options, debug));
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    if (!file_system_.HasSpaceFor(name_, data.size())) return Judge(IOStatus::NoSpace());
    return Judge(FSWritableFileOwnerWrapper::Append(data, options, verification, debug));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return Judge(FSWritableFileOwnerWrapper::Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Judge(FSWritableFileOwnerWrapper::Fsync(options, debug));
  }
  // RocksDB allocates ahead what it may never need.
  IOStatus Allocate(uint64_t /*offset*/, uint64_t /*length*/, const IOOptions& /*options*/,
                    IODebugContext* /*debug*/) override {
    return IOStatus::OK();
  }

 private:
  IOStatus Judge(const IOStatus& status) {
    space_.set_merge_failed(status.IsNoSpace());
    return status.IsNoSpace() ? TryAgain() : status;
  }

  const std::string name_;
  const FullDiskFileSystem& file_system_;
  DiskSpace& space_;
};

// After it no memtable is empty, and no switch is due.
rocksdb::Status Anchor(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& families, bool& unsynced) {
  rocksdb::WriteOptions past_log;
  past_log.disableWAL = true;
  rocksdb::WriteBatch batch;
  rocksdb::Status status = db.Write(past_log, &batch);
  // With atomic_flush those that are not empty are switched together: either all of them are empty or none.
  uint64_t entries = 0;
  if (!status.ok() ||
      (db.GetIntProperty(families[0], rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries) && entries > 0)) {
    return status;
  }
  if (unsynced) status = db.SyncWAL();
  if (status.ok()) unsynced = false;
  for (rocksdb::ColumnFamilyHandle* family : families) {
    if (status.ok()) status = batch.Delete(family, kAnchorKey);
  }
  return status.ok() ? db.Write(past_log, &batch) : status;
}

}  // namespace

void DiskSpace::OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status* error) {
  if (error->severity() < rocksdb::Status::Severity::kHardError) return;
  stopped_ = true;
  if (!error->IsNoSpace()) broken_ = true;
}

void DiskSpace::OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) {
  if (info.new_bg_error.ok()) stopped_ = false;
}

void DiskSpace::OnFlushBegin(rocksdb::DB* /*db*/, const rocksdb::FlushJobInfo& job) {
  recovering = job.flush_reason == rocksdb::FlushReason::kErrorRecovery;
}

void DiskSpace::OnCompactionBegin(rocksdb::DB* /*db*/, const rocksdb::CompactionJobInfo& /*job*/) { merging = true; }

void DiskSpace::OnCompactionCompleted(rocksdb::DB* /*db*/, const rocksdb::CompactionJobInfo& /*job*/) {
  merging = false;
}

IOStatus FullDiskFileSystem::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                             std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  if (absl::EndsWith(name, ".sst") && space_->stopped() && !recovering) {
    return merging ? TryAgain() : IOStatus::NoSpace("not recovered yet");
  }
  IOStatus status = FileSystemWrapper::NewWritableFile(name, options, result, debug);
  if (absl::EndsWith(name, ".log") && status.IsNoSpace()) {
    *result = std::make_unique<AbsentLog>(std::move(status));
    return IOStatus::OK();
  }
  if (!merging || !absl::EndsWith(name, ".sst")) return status;
  if (status.ok()) *result = std::make_unique<MergedFile>(std::move(*result), name, *this, *space_);
  if (!status.IsNoSpace()) return status;
  space_->set_merge_failed(true);
  return TryAgain();
}

IOStatus FullDiskFileSystem::GetFreeSpace(const std::string& path, const IOOptions& options, uint64_t* free,
                                          IODebugContext* debug) {
  IOStatus status = FileSystemWrapper::GetFreeSpace(path, options, free, debug);
  if (!status.ok()) return status;
  // Otherwise RocksDB wants as much as memtables may grow to, which a small volume never has.
  *free = asked && *free >= space_->reserve() ? UINT64_MAX : 0;
  asked = true;
  return status;
}

bool FullDiskFileSystem::HasSpaceFor(const std::string& path, uint64_t bytes) const {
  uint64_t free = 0;
  return !target()->GetFreeSpace(path, IOOptions(), &free, nullptr).ok() || free >= space_->reserve() + bytes;
}

rocksdb::Status WriteInto(rocksdb::DB& db, FullDiskFileSystem& file_system, DiskSpace& space,
                          const std::vector<rocksdb::ColumnFamilyHandle*>& families, rocksdb::WriteBatch& batch,
                          LogSync log_sync, bool& unsynced) {
  if (space.stopped()) return rocksdb::Status::NoSpace("not recovered yet");
  uint64_t unflushed = 0;
  db.GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &unflushed);
  space.set_reserve(unflushed + kSpaceBesideRows);
  // In the log, and then in a table file.
  if (!file_system.HasSpaceFor(db.GetName(), 2 * batch.GetDataSize())) {
    return rocksdb::Status::NoSpace("less than what is to be written takes");
  }
  uint64_t write_stopped = 0;
  if (space.merge_failed() && db.GetIntProperty(rocksdb::DB::Properties::kIsWriteStopped, &write_stopped) &&
      write_stopped != 0) {
    return rocksdb::Status::NoSpace("table files cannot be merged, and there are too many of them");
  }

  rocksdb::Status status = Anchor(db, families, unsynced);
  if (!status.ok()) return status;
  rocksdb::WriteOptions options;
  options.sync = log_sync == LogSync::kYes;
  status = db.Write(options, &batch);
  if (status.ok()) unsynced = !options.sync;
  return status;
}

}  // namespace pat::rocks
