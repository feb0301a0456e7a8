// The data of an authority: directory, pepper and store, opened or made; and taken away again if what made them fails.
#ifndef PAT_SERVER_OPS_DATA_DIRECTORY_H_
#define PAT_SERVER_OPS_DATA_DIRECTORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/core/clock.h"
#include "server/core/peppers.h"
#include "server/ops/options.h"
#include "server/ops/process.h"
#include "store/token_store.h"

namespace pat {

// What a data directory is wanted for.
enum class DataUse : uint8_t {
  kDev,    // Opened, or made if there is none. Marked as one for development. Without a name: a temporary one.
  kServe,  // Opened.
  kMake,   // Made.
};

// Threads: for the thread that made it.
class DataDirectory {
 public:
  // Opens or makes what `options` name. Refuses, in one line, apart from what the store and Peppers::Load() refuse: a
  // directory without a name (but see kDev), a store that is missing or, for kMake, one that is there; a pepper inside
  // the data directory (a copy of the data would have it too), a missing pepper of a store that is there, and peppers
  // of which none is one that the store's tokens were made with. If only some of theirs are missing, the log says so.
  // `clock` must outlive this.
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Open(const Options& options, DataUse use, const Clock& clock);

  // For kMake: whether Open() would find a name, and nothing there yet. Makes nothing.
  static absl::Status CheckFree(const Options& options);

  // Closes the store. A store, a pepper and a directory that were made by this are removed, unless Keep() was called or
  // something was committed after AboutToServe(). A temporary directory always is.
  ~DataDirectory();

  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  // From here on somebody may be given tokens, although the start may still fail: whoever was given one, or changed
  // anything else, finds it again.
  void AboutToServe() { served_from_ = store_->CommitSequence(); }

  // The start has succeeded: what was made stays.
  void Keep() { kept_ = true; }

  // The store is closed, and must not be used any more. Twice does no harm.
  void CloseStore();

  const std::string& directory() const { return directory_; }
  const Peppers& peppers() const { return *peppers_; }
  const std::vector<std::string>& pepper_files() const { return pepper_files_; }
  bool pepper_is_new() const { return !new_pepper_.empty(); }
  TokenStore& store() { return *store_; }

 private:
  DataDirectory() = default;

  absl::Status OpenAll(const Options& options, DataUse use, const Clock& clock);
  absl::Status NameDirectory(const Options& options, DataUse use);
  absl::Status LoadPeppers(const Options& options, DataUse use);
  absl::Status CheckPeppers() const;

  std::optional<TemporaryDirectory> temporary_;
  std::string directory_;
  std::vector<std::string> pepper_files_;
  std::unique_ptr<const Peppers> peppers_;
  std::unique_ptr<TokenStore> store_;

  // What was made.
  bool store_is_new_ = false;
  bool directory_is_new_ = false;
  std::string new_pepper_;
  std::optional<uint64_t> served_from_;  // The store's sequence then.
  bool kept_ = false;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_DATA_DIRECTORY_H_
