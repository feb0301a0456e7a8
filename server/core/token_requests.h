// What the rules for tokens are asked, as plain values, and the judgement of its form: everything that can be said
// about a request without looking at the store. Violations are collected, so that a caller learns of all of them at
// once. Members have initialisers, so that a designated initialiser may name only some.
#ifndef PAT_SERVER_CORE_TOKEN_REQUESTS_H_
#define PAT_SERVER_CORE_TOKEN_REQUESTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "server/core/error.h"
#include "server/core/scope_catalog.h"
#include "store/records.h"

namespace pat {

// Instants and durations as they come over the wire: not yet known to be in range.
struct RequestedInstant {
  int64_t seconds = 0;  // Since the Unix epoch.
  int32_t nanos = 0;
};
struct RequestedDuration {
  int64_t seconds = 0;
  int32_t nanos = 0;
};
struct NotRequested {};

// When a token is to end: at an instant, after a while, or nothing said.
using RequestedExpiration = std::variant<NotRequested, RequestedInstant, RequestedDuration>;

// A client's name for a request, so that it is done once only. `body_hash` covers the request without this name and
// without validate_only. Empty id: none given.
struct RequestIdentity {
  std::string id = {};
  std::array<uint8_t, 32> body_hash{};
};

struct CreateTokenQuery {
  std::string parent = {};
  std::string display_name = {};
  std::string description = {};
  std::vector<std::string> scopes = {};
  std::vector<std::string> audiences = {};
  RequestedExpiration expiration = {};
  RequestIdentity request = {};
  bool validate_only = false;
};

struct UpdateTokenQuery {
  std::string name = {};
  std::string display_name = {};
  std::string description = {};
  std::vector<std::string> update_mask = {};
  std::string etag = {};
};

struct RevokeTokenQuery {
  std::string name = {};
  std::string etag = {};
  bool validate_only = false;
};

struct RegenerateTokenQuery {
  std::string name = {};
  RequestedExpiration expiration = {};
  RequestIdentity request = {};
  std::string etag = {};
  bool validate_only = false;
};

struct RevokeAllTokensQuery {
  std::string parent = {};
  bool validate_only = false;
};

struct ListTokensQuery {
  std::string parent = {};
  int64_t page_size = 0;
  std::string page_token = {};
  bool show_revoked = false;
};

using Violations = std::vector<FieldViolation>;

// Of one token; more are one violation, and what they are is not looked at.
inline constexpr size_t kMostScopes = 64;

void CheckDisplayName(const std::string& value, absl::string_view field, Violations& violations);
void CheckDescription(const std::string& value, absl::string_view field, Violations& violations);
void CheckScopes(const std::vector<std::string>& scopes, const ScopeCatalog& catalog, Violations& violations);
void CheckAudiences(const std::vector<std::string>& audiences, Violations& violations);

// False, with a violation, for an id that is not of 1 to 64 printable ASCII characters. An empty one is none: fine.
bool CheckRequestId(const std::string& id, Violations& violations);

// The instant, to the nanosecond. nullopt, with a violation of `field`, if it is none of the years 1 to 9999.
std::optional<absl::Time> ReadInstant(const RequestedInstant& requested, absl::string_view field,
                                      Violations& violations);

// The duration. nullopt, with a violation of `field`, if it is out of the range of google.protobuf.Duration.
std::optional<absl::Duration> ReadDuration(const RequestedDuration& requested, absl::string_view field,
                                           Violations& violations);

// The instant asked for, in whole seconds: an instant is cut, a duration is counted from `now` and rounded up, but
// never beyond the policy. nullopt, with a violation, if it is out of range, not in the future or beyond the policy;
// nullopt without one if nothing was asked for.
std::optional<absl::Time> ResolveExpiration(const RequestedExpiration& requested, const PolicyRecord& policy,
                                            absl::Time now, Violations& violations);

}  // namespace pat

#endif  // PAT_SERVER_CORE_TOKEN_REQUESTS_H_
