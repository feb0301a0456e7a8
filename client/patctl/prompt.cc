#include "client/patctl/prompt.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "client/patctl/exit_code.h"

namespace pat::patctl {

absl::StatusOr<std::string> Ask(absl::string_view question, Session& session) {
  session.console().err() << question << std::flush;
  const std::optional<std::string> line = session.console().ReadLine();
  if (!line.has_value()) {
    session.Say("");
    return NotConfirmed("the input ended; nothing was changed");
  }
  return std::string(absl::StripAsciiWhitespace(*line));
}

absl::Status CanConfirm(Session& session) {
  if (session.options().yes || session.console().InputIsTerminal()) return absl::OkStatus();
  return NotConfirmed(
      "not confirmed; nothing was changed: standard input is no terminal, so give --yes if you are sure");
}

absl::Status Confirm(absl::string_view question, Session& session) {
  if (session.options().yes) return absl::OkStatus();
  if (absl::Status can = CanConfirm(session); !can.ok()) return can;
  const auto answer = Ask(absl::StrCat(question, " [y/N] "), session);
  if (!answer.ok()) return answer.status();
  if (absl::EqualsIgnoreCase(*answer, "y") || absl::EqualsIgnoreCase(*answer, "yes")) return absl::OkStatus();
  return NotConfirmed("not confirmed; nothing was changed");
}

}  // namespace pat::patctl
