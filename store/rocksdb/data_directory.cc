#include "store/rocksdb/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace pat::rocks {
namespace {

// What a store's directory may hold while it has no database. "lost+found" is on every fresh ext4 volume.
constexpr std::array<absl::string_view, 5> kHarmless = {"LOCK", "commit_seq", "commit_seq.new", "db.new", "lost+found"};

absl::Status SystemError(absl::string_view doing, const std::string& path, int error) {
  const std::string text = absl::StrCat(doing, " ", path, ": ", std::strerror(error));
  return error == ENOSPC ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
}

enum class Content { kMissing, kNothing, kOurs, kForeign };

// By the names alone; nothing is opened.
absl::StatusOr<Content> LookInto(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return Content::kMissing;
  if (error) return SystemError("looking at", path, error.value());
  if (!std::filesystem::is_directory(status)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not a directory"));
  }
  bool ours = false;
  bool foreign = false;
  for (auto it = std::filesystem::directory_iterator(path, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name == "db" || name == "commit_seq") ours = true;
    if (std::find(kHarmless.begin(), kHarmless.end(), name) == kHarmless.end()) foreign = true;
  }
  if (error) return SystemError("reading", path, error.value());
  if (ours) return Content::kOurs;
  return foreign ? Content::kForeign : Content::kNothing;
}

absl::Status SyncDirectory(const std::string& path) {
  const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return SystemError("opening", path, errno);
  const int error = fsync(directory) == 0 ? 0 : errno;
  close(directory);
  return error == 0 ? absl::OkStatus() : SystemError("syncing", path, error);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(const std::string& path, bool create_if_missing) {
  const absl::StatusOr<Content> content = LookInto(path);
  if (!content.ok()) return content.status();
  if (*content == Content::kForeign) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not empty, and what is in it is not a token store"));
  }
  if (*content != Content::kOurs && !create_if_missing) {
    return absl::NotFoundError(absl::StrCat("there is no token store in ", path));
  }
  if (*content == Content::kMissing && mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError("making", path, errno);
  }

  const std::string lock_path = path + "/LOCK";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return SystemError("opening", lock_path, errno);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    close(lock);
    if (error != EWOULDBLOCK) return SystemError("locking", lock_path, error);
    return absl::FailedPreconditionError(absl::StrCat(path, " is in use by another process"));
  }
  return std::unique_ptr<DataDirectory>(new DataDirectory(path, lock));
}

absl::StatusOr<bool> DataDirectory::HoldsStore(const std::string& path) {
  const absl::StatusOr<Content> content = LookInto(path);
  if (!content.ok()) return content.status();
  return *content == Content::kOurs;
}

absl::Status DataDirectory::Remove(const std::string& path) {
  const absl::StatusOr<Content> content = LookInto(path);
  if (!content.ok()) return content.status();
  if (*content == Content::kMissing || *content == Content::kForeign) return absl::OkStatus();
  // Without the lock's file no store was ever begun there; making it now may fail for want of space.
  const std::string lock_path = path + "/LOCK";
  if (access(lock_path.c_str(), F_OK) != 0 && errno == ENOENT) return absl::OkStatus();
  const absl::StatusOr<std::unique_ptr<DataDirectory>> opened = Open(path, /*create_if_missing=*/true);
  if (!opened.ok()) return opened.status();
  const DataDirectory& directory = **opened;
  std::error_code error;
  const std::string unfinished = directory.unfinished_path();
  std::filesystem::remove_all(unfinished, error);
  if (error) return SystemError("removing", unfinished, error.value());
  // If this is interrupted, what is left does not count as a store.
  if (rename(directory.database_path().c_str(), unfinished.c_str()) != 0 && errno != ENOENT) {
    return SystemError("renaming", directory.database_path(), errno);
  }
  for (const char* name : {"/commit_seq", "/commit_seq.new"}) unlink((path + name).c_str());
  std::filesystem::remove_all(unfinished, error);
  if (error) return SystemError("removing", unfinished, error.value());
  unlink(lock_path.c_str());
  return absl::OkStatus();
}

DataDirectory::~DataDirectory() { close(lock_); }

bool DataDirectory::HasDatabase() const {
  std::error_code error;
  // What cannot be looked at is taken to be there: a store is never made over something.
  return std::filesystem::exists(database_path(), error) || error;
}

absl::Status DataDirectory::StartCreation() const {
  // The name of DIR itself, which may have been made just now. Who may not read its parent did not make it there.
  const std::string parent = path_ + "/..";
  if (access(parent.c_str(), R_OK) == 0 || errno != EACCES) {
    if (absl::Status status = SyncDirectory(parent); !status.ok()) return status;
  }
  const std::string path = unfinished_path();
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return SystemError("removing", path, error.value());
  if (mkdir(path.c_str(), 0700) != 0) return SystemError("making", path, errno);
  return absl::OkStatus();
}

absl::Status DataDirectory::FinishCreation() const {
  if (rename(unfinished_path().c_str(), database_path().c_str()) != 0) {
    return SystemError("naming", database_path(), errno);
  }
  return SyncDirectory(path_);
}

}  // namespace pat::rocks
