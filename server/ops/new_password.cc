#include "server/ops/new_password.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <iterator>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/core/secret_file.h"
#include "server/crypto/wipe.h"

namespace pat {
namespace {

// Longer than any password that is taken, so that one that is too long is refused for that.
constexpr size_t kMostBytes = 2048;

volatile sig_atomic_t caught_signal = 0;

void RememberSignal(int signal) { caught_signal = signal; }

// While it lives, signals that would end the program only interrupt what it reads; then they do what they would have
// done, with the terminal as it was.
class SignalGuard {
 public:
  SignalGuard() {
    caught_signal = 0;
    struct sigaction action {};
    action.sa_handler = RememberSignal;  // Without SA_RESTART: read() returns.
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  ~SignalGuard() {
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
    if (caught_signal != 0) raise(caught_signal);
  }

  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  std::array<struct sigaction, std::size(kSignals)> before_{};
};

// While it lives, the terminal does not show what is typed.
class EchoGuard {
 public:
  explicit EchoGuard(int terminal) : terminal_(terminal), hidden_(tcgetattr(terminal, &before_) == 0) {
    if (!hidden_) return;
    termios hiding = before_;
    hiding.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    hiding.c_lflag |= ECHONL;
    hiding.c_cc[VSUSP] = _POSIX_VDISABLE;
    hidden_ = tcsetattr(terminal_, TCSAFLUSH, &hiding) == 0;
  }
  ~EchoGuard() {
    if (hidden_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }

  EchoGuard(const EchoGuard&) = delete;
  EchoGuard& operator=(const EchoGuard&) = delete;

  bool hidden() const { return hidden_; }

 private:
  const int terminal_;
  termios before_{};
  bool hidden_;
};

// Until the end, or with `one_line` until a line's.
absl::StatusOr<Secret> ReadFrom(int file, bool one_line) {
  std::string bytes(kMostBytes, '\0');
  const absl::Cleanup wipe = [&bytes] { SecureWipe(bytes); };
  size_t size = 0;
  while (size < bytes.size() && caught_signal == 0) {
    const ssize_t got = read(file, bytes.data() + size, one_line ? 1 : bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "the password cannot be read");
    if (got == 0) break;
    size += static_cast<size_t>(got);
    if (one_line && bytes[size - 1] == '\n') break;
  }
  return Secret(bytes.substr(0, size));
}

Secret WithoutLineEnd(const Secret& secret) {
  absl::string_view text = secret.Reveal();
  if (absl::ConsumeSuffix(&text, "\n")) absl::ConsumeSuffix(&text, "\r");
  return Secret(std::string(text));
}

absl::StatusOr<Secret> Ask(int terminal, absl::string_view prompt) {
  const SignalGuard signals;
  const EchoGuard echo(terminal);
  if (!echo.hidden()) return absl::FailedPreconditionError("the terminal cannot be kept from showing what is typed");
  if (write(terminal, prompt.data(), prompt.size()) < 0) {
    return absl::FailedPreconditionError("the terminal cannot be written to");
  }
  return ReadFrom(terminal, /*one_line=*/true);
}

absl::StatusOr<Secret> AskTwice() {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0) {
    return absl::InvalidArgumentError(
        "--password-file: is not given, and there is no terminal to ask at; give a file, or "
        "- for standard input");
  }
  const absl::Cleanup close_terminal = [terminal] { close(terminal); };
  absl::StatusOr<Secret> first = Ask(terminal, "Password of the administrator: ");
  if (!first.ok()) return first;
  const absl::StatusOr<Secret> second = Ask(terminal, "The same again: ");
  if (!second.ok()) return second.status();
  if (!(*first == *second)) return absl::InvalidArgumentError("the two passwords differ; nothing was made");
  return first;
}

}  // namespace

absl::StatusOr<Secret> ReadNewPassword(const std::string& file) {
  absl::StatusOr<Secret> read = file.empty()  ? AskTwice()
                                : file == "-" ? ReadFrom(STDIN_FILENO, /*one_line=*/false)
                                              : ReadSecretFile(file, kMostBytes);
  if (!read.ok()) {
    const char* const option = file.empty() ? "" : "--password-file: ";
    return absl::Status(read.status().code(), absl::StrCat(option, read.status().message()));
  }
  return WithoutLineEnd(*read);
}

}  // namespace pat
