// ScopeInterner: scope sets from names, without a catalogue. A sidecar has none: what the authority calls effective is
// what it is, so nobody can disagree about it.
//
// Sets of the same names share them. When a new name comes, later sets are over more names; those made before stay as
// they are. The names are bounded: beyond, it starts over with those of the set at hand.
//
// Threads: none of its own. The sets may be read from any thread.
#ifndef PAT_SERVER_UPSTREAM_SCOPE_INTERNER_H_
#define PAT_SERVER_UPSTREAM_SCOPE_INTERNER_H_

#include <cstddef>
#include <memory>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/core/scope_catalog.h"

namespace pat {

class ScopeInterner {
 public:
  explicit ScopeInterner(size_t most_names = 4096);

  ScopeSet Intern(absl::Span<const absl::string_view> names);

  // How many names the next set will be over, if it brings no new one.
  size_t size() const { return names_->size(); }

 private:
  void Grow(absl::Span<const absl::string_view> names);

  const size_t most_names_;
  std::shared_ptr<const ScopeNames> names_;
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_SCOPE_INTERNER_H_
