#include "server/core/scope_catalog.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/core/error.h"

namespace pat {
namespace {

constexpr size_t kLongestName = 128;
constexpr size_t kLongestShownCycle = 8;

absl::Status RefuseLine(size_t number, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", why));
}

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= kLongestName && absl::c_all_of(text, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

// One line by itself; what it says about other lines is checked when all of them are there.
absl::StatusOr<ScopeEntry> ParseLine(size_t number, absl::string_view line) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
  if (fields.size() != 6) {
    return RefuseLine(number,
                      absl::StrCat(Quoted(line), " has ", fields.size(), fields.size() == 1 ? " field" : " fields",
                                   "; it must have 6, separated by tabs: resource, product, scope, implies, "
                                   "description, status"));
  }
  const absl::string_view status = fields[5];
  ScopeEntry entry{.name = std::string(fields[2]),
                   .resource = std::string(fields[0]),
                   .product = std::string(fields[1]),
                   .description = std::string(fields[4]),
                   .implies = absl::StrSplit(fields[3], ' ', absl::SkipEmpty()),
                   .documented = status == "documented"};
  if (!IsName(entry.name)) {
    return RefuseLine(number, absl::StrCat("scope ", Quoted(entry.name), " is not a name; it must be 1 to ",
                                           kLongestName, " letters, digits, '.', '_' and '-'"));
  }
  if (status != "documented" && status != "observed" && status != "own") {
    return RefuseLine(number, absl::StrCat("scope ", Quoted(entry.name), " has the status ", Quoted(status),
                                           "; it must be documented, observed or own"));
  }
  return entry;
}

// The indices of the entries, each after all those that it implies. Entries on a cycle, or above one, are left out.
std::vector<uint32_t> ImpliedFirst(const ScopeNames& names, absl::Span<const ScopeEntry> entries) {
  std::vector<uint32_t> order;
  std::vector<size_t> waits_for(entries.size());
  std::vector<std::vector<uint32_t>> implied_by(entries.size());
  for (uint32_t index = 0; index < entries.size(); ++index) {
    const std::vector<std::string>& implies = entries[index].implies;
    waits_for[index] = implies.size();
    for (const std::string& implied : implies) implied_by[names.Find(implied)].push_back(index);
    if (implies.empty()) order.push_back(index);
  }
  for (size_t done = 0; done < order.size(); ++done) {
    for (const uint32_t above : implied_by[order[done]]) {
      if (--waits_for[above] == 0) order.push_back(above);
    }
  }
  return order;
}

// One cycle, as indices in the order of implication. `order` is what ImpliedFirst gave, and lacks at least one entry.
std::vector<uint32_t> FindCycle(const ScopeNames& names, absl::Span<const ScopeEntry> entries,
                                absl::Span<const uint32_t> order) {
  std::vector<bool> in_order(entries.size());
  for (const uint32_t index : order) in_order[index] = true;
  // What was left out implies something that was left out; following that must come round.
  constexpr size_t kNotYet = SIZE_MAX;
  std::vector<size_t> step_of(entries.size(), kNotYet);
  std::vector<uint32_t> walk;
  auto at = static_cast<uint32_t>(absl::c_find(in_order, false) - in_order.begin());
  while (step_of[at] == kNotYet) {
    step_of[at] = walk.size();
    walk.push_back(at);
    for (const std::string& implied : entries[at].implies) {
      const uint32_t next = names.Find(implied);
      if (in_order[next]) continue;
      at = next;
      break;
    }
  }
  walk.erase(walk.begin(), walk.begin() + static_cast<std::ptrdiff_t>(step_of[at]));
  return walk;
}

std::string DescribeCycle(absl::Span<const ScopeEntry> entries, absl::Span<const uint32_t> cycle) {
  std::string text;
  for (const uint32_t index : cycle.subspan(0, kLongestShownCycle)) {
    absl::StrAppend(&text, Quoted(entries[index].name), " > ");
  }
  if (cycle.size() > kLongestShownCycle) absl::StrAppend(&text, "(", cycle.size() - kLongestShownCycle, " more) > ");
  return absl::StrCat(text, Quoted(entries[cycle.front()].name));
}

std::vector<std::string> NamesOf(absl::Span<const ScopeEntry> entries) {
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const ScopeEntry& entry : entries) names.push_back(entry.name);
  return names;
}

// How many characters must be put in, taken out or replaced to make `b` of `a` (Levenshtein's distance).
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);  // The distances from the part of `a` done so far to each beginning of `b`.
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

