// SystemConsole: the standard streams of this process, and its terminal.
//
// Threads: used by one thread. While ReadHidden waits, it handles the signals that end or stop a program, so that none
// of them leaves the terminal without echo.
#ifndef PAT_CLIENT_PATCTL_SYSTEM_CONSOLE_H_
#define PAT_CLIENT_PATCTL_SYSTEM_CONSOLE_H_

#include <optional>
#include <ostream>
#include <string>

#include "client/patctl/console.h"

namespace pat::patctl {

class SystemConsole final : public Console {
 public:
  std::ostream& out() override;
  std::ostream& err() override;
  bool InputIsTerminal() const override;
  std::optional<std::string> ReadLine() override;
  absl::StatusOr<client::SecretText> ReadAll(size_t limit) override;
  absl::StatusOr<client::SecretText> ReadHidden(absl::string_view prompt) override;
};

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_SYSTEM_CONSOLE_H_
