// Requirements of introspect, as a person writes them.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_REQUIREMENT_H_
#define PAT_CLIENT_PATCTL_REQUIREMENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pat::patctl {

// Scopes, any one of which is enough.
using Requirement = std::vector<std::string>;

// "OR.Folders|OR.Folders.Read", also with commas. Blanks around a name do not count. INVALID_ARGUMENT: a name is empty.
absl::StatusOr<Requirement> ParseRequirement(absl::string_view text);

// "OR.Folders or OR.Folders.Read".
std::string FormatRequirement(const Requirement& requirement);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_REQUIREMENT_H_
