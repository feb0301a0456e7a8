#include "client/patctl/name_set.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/text.h"

namespace pat::patctl {

absl::Status ChangeNames(const std::vector<std::string>& added, const std::vector<std::string>& removed,
                         absl::string_view what, google::protobuf::RepeatedPtrField<std::string>& names) {
  const auto quoted = [](absl::string_view name) { return absl::StrCat("\"", Printable(name), "\""); };
  for (const std::string& name : removed) {
    if (std::find(added.begin(), added.end(), name) != added.end()) {
      return UsageError(absl::StrCat(quoted(name), " is to be added and to be removed; decide for one"));
    }
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      return Failed(absl::StrCat(quoted(name), " is not ", Printable(what), "; nothing was changed"));
    }
    names.erase(found);
  }
  for (const std::string& name : added) {
    if (std::find(names.begin(), names.end(), name) == names.end()) *names.Add() = name;
  }
  return absl::OkStatus();
}

}  // namespace pat::patctl
