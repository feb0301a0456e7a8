#include "client/patctl/new_password.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/secret_file.h"
#include "client/patctl/text.h"

namespace pat::patctl {

absl::StatusOr<client::SecretText> ReadNewPassword(const std::string& file, const std::string& user, Session& session) {
  Console& console = session.console();
  const std::string what = absl::StrCat("new password of ", Printable(absl::StripPrefix(user, "users/")));
  const bool asked = file.empty() || (file == "-" && console.InputIsTerminal());
  if (!asked) return ReadSecretFile(file, what, console);

  auto password = console.ReadHidden(absl::StrCat(what, ": "));
  if (!password.ok() && ExitCodeOf(password.status()) == ExitCode::kUsage) {
    return UsageError(absl::StrCat("the new password is missing: ", password.status().message(),
                                   "; give it with --new-password-file (- is standard input)"));
  }
  if (!password.ok()) return password.status();
  const auto again = console.ReadHidden(absl::StrCat(what, ", once more: "));
  if (!again.ok()) return again.status();
  if (again->Reveal() != password->Reveal()) {
    return NotConfirmed("the two passwords are not the same; nothing was changed");
  }
  return password;
}

}  // namespace pat::patctl
