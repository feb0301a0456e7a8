#include "server/authn/identities.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/core/error.h"
#include "server/core/resource_name.h"

namespace pat {
namespace {

constexpr size_t kLongestUri = 2048;
constexpr size_t kLongestTrustDomain = 255;
constexpr size_t kLongestDnsName = 253;
constexpr size_t kLongestDnsLabel = 63;
constexpr absl::string_view kSpiffe = "spiffe://";

bool IsLowerOrDigit(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

// The SPIFFE standard's rules for an ID that names a workload: a trust domain and a path of one or more segments.
bool IsSpiffeId(absl::string_view id) {
  if (id.size() > kLongestUri || !absl::StartsWith(id, kSpiffe)) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(id.substr(kSpiffe.size()), '/');
  const absl::string_view domain = parts.front();
  if (parts.size() < 2 || domain.empty() || domain.size() > kLongestTrustDomain) return false;
  for (const char c : domain) {
    if (!IsLowerOrDigit(c) && c != '.' && c != '-' && c != '_') return false;
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty() || parts[i] == "." || parts[i] == "..") return false;
    for (const char c : parts[i]) {
      if (!absl::ascii_isalnum(c) && c != '.' && c != '-' && c != '_') return false;
    }
  }
  return true;
}

// A scheme, a colon and something behind it, without spaces. It is only ever compared.
bool IsUri(absl::string_view uri) {
  const size_t colon = uri.find(':');
  if (uri.size() > kLongestUri || colon == absl::string_view::npos || colon + 1 == uri.size()) return false;
  const absl::string_view scheme = uri.substr(0, colon);
  if (scheme.empty() || !absl::ascii_isalpha(scheme.front())) return false;
  for (const char c : scheme) {
    if (!absl::ascii_isalnum(c) && c != '+' && c != '-' && c != '.') return false;
  }
  return std::all_of(uri.begin(), uri.end(), [](char c) { return absl::ascii_isgraph(c); });
}

bool IsLowerCaseDnsName(absl::string_view name) {
  if (name.size() > kLongestDnsName) return false;
  for (const absl::string_view label : absl::StrSplit(name, '.')) {
    if (label.empty() || label.size() > kLongestDnsLabel || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label) {
      if (!IsLowerOrDigit(c) && c != '-' && c != '_') return false;
    }
  }
  return true;
}

std::optional<IdentityRole> RoleOf(absl::string_view name) {
  if (name == "introspector") return IdentityRole::kIntrospector;
  if (name == "portal") return IdentityRole::kPortal;
  if (name == "user") return IdentityRole::kUser;
  return std::nullopt;
}

// Says what is wrong with the entry of this number.
class Complaint {
 public:
  explicit Complaint(size_t entry) : entry_(entry) {}

  absl::Status operator()(absl::string_view key, absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat("identities[", entry_, "]", key.empty() ? "" : ".", key, ": ", what));
  }

