#include "server/rpc/messages.h"

#include <utility>

#include "server/core/policy_rules.h"
#include "server/core/resource_name.h"
#include "server/core/user_lifecycle.h"

namespace pat {
namespace {

constexpr char kTokenType[] = "pat";

v1::Token::State ToState(TokenState state) {
  switch (state) {
    case TokenState::kActive:
      return v1::Token::STATE_ACTIVE;
    case TokenState::kExpired:
      return v1::Token::STATE_EXPIRED;
    case TokenState::kRevoked:
      break;
  }
  return v1::Token::STATE_REVOKED;
}

v1::IntrospectResponse::Verdict ToVerdict(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAllow:
      return v1::IntrospectResponse::VERDICT_ALLOW;
    case Verdict::kInsufficientScope:
      return v1::IntrospectResponse::VERDICT_INSUFFICIENT_SCOPE;
    case Verdict::kWrongAudience:
      return v1::IntrospectResponse::VERDICT_WRONG_AUDIENCE;
    case Verdict::kInactive:
      break;
  }
  return v1::IntrospectResponse::VERDICT_INACTIVE;
}

v1::Freshness::Source ToSource(AnswerSource source) {
  switch (source) {
    case AnswerSource::kStore:
      return v1::Freshness::SOURCE_STORE;
    case AnswerSource::kCache:
      return v1::Freshness::SOURCE_CACHE;
    case AnswerSource::kFormat:
      break;
  }
  return v1::Freshness::SOURCE_FORMAT;
}

v1::User::Type ToUserType(UserType type) {
  switch (type) {
    case UserType::kLocal:
      return v1::User::TYPE_LOCAL;
    case UserType::kDirectory:
      return v1::User::TYPE_DIRECTORY;
    case UserType::kSaml:
      return v1::User::TYPE_SAML;
  }
  return v1::User::TYPE_UNSPECIFIED;
}

}  // namespace

