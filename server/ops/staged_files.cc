#include "server/ops/staged_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pat {
namespace {

constexpr char kInMemory[] = "/dev/shm";
constexpr char kPrefix[] = "patd-files.";
constexpr char kUnlockedPrefix[] = ".patd-files-new.";  // Until it is locked; never holds anything.
constexpr char kCurrent[] = "current";

absl::Status ErrnoStatus(const std::string& path, absl::string_view what) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat(path, ": ", what));
}

absl::StatusOr<std::string> BestParent() {
  std::error_code error;
  if (std::filesystem::is_directory(kInMemory, error) && access(kInMemory, W_OK | X_OK) == 0) return kInMemory;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  if (error) return absl::UnavailableError(absl::StrCat("no temporary directory: ", error.message()));
  return parent.string();
}

// The locked directory; closing it gives the lock back. -1: it is in use, is none, or is not ours.
int LockDirectory(const std::string& path) {
  const int lock = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (lock < 0) return -1;
  struct stat info {};
  if (fstat(lock, &info) == 0 && info.st_uid == geteuid() && flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  close(lock);
  return -1;
}

void RemoveLeftBehind(const std::string& parent) {
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(parent, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    if (!absl::StartsWith(it->path().filename().string(), kPrefix)) continue;
    const int lock = LockDirectory(it->path().string());
    if (lock < 0) continue;
    std::error_code ignored;
    std::filesystem::remove_all(it->path(), ignored);
    close(lock);
  }
}

absl::Status WriteFile(const std::string& path, absl::string_view content, int64_t modified) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
  if (file < 0) return ErrnoStatus(path, "cannot be made");
  const absl::Cleanup close_file = [file] { close(file); };
  size_t written = 0;
  while (written < content.size()) {
    const ssize_t put = write(file, content.data() + written, content.size() - written);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(path, "cannot be written");
    written += static_cast<size_t>(put);
  }
  const timespec times[2] = {{.tv_sec = modified, .tv_nsec = 0}, {.tv_sec = modified, .tv_nsec = 0}};
  if (futimens(file, times) != 0) return ErrnoStatus(path, "cannot be given its time");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StagedFiles>> StagedFiles::Make(const std::string& parent) {
  std::string place = parent;
  if (place.empty()) {
    absl::StatusOr<std::string> best = BestParent();
    if (!best.ok()) return best.status();
    place = *std::move(best);
  }
  RemoveLeftBehind(place);
  std::string made = absl::StrCat(place, "/", kUnlockedPrefix, "XXXXXX");
  if (mkdtemp(made.data()) == nullptr) return ErrnoStatus(made, "cannot be made");
  const int lock = LockDirectory(made);
  const std::string directory = absl::StrCat(place, "/", kPrefix, made.substr(made.size() - 6));
  // Fails if there is a directory of that name with something in it; an empty one is replaced.
  if (lock < 0 || rename(made.c_str(), directory.c_str()) != 0) {
    absl::Status status = ErrnoStatus(made, "cannot be locked and put in place");
    if (lock >= 0) close(lock);
    rmdir(made.c_str());
    return status;
  }
  return absl::WrapUnique(new StagedFiles(directory, lock));
}

StagedFiles::~StagedFiles() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
  close(lock_);
}

std::string StagedFiles::path(absl::string_view name) const {
  return absl::StrCat(directory_, "/", kCurrent, "/", name);
}

absl::Status StagedFiles::Replace(const std::vector<std::pair<std::string, absl::string_view>>& files) {
  const int64_t generation = generation_ + 1;
  const std::string set = absl::StrCat(directory_, "/", generation);
  const std::string link = absl::StrCat(directory_, "/", kCurrent, ".new");
  std::error_code ignored;
  std::filesystem::remove_all(set, ignored);  // Of a call that failed.
  unlink(link.c_str());
  if (mkdir(set.c_str(), 0700) != 0) return ErrnoStatus(set, "cannot be made");
  absl::Cleanup undo = [&set] {
    std::error_code not_said;
    std::filesystem::remove_all(set, not_said);
  };
  for (const auto& [name, content] : files) {
    if (absl::Status status = WriteFile(absl::StrCat(set, "/", name), content, generation); !status.ok()) return status;
  }
  if (symlink(absl::StrCat(generation).c_str(), link.c_str()) != 0) return ErrnoStatus(link, "cannot be made");
  if (rename(link.c_str(), absl::StrCat(directory_, "/", kCurrent).c_str()) != 0) {
    return ErrnoStatus(link, "cannot be put in place");
  }
  std::move(undo).Cancel();
  generation_ = generation;
  // The set before stays for those who are just opening it.
  std::filesystem::remove_all(absl::StrCat(directory_, "/", generation - 2), ignored);
  return absl::OkStatus();
}

}  // namespace pat