 private:
  const size_t entry_;
};

absl::Status CheckName(const IdentityEntry& entry, const Complaint& complain) {
  const int names = static_cast<int>(!entry.spiffe.empty()) + static_cast<int>(!entry.uri.empty()) +
                    static_cast<int>(!entry.dns.empty());
  if (names != 1) {
    return complain("", absl::StrCat("has ", names, " of spiffe, uri and dns; give exactly one"));
  }
  if (!entry.spiffe.empty() && !IsSpiffeId(entry.spiffe)) {
    return complain("spiffe", absl::StrCat(Quoted(entry.spiffe),
                                           " is no SPIFFE ID of a workload; give spiffe://trust.domain/path, without "
                                           "a slash at the end, port, query or fragment"));
  }
  if (absl::StartsWithIgnoreCase(entry.uri, "spiffe:")) {
    return complain("uri", absl::StrCat(Quoted(entry.uri), " is a SPIFFE ID; give it as spiffe"));
  }
  if (!entry.uri.empty() && !IsUri(entry.uri)) {
    return complain("uri", absl::StrCat(Quoted(entry.uri), " is no URI; give one such as https://example.org/web"));
  }
  if (!entry.dns.empty() && !IsLowerCaseDnsName(entry.dns)) {
    return complain("dns", absl::StrCat(Quoted(entry.dns),
                                        " is no DNS name in lower case without wildcards; give one such as "
                                        "gateway.example.org"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> SortedUsers(const IdentityEntry& entry, const Complaint& complain) {
  std::vector<std::string> users = entry.users;
  for (size_t i = 0; i < users.size(); ++i) {
    if (!IsUserId(users[i])) {
      return complain(absl::StrCat("users[", i, "]"),
                      absl::StrCat(Quoted(users[i]), " is no user id; give one such as admin, without \"users/\""));
    }
  }
  std::sort(users.begin(), users.end());
  const auto twice = std::adjacent_find(users.begin(), users.end());
  if (twice != users.end()) {
    return complain("users", absl::StrCat(Quoted(*twice), " is there twice; give each user once"));
  }
  return users;
}

bool SayTheSame(const Identity& a, const Identity& b) {
  return a.role == b.role && a.digests == b.digests && a.users == b.users;
}

}  // namespace

absl::StatusOr<IdentityTable> IdentityTable::Create(const std::vector<IdentityEntry>& entries) {
  IdentityTable table;
  for (size_t i = 0; i < entries.size(); ++i) {
    const IdentityEntry& entry = entries[i];
    const Complaint complain(i);
    if (absl::Status status = CheckName(entry, complain); !status.ok()) return status;
    const std::optional<IdentityRole> role = RoleOf(entry.role);
    if (!role.has_value()) {
      return complain("role", absl::StrCat(Quoted(entry.role), " is no role; give introspector, portal or user"));
    }
    if (entry.digests && *role != IdentityRole::kIntrospector) {
      return complain("digests", absl::StrCat("true is for introspectors; the role here is ", entry.role));
    }
    if (!entry.users.empty() && *role != IdentityRole::kPortal) {
      return complain("users", absl::StrCat("is for portals; the role here is ", entry.role));
    }
    absl::StatusOr<std::vector<std::string>> users = SortedUsers(entry, complain);
    if (!users.ok()) return users.status();

    const absl::string_view key = !entry.spiffe.empty() ? "spiffe" : !entry.uri.empty() ? "uri" : "dns";
    Index& index = !entry.spiffe.empty() ? table.by_spiffe_ : !entry.uri.empty() ? table.by_uri_ : table.by_dns_;
    const std::string name = absl::StrCat(entry.spiffe, entry.uri, entry.dns);
    const auto [known, is_new] = index.emplace(name, static_cast<uint32_t>(i));
    if (!is_new) {
      return complain(key, absl::StrCat(Quoted(name), " is identities[", known->second, "] already; give it once"));
    }
    table.identities_.push_back({.name = name, .role = *role, .digests = entry.digests, .users = *std::move(users)});
  }
  return table;
}

const Identity* IdentityTable::Find(const PeerCertificate& certificate) const {
  // The place of the first that matches, in the order of the configuration.
  std::optional<uint32_t> first;
  bool agree = true;
  const auto look = [&](const Index& index, absl::string_view name) {
    const auto found = index.find(name);
    if (found == index.end()) return;
    if (first.has_value() && !SayTheSame(identities_[*first], identities_[found->second])) agree = false;
    first = std::min(first.value_or(found->second), found->second);
  };
  if (!certificate.spiffe_id.empty()) look(by_spiffe_, certificate.spiffe_id);
  for (const absl::string_view uri : certificate.uris) look(by_uri_, uri);
  for (const absl::string_view name : certificate.dns_names) {
    if (std::any_of(name.begin(), name.end(), [](char c) { return absl::ascii_isupper(c); })) {
      look(by_dns_, absl::AsciiStrToLower(name));
    } else {
      look(by_dns_, name);
    }
  }
  return first.has_value() && agree ? &identities_[*first] : nullptr;
}

}  // namespace pat
