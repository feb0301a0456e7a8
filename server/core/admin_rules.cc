#include "server/core/admin_rules.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/core/error.h"
#include "server/core/page_token.h"
#include "server/core/resource_name.h"
#include "server/core/text.h"

namespace pat {
namespace {

constexpr size_t kShortestPassword = 8;    // Characters.
constexpr size_t kLongestPassword = 1024;  // Bytes.

}  // namespace

absl::Status AdministratorRequired() {
  return MakeError(absl::StatusCode::kPermissionDenied, "this takes an administrator",
                   {.reason = "ROLE_REQUIRED", .metadata = {{"role", "administrator"}}});
}

absl::Status CheckAdministrator(const Principal& principal) {
  return principal.IsAdministrator() ? absl::OkStatus() : AdministratorRequired();
}

absl::Status CheckEtagIs(absl::string_view current, absl::string_view etag, absl::string_view thing) {
  if (etag.empty() || etag == current) return absl::OkStatus();
  return MakeError(absl::StatusCode::kAborted,
                   absl::StrCat(thing, " has changed since you looked at it; look again and decide anew"),
                   {.reason = "ETAG_MISMATCH"});
}

std::optional<std::string> CheckUserName(const std::string& name, absl::string_view field, Violations& violations) {
  std::optional<std::string> id = ParseUserName(name);
  if (id.has_value() && *id != kEverybody) return id;
  violations.push_back(
      {std::string(field), absl::StrCat(Quoted(name), " is not the name of a user; give users/{user}")});
  return std::nullopt;
}

void CheckPassword(absl::string_view password, absl::string_view field, Violations& violations) {
  const auto refuse = [&](absl::string_view why) { violations.push_back({std::string(field), std::string(why)}); };
  if (password.empty()) return refuse("is missing; give a password of at least 8 characters");
  if (password.size() > kLongestPassword) {
    return refuse(absl::StrCat("has ", password.size(), " bytes; at most ", kLongestPassword));
  }
  if (!IsUtf8(password)) return refuse("is no text in UTF-8; give one");
  if (HasControlCharacter(password, /*allow_lines=*/false)) {
    refuse("has control characters, such as a line end; give a password without them");
  }
  const size_t length = CodePoints(password);
  if (length < kShortestPassword) {
    refuse(absl::StrCat("has ", length, " characters; at least ", kShortestPassword));
  }
}

void CheckScopeNames(const std::vector<std::string>& names, const ScopeCatalog& catalog, size_t most, bool star,
                     absl::string_view field, Violations& violations) {
  if (names.size() > most) {
    violations.push_back({std::string(field), absl::StrCat("has ", names.size(), " items; at most ", most)});
    return;
  }
  absl::flat_hash_set<absl::string_view> seen;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string item = absl::StrCat(field, "[", i, "]");
    if (!catalog.Contains(names[i]) && !(star && names[i] == "*")) {
      const std::vector<std::string> nearest = catalog.Nearest(names[i], 3);
      violations.push_back(
          {item, absl::StrCat(Quoted(names[i]), " is not in the catalogue; ",
                              nearest.empty() ? absl::StrCat("ListScopes shows what is", star ? ", * is all of it" : "")
                                              : absl::StrCat("near: ", absl::StrJoin(nearest, ", ")))});
    } else if (!seen.insert(names[i]).second) {
      violations.push_back({item, absl::StrCat(Quoted(names[i]), " is given twice; give each scope once")});
    }
  }
}

void CheckMask(const std::vector<std::string>& mask, absl::Span<const absl::string_view> allowed,
               Violations& violations) {
  const std::string choices = absl::StrJoin(allowed, ", ");
  if (mask.empty()) violations.push_back({"update_mask", absl::StrCat("is empty; give some of ", choices)});
  const auto is_wrong = [allowed](const std::string& path) {
    return std::find(allowed.begin(), allowed.end(), path) == allowed.end();
  };
  // One violation, however many there are: a message has room for a hundred thousand paths.
  if (mask.size() > allowed.size()) {
    const auto wrong = std::find_if(mask.begin(), mask.end(), is_wrong);
    violations.push_back(
        {"update_mask",
         absl::StrCat("has ", mask.size(), " paths",
                      wrong != mask.end() ? absl::StrCat(", of which ", Quoted(*wrong), " cannot be changed") : "",
                      "; give some of ", choices, ", each once")});
    return;
  }
  for (const std::string& path : mask) {
    if (!is_wrong(path)) continue;
    violations.push_back({"update_mask", absl::StrCat(Quoted(path), " cannot be changed; give some of ", choices)});
  }
}

bool Masks(const std::vector<std::string>& mask, absl::string_view path) {
  return std::find(mask.begin(), mask.end(), path) != mask.end();
}

std::optional<size_t> CheckPageSize(int64_t page_size, Violations& violations) {
  const std::optional<size_t> effective = EffectivePageSize(page_size);
  if (!effective.has_value()) {
    violations.push_back({"page_size", absl::StrCat(page_size, " is negative; give 0 to 200")});
  }
  return effective;
}

std::string TokensRevoked(uint64_t count) { return absl::StrCat(count, count == 1 ? " token" : " tokens", " revoked"); }

std::string ShortList(const std::vector<std::string>& names) {
  constexpr size_t kShown = 8;
  if (names.empty()) return "none";
  const size_t shown = std::min(names.size(), kShown);
  std::string text = absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", ");
  if (names.size() > shown) absl::StrAppend(&text, " and ", names.size() - shown, " more");
  return text;
}

}  // namespace pat
