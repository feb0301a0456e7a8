#include "tests/store/rocksdb/fault_file_system.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"

namespace pat {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

FaultTarget TargetOf(const std::string& name) {
  if (absl::EndsWith(name, ".log")) return FaultTarget::kLog;
  if (absl::EndsWith(name, "/commit_seq")) return FaultTarget::kSequence;
  return FaultTarget::kOther;
}

class FaultWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultWritableFile(std::unique_ptr<rocksdb::FSWritableFile> file, FaultFileSystem& faults, std::string name)
      : FSWritableFileOwnerWrapper(std::move(file)), faults_(faults), name_(std::move(name)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = faults_.BeforeWrite(target_);
    if (status.ok()) status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (status.ok()) written_ += data.size();
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    IOStatus status = faults_.BeforeWrite(target_);
    if (status.ok()) status = FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
    if (status.ok()) written_ += data.size();
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = faults_.BeforeSync(target_);
    if (status.ok()) status = FSWritableFileOwnerWrapper::Sync(options, debug);
    return Synced(std::move(status));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = faults_.BeforeSync(target_);
    if (status.ok()) status = FSWritableFileOwnerWrapper::Fsync(options, debug);
    return Synced(std::move(status));
  }

 private:
  IOStatus Synced(IOStatus status) {
    if (!status.ok()) return status;
    faults_.CountSync(target_);
    if (target_ == FaultTarget::kLog) faults_.NoteSynced(name_, written_);
    return status;
  }

  FaultFileSystem& faults_;
  const std::string name_;
  const FaultTarget target_ = TargetOf(name_);
  std::atomic<uint64_t> written_ = 0;
};

class FaultRandomRWFile final : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  FaultRandomRWFile(std::unique_ptr<rocksdb::FSRandomRWFile> file, FaultFileSystem& faults, FaultTarget target)
      : FSRandomRWFileOwnerWrapper(std::move(file)), faults_(faults), target_(target) {}

  IOStatus Write(uint64_t offset, const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus fault = faults_.BeforeWrite(target_);
    return fault.ok() ? FSRandomRWFileOwnerWrapper::Write(offset, data, options, debug) : fault;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = faults_.BeforeSync(target_);
    if (status.ok()) status = FSRandomRWFileOwnerWrapper::Sync(options, debug);
    if (status.ok()) faults_.CountSync(target_);
    return status;
  }

 private:
  FaultFileSystem& faults_;
  const FaultTarget target_;
};

}  // namespace

uint64_t FaultFileSystem::SyncedBytes(const std::string& name) const {
  const absl::MutexLock lock(&mutex_);
  const auto it = synced_bytes_.find(name);
  return it == synced_bytes_.end() ? 0 : it->second;
}

void FaultFileSystem::NoteSynced(const std::string& name, uint64_t bytes) {
  const absl::MutexLock lock(&mutex_);
  synced_bytes_[name] = bytes;
}

IOStatus FaultFileSystem::BeforeWrite(FaultTarget target) const {
  if (RefusesFiles() || full_ == Fullness::kContents || (no_space_for_sequence_ && target == FaultTarget::kSequence)) {
    return IOStatus::NoSpace("injected: disk full");
  }
  if (write_error_[Index(target)]) return IOStatus::IOError("injected: write error");
  return IOStatus::OK();
}

IOStatus FaultFileSystem::BeforeSync(FaultTarget target) const {
  const absl::Duration duration = absl::Microseconds(sync_microseconds_.load());
  if (duration > absl::ZeroDuration()) absl::SleepFor(duration);  // Sleeps: a disk takes time to sync.
  if (full_ == Fullness::kLate) return IOStatus::NoSpace("injected: disk full");
  if (sync_error_[Index(target)]) return IOStatus::IOError("injected: sync error");
  return IOStatus::OK();
}

IOStatus FaultFileSystem::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                          std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) {
  if (RefusesFiles()) return IOStatus::NoSpace("injected: disk full");
  std::unique_ptr<rocksdb::FSWritableFile> file;
  IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &file, debug);
  if (status.ok()) *result = std::make_unique<FaultWritableFile>(std::move(file), *this, name);
  return status;
}

IOStatus FaultFileSystem::NewRandomRWFile(const std::string& name, const rocksdb::FileOptions& options,
                                          std::unique_ptr<rocksdb::FSRandomRWFile>* result, IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSRandomRWFile> file;
  IOStatus status = FileSystemWrapper::NewRandomRWFile(name, options, &file, debug);
  if (status.ok()) *result = std::make_unique<FaultRandomRWFile>(std::move(file), *this, TargetOf(name));
  return status;
}

IOStatus FaultFileSystem::GetFreeSpace(const std::string& path, const IOOptions& options, uint64_t* free,
                                       IODebugContext* debug) {
  if (full_ != Fullness::kNot && full_ != Fullness::kQuota) {
    *free = 0;
    return IOStatus::OK();
  }
  return FileSystemWrapper::GetFreeSpace(path, options, free, debug);
}

}  // namespace pat
