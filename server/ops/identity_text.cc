#include "server/ops/identity_text.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/core/error.h"

namespace pat {
namespace {

constexpr absl::string_view kKeys[] = {"spiffe", "uri", "dns", "role", "digests", "users"};

absl::Status Wrong(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(text), " ", why, "; give for example spiffe=spiffe://example.org/web,role=introspector"));
}

// "uri=1,b=2,c" is one pair: in a URI, which may have commas, one begins a pair only if a key comes behind it.
std::vector<std::string> Pairs(absl::string_view text) {
  std::vector<std::string> pairs;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> split = absl::StrSplit(part, absl::MaxSplits('=', 1));
    const bool begins = split.first.size() < part.size() && IsIdentityKey(split.first);
    if (begins || pairs.empty() || !absl::StartsWith(pairs.back(), "uri=")) {
      pairs.emplace_back(part);
    } else {
      absl::StrAppend(&pairs.back(), ",", part);
    }
  }
  return pairs;
}

}  // namespace

bool IsIdentityKey(absl::string_view key) {
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

absl::StatusOr<IdentityEntry> ParseIdentityText(absl::string_view text) {
  IdentityEntry entry;
  std::set<std::string> seen;
  for (const std::string& pair : Pairs(text)) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const auto& [key, value] = parts;
    if (!IsIdentityKey(key)) {
      return Wrong(text, absl::StrCat("has ", Quoted(key), ", which is no key; keys are ", kIdentityKeysText));
    }
    if (value.empty()) return Wrong(text, absl::StrCat("gives no value for ", key));
    if (!seen.insert(key).second) return Wrong(text, absl::StrCat("gives ", key, " twice"));
    if (key == "spiffe") entry.spiffe = value;
    if (key == "uri") entry.uri = value;
    if (key == "dns") entry.dns = value;
    if (key == "role") entry.role = value;
    if (key == "users") entry.users = absl::StrSplit(value, '+');
    if (key == "digests") {
      if (value != "true" && value != "false") return Wrong(text, "has digests that are neither true nor false");
      entry.digests = value == "true";
    }
  }
  return entry;
}

}  // namespace pat
