// The data of `patd dev`: directory, pepper and store, opened or made; and taken away again if the start that made them
// fails.
#ifndef PAT_SERVER_OPS_DEV_DATA_H_
#define PAT_SERVER_OPS_DEV_DATA_H_

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

// Threads: for the thread that made it.
class DevData {
 public:
  // Opens what `options` name, or makes what is not there yet. Refuses, in one line, apart from what the store and
  // Peppers::Load() refuse: a pepper inside the data directory (a copy of the data would have it too), a missing
  // pepper of a store that is there, and peppers of which none is one that the store's tokens were made with. If only
  // some of theirs are missing, the log says so. `clock` must outlive this.
  static absl::StatusOr<std::unique_ptr<DevData>> Open(const Options& options, const Clock& clock);

  // Closes the store. Unless Keep() was called, a store, a pepper and a directory that were made by this are removed; a
  // temporary directory always is.
  ~DevData();

  DevData(const DevData&) = delete;
  DevData& operator=(const DevData&) = delete;

  // The start has come so far that somebody may be given tokens: from here on what was made stays.
  void Keep() { kept_ = true; }

  // The store is closed, and must not be used any more. Twice does no harm.
  void CloseStore() { store_ = nullptr; }

  const std::string& directory() const { return directory_; }
  const Peppers& peppers() const { return *peppers_; }
  TokenStore& store() { return *store_; }

 private:
  DevData() = default;

  absl::Status OpenAll(const Options& options, const Clock& clock);
  absl::Status LoadPeppers(const Options& options);
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
  bool kept_ = false;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_DEV_DATA_H_
