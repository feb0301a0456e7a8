// Putting a Unix socket in its place.
//
// gRPC unlinks whatever is at the path when it binds and again when it ends, also the live socket of another process.
// So it is given a path of its own, PATH.<pid>; when it listens there, the socket gets its mode and is renamed to PATH,
// which replaces a stale one in one step. PATH.lock, held for as long as this object lives, tells a live socket from a
// stale one.
#ifndef PAT_SERVER_OPS_UNIX_SOCKET_H_
#define PAT_SERVER_OPS_UNIX_SOCKET_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pat {

// Threads: for one thread.
class UnixSocketPlace {
 public:
  // What Take() would say, without making anything: FAILED_PRECONDITION if a server listens there or something is there
  // that is no socket; NOT_FOUND if the directory is missing.
  static absl::Status Check(const std::string& path);

  // Takes the lock. FAILED_PRECONDITION if another process has it: a server listens there. Likewise if something is
  // there that is no socket.
  static absl::StatusOr<std::unique_ptr<UnixSocketPlace>> Take(const std::string& path);

  // Unlinks PATH if it is still the socket that was put there.
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