void SetTimestamp(absl::Time time, google::protobuf::Timestamp& out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void SetDuration(absl::Duration duration, google::protobuf::Duration& out) {
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

RequestedInstant ReadTimestamp(const google::protobuf::Timestamp& time) {
  return {.seconds = time.seconds(), .nanos = time.nanos()};
}

RequestedDuration ReadSpan(const google::protobuf::Duration& duration) {
  return {.seconds = duration.seconds(), .nanos = duration.nanos()};
}

std::vector<std::string> ReadTexts(const google::protobuf::RepeatedPtrField<std::string>& values) {
  return {values.begin(), values.end()};
}

std::optional<UserType> ReadUserType(v1::User::Type type) {
  switch (type) {
    case v1::User::TYPE_LOCAL:
      return UserType::kLocal;
    case v1::User::TYPE_DIRECTORY:
      return UserType::kDirectory;
    case v1::User::TYPE_SAML:
      return UserType::kSaml;
    default:  // An enumeration of proto3 is open: any number may come.
      return std::nullopt;
  }
}

void SetToken(const TokenView& view, v1::Token& out) {
  const TokenRecord& record = view.record;
  // A dry run's token has no identity yet.
  if (record.create_sequence != 0) {
    out.set_name(TokenName(record.owner_id, record.uid));
    out.set_uid(record.uid.ToString());
    out.set_etag(TokenLifecycle::EtagOf(record));
  }
  out.set_display_name(record.display_name);
  out.set_description(record.description);
  for (const std::string& scope : record.scopes) out.add_scopes(scope);
  for (const std::string& audience : record.audiences) out.add_audiences(audience);
  out.set_state(ToState(view.state));
  SetTimestamp(record.create_time, *out.mutable_create_time());
  SetTimestamp(view.expire_time, *out.mutable_expire_time());
  if (record.revoke_time.has_value()) SetTimestamp(*record.revoke_time, *out.mutable_revoke_time());
  if (record.regenerate_time.has_value()) SetTimestamp(*record.regenerate_time, *out.mutable_regenerate_time());
  if (record.last_use_time.has_value()) SetTimestamp(*record.last_use_time, *out.mutable_last_use_time());
}

void SetUser(const UserRecord& user, v1::User& out) {
  out.set_name(UserName(user.id));
  out.set_type(ToUserType(user.type));
  out.set_disabled(user.disabled);
  out.set_administrator(user.administrator);
  for (const std::string& grant : user.grants) out.add_grants(grant);
  SetTimestamp(user.create_time, *out.mutable_create_time());
  // A dry run's user has no identity yet.
  if (user.change_sequence == 0) return;
  out.set_uid(user.uid.ToString());
  out.set_etag(UserLifecycle::EtagOf(user));
}

void SetPolicy(const PolicyRecord& policy, v1::Policy& out) {
  out.set_tokens_disabled(policy.tokens_disabled);
  SetDuration(policy.maximum_lifespan, *out.mutable_maximum_lifespan());
  out.set_maximum_live_tokens(static_cast<int32_t>(policy.maximum_live_tokens));
  for (const std::string& scope : policy.forbidden_scopes) out.add_forbidden_scopes(scope);
  out.set_etag(PolicyRules::EtagOf(policy));
}

void SetAuditEvent(const AuditRecord& row, v1::AuditEvent& out) {
  SetTimestamp(row.time, *out.mutable_time());
  out.set_principal(row.principal);
  if (!row.user_id.empty()) out.set_on_behalf_of(UserName(row.user_id));
  out.set_method(row.method);
  out.set_target(row.target);
  out.set_peer(row.peer);
  out.set_outcome(row.outcome);
  out.set_detail(row.detail);
  out.set_count(static_cast<int64_t>(row.count));
}

void ReadQuery(const v1::IntrospectRequest& request, IntrospectionQuery& query) {
  switch (request.credential_case()) {
    case v1::IntrospectRequest::kToken:
      query.credential = SecretCredential{request.token()};
      break;
    case v1::IntrospectRequest::kTokenSha256:
      query.credential = DigestCredential{request.token_sha256()};
      break;
    case v1::IntrospectRequest::CREDENTIAL_NOT_SET:
      query.credential = NoCredential{};
      break;
  }
  for (const v1::Requirement& requirement : request.requirements()) {
    query.requirements.Begin();
    for (const std::string& scope : requirement.any_of()) query.requirements.AddScope(scope);
  }
  query.audience = request.audience();
  if (request.has_max_staleness()) query.max_staleness = ToDuration(request.max_staleness());
}

void SetResult(const IntrospectionResult& result, absl::string_view issuer, v1::IntrospectResponse& out) {
  out.set_active(result.facts != nullptr);
  out.set_verdict(ToVerdict(result.verdict));
  v1::Freshness& freshness = *out.mutable_freshness();
  freshness.set_source(ToSource(result.freshness.source));
  SetTimestamp(result.freshness.read_time, *freshness.mutable_read_time());
  SetTimestamp(result.freshness.fresh_until, *freshness.mutable_fresh_until());
  SetDuration(result.freshness.fresh_for, *freshness.mutable_fresh_for());
  if (result.facts == nullptr) return;

  const TokenFacts& facts = *result.facts;
  facts.scopes.ForEach([&out](absl::string_view scope) { out.add_scopes(scope.data(), scope.size()); });
  out.set_sub(UserName(facts.owner_id));
  out.set_username(facts.owner_id);
  out.set_jti(facts.uid.ToString());
  out.set_exp(absl::ToUnixSeconds(facts.expire_time));
  out.set_iat(absl::ToUnixSeconds(facts.create_time));
  out.set_iss(issuer.data(), issuer.size());
  for (const std::string& audience : facts.audiences) out.add_aud(audience);
  out.set_token_type(kTokenType);
  for (const uint32_t index : result.unmet) out.add_unmet_requirements(index);
}

void SetRevocations(const FeedMessage& message, std::string resume_token, v1::WatchRevocationsResponse& out) {
  switch (message.kind) {
    case FeedMessage::Kind::kNothing:
      out.mutable_heartbeat();
      break;
    case FeedMessage::Kind::kTokens:
      for (const TokenUid& uid : message.tokens) out.mutable_tokens()->add_uids(uid.ToString());
      break;
    case FeedMessage::Kind::kOwner:
      out.mutable_owner()->set_sub(UserName(message.owner_id));
      break;
    case FeedMessage::Kind::kEverything:
      out.mutable_all();
      break;
    case FeedMessage::Kind::kReset:
      out.mutable_reset();
      break;
  }
  out.set_resume_token(std::move(resume_token));
}

}  // namespace pat
