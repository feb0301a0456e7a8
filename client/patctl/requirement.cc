#include "client/patctl/requirement.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace pat::patctl {

absl::StatusOr<Requirement> ParseRequirement(absl::string_view text) {
  Requirement requirement;
  for (absl::string_view name : absl::StrSplit(text, absl::ByAnyChar("|,"))) {
    name = absl::StripAsciiWhitespace(name);
    if (name.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", text,
          "\": a scope is missing; give the scopes of which one is enough, as in OR.Folders|OR.Folders.Read"));
    }
    requirement.emplace_back(name);
  }
  return requirement;
}

std::string FormatRequirement(const Requirement& requirement) { return absl::StrJoin(requirement, " or "); }

}  // namespace pat::patctl
