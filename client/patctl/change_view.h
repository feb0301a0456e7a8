// Changes: what is about to become what, for a person who has to say yes to it.
//
// Threads: a value type; no synchronisation of its own.
#ifndef PAT_CLIENT_PATCTL_CHANGE_VIEW_H_
#define PAT_CLIENT_PATCTL_CHANGE_VIEW_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"

namespace pat::patctl {

using Names = google::protobuf::RepeatedPtrField<std::string>;

// Those of `names` that are not in `others`.
std::vector<std::string> Without(const Names& names, const Names& others);

class Changes {
 public:
  // "DISABLED  no -> yes". The same value twice is no change.
  void Add(const std::string& name, const std::string& before, const std::string& after);

  // "GRANTS  - A", for each name that goes, and "+ B", for each that comes.
  void AddNames(const std::string& name, const Names& before, const Names& after);

  // A line for each, escaped, under the heading CHANGES. None: "".
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_CHANGE_VIEW_H_
