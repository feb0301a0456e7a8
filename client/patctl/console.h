// Console: where patctl reads and writes. The real one is in system_console.h; tests have their own.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_CONSOLE_H_
#define PAT_CLIENT_PATCTL_CONSOLE_H_

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/secret_text.h"

namespace pat::patctl {

class Console {
 public:
  virtual ~Console() = default;

  // For results, such that programs can read them, and for everything else.
  virtual std::ostream& out() = 0;
  virtual std::ostream& err() = 0;

  // True if standard input is a terminal: only then is there a person to ask.
  virtual bool InputIsTerminal() const = 0;

  // One line of standard input without its end; nullopt: no more is coming.
  virtual std::optional<std::string> ReadLine() = 0;

  // All of standard input. More than `limit` bytes: INVALID_ARGUMENT.
  virtual absl::StatusOr<client::SecretText> ReadAll(size_t limit) = 0;

  // Asks the person at the terminal for one line that is not shown while it is typed. This goes to the terminal itself,
  // so it works while standard input is something else. Without a terminal: INVALID_ARGUMENT; nothing typed: CANCELLED.
  virtual absl::StatusOr<client::SecretText> ReadHidden(absl::string_view prompt) = 0;
};

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_CONSOLE_H_