ScopeNames::ScopeNames(std::vector<std::string> names) : names_(std::move(names)) {
  absl::c_sort(names_);
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  index_.reserve(names_.size());
  for (uint32_t index = 0; index < names_.size(); ++index) index_.emplace(names_[index], index);
}

// A set that was made without names is the empty set, whatever it meets. It has no words, so that the three operations
// below need no case of their own for it.

void ScopeSet::IntersectWith(const ScopeSet& other) {
  assert(names_ == nullptr || other.names_ == nullptr || names_ == other.names_);
  for (size_t word = 0; word < bits_.size(); ++word) {
    bits_[word] &= word < other.bits_.size() ? other.bits_[word] : 0;
  }
}

void ScopeSet::UniteWith(const ScopeSet& other) {
  assert(names_ == nullptr || other.names_ == nullptr || names_ == other.names_);
  if (names_ == nullptr) *this = ScopeSet(other);
  for (size_t word = 0; word < std::min(bits_.size(), other.bits_.size()); ++word) bits_[word] |= other.bits_[word];
}

void ScopeSet::Subtract(const ScopeSet& other) {
  assert(names_ == nullptr || other.names_ == nullptr || names_ == other.names_);
  for (size_t word = 0; word < std::min(bits_.size(), other.bits_.size()); ++word) bits_[word] &= ~other.bits_[word];
}

bool ScopeSet::empty() const {
  return absl::c_all_of(bits_, [](uint64_t word) { return word == 0; });
}

std::vector<std::string> ScopeSet::ToVector() const {
  std::vector<std::string> names;
  ForEach([&names](absl::string_view name) { names.emplace_back(name); });
  return names;
}

absl::StatusOr<std::shared_ptr<const ScopeCatalog>> ScopeCatalog::Parse(absl::string_view text) {
  std::vector<ScopeEntry> entries;
  absl::flat_hash_map<std::string, size_t> line_of;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    absl::ConsumeSuffix(&line, "\r");
    if (line.empty() || line.front() == '#') continue;
    absl::StatusOr<ScopeEntry> entry = ParseLine(number, line);
    if (!entry.ok()) return entry.status();
    const auto [earlier, is_new] = line_of.try_emplace(entry->name, number);
    if (!is_new) {
      return RefuseLine(number, absl::StrCat("scope ", Quoted(entry->name), " is already on line ", earlier->second,
                                             "; each name must be there once"));
    }
    entries.push_back(*std::move(entry));
  }
  if (entries.empty()) {
    return absl::InvalidArgumentError("the catalogue is empty; it must have at least one line that is no comment");
  }

  size_t bytes = 0;
  for (const ScopeEntry& entry : entries) bytes += entry.name.size() + kBytesAroundScope;
  if (bytes > kMostScopeBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the names of its ", entries.size(), " scopes take ", bytes,
                                                   " bytes in an answer (each ", kBytesAroundScope,
                                                   " more than it has); at most ", kMostScopeBytes));
  }

  for (const ScopeEntry& entry : entries) {
    for (const std::string& implied : entry.implies) {
      if (line_of.contains(implied)) continue;
      return RefuseLine(line_of[entry.name],
                        absl::StrCat("scope ", Quoted(entry.name), " implies ", Quoted(implied),
                                     ", which the catalogue does not have; it must be the name of another line"));
    }
  }

  absl::c_sort(entries, [](const ScopeEntry& a, const ScopeEntry& b) { return a.name < b.name; });
  const ScopeNames names(NamesOf(entries));
  const std::vector<uint32_t> order = ImpliedFirst(names, entries);
  if (order.size() < entries.size()) {
    std::vector<uint32_t> cycle = FindCycle(names, entries, order);
    const auto line = [&](uint32_t index) { return line_of[entries[index].name]; };
    absl::c_rotate(cycle, absl::c_min_element(cycle, [&](uint32_t a, uint32_t b) { return line(a) < line(b); }));
    return RefuseLine(line(cycle.front()), absl::StrCat("scope ", Quoted(entries[cycle.front()].name),
                                                        " implies itself: ", DescribeCycle(entries, cycle),
                                                        "; what a scope implies must not lead back to it"));
  }
  return std::shared_ptr<const ScopeCatalog>(new ScopeCatalog(std::move(entries)));
}

