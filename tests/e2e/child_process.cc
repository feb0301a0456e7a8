#include "tests/e2e/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pat {
namespace {

constexpr int kCannotExecute = 127;

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Another user, without the capabilities of root. System calls, because glibc's setuid() would wait for threads that
// are not in this copy of the process.
bool Become(uid_t user) {
  return syscall(SYS_setgroups, 0, nullptr) == 0 && syscall(SYS_setresgid, user, user, user) == 0 &&
         syscall(SYS_setresuid, user, user, user) == 0;
}

}  // namespace

ChildProcess::ChildProcess(const ProcessSettings& settings) {
  // Everything that takes memory is done before the fork: the other threads of this process may hold its locks.
  std::vector<std::string> arguments = {settings.program};
  arguments.insert(arguments.end(), settings.arguments.begin(), settings.arguments.end());
  std::vector<std::string> environment = settings.environment;
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = getenv(name)) environment.push_back(absl::StrCat(name, "=", value));
  }
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  // Opened here: another user may not be able to reach it.
  const int program = open(settings.program.c_str(), O_RDONLY | O_CLOEXEC);
  std::array<int, 2> output{};
  std::array<int, 2> error{};
  if (program < 0 || pipe2(output.data(), O_CLOEXEC) != 0 || pipe2(error.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error(settings.program + ": cannot be run");
  }
  const std::optional<uid_t> user = settings.user;
  const std::optional<uint64_t> largest_file = settings.largest_file;

  pid_ = fork();
  if (pid_ == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (largest_file.has_value()) {
      const rlimit limit{.rlim_cur = *largest_file, .rlim_max = *largest_file};
      setrlimit(RLIMIT_FSIZE, &limit);
      signal(SIGXFSZ, SIG_IGN);
    }
    const bool ready = dup2(output[1], STDOUT_FILENO) >= 0 && dup2(error[1], STDERR_FILENO) >= 0 &&
                       (!user.has_value() || Become(*user));
    if (ready) fexecve(program, argv.data(), envp.data());
    _exit(kCannotExecute);
  }
  close(program);
  close(output[1]);
  close(error[1]);
  if (pid_ < 0) throw std::runtime_error("there can be no more processes");
  reader_ = std::thread([this, output, error] { Read(output[0], error[0]); });
}

ChildProcess::~ChildProcess() {
  Signal(SIGKILL);
  reader_.join();
}

void ChildProcess::Read(int standard_output, int standard_error) {
  std::array<pollfd, 2> streams = {pollfd{.fd = standard_output, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = standard_error, .events = POLLIN, .revents = 0}};
  std::array<char, 16384> buffer;
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    if (poll(streams.data(), streams.size(), -1) < 0) continue;
    for (pollfd& stream : streams) {
      if (stream.fd < 0 || stream.revents == 0) continue;
      const ssize_t size = read(stream.fd, buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) {
        close(stream.fd);
        stream.fd = -1;
        continue;
      }
      const absl::MutexLock lock(&mutex_);
      (&stream == &streams[0] ? output_ : error_).append(buffer.data(), static_cast<size_t>(size));
    }
  }
  // Not reaped yet: Signal() must not meet another process under this number.
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  const absl::MutexLock lock(&mutex_);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  end_ = WIFEXITED(status) ? ProcessEnd{.exit_code = WEXITSTATUS(status), .signal = 0}
                           : ProcessEnd{.exit_code = -1, .signal = WTERMSIG(status)};
}

std::string ChildProcess::standard_output() const {
  const absl::MutexLock lock(&mutex_);
  return output_;
}

std::string ChildProcess::standard_error() const {
  const absl::MutexLock lock(&mutex_);
  return error_;
}

bool ChildProcess::WaitForOutput(absl::string_view text) {
  const auto printed_or_ended = [this, text]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return end_.has_value() || absl::StrContains(output_, text);
  };
  const absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&printed_or_ended), absl::Seconds(60));
  return absl::StrContains(output_, text);
}

void ChildProcess::Signal(int number) {
  const absl::MutexLock lock(&mutex_);
  if (!end_.has_value()) kill(pid_, number);
}

ProcessEnd ChildProcess::Wait(absl::Duration longest) {
  const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return end_.has_value(); };
  {
    const absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&ended), longest)) return *end_;
    kill(pid_, SIGKILL);
  }
  throw std::runtime_error(absl::StrCat("the process did not end within ", absl::FormatDuration(longest)));
}

void ChildProcess::Kill() {
  Signal(SIGKILL);
  Wait();
}

}  // namespace pat
