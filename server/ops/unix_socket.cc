#include "server/ops/unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
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

// What connecting there says: 0 if somebody listens, else errno. ECONNREFUSED: a socket that nobody holds any more.
int TryToConnect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  path.copy(address.sun_path, path.size());
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return errno;
  const absl::Cleanup close_probe = [probe] { close(probe); };
  return connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
}

// For one who has the lock, or found none.
absl::Status CheckIsStale(const std::string& path) {
  const int error = TryToConnect(path);
  if (error == ECONNREFUSED || error == ENOENT) return absl::OkStatus();
  // EAGAIN: somebody listens and is slow to accept.
  if (error == 0 || error == EAGAIN) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": another program listens there; it is left alone"));
  }
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": is a socket, and whether somebody uses it cannot be told"));
}

// Removes PATH.<pid> of processes that ended between bind and rename. Only with the lock: nobody else is there now.
void RemoveUnfinished(const std::string& path) {
  const std::filesystem::path place(path);
  const std::string prefix = place.filename().string() + ".";
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(place.parent_path(), error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool ours = absl::StartsWith(name, prefix) && name.size() > prefix.size() &&
                      std::all_of(name.begin() + static_cast<ptrdiff_t>(prefix.size()), name.end(),
                                  [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
    struct stat info {};
    const bool is_socket = ours && lstat(it->path().c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
    if (is_socket && TryToConnect(it->path().string()) == ECONNREFUSED) unlink(it->path().c_str());
  }
}

std::string LockPath(const std::string& path) { return path + ".lock"; }

// Whether the open file is the one that is there.
bool IsStillAt(const std::string& path, int file) {
  struct stat opened {};
  struct stat there {};
  return fstat(file, &opened) == 0 && lstat(path.c_str(), &there) == 0 && opened.st_dev == there.st_dev &&
         opened.st_ino == there.st_ino;
}

// The locked file; closing it gives the lock back. `flags`: O_CREAT, if it is to be made.
absl::StatusOr<int> Lock(const std::string& path, int flags) {
  const std::string lock_path = LockPath(path);
  while (true) {
    const int lock = open(lock_path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (lock < 0) return ErrnoStatus(lock_path, "cannot be opened");
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
      const bool taken = errno == EWOULDBLOCK;
      absl::Status status = taken
                                ? absl::FailedPreconditionError(absl::StrCat(path, ": a server listens there already"))
                                : ErrnoStatus(lock_path, "cannot be locked");
      close(lock);
      return status;
    }
    if (IsStillAt(lock_path, lock)) return lock;
    // Whoever had it removed it after we had opened it: it is nobody's lock any more, and there may be another one.
    close(lock);
  }
}

}  // namespace

NarrowUmask::NarrowUmask(uint32_t mode) : before_(umask(0177 | (~mode & 0777))) {}

NarrowUmask::~NarrowUmask() { umask(before_); }

absl::Status UnixSocketPlace::Check(const std::string& path) {
  const std::string directory = path.substr(0, std::max(path.rfind('/'), size_t{1}));
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return absl::NotFoundError(absl::StrCat(path, ": ", directory, " is no directory; make it first"));
  }
  if (absl::Status status = CheckIsNoOtherFile(path); !status.ok()) return status;
  // With the rights that count when the socket is made, and also on a file system that is read-only.
  if (faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return ErrnoStatus(path, absl::StrCat("the socket cannot be made in ", directory));
  }
  const absl::StatusOr<int> lock = Lock(path, 0);
  // None: no server of ours ever listened there.
  if (!lock.ok() && !absl::IsNotFound(lock.status())) return lock.status();
  absl::Status stale = CheckIsStale(path);
  if (lock.ok()) close(*lock);
  return stale;
}

absl::StatusOr<std::unique_ptr<UnixSocketPlace>> UnixSocketPlace::Take(const std::string& path) {
  const absl::StatusOr<int> lock = Lock(path, O_CREAT);
  if (!lock.ok()) return lock.status();
  std::unique_ptr<UnixSocketPlace> place = absl::WrapUnique(new UnixSocketPlace(path, *lock));
  if (absl::Status status = CheckIsNoOtherFile(path); !status.ok()) return status;
  if (absl::Status status = CheckIsStale(path); !status.ok()) return status;
  RemoveUnfinished(path);
  return place;
}

UnixSocketPlace::UnixSocketPlace(std::string path, int lock)
    : path_(std::move(path)), bind_path_(absl::StrCat(path_, ".", getpid())), lock_(lock) {}

UnixSocketPlace::~UnixSocketPlace() {
  struct stat info {};
  const bool ours = inode_ != 0 && lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_;
  if (ours) unlink(path_.c_str());
  // Last of all: from here on the place is whoever's makes another one. Whoever has opened this one sees that it is
  // gone.
  const std::string lock_path = LockPath(path_);
  if (IsStillAt(lock_path, lock_)) unlink(lock_path.c_str());
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
