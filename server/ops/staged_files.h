// StagedFiles: a private directory whose files are replaced all at once.
//
// For handing files to a library that watches paths: whoever opens path("a") and then path("b") may get an old "a" and
// a new "b", but each set has a modification time of its own, so that a reader who compares the times before and after
// notices.
//
// The directory has mode 0700 and is in memory where the machine has such a file system (/dev/shm), else under $TMPDIR.
// It is removed at the end. What a process that was killed has left is removed by the next one of the same user.
//
// Threads: for one thread at a time.
#ifndef PAT_SERVER_OPS_STAGED_FILES_H_
#define PAT_SERVER_OPS_STAGED_FILES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pat {

class StagedFiles {
 public:
  // In `parent`; empty: where it is best. UNAVAILABLE or the like if it cannot be made.
  static absl::StatusOr<std::unique_ptr<StagedFiles>> Make(const std::string& parent = {});
  ~StagedFiles();

  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;

  // Puts these files, by name, in place of those that are there. After an error those that were there still are.
  absl::Status Replace(const std::vector<std::pair<std::string, absl::string_view>>& files);

  // Where the file of this name is, also after the next Replace().
  std::string path(absl::string_view name) const;

  const std::string& directory() const { return directory_; }

 private:
  StagedFiles(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}

  const std::string directory_;
  const int lock_;  // Held while this lives: tells it from what a crash left.
  int64_t generation_ = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_STAGED_FILES_H_
