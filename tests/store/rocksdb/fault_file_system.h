// A file system that counts what a commit waits for and fails when it is told to. Everything else is the real one.
#ifndef PAT_TESTS_STORE_ROCKSDB_FAULT_FILE_SYSTEM_H_
#define PAT_TESTS_STORE_ROCKSDB_FAULT_FILE_SYSTEM_H_

#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace pat {

// Which files a fault is for.
enum class FaultTarget : uint8_t {
  kLog,       // RocksDB's write-ahead log.
  kSequence,  // commit_seq.
  kOther,     // Tables, manifest, and so on.
};

// In which way a disk is full.
enum class Fullness : uint8_t {
  kNot,
  kEverything,  // Nothing can be written, no file made, and there is no free space.
  kContents,    // The same, but files can be made.
  kQuota,       // As kEverything, but free space is told to be there.
  kLate,        // Writes succeed, and the sync says that there is no space.
};
inline const std::vector<Fullness> kWaysToBeFull = {Fullness::kEverything, Fullness::kContents, Fullness::kQuota,
                                                    Fullness::kLate};

// Threads: all methods are thread-safe; a fault that is set hits calls that begin afterwards.
class FaultFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FaultFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultFileSystem"; }

  // The disk is full, or has space again: what is written then fails with "no space".
  void SetFull(Fullness full) { full_ = full; }
  void SetFull(bool full) { full_ = full ? Fullness::kEverything : Fullness::kNot; }
  // Only writes of commit_seq find no space.
  void SetNoSpaceForSequence(bool full) { no_space_for_sequence_ = full; }
  // Every write, or every sync, of these files fails with an I/O error.
  void SetWriteError(FaultTarget target, bool fails) { write_error_[Index(target)] = fails; }
  void SetSyncError(FaultTarget target, bool fails) { sync_error_[Index(target)] = fails; }

  // How long every sync takes: in memory it takes no time, and callers would never wait at the same time.
  void SetSyncDuration(absl::Duration duration) { sync_microseconds_ = absl::ToInt64Microseconds(duration); }

  // Successful syncs of these files so far.
  uint64_t Syncs(FaultTarget target) const { return syncs_[Index(target)]; }

  // How much of a log file has been synced: what a power cut leaves of it at least.
  uint64_t SyncedBytes(const std::string& name) const;
  void NoteSynced(const std::string& name, uint64_t bytes);

  // For the files: the fault that a write or sync must return, if any.
  rocksdb::IOStatus BeforeWrite(FaultTarget target) const;
  rocksdb::IOStatus BeforeSync(FaultTarget target) const;
  void CountSync(FaultTarget target) { ++syncs_[Index(target)]; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options, uint64_t* free,
                                 rocksdb::IODebugContext* debug) override;

 private:
  static size_t Index(FaultTarget target) { return static_cast<size_t>(target); }

  // Whether a file cannot be made now.
  bool RefusesFiles() const { return full_ == Fullness::kEverything || full_ == Fullness::kQuota; }

  std::atomic<Fullness> full_ = Fullness::kNot;
  std::atomic<bool> no_space_for_sequence_ = false;
  std::atomic<int64_t> sync_microseconds_ = 0;
  std::atomic<bool> write_error_[3] = {};
  std::atomic<bool> sync_error_[3] = {};
  std::atomic<uint64_t> syncs_[3] = {};

  mutable absl::Mutex mutex_;
  std::map<std::string, uint64_t> synced_bytes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_TESTS_STORE_ROCKSDB_FAULT_FILE_SYSTEM_H_
