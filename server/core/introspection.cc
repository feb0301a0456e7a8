#include "server/core/introspection.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace pat {
namespace {

bool AudienceFits(const TokenFacts& facts, absl::string_view audience) {
  if (facts.audiences.empty()) return true;
  return std::any_of(facts.audiences.begin(), facts.audiences.end(),
                     [audience](const std::string& candidate) { return candidate == audience; });
}

bool IsMet(const TokenFacts& facts, absl::Span<const absl::string_view> any_of) {
  return std::any_of(any_of.begin(), any_of.end(),
                     [&facts](absl::string_view name) { return facts.scopes.Contains(name); });
}

void CheckCredential(const IntrospectionQuery& query, absl::string_view prefix,
                     std::vector<FieldViolation>& violations) {
  if (const auto* secret = std::get_if<SecretCredential>(&query.credential)) {
    if (secret->secret.empty()) {
      violations.push_back({absl::StrCat(prefix, "token"), "is empty; give the token that the caller presented"});
    } else if (secret->secret.size() > kMaxTokenBytes) {
      violations.push_back(
          {absl::StrCat(prefix, "token"),
           absl::StrCat("has ", secret->secret.size(), " bytes; at most ", kMaxTokenBytes, " are judged")});
    }
  } else if (const auto* digest = std::get_if<DigestCredential>(&query.credential)) {
    if (digest->sha256.size() != sizeof(TokenDigest::bytes)) {
      violations.push_back({absl::StrCat(prefix, "token_sha256"),
                            absl::StrCat("has ", digest->sha256.size(), " bytes; a SHA-256 has 32")});
    }
  } else {
    violations.push_back({absl::StrCat(prefix, "token"), "is missing; give the token that the caller presented"});
  }
}

}  // namespace

void CheckQuery(const IntrospectionQuery& query, absl::string_view prefix, std::vector<FieldViolation>& violations) {
  CheckCredential(query, prefix, violations);
  if (query.requirements.size() > kMaxRequirements) {
    violations.push_back({absl::StrCat(prefix, "requirements"),
                          absl::StrCat("has ", query.requirements.size(), " items; at most ", kMaxRequirements)});
  }
  const size_t judged = std::min(query.requirements.size(), kMaxRequirements);
  for (size_t i = 0; i < judged; ++i) {
    const size_t count = query.requirements.any_of(i).size();
    if (count >= 1 && count <= kMaxScopesInRequirement) continue;
    violations.push_back({absl::StrCat(prefix, "requirements[", i, "].any_of"),
                          absl::StrCat("has ", count, " scopes; give 1 to ", kMaxScopesInRequirement)});
  }
  if (query.max_staleness.has_value() && *query.max_staleness < absl::ZeroDuration()) {
    violations.push_back(
        {absl::StrCat(prefix, "max_staleness"), "is negative; 0s asks the store now, absent means the cache's TTL"});
  }
}

IntrospectionResult Judge(const FactsAnswer& answer, const IntrospectionQuery& query) {
  IntrospectionResult result;
  result.freshness = {.source = answer.source == FactsSource::kCache ? AnswerSource::kCache : AnswerSource::kStore,
                      .read_time = answer.read_time,
                      .fresh_until = answer.fresh_until,
                      .fresh_for = answer.fresh_for};
  const TokenFacts* const facts = answer.facts;
  if (facts == nullptr || answer.now >= facts->expire_time) return result;

  result.facts = facts;
  if (!AudienceFits(*facts, query.audience)) {
    result.verdict = Verdict::kWrongAudience;
    return result;
  }
  for (size_t i = 0; i < query.requirements.size(); ++i) {
    if (!IsMet(*facts, query.requirements.any_of(i))) result.unmet.push_back(static_cast<uint32_t>(i));
  }
  result.verdict = result.unmet.empty() ? Verdict::kAllow : Verdict::kInsufficientScope;
  return result;
}

void Introspection::Receive(const absl::StatusOr<FactsAnswer>& answer) {
  if (!answer.ok()) return OnResult(answer.status());
  const absl::StatusOr<IntrospectionResult> result = Judge(*answer, query);
  if (result->facts != nullptr && uses_ != nullptr) uses_->Note(result->facts->uid, answer->now);
  OnResult(result);
}

void Introspector::Start(Introspection& call) {
  std::vector<FieldViolation> violations;
  CheckQuery(call.query, "", violations);
  if (!violations.empty()) return call.OnResult(InvalidRequest(std::move(violations)));
  StartChecked(call);
}

void Introspector::StartChecked(Introspection& call) {
  TokenDigest digest;
  if (const auto* secret = std::get_if<SecretCredential>(&call.query.credential)) {
    if (!HasSecretForm(secret->secret)) {
      const absl::Time now = clock_.Now();
      absl::StatusOr<IntrospectionResult> malformed(absl::in_place);
      malformed->freshness = {AnswerSource::kFormat, now, now, absl::ZeroDuration()};
      return call.OnResult(malformed);
    }
    digest = DigestOf(secret->secret);
  } else {
    const auto& credential = std::get<DigestCredential>(call.query.credential);
    std::memcpy(digest.bytes.data(), credential.sha256.data(), digest.bytes.size());
  }
  call.uses_ = uses_;
  reader_.Find(digest, {.max_staleness = call.query.max_staleness, .timeout = call.query.timeout}, call);
}

}  // namespace pat
