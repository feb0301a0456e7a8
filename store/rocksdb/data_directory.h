// DIR: whose it is, what is in it, and that one process at a time uses it.
//
// Threads: no synchronisation; used while opening, then only held.
#ifndef PAT_STORE_ROCKSDB_DATA_DIRECTORY_H_
#define PAT_STORE_ROCKSDB_DATA_DIRECTORY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pat::rocks {

class DataDirectory {
 public:
  // Takes the directory for this process until the object is destroyed.
  //   kNotFound            it does not exist or is empty, and `create_if_missing` is not set; nothing is created then
  //   kFailedPrecondition  it holds files that are no store's (nothing is changed), or another process has it
  //   kUnavailable         the operating system refused, for example for want of rights
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Open(const std::string& path, bool create_if_missing);

  // What HasRocksDbTokenStore and RemoveRocksDbTokenStore say.
  static absl::StatusOr<bool> HoldsStore(const std::string& path);
  static absl::Status Remove(const std::string& path);

  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string database_path() const { return path_ + "/db"; }
  // Where a new database is made, before it gets its name: what is found there was never finished.
  std::string unfinished_path() const { return path_ + "/db.new"; }

  bool HasDatabase() const;

  // Makes DIR's own name durable, removes what an interrupted creation left, and makes an empty directory for the next.
  absl::Status StartCreation() const;
  // Gives the new database its name, durably.
  absl::Status FinishCreation() const;

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  const std::string path_;
  const int lock_;  // An open file with an exclusive flock(2).
};

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_DATA_DIRECTORY_H_
