#include "server/ops/unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace pat {
namespace {

absl::Status ErrnoStatus(const std::string& path, absl::string_view what) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": ", what));
}

absl::Status CheckIsNoOtherFile(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0 || S_ISSOCK(info.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path, ": exists and is no socket; it is left alone"));
}

// The locked file; closing it gives the lock back. `flags`: O_CREAT, if it is to be made.
absl::StatusOr<int> Lock(const std::string& path, int flags) {
  const std::string lock_path = path + ".lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  if (lock < 0) return ErrnoStatus(lock_path, "cannot be opened");
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  const bool taken = errno == EWOULDBLOCK;
  absl::Status status = taken ? absl::FailedPreconditionError(absl::StrCat(path, ": a server listens there already"))
                              : ErrnoStatus(lock_path, "cannot be locked");
  close(lock);
  return status;
}

}  // namespace

absl::Status UnixSocketPlace::Check(const std::string& path) {
  const std::string directory = path.substr(0, std::max(path.rfind('/'), size_t{1}));
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return absl::NotFoundError(absl::StrCat(path, ": ", directory, " is no directory; make it first"));
  }
  if (absl::Status status = CheckIsNoOtherFile(path); !status.ok()) return status;
  const absl::StatusOr<int> lock = Lock(path, 0);
  if (absl::IsNotFound(lock.status())) return absl::OkStatus();  // Nobody ever listened there.
  if (!lock.ok()) return lock.status();
  close(*lock);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<UnixSocketPlace>> UnixSocketPlace::Take(const std::string& path) {
  const absl::StatusOr<int> lock = Lock(path, O_CREAT);
  if (!lock.ok()) return lock.status();
  std::unique_ptr<UnixSocketPlace> place = absl::WrapUnique(new UnixSocketPlace(path, *lock));
  if (absl::Status status = CheckIsNoOtherFile(path); !status.ok()) return status;
  return place;
}

UnixSocketPlace::UnixSocketPlace(std::string path, int lock)
    : path_(std::move(path)), bind_path_(absl::StrCat(path_, ".", getpid())), lock_(lock) {}

UnixSocketPlace::~UnixSocketPlace() {
  struct stat info {};
  const bool ours = inode_ != 0 && lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_;
  if (ours) unlink(path_.c_str());
  // The lock file stays: unlinking it would let two processes hold locks on two files of one name.
  close(lock_);
}

absl::Status UnixSocketPlace::Publish(uint32_t mode) {
  struct stat info {};
  if (chmod(bind_path_.c_str(), mode) != 0 || lstat(bind_path_.c_str(), &info) != 0) {
    return ErrnoStatus(bind_path_, "cannot be given its mode");
  }
  if (rename(bind_path_.c_str(), path_.c_str()) != 0) return ErrnoStatus(path_, "cannot be put in place");
  device_ = info.st_dev;
  inode_ = info.st_ino;
  return absl::OkStatus();
}

}  // namespace pat