absl::StatusOr<std::shared_ptr<const ScopeCatalog>> ScopeCatalog::Load(const std::string& path) {
  const auto refuse = [&path](absl::StatusCode code, absl::string_view why) {
    return absl::Status(code, absl::StrCat("scope catalogue ", path, ": ", why));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (file == nullptr) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) return refuse(absl::StatusCode::kNotFound, "there is no such file");
    return refuse(absl::StatusCode::kInvalidArgument, absl::StrCat("cannot be opened: ", std::strerror(error)));
  }
  std::string text;
  std::array<char, 16384> buffer;
  while (const size_t length = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    text.append(buffer.data(), length);
  }
  if (std::ferror(file.get()) != 0) {
    return refuse(absl::StatusCode::kInvalidArgument, absl::StrCat("cannot be read: ", std::strerror(errno)));
  }
  absl::StatusOr<std::shared_ptr<const ScopeCatalog>> catalog = Parse(text);
  if (!catalog.ok()) return refuse(catalog.status().code(), catalog.status().message());
  return catalog;
}

ScopeCatalog::ScopeCatalog(std::vector<ScopeEntry> entries)
    : entries_(std::move(entries)),
      names_(std::make_shared<const ScopeNames>(NamesOf(entries_))),
      closures_(entries_.size(), ScopeSet(names_)) {
  for (const uint32_t index : ImpliedFirst(*names_, entries_)) {
    closures_[index].Add(index);
    for (const std::string& implied : entries_[index].implies) {
      closures_[index].UniteWith(closures_[names_->Find(implied)]);
    }
  }
}

ScopeSet ScopeCatalog::Closure(absl::Span<const std::string> scopes) const {
  ScopeSet closure(names_);
  for (const std::string& scope : scopes) {
    const uint32_t index = names_->Find(scope);
    if (index != ScopeNames::kUnknown) {
      closure.UniteWith(closures_[index]);
    } else if (scope == "*") {
      for (uint32_t each = 0; each < names_->size(); ++each) closure.Add(each);
    }
  }
  return closure;
}

std::vector<const ScopeEntry*> ScopeCatalog::Search(absl::string_view query) const {
  const std::string lower_query = absl::AsciiStrToLower(query);
  const std::vector<absl::string_view> words =
      absl::StrSplit(lower_query, absl::ByAnyChar(" \t\r\n\f\v"), absl::SkipEmpty());
  std::vector<const ScopeEntry*> found;
  for (const ScopeEntry& entry : entries_) {
    // A word has no blanks, so it cannot match across the line breaks between the fields.
    const std::string text = absl::AsciiStrToLower(
        absl::StrCat(entry.name, "\n", entry.resource, "\n", entry.product, "\n", entry.description));
    if (absl::c_all_of(words, [&text](absl::string_view word) { return absl::StrContains(text, word); })) {
      found.push_back(&entry);
    }
  }
  return found;
}

std::vector<std::string> ScopeCatalog::Nearest(absl::string_view name, size_t limit) const {
  // Near is: at most a third of a name's characters are wrong, whatever the case. Names of too different a length are
  // passed over first, so that a long text from a caller costs no time.
  std::vector<std::pair<size_t, const std::string*>> near;
  for (const ScopeEntry& entry : entries_) {
    const size_t most = entry.name.size() / 3;
    if (name.size() > entry.name.size() + most || name.size() + most < entry.name.size()) continue;
    const size_t distance = EditDistance(absl::AsciiStrToLower(name), absl::AsciiStrToLower(entry.name));
    if (distance <= most) near.emplace_back(distance, &entry.name);
  }
  // The entries are sorted by name, so a stable sort leaves equally near ones in that order.
  absl::c_stable_sort(near, [](const auto& a, const auto& b) { return a.first < b.first; });
  if (near.size() > limit) near.resize(limit);
  std::vector<std::string> names;
  for (const auto& [distance, found] : near) names.push_back(*found);
  return names;
}

}  // namespace pat
