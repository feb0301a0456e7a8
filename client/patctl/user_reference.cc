#include "client/patctl/user_reference.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace pat::patctl {

absl::StatusOr<std::string> ParseUser(absl::string_view text) {
  const absl::string_view id = absl::StripPrefix(text, "users/");
  // To the server, users/- is everybody.
  if (id.empty() || id == "-" || absl::StrContains(id, "/")) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": give one user's name, as in ada or users/ada"));
  }
  return std::string(id);
}

}  // namespace pat::patctl
