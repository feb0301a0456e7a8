#include "server/upstream/scope_interner.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pat {

ScopeInterner::ScopeInterner(size_t most_names)
    : most_names_(most_names), names_(std::make_shared<const ScopeNames>(std::vector<std::string>())) {}

ScopeSet ScopeInterner::Intern(absl::Span<const absl::string_view> names) {
  const bool all_known = std::all_of(names.begin(), names.end(), [this](absl::string_view name) {
    return names_->Find(name) != ScopeNames::kUnknown;
  });
  if (!all_known) Grow(names);
  ScopeSet set(names_);
  for (const absl::string_view name : names) set.Add(names_->Find(name));
  return set;
}

void ScopeInterner::Grow(absl::Span<const absl::string_view> names) {
  std::vector<std::string> all(names.begin(), names.end());
  if (names_->size() + names.size() <= most_names_) {
    for (uint32_t i = 0; i < names_->size(); ++i) all.emplace_back(names_->name(i));
  }
  names_ = std::make_shared<const ScopeNames>(std::move(all));
}

}  // namespace pat
