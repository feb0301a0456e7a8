// A RocksDB store in a scratch directory, with its files at hand, for the tests of what only this engine promises.
#ifndef PAT_TESTS_STORE_ROCKSDB_ROCKSDB_FIXTURE_H_
#define PAT_TESTS_STORE_ROCKSDB_ROCKSDB_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/rocksdb/rocksdb_token_store_internal.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"
#include "tests/store/rocksdb/fault_file_system.h"

namespace pat {

// Small caches and memtables; create_if_missing.
RocksDbOptions OptionsFor(const std::string& directory);

// Files as strings. Failures fail the test.
std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, absl::string_view content);
// The names in a directory, sorted; with `suffix`, only those that end so.
std::vector<std::string> NamesIn(const std::string& directory, absl::string_view suffix = "");
void CopyDirectory(const std::string& from, const std::string& to);
// The same of an open store, whose threads may be at work: what was there at one moment.
void CopyAtOneMoment(const std::string& from, const std::string& to);

class RocksDbFixture : public testing::Test {
 protected:
  // Opens (and makes) the store in directory(); through faults_.
  absl::Status Open() {
    absl::StatusOr<std::unique_ptr<rocks::RocksDbTokenStore>> opened = rocks::OpenWithFileSystem(options_, faults_);
    if (!opened.ok()) return opened.status();
    store_ = *std::move(opened);
    return absl::OkStatus();
  }
  void Close() { store_.reset(); }
  absl::Status Reopen() {
    Close();
    return Open();
  }

  // Opens the store anew, with one user and `tokens` tokens in it, the first of which is revoked last.
  void MakeStoreWithRevokedToken(uint64_t tokens);

  rocks::RocksDbTokenStore& store() { return *store_; }
  const std::string& directory() const { return options_.directory; }
  std::string database() const { return options_.directory + "/db"; }
  std::string sequence_file() const { return options_.directory + "/commit_seq"; }

  const ScratchDirectory scratch_;
  const std::shared_ptr<FaultFileSystem> faults_ = std::make_shared<FaultFileSystem>();
  RocksDbOptions options_ = OptionsFor(scratch_.path() + "/store");
  const UserRecord user_ = UserNumber(1);
  std::unique_ptr<rocks::RocksDbTokenStore> store_;
};

}  // namespace pat

#endif  // PAT_TESTS_STORE_ROCKSDB_ROCKSDB_FIXTURE_H_
