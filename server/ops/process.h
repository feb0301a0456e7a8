// The process itself: what it must not leave behind, and how it is told to end.
#ifndef PAT_SERVER_OPS_PROCESS_H_
#define PAT_SERVER_OPS_PROCESS_H_

#include <signal.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace pat {

// No core dumps, and no other process of the same user may look into this one: secrets pass through its memory.
void ForbidCoreDumps();

// Debian's Abseil is built with assertions. So each lock of an absl::Mutex goes through a graph of all locks that are
// held, behind one spin lock for the process, and an order of locks that might deadlock aborts it. Tests want that;
// a server does not. To be called before there are other threads.
void IgnoreLockOrder();

// gRPC's tracing prints `authorization` headers. To be called before gRPC is used.
void ClearGrpcTracing();

// What SIGHUP means to the process, unless it ignores the signal anyway (nohup).
enum class HangUp : uint8_t {
  kEnd,       // The terminal was closed.
  kAnnounce,  // For a daemon, from people who have replaced certificates: a line in the log, and it goes on.
};

// SIGTERM, SIGINT and SIGHUP, taken by one thread that waits for them. Make it before any other thread starts: they
// inherit that these signals do not come to them. SIGPIPE is ignored from here on.
class TerminationSignals {
 public:
  explicit TerminationSignals(HangUp hang_up);

  // Blocks until one comes that is to end the process; its number.
  int Wait();

 private:
  const HangUp hang_up_;
  sigset_t signals_;
};

// A directory of our own under $TMPDIR (or /tmp), mode 0700, removed with all that is in it at the end.
class TemporaryDirectory {
 public:
  static absl::StatusOr<TemporaryDirectory> Make();
  ~TemporaryDirectory();

  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_PROCESS_H_
