// ChildProcess: a program that runs beside the test, and what it prints.
#ifndef PAT_TESTS_E2E_CHILD_PROCESS_H_
#define PAT_TESTS_E2E_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace pat {

// How a process ended: by itself, or by a signal.
struct ProcessEnd {
  int exit_code = -1;  // -1: by a signal.
  int signal = 0;
};

struct ProcessSettings {
  std::string program;
  std::vector<std::string> arguments;                   // Without argv[0].
  std::vector<std::string> environment;                 // "NAME=value". All of it; what sanitizers need is added.
  std::optional<uid_t> user;                            // Whom to run as; takes a test that runs as root.
  std::optional<uint64_t> largest_file = std::nullopt;  // Writing beyond so many bytes of a file fails, with EFBIG.
};

// Threads: all methods may be called from any thread.
class ChildProcess {
 public:
  // Starts it, or throws.
  explicit ChildProcess(const ProcessSettings& settings);

  // Kills it if it still runs.
  ~ChildProcess();

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }

  // What it has printed until now.
  std::string standard_output() const;
  std::string standard_error() const;

  // Waits until it has printed `text` on its standard output. False if it ended before, or takes too long.
  bool WaitForOutput(absl::string_view text);

  // Does nothing if it has ended.
  void Signal(int number);

  // Waits until it has ended and all that it printed is read. Throws (and kills it) if it takes longer than `longest`.
  ProcessEnd Wait(absl::Duration longest = absl::Seconds(60));

  // SIGKILL, and Wait().
  void Kill();

 private:
  void Read(int standard_output, int standard_error);

  pid_t pid_ = -1;
  std::thread reader_;

  mutable absl::Mutex mutex_;
  std::string output_ ABSL_GUARDED_BY(mutex_);
  std::string error_ ABSL_GUARDED_BY(mutex_);
  std::optional<ProcessEnd> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_TESTS_E2E_CHILD_PROCESS_H_
