#include "client/patctl/system_console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/secret_file.h"

namespace pat::patctl {
namespace {

using client::SecretText;

volatile sig_atomic_t caught_signal = 0;

void RememberSignal(int signal) { caught_signal = signal; }

// While it lives, signals that would end the program only interrupt what it reads.
class SignalGuard {
 public:
  SignalGuard() {
    caught_signal = 0;
    struct sigaction action = {};
    action.sa_handler = RememberSignal;  // Without SA_RESTART: read() returns.
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }

  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  // A signal that came meanwhile does now what it would have done.
  ~SignalGuard() {
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
    if (caught_signal != 0) raise(caught_signal);
  }

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  std::array<struct sigaction, std::size(kSignals)> before_ = {};
};

// While it lives, the terminal does not show what is typed, and Ctrl-Z does not stop the program half way.
class EchoGuard {
 public:
  explicit EchoGuard(int terminal) : terminal_(terminal), changed_(tcgetattr(terminal, &before_) == 0) {
    if (!changed_) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    hidden.c_lflag |= ECHONL;
    hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
    changed_ = tcsetattr(terminal_, TCSAFLUSH, &hidden) == 0;
  }

  EchoGuard(const EchoGuard&) = delete;
  EchoGuard& operator=(const EchoGuard&) = delete;

  ~EchoGuard() {
    if (changed_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }

  bool hidden() const { return changed_; }

 private:
  int terminal_;
  termios before_ = {};
  bool changed_;
};

absl::StatusOr<SecretText> ReadHiddenLine(int terminal, absl::string_view prompt) {
  SignalGuard signals;
  EchoGuard echo(terminal);
  if (!echo.hidden()) return UsageError("the terminal cannot be kept from showing what is typed");
  if (write(terminal, prompt.data(), prompt.size()) < 0) return UsageError("the terminal cannot be written to");

  SecretText line;
  char byte = 0;
  // A terminal hands over one line at a time; reading it byte by byte leaves what was typed ahead to the next reader.
  while (caught_signal == 0 && line.size() < kLongestSecret) {
    const ssize_t count = read(terminal, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || byte == '\n') break;
    line.Append(absl::string_view(&byte, 1));
  }
  explicit_bzero(&byte, sizeof(byte));
  if (line.empty() || caught_signal != 0) return NotConfirmed("nothing was typed; nothing was done");
  return line;
}

}  // namespace

std::ostream& SystemConsole::out() { return std::cout; }

std::ostream& SystemConsole::err() { return std::cerr; }

bool SystemConsole::InputIsTerminal() const { return isatty(STDIN_FILENO) == 1; }

std::optional<std::string> SystemConsole::ReadLine() {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

absl::StatusOr<SecretText> SystemConsole::ReadAll(size_t limit) { return ReadDescriptor(STDIN_FILENO, limit); }

absl::StatusOr<SecretText> SystemConsole::ReadHidden(absl::string_view prompt) {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0) return UsageError("there is no terminal to ask at");
  auto line = ReadHiddenLine(terminal, prompt);
  close(terminal);
  return line;
}

}  // namespace pat::patctl
