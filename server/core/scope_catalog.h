// ScopeCatalog: which scopes there are and which of them cover which.
//
// A catalogue is a file of tab separated lines (deploy/scopes.tsv has the format at its top): resource, product, scope,
// the scopes it implies, description, status. Cover is that data and nothing else; no rule looks at the dots of a name,
// because the irregular names would break it.
//
// Threads: a catalogue and a ScopeSet never change after they are made and may be read from any thread.
#ifndef PAT_SERVER_CORE_SCOPE_CATALOG_H_
#define PAT_SERVER_CORE_SCOPE_CATALOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace pat {

// How many bytes the names of a catalogue may take in an answer, where each takes kBytesAroundScope more than it has: a
// token may have all of them, and every answer about it names each. A sidecar takes answers that are a little larger
// than this, and everything else in one has room in the rest.
inline constexpr size_t kMostScopeBytes = size_t{192} * 1024;
inline constexpr size_t kBytesAroundScope = 3;

// The names that a ScopeSet counts by: sorted by bytes, without duplicates. Made once, shared by all sets over it.
class ScopeNames {
 public:
  static constexpr uint32_t kUnknown = UINT32_MAX;

  // Sorts and removes duplicates.
  explicit ScopeNames(std::vector<std::string> names);

  // The index has views into the names.
  ScopeNames(const ScopeNames&) = delete;
  ScopeNames& operator=(const ScopeNames&) = delete;

  uint32_t Find(absl::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? kUnknown : found->second;
  }
  size_t size() const { return names_.size(); }
  absl::string_view name(uint32_t index) const { return names_[index]; }

 private:
  std::vector<std::string> names_;
  absl::flat_hash_map<absl::string_view, uint32_t> index_;  // Views into names_.
};

// A set of scopes, as bits over ScopeNames.
class ScopeSet {
 public:
  ScopeSet() = default;
  explicit ScopeSet(std::shared_ptr<const ScopeNames> names) : names_(std::move(names)) {
    bits_.resize((names_->size() + 63) / 64);
  }

  // A name that is not in the catalogue is in no set; that is no error.
  bool Contains(absl::string_view name) const {
    if (names_ == nullptr) return false;
    const uint32_t index = names_->Find(name);
    return index != ScopeNames::kUnknown && ((bits_[index / 64] >> (index % 64)) & 1) != 0;
  }

  void Add(uint32_t index) { bits_[index / 64] |= uint64_t{1} << (index % 64); }

  // This very name, and nothing that it covers. One that is not in the set is no error.
  void Remove(absl::string_view name) {
    if (names_ == nullptr) return;
    const uint32_t index = names_->Find(name);
    if (index != ScopeNames::kUnknown) bits_[index / 64] &= ~(uint64_t{1} << (index % 64));
  }

  // Both sets must be over the same ScopeNames.
  void IntersectWith(const ScopeSet& other);
  void UniteWith(const ScopeSet& other);
  void Subtract(const ScopeSet& other);

  bool empty() const;

  // Calls `visit(absl::string_view)` for each name, sorted by bytes.
  template <typename Visitor>
  void ForEach(Visitor visit) const {
    for (uint32_t word = 0; word < bits_.size(); ++word) {
      for (uint64_t rest = bits_[word]; rest != 0; rest &= rest - 1) {
        visit(names_->name(word * 64 + static_cast<uint32_t>(__builtin_ctzll(rest))));
      }
    }
  }

  std::vector<std::string> ToVector() const;

  friend bool operator==(const ScopeSet& a, const ScopeSet& b) { return a.ToVector() == b.ToVector(); }

 private:
  std::shared_ptr<const ScopeNames> names_;
  absl::InlinedVector<uint64_t, 3> bits_;
};

struct ScopeEntry {
  std::string name;
  std::string resource;
  std::string product;
  std::string description;
  std::vector<std::string> implies;  // As the file says: direct cover only.
  bool documented = false;
};

class ScopeCatalog {
 public:
  // Refuses, naming the line and the value: a line without six fields, a name that is empty, over 128 bytes or has
  // characters other than letters, digits, '.', '_' and '-', a duplicate, an `implies` of an unknown name, a cycle, an
  // unknown status, an empty catalogue; and, with both numbers, names that take more than kMostScopeBytes. All as
  // INVALID_ARGUMENT.
  static absl::StatusOr<std::shared_ptr<const ScopeCatalog>> Parse(absl::string_view text);

  // Reads a file and parses it; NOT_FOUND or INVALID_ARGUMENT with the path in the text.
  static absl::StatusOr<std::shared_ptr<const ScopeCatalog>> Load(const std::string& path);

  bool Contains(absl::string_view name) const { return names_->Find(name) != ScopeNames::kUnknown; }

  // Everything that `scopes` cover: themselves and, step by step, what they imply. "*" is the whole catalogue. Names
  // that the catalogue does not have (any more) cover nothing.
  ScopeSet Closure(absl::Span<const std::string> scopes) const;

  // Sorted by name.
  absl::Span<const ScopeEntry> entries() const { return entries_; }

  // The entries whose name, resource, product or description contains every word of `query`, whatever its case.
  std::vector<const ScopeEntry*> Search(absl::string_view query) const;

  // The closest names, for "did you mean": at most `limit`, none if nothing is near.
  std::vector<std::string> Nearest(absl::string_view name, size_t limit) const;

 private:
  explicit ScopeCatalog(std::vector<ScopeEntry> entries);

  std::vector<ScopeEntry> entries_;
  std::shared_ptr<const ScopeNames> names_;
  std::vector<ScopeSet> closures_;  // By index of names_.
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_SCOPE_CATALOG_H_
