#include "client/patctl/change_view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/patctl/table.h"

namespace pat::patctl {

std::vector<std::string> Without(const Names& names, const Names& others) {
  std::vector<std::string> rest;
  for (const std::string& name : names) {
    if (std::find(others.begin(), others.end(), name) == others.end()) rest.push_back(name);
  }
  return rest;
}

void Changes::Add(const std::string& name, const std::string& before, const std::string& after) {
  if (before != after) rows_.push_back({name, absl::StrCat(before, " -> ", after)});
}

void Changes::AddNames(const std::string& name, const Names& before, const Names& after) {
  std::string heading = name;
  const auto add = [this, &heading](absl::string_view sign, const std::vector<std::string>& names) {
    for (const std::string& each : names) {
      rows_.push_back({heading, absl::StrCat(sign, " ", each)});
      heading.clear();
    }
  };
  add("-", Without(before, after));
  add("+", Without(after, before));
}

std::string Changes::ToString() const {
  Table table;
  std::string heading = "CHANGES";
  for (const std::vector<std::string>& row : rows_) {
    table.AddRow({heading, row[0], row[1]});
    heading.clear();
  }
  return table.ToString();
}

}  // namespace pat::patctl
