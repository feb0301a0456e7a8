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
  FaultWritableFile(std::unique_ptr<rocksdb::FSWritableFile> file, FaultFileSystem& faults, FaultTarget target)
      : FSWritableFileOwnerWrapper(std::move(file)), faults_(faults), target_(target) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus fault = faults_.BeforeWrite(target_);
    return fault.ok() ? FSWritableFileOwnerWrapper::Append(data, options, debug) : fault;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    IOStatus fault = faults_.BeforeWrite(target_);
    return fault.ok() ? FSWritableFileOwnerWrapper::Append(data, options, verification, debug) : fault;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = faults_.BeforeSync(target_);
    if (status.ok()) status = FSWritableFileOwnerWrapper::Sync(options, debug);
    if (status.ok()) faults_.CountSync(target_);
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = faults_.BeforeSync(target_);
    if (status.ok()) status = FSWritableFileOwnerWrapper::Fsync(options, debug);
    if (status.ok()) faults_.CountSync(target_);
    return status;
  }

 private:
  FaultFileSystem& faults_;
  const FaultTarget target_;
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
  if (status.ok()) *result = std::make_unique<FaultWritableFile>(std::move(file), *this, TargetOf(name));
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
