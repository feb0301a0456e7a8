// Single rules that the operations on users, policy and audit log are made of. Internal to server/core.
//
// The Check functions for values append to `violations`, so that a caller learns of all of them at once.
#ifndef PAT_SERVER_CORE_ADMIN_RULES_H_
#define PAT_SERVER_CORE_ADMIN_RULES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/core/principal.h"
#include "server/core/scope_catalog.h"
#include "server/core/token_requests.h"

namespace pat {

// PERMISSION_DENIED, ROLE_REQUIRED: the same bytes whatever it was about.
absl::Status AdministratorRequired();
absl::Status CheckAdministrator(const Principal& principal);

// ETAG_MISMATCH if `etag` is given and is not `current`. `thing`: "the user".
absl::Status CheckEtagIs(absl::string_view current, absl::string_view etag, absl::string_view thing);

// The id in the name of one user.
std::optional<std::string> CheckUserName(const std::string& name, absl::string_view field, Violations& violations);

// At least 8 characters, at most 1024 bytes, well-formed and without control characters. The text does not show it.
void CheckPassword(absl::string_view password, absl::string_view field, Violations& violations);

// Names of the catalogue, at most so many, each once; "*" too if `star`.
void CheckScopeNames(const std::vector<std::string>& names, const ScopeCatalog& catalog, size_t most, bool star,
                     absl::string_view field, Violations& violations);

// An update mask of one or more of `allowed`; one with more paths than that is one violation.
void CheckMask(const std::vector<std::string>& mask, absl::Span<const absl::string_view> allowed,
               Violations& violations);
bool Masks(const std::vector<std::string>& mask, absl::string_view path);

std::optional<size_t> CheckPageSize(int64_t page_size, Violations& violations);

// "1 token revoked", "2 tokens revoked".
std::string TokensRevoked(uint64_t count);

// A list of names in words for people, cut if it is long.
std::string ShortList(const std::vector<std::string>& names);

}  // namespace pat

#endif  // PAT_SERVER_CORE_ADMIN_RULES_H_
