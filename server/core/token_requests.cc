#include "server/core/token_requests.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/core/text.h"

namespace pat {
namespace {

constexpr size_t kLongestDisplayName = 128;
constexpr size_t kLongestDescription = 1024;
constexpr size_t kMostAudiences = 16;
constexpr size_t kLongestAudience = 255;
constexpr size_t kLongestRequestId = 64;
constexpr int32_t kNanosPerSecond = 1'000'000'000;

// The range of google.protobuf.Timestamp: the years 1 to 9999.
constexpr int64_t kFirstSecond = -62'135'596'800;
constexpr int64_t kLastSecond = 253'402'300'799;

// "365 days", or "1h30m" for what is no whole number of them.
std::string LifeText(absl::Duration life) {
  constexpr absl::Duration kDay = absl::Hours(24);
  return life % kDay == absl::ZeroDuration() ? absl::StrCat(life / kDay, " days") : absl::FormatDuration(life);
}

std::string Instant(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

absl::Time WholeSecond(absl::Time time) { return absl::FromUnixSeconds(absl::ToUnixSeconds(time)); }

bool IsInRange(const RequestedDuration& requested) {
  // The range of google.protobuf.Duration: about 10,000 years.
  constexpr int64_t kMostSeconds = 315'576'000'000;
  return requested.nanos > -kNanosPerSecond && requested.nanos < kNanosPerSecond &&
         requested.seconds >= -kMostSeconds && requested.seconds <= kMostSeconds &&
         (requested.seconds == 0 || requested.nanos == 0 || (requested.seconds > 0) == (requested.nanos > 0));
}

absl::Duration DurationOf(const RequestedDuration& requested) {
  return absl::Seconds(requested.seconds) + absl::Nanoseconds(requested.nanos);
}

std::optional<absl::Time> ResolveInstant(const RequestedInstant& requested, const PolicyRecord& policy, absl::Time now,
                                         Violations& violations) {
  if (!ReadInstant(requested, "expire_time", violations).has_value()) return std::nullopt;
  const absl::Time instant = absl::FromUnixSeconds(requested.seconds);
  if (instant <= now) {
    violations.push_back(
        {"expire_time", absl::StrCat(Instant(instant), " is not in the future; it is ", Instant(now))});
    return std::nullopt;
  }
  if (instant > now + policy.maximum_lifespan) {
    violations.push_back({"expire_time", absl::StrCat(Instant(instant), " is beyond the longest life of ",
                                                      LifeText(policy.maximum_lifespan), "; give ",
                                                      Instant(now + policy.maximum_lifespan), " or earlier")});
    return std::nullopt;
  }
  return instant;
}

std::optional<absl::Time> ResolveDuration(const RequestedDuration& requested, const PolicyRecord& policy,
                                          absl::Time now, Violations& violations) {
  const absl::Duration duration = DurationOf(requested);
  if (!IsInRange(requested) || duration < absl::Seconds(1)) {
    violations.push_back({"ttl", absl::StrCat("seconds ", requested.seconds, ", nanos ", requested.nanos,
                                              " is no life for a token; give at least 1s")});
    return std::nullopt;
  }
  if (duration > policy.maximum_lifespan) {
    violations.push_back(
        {"ttl",
         absl::StrCat(absl::FormatDuration(duration), " is beyond the longest life; give at most ",
                      LifeText(policy.maximum_lifespan), " (", absl::ToInt64Seconds(policy.maximum_lifespan), "s)")});
    return std::nullopt;
  }
  const absl::Time end = now + duration;
  const absl::Time cut = WholeSecond(end);
  const absl::Time rounded_up = cut == end ? cut : cut + absl::Seconds(1);
  return rounded_up <= now + policy.maximum_lifespan ? rounded_up : cut;
}

}  // namespace

void CheckDisplayName(const std::string& value, absl::string_view field, Violations& violations) {
  const size_t length = CodePoints(value);
  if (absl::StripAsciiWhitespace(value).empty()) {
    violations.push_back({std::string(field), "is empty; give the token a name of 1 to 128 characters"});
  } else if (length > kLongestDisplayName) {
    violations.push_back(
        {std::string(field), absl::StrCat("has ", length, " characters; at most ", kLongestDisplayName)});
  }
  if (HasControlCharacter(value, /*allow_lines=*/false)) {
    violations.push_back(
        {std::string(field), absl::StrCat("has control characters: ", Quoted(value), "; give plain text")});
  }
}

void CheckDescription(const std::string& value, absl::string_view field, Violations& violations) {
  const size_t length = CodePoints(value);
  if (length > kLongestDescription) {
    violations.push_back(
        {std::string(field), absl::StrCat("has ", length, " characters; at most ", kLongestDescription)});
  }
  if (HasControlCharacter(value, /*allow_lines=*/true)) {
    violations.push_back(
        {std::string(field), absl::StrCat("has control characters: ", Quoted(value), "; give plain text")});
  }
}

void CheckScopes(const std::vector<std::string>& scopes, const ScopeCatalog& catalog, Violations& violations) {
  if (scopes.empty()) {
    violations.push_back({"scopes", "is empty; give 1 to 64 scopes of the catalogue (ListScopes)"});
  } else if (scopes.size() > kMostScopes) {
    violations.push_back({"scopes", absl::StrCat("has ", scopes.size(), " items; at most ", kMostScopes)});
    return;
  }
  absl::flat_hash_set<absl::string_view> seen;
  for (size_t i = 0; i < scopes.size(); ++i) {
    const std::string field = absl::StrCat("scopes[", i, "]");
    if (!catalog.Contains(scopes[i])) {
      const std::vector<std::string> nearest = catalog.Nearest(scopes[i], 3);
      violations.push_back(
          {field, absl::StrCat(Quoted(scopes[i]), " is not in the catalogue; ",
                               nearest.empty() ? "ListScopes shows what is"
                                               : absl::StrCat("near: ", absl::StrJoin(nearest, ", ")))});
    } else if (!seen.insert(scopes[i]).second) {
      violations.push_back({field, absl::StrCat(Quoted(scopes[i]), " is given twice; give each scope once")});
    }
  }
}

void CheckAudiences(const std::vector<std::string>& audiences, Violations& violations) {
  if (audiences.size() > kMostAudiences) {
    violations.push_back({"audiences", absl::StrCat("has ", audiences.size(), " items; at most ", kMostAudiences)});
    return;
  }
  absl::flat_hash_set<absl::string_view> seen;
  for (size_t i = 0; i < audiences.size(); ++i) {
    const std::string& audience = audiences[i];
    const std::string field = absl::StrCat("audiences[", i, "]");
    if (audience.empty() || audience.size() > kLongestAudience || !IsPrintableAscii(audience) ||
        absl::StrContains(audience, ' ')) {
      violations.push_back({field, absl::StrCat(Quoted(audience), " is no audience; give 1 to ", kLongestAudience,
                                                " printable ASCII characters without spaces")});
    } else if (!seen.insert(audience).second) {
      violations.push_back({field, absl::StrCat(Quoted(audience), " is given twice; give each audience once")});
    }
  }
}

bool CheckRequestId(const std::string& id, Violations& violations) {
  if (id.size() <= kLongestRequestId && IsPrintableAscii(id)) return true;
  violations.push_back({"request_id", absl::StrCat(Quoted(id), " is no request id; give 1 to ", kLongestRequestId,
                                                   " printable ASCII characters")});
  return false;
}

std::optional<absl::Time> ReadInstant(const RequestedInstant& requested, absl::string_view field,
                                      Violations& violations) {
  if (requested.seconds >= kFirstSecond && requested.seconds <= kLastSecond && requested.nanos >= 0 &&
      requested.nanos < kNanosPerSecond) {
    return absl::FromUnixSeconds(requested.seconds) + absl::Nanoseconds(requested.nanos);
  }
  violations.push_back(
      {std::string(field), absl::StrCat("seconds ", requested.seconds, ", nanos ", requested.nanos,
                                        " is no instant; give one in the years 1 to 9999 with 0 to 999999999 nanos")});
  return std::nullopt;
}

std::optional<absl::Duration> ReadDuration(const RequestedDuration& requested, absl::string_view field,
                                           Violations& violations) {
  if (IsInRange(requested)) return DurationOf(requested);
  violations.push_back({std::string(field), absl::StrCat("seconds ", requested.seconds, ", nanos ", requested.nanos,
                                                         " is no duration; give one such as 90s or 720h")});
  return std::nullopt;
}

std::optional<absl::Time> ResolveExpiration(const RequestedExpiration& requested, const PolicyRecord& policy,
                                            absl::Time now, Violations& violations) {
  if (const auto* instant = std::get_if<RequestedInstant>(&requested)) {
    return ResolveInstant(*instant, policy, now, violations);
  }
  if (const auto* duration = std::get_if<RequestedDuration>(&requested)) {
    return ResolveDuration(*duration, policy, now, violations);
  }
  return std::nullopt;
}

}  // namespace pat
