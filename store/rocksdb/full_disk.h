// What a database needs to live through a full disk: mutations are refused, reads go on, and it takes mutations again
// by itself.
//
// RocksDB 7.8 can recover from "no space" in its log and in a flush, but with atomic_flush several errors at a time
// leave it refusing writes until it is opened anew, and one makes it abort. So it is kept from running into a full
// disk, and its recovery, for what cannot be foreseen (a quota, somebody else who takes the space meanwhile), is kept
// to the cases that work:
//
//   - A write is refused before RocksDB sees it if there is not the space to flush all that is in memory.
//
//   - A merge of table files stops before it takes that space, with an error after which RocksDB just tries again.
//
//   - A log that has failed must not be appended to, and what is in it must not come back. RocksDB replaces it when it
//     recovers, but only if there is something in a memtable; and it gives it up only if there is something in the
//     memtable of each family. After an open and after a flush there is nothing. So before each synced write, if
//     memtables are empty, a deletion of a key that no row has goes into each, past the log. It says nothing, and
//     nothing is lost with it. A switch of memtables that is due is made before that, by a write of nothing.
//     (With it the log goes on in another file. If the end of the one before is not synced, that is done first: or a
//     power cut could leave a hole in the log.)
//
//   - A log that cannot be made would be an error for ever. It seems to be made, and fails when it is appended to.
//
//   - While RocksDB recovers nothing is written: to be refused would count as an error of the recovery.
//
//   - Until then nothing but the recovery flushes. A flush that succeeds after another has failed would be neither
//     done nor undone, and the recovery would wait for it for ever.
//
//   - RocksDB does not try before all that was under way has failed: the first time it asks, there is no space. Five
//     seconds later it asks again.
//
// Left over: if the manifest cannot be synced for a merge while a flush ends, RocksDB does not recover. Then mutations
// are refused until the store is opened anew.
#ifndef PAT_STORE_ROCKSDB_FULL_DISK_H_
#define PAT_STORE_ROCKSDB_FULL_DISK_H_

#include <rocksdb/db.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pat::rocks {

// Knows how much space is kept free, and what lacks some. Threads: thread-safe.
class DiskSpace final : public rocksdb::EventListener {
 public:
  // Bytes that nothing but a flush may take.
  uint64_t reserve() const { return reserve_; }
  void set_reserve(uint64_t bytes) { reserve_ = bytes; }

  // RocksDB has met a full disk, and nothing worse, and has not recovered.
  bool stopped() const { return stopped_ && !broken_; }

  // The last merge of table files lacked space.
  bool merge_failed() const { return merge_failed_; }
  void set_merge_failed(bool failed) { merge_failed_ = failed; }

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override;
  void OnFlushBegin(rocksdb::DB* db, const rocksdb::FlushJobInfo& job) override;
  void OnCompactionBegin(rocksdb::DB* db, const rocksdb::CompactionJobInfo& job) override;
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo& job) override;

 private:
  std::atomic<uint64_t> reserve_ = 0;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> broken_ = false;
  std::atomic<bool> merge_failed_ = false;
};

// The file system of one database. Threads: thread-safe.
class FullDiskFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FullDiskFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target, std::shared_ptr<DiskSpace> space)
      : FileSystemWrapper(target), space_(std::move(space)) {}
  const char* Name() const override { return "FullDiskFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  // For RocksDB; see above.
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options, uint64_t* free,
                                 rocksdb::IODebugContext* debug) override;

  // False: `bytes` more and the reserve are not there. True also if it cannot be told.
  bool HasSpaceFor(const std::string& path, uint64_t bytes) const;

 private:
  const std::shared_ptr<DiskSpace> space_;
};

// Whether a write waits until it is durable, with all before it; or is only in the log's file.
enum class LogSync : uint8_t { kYes, kNo };

// Writes `batch`. `file_system` and `space` are those of `db`, which has atomic_flush and avoid_flush_during_shutdown;
// `families` are all of its families; nobody else writes. `unsynced` is for these calls: whether there is an end of the
// log that is not synced.
//
// IsNoSpace(): nothing of it is visible, and a later call may succeed. Until one does, a crash may still leave all of
// it or nothing. Any other error is for ever.
rocksdb::Status WriteInto(rocksdb::DB& db, FullDiskFileSystem& file_system, DiskSpace& space,
                          const std::vector<rocksdb::ColumnFamilyHandle*>& families, rocksdb::WriteBatch& batch,
                          LogSync log_sync, bool& unsynced);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_FULL_DISK_H_
