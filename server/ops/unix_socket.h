// Putting a Unix socket in its place.
//
// gRPC unlinks whatever is at the path when it binds and again when it ends, also the live socket of another process.
// So it is given a path of its own, PATH.<pid>; when it listens there, the socket gets its mode and is renamed to PATH,
// which replaces a stale one in one step. PATH.lock, there and locked for as long as this object lives, tells a live
// socket of ours from a stale one; of another program's socket, which knows no lock, connecting tells: only one that
// refuses is stale.
#ifndef PAT_SERVER_OPS_UNIX_SOCKET_H_
#define PAT_SERVER_OPS_UNIX_SOCKET_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pat {

// While it lives, sockets that this process binds are open to nobody beyond `mode`, nor beyond their owner: between
// bind and Publish() too. Short, and best alone: the umask is that of the whole process. Files that others make
// meanwhile are their owner's only.
class NarrowUmask {
 public:
  explicit NarrowUmask(uint32_t mode);
  ~NarrowUmask();

  NarrowUmask(const NarrowUmask&) = delete;
  NarrowUmask& operator=(const NarrowUmask&) = delete;

 private:
  const mode_t before_;
};

// Threads: for one thread.
class UnixSocketPlace {
 public:
  // What Take() would say, without making anything: FAILED_PRECONDITION if a server listens there or something is there
  // that is no socket; NOT_FOUND if the directory is missing; as the system says if nothing can be made in there.
  static absl::Status Check(const std::string& path);

  // Takes the lock. FAILED_PRECONDITION if another process has it, or answers at the socket: a server listens there.
  // Likewise if something is there that is no socket, or a socket of which it cannot be told whether it is stale.
  // Removes what a process that crashed before Publish() left at its PATH.<pid>.
  static absl::StatusOr<std::unique_ptr<UnixSocketPlace>> Take(const std::string& path);

  // Unlinks PATH if it is still the socket that was put there, and gives the lock back: PATH.lock goes with it.
  ~UnixSocketPlace();

  UnixSocketPlace(const UnixSocketPlace&) = delete;
  UnixSocketPlace& operator=(const UnixSocketPlace&) = delete;

  // Where the server is to bind.
  const std::string& bind_path() const { return bind_path_; }

  // Gives the bound socket its mode and its name. From here on clients can connect.
  absl::Status Publish(uint32_t mode);

 private:
  UnixSocketPlace(std::string path, int lock);

  const std::string path_;
  const std::string bind_path_;
  const int lock_;
  dev_t device_ = 0;
  ino_t inode_ = 0;  // 0: not published.
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_UNIX_SOCKET_H_
