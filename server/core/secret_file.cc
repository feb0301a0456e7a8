#include "server/core/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/crypto/wipe.h"

namespace pat {
namespace {

bool InGroup(gid_t group) {
  if (group == getegid()) return true;
  std::vector<gid_t> groups(static_cast<size_t>(std::max(getgroups(0, nullptr), 0)));
  const int count = getgroups(static_cast<int>(groups.size()), groups.data());
  return count > 0 && std::find(groups.begin(), groups.begin() + count, group) != groups.begin() + count;
}

absl::Status ErrnoStatus(const std::string& path, absl::string_view what) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": ", what));
}

}  // namespace

absl::StatusOr<Secret> ReadSecretFile(const std::string& path, size_t limit) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return ErrnoStatus(path, "cannot be opened");
  const absl::Cleanup close_file = [file] { close(file); };
  struct stat info {};
  if (fstat(file, &info) != 0) return ErrnoStatus(path, "cannot be examined");
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, ": is not a regular file"));
  const bool readable_by_strangers =
      (info.st_mode & S_IRWXO) != 0 || ((info.st_mode & S_IRWXG) != 0 && !InGroup(info.st_gid));
  if (readable_by_strangers) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%s: has mode %04o and holds a secret; others may not have access: chmod 0400", path, info.st_mode & 07777));
  }
  if (static_cast<size_t>(info.st_size) > limit) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": has ", info.st_size, " bytes; at most ", limit));
  }
  std::string bytes(limit + 1, '\0');
  const absl::Cleanup wipe = [&bytes] { SecureWipe(bytes); };
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = read(file, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(path, "cannot be read");
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > limit) return absl::InvalidArgumentError(absl::StrCat(path, ": has more than ", limit, " bytes"));
  return Secret(bytes.substr(0, size));
}

absl::Status CreateSecretFile(const std::string& path, const Secret& bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
  if (file < 0) return ErrnoStatus(path, "cannot be made");
  absl::Cleanup undo = [file, &path] {
    close(file);
    unlink(path.c_str());
  };
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t put = write(file, bytes.Reveal().data() + written, bytes.size() - written);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(path, "cannot be written");
    written += static_cast<size_t>(put);
  }
  if (fsync(file) != 0) return ErrnoStatus(path, "cannot be made durable");

  // The name has to be durable too: a store without its pepper is lost.
  const size_t slash = path.find_last_of('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, std::max(slash, size_t{1}));
  const int parent = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0) return ErrnoStatus(directory, "cannot be opened");
  const absl::Cleanup close_parent = [parent] { close(parent); };
  if (fsync(parent) != 0) return ErrnoStatus(directory, "cannot be made durable");
  std::move(undo).Cancel();
  close(file);
  return absl::OkStatus();
}

}  // namespace pat
