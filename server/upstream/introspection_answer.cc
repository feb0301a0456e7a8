#include "server/upstream/introspection_answer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/core/error.h"
#include "server/core/resource_name.h"
#include "store/uid.h"

namespace pat {
namespace {

constexpr size_t kLongestScope = 128;
constexpr int kMostAudiences = 16;
constexpr size_t kLongestAudience = 255;
constexpr int64_t kEndOfYear9999 = 253'402'300'799;

// Longer than any cache may keep anything.
constexpr int64_t kLongestFreshSeconds = int64_t{366} * 24 * 3600;

absl::Status Wrong(absl::string_view field, absl::string_view value, absl::string_view right) {
  return absl::InternalError(
      absl::StrCat("the authority's answer makes no sense: ", field, " is ", value, "; ", right));
}

absl::StatusOr<absl::Duration> ReadFreshFor(const v1::IntrospectResponse& response) {
  using Freshness = v1::Freshness;
  if (!response.has_freshness() || !response.freshness().has_fresh_for()) {
    return Wrong("freshness.fresh_for", "missing", "every answer has one");
  }
  const int source = response.freshness().source();
  if (source != Freshness::SOURCE_STORE && source != Freshness::SOURCE_CACHE) {
    return Wrong("freshness.source", absl::StrCat(source), "a digest is looked up in the store or a cache");
  }
  const auto& wire = response.freshness().fresh_for();
  const bool in_range = wire.seconds() >= 0 && wire.seconds() <= kLongestFreshSeconds && wire.nanos() >= 0 &&
                        wire.nanos() < 1'000'000'000;
  if (!in_range) {
    return Wrong("freshness.fresh_for", absl::StrCat(wire.seconds(), " s, ", wire.nanos(), " ns"),
                 absl::StrCat("0 to ", kLongestFreshSeconds, " s would do"));
  }
  return absl::Seconds(wire.seconds()) + absl::Nanoseconds(wire.nanos());
}

bool IsScope(absl::string_view name) {
  return !name.empty() && name.size() <= kLongestScope && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

bool IsAudience(absl::string_view audience) {
  return !audience.empty() && audience.size() <= kLongestAudience &&
         std::all_of(audience.begin(), audience.end(), [](char c) { return absl::ascii_isgraph(c); });
}

absl::StatusOr<ScopeSet> ReadScopes(const v1::IntrospectResponse& response, ScopeInterner& interner) {
  std::vector<absl::string_view> names;
  names.reserve(response.scopes_size());
  for (const std::string& name : response.scopes()) {
    if (!IsScope(name)) return Wrong("scopes", Quoted(name), "no scope has such a name");
    if (!names.empty() && names.back() >= absl::string_view(name)) {
      return Wrong("scopes", Quoted(name), "they come sorted, each once");
    }
    names.emplace_back(name);
  }
  return interner.Intern(names);
}

absl::StatusOr<TokenFacts> ReadFacts(const v1::IntrospectResponse& response, ScopeInterner& interner) {
  TokenFacts facts;
  const std::optional<TokenUid> uid = TokenUid::Parse(response.jti());
  if (!uid.has_value()) return Wrong("jti", Quoted(response.jti()), "a token's uid would be right");
  facts.uid = *uid;
  absl::string_view owner_id = response.sub();
  if (!absl::ConsumePrefix(&owner_id, "users/") || !IsUserId(owner_id)) {
    return Wrong("sub", Quoted(response.sub()), "users/{user} would be right");
  }
  facts.owner_id = std::string(owner_id);
  if (response.token_type() != "pat") return Wrong("token_type", Quoted(response.token_type()), "it is always pat");
  if (response.iat() < 0 || response.iat() > kEndOfYear9999) {
    return Wrong("iat", absl::StrCat(response.iat()), "it is in seconds since the epoch");
  }
  if (response.exp() < response.iat() || response.exp() > kEndOfYear9999) {
    return Wrong("exp", absl::StrCat(response.exp()), absl::StrCat("not before iat, which is ", response.iat()));
  }
  facts.create_time = absl::FromUnixSeconds(response.iat());
  facts.expire_time = absl::FromUnixSeconds(response.exp());
  absl::StatusOr<ScopeSet> scopes = ReadScopes(response, interner);
  if (!scopes.ok()) return scopes.status();
  facts.scopes = *std::move(scopes);
  if (response.aud_size() > kMostAudiences) {
    return Wrong("aud", absl::StrCat(response.aud_size(), " audiences"), absl::StrCat("at most ", kMostAudiences));
  }
  for (const std::string& audience : response.aud()) {
    if (!IsAudience(audience)) return Wrong("aud", Quoted(audience), "no audience has such a name");
    facts.audiences.push_back(audience);
  }
  // Nothing was required and no audience was named.
  const int expected =
      facts.audiences.empty() ? v1::IntrospectResponse::VERDICT_ALLOW : v1::IntrospectResponse::VERDICT_WRONG_AUDIENCE;
  if (response.verdict() != expected || response.unmet_requirements_size() > 0) {
    return Wrong("verdict", absl::StrCat(response.verdict()), absl::StrCat(expected, " follows from the rest"));
  }
  return facts;
}

}  // namespace

absl::StatusOr<UpstreamAnswer> ReadAnswer(const v1::IntrospectResponse& response, ScopeInterner& scopes) {
  if (!response.has_active()) return Wrong("active", "missing", "every answer says it");
  const absl::StatusOr<absl::Duration> fresh_for = ReadFreshFor(response);
  if (!fresh_for.ok()) return fresh_for.status();
  UpstreamAnswer answer;
  answer.fresh_for = *fresh_for;
  if (!response.active()) {
    const bool empty = response.jti().empty() && response.sub().empty() && response.scopes().empty() &&
                       response.exp() == 0 && response.verdict() == v1::IntrospectResponse::VERDICT_INACTIVE;
    if (!empty) return Wrong("active", "false", "but the rest of the answer speaks of a token that is");
    return answer;
  }
  absl::StatusOr<TokenFacts> facts = ReadFacts(response, scopes);
  if (!facts.ok()) return facts.status();
  answer.facts = *std::move(facts);
  return answer;
}

}  // namespace pat
