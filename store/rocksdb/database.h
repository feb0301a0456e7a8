// The RocksDB handle with its column families, opened with the one set of options that this store relies on.
//
// Threads: reads are thread-safe, as RocksDB's are; one Write() at a time.
#ifndef PAT_STORE_ROCKSDB_DATABASE_H_
#define PAT_STORE_ROCKSDB_DATABASE_H_

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/rocksdb/families.h"
#include "store/rocksdb/full_disk.h"
#include "store/rocksdb/rocksdb_token_store.h"

namespace pat::rocks {

enum class OpenMode : uint8_t {
  kCreate,        // There must be no database yet.
  kWrite,         // With all families.
  kReadMetaOnly,  // Changes nothing on disk, and opens Family::kMeta alone.
};

// What is made of a log that does not read to its end.
enum class LogEnd : uint8_t {
  // An unfinished record at the end was never acknowledged and is dropped. Anything else is an error: RocksDB's default
  // opens after a flipped bit in the middle of the log and silently drops what follows.
  kStrict,

  // Drops whatever follows the first record that does not read. For a log that is known to hold, up to there, all that
  // was acknowledged: a power cut may leave the end that was not synced with a hole.
  kCut,
};

// What a point read came to.
struct ReadResult {
  bool would_block = false;  // Only with read_tier = kBlockCacheTier.
  std::optional<std::string> value = std::nullopt;
};

class Database {
 public:
  // `wal_filter`, if not null, sees each record of the log while it is replayed; used during Open only.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const RocksDbOptions& options, const std::string& directory,
                                                        const std::shared_ptr<rocksdb::FileSystem>& file_system,
                                                        OpenMode mode, LogEnd log_end = LogEnd::kStrict,
                                                        rocksdb::WalFilter* wal_filter = nullptr);

  // Closes the database. What was acknowledged is on disk already.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family family) const { return families_[IndexOf(family)]; }

  // The only way in for writes; see WriteInto() in full_disk.h.
  rocksdb::Status Write(rocksdb::WriteBatch& batch, LogSync log_sync) const {
    return WriteInto(*db_, *file_system_, *space_, families_, batch, log_sync, unsynced_);
  }

  absl::StatusOr<ReadResult> Get(const rocksdb::ReadOptions& options, Family family, absl::string_view key) const;

 private:
  explicit Database(const std::shared_ptr<rocksdb::FileSystem>& file_system)
      : file_system_(std::make_shared<FullDiskFileSystem>(file_system, space_)),
        env_(rocksdb::NewCompositeEnv(file_system_)) {}

  // Constant after Open.
  const std::shared_ptr<DiskSpace> space_ = std::make_shared<DiskSpace>();
  const std::shared_ptr<FullDiskFileSystem> file_system_;
  const std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;

  // Touched by the one that writes.
  mutable bool unsynced_ = false;
};

// Calls `visit` with each key from `begin` on and before `end`, in order, until it returns false. The keys are valid
// during the call only.
absl::Status Scan(rocksdb::Iterator& iterator, absl::string_view begin, absl::string_view end,
                  absl::FunctionRef<bool(absl::string_view key)> visit);

// Between RocksDB's views and Abseil's.
inline rocksdb::Slice AsSlice(absl::string_view bytes) { return rocksdb::Slice(bytes.data(), bytes.size()); }
inline absl::string_view AsView(const rocksdb::Slice& slice) { return absl::string_view(slice.data(), slice.size()); }

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_DATABASE_H_
