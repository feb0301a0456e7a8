#include "server/rpc/messages.h"

#include <google/protobuf/util/json_util.h>

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/policy_rules.h"
#include "server/core/user_lifecycle.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

// ---- Instants and spans.

struct Instant {
  absl::Time time;
  int64_t seconds;
  int32_t nanos;
};

class SetTimestampTest : public testing::TestWithParam<Instant> {};

// A timestamp counts nanos upwards, also before 1970.
TEST_P(SetTimestampTest, IsExact) {
  google::protobuf::Timestamp out;
  SetTimestamp(GetParam().time, out);
  EXPECT_EQ(out.seconds(), GetParam().seconds);
  EXPECT_EQ(out.nanos(), GetParam().nanos);
}

INSTANTIATE_TEST_SUITE_P(
    Instants, SetTimestampTest,
    testing::Values(
        Instant{absl::UnixEpoch(), 0, 0}, Instant{absl::FromUnixNanos(1), 0, 1},
        Instant{absl::FromUnixNanos(-1), -1, 999'999'999}, Instant{absl::FromUnixNanos(-1'000'000'000), -1, 0},
        Instant{absl::FromUnixNanos(-1'500'000'000), -2, 500'000'000},
        Instant{absl::FromUnixSeconds(1'700'000'000) + absl::Nanoseconds(123'456'789), 1'700'000'000, 123'456'789},
        Instant{absl::FromUnixSeconds(253'402'300'799) + absl::Nanoseconds(999'999'999), 253'402'300'799, 999'999'999},
        Instant{absl::FromUnixSeconds(-62'135'596'800), -62'135'596'800, 0},
        // absl::Time counts quarters of a nanosecond; a timestamp never says more than was.
        Instant{absl::FromUnixNanos(5) + absl::Nanoseconds(3) / 4, 0, 5}));

struct Span {
  absl::Duration duration;
  int64_t seconds;
  int32_t nanos;
};

class DurationTest : public testing::TestWithParam<Span> {};

// Seconds and nanos of a duration have one sign.
TEST_P(DurationTest, IsExactThereAndBack) {
  google::protobuf::Duration out;
  SetDuration(GetParam().duration, out);
  EXPECT_EQ(out.seconds(), GetParam().seconds);
  EXPECT_EQ(out.nanos(), GetParam().nanos);
  EXPECT_EQ(ToDuration(out), GetParam().duration);
}

INSTANTIATE_TEST_SUITE_P(Spans, DurationTest,
                         testing::Values(Span{absl::ZeroDuration(), 0, 0}, Span{absl::Nanoseconds(1), 0, 1},
                                         Span{-absl::Nanoseconds(1), 0, -1},
                                         Span{absl::Seconds(1) - absl::Nanoseconds(1), 0, 999'999'999},
                                         Span{-absl::Milliseconds(1500), -1, -500'000'000},
                                         Span{absl::Hours(1), 3600, 0},
                                         Span{absl::Seconds(315'576'000'000), 315'576'000'000, 0}));

// What comes over the wire need not be in protobuf's range; nothing wraps around.
TEST(ToDurationTest, SaturatesAndTakesMixedSigns) {
  const auto from = [](int64_t seconds, int32_t nanos) {
    google::protobuf::Duration duration;
    duration.set_seconds(seconds);
    duration.set_nanos(nanos);
    return ToDuration(duration);
  };
  EXPECT_GT(from(kMax, 999'999'999), absl::Hours(24 * 365) * 1'000'000);
  EXPECT_GT(from(kMax, std::numeric_limits<int32_t>::max()), absl::Hours(24 * 365) * 1'000'000);
  EXPECT_LT(from(kMin, std::numeric_limits<int32_t>::min()), absl::ZeroDuration());
  EXPECT_EQ(from(1, -1), absl::Seconds(1) - absl::Nanoseconds(1));
  EXPECT_EQ(from(0, -1), -absl::Nanoseconds(1));
  EXPECT_EQ(from(0, 2'000'000'000), absl::Seconds(2));
}

// ---- Queries.

IntrospectionQuery Read(const v1::IntrospectRequest& request) {
  IntrospectionQuery query;
  ReadQuery(request, query);
  return query;
}

TEST(ReadQueryTest, TakesEachCredentialForWhatItIs) {
  v1::IntrospectRequest request;
  EXPECT_TRUE(std::holds_alternative<NoCredential>(Read(request).credential));

  // An empty one was given; that it is empty is for the rules to say.
  request.set_token("");
  ASSERT_TRUE(std::holds_alternative<SecretCredential>(Read(request).credential));
  request.set_token("pat_x");
  EXPECT_EQ(std::get<SecretCredential>(Read(request).credential).secret, "pat_x");

  request.set_token_sha256(std::string(32, '\0'));
  ASSERT_TRUE(std::holds_alternative<DigestCredential>(Read(request).credential));
  EXPECT_EQ(std::get<DigestCredential>(Read(request).credential).sha256, std::string(32, '\0'));
}

TEST(ReadQueryTest, HoldsViewsAndCopiesNoSecret) {
  v1::IntrospectRequest request;
  request.set_token(std::string(53, 'x'));
  request.set_audience(std::string(100, 'a'));
  request.add_requirements()->add_any_of(std::string(100, 's'));
  const IntrospectionQuery query = Read(request);
  EXPECT_EQ(std::get<SecretCredential>(query.credential).secret.data(), request.token().data());
  EXPECT_EQ(query.audience.data(), request.audience().data());
  EXPECT_EQ(query.requirements.any_of(0)[0].data(), request.requirements(0).any_of(0).data());
}

TEST(ReadQueryTest, KeepsRequirementsApartAlsoEmptyOnes) {
  v1::IntrospectRequest request;
  EXPECT_EQ(Read(request).requirements.size(), 0);
  request.add_requirements()->add_any_of("a");
  request.add_requirements();
  for (const char* name : {"b", "c"}) {
    if (request.requirements_size() == 2) request.add_requirements();
    request.mutable_requirements(2)->add_any_of(name);
  }
  const IntrospectionQuery query = Read(request);
  ASSERT_EQ(query.requirements.size(), 3);
  EXPECT_THAT(query.requirements.any_of(0), ElementsAre("a"));
  EXPECT_THAT(query.requirements.any_of(1), IsEmpty());
  EXPECT_THAT(query.requirements.any_of(2), ElementsAre("b", "c"));
}

TEST(ReadQueryTest, StalenessZeroIsNotTheSameAsNone) {
  v1::IntrospectRequest request;
  EXPECT_EQ(Read(request).max_staleness, std::nullopt);
  request.mutable_max_staleness();
  EXPECT_EQ(Read(request).max_staleness, absl::ZeroDuration());
  request.mutable_max_staleness()->set_nanos(-1);
  EXPECT_EQ(Read(request).max_staleness, -absl::Nanoseconds(1));
}

// ---- Results.

class SetResultTest : public testing::Test {
 protected:
  SetResultTest() {
    facts_.uid = *TokenUid::Parse("0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3");
    facts_.owner_id = "ada";
    facts_.create_time = absl::FromUnixSeconds(1'700'000'000) + absl::Nanoseconds(999'999'999);
    facts_.expire_time = absl::FromUnixSeconds(1'700'086'400);
    const std::vector<std::string> scopes = {"TM.Defects", "OR.Folders.Read"};
    facts_.scopes = authority_.catalog->Closure(scopes);
    facts_.audiences = {"second", "first"};
    freshness_ = {.source = AnswerSource::kCache,
                  .read_time = absl::FromUnixNanos(1'700'000'100'000'000'001),
                  .fresh_until = absl::FromUnixNanos(1'700'003'700'000'000'001),
                  .fresh_for = absl::Milliseconds(3599'500)};
  }

  v1::IntrospectResponse Map(const IntrospectionResult& result) {
    v1::IntrospectResponse out;
    SetResult(result, "pat-sidecar", out);
    return out;
  }

  static std::string Json(const v1::IntrospectResponse& response) {
    std::string json;
    EXPECT_TRUE(google::protobuf::util::MessageToJsonString(response, &json).ok());
    return json;
  }

  TestAuthority authority_;
  TokenFacts facts_;
  Freshness freshness_;
};

TEST_F(SetResultTest, AnActiveTokenFillsEverything) {
  const v1::IntrospectResponse out =
      Map({.verdict = Verdict::kInsufficientScope, .facts = &facts_, .unmet = {0, 7}, .freshness = freshness_});
  EXPECT_TRUE(out.has_active());
  EXPECT_TRUE(out.active());
  EXPECT_EQ(out.verdict(), v1::IntrospectResponse::VERDICT_INSUFFICIENT_SCOPE);
  EXPECT_THAT(out.scopes(), ElementsAre("OR.Folders.Read", "TM.Defects", "TM.Defects.Read"));
  EXPECT_EQ(out.sub(), "users/ada");
  EXPECT_EQ(out.username(), "ada");
  EXPECT_EQ(out.jti(), "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3");
  EXPECT_EQ(out.exp(), 1'700'086'400);
  EXPECT_EQ(out.iat(), 1'700'000'000);
  EXPECT_EQ(out.iss(), "pat-sidecar");
  EXPECT_THAT(out.aud(), ElementsAre("second", "first"));
  EXPECT_EQ(out.token_type(), "pat");
  EXPECT_THAT(out.unmet_requirements(), ElementsAre(0, 7));
  EXPECT_EQ(out.freshness().source(), v1::Freshness::SOURCE_CACHE);
  EXPECT_EQ(out.freshness().read_time().seconds(), 1'700'000'100);
  EXPECT_EQ(out.freshness().read_time().nanos(), 1);
  EXPECT_EQ(out.freshness().fresh_until().seconds(), 1'700'003'700);
  EXPECT_EQ(out.freshness().fresh_for().seconds(), 3599);
  EXPECT_EQ(out.freshness().fresh_for().nanos(), 500'000'000);
}

// So that a field that is added is not forgotten here.
TEST_F(SetResultTest, NoFieldOfTheMessageIsLeftOut) {
  const v1::IntrospectResponse out =
      Map({.verdict = Verdict::kInsufficientScope, .facts = &facts_, .unmet = {1}, .freshness = freshness_});
  const auto& descriptor = *v1::IntrospectResponse::descriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto& field = *descriptor.field(i);
    const auto& reflection = *out.GetReflection();
    EXPECT_TRUE(field.is_repeated() ? reflection.FieldSize(out, &field) > 0 : reflection.HasField(out, &field))
        << field.name();
  }
}

TEST_F(SetResultTest, AnInactiveTokenFillsThreeFieldsAndNoOther) {
  const v1::IntrospectResponse out = Map({.verdict = Verdict::kInactive, .facts = nullptr, .freshness = freshness_});
  std::vector<const google::protobuf::FieldDescriptor*> set;
  out.GetReflection()->ListFields(out, &set);
  std::vector<std::string> names;
  for (const auto* field : set) names.push_back(field->name());
  EXPECT_THAT(names, ElementsAre("active", "verdict", "freshness"));
  EXPECT_FALSE(out.active());
  EXPECT_EQ(out.verdict(), v1::IntrospectResponse::VERDICT_INACTIVE);
}

TEST_F(SetResultTest, JsonShowsThatItIsNotActive) {
  const std::string json = Json(Map({.verdict = Verdict::kInactive, .facts = nullptr, .freshness = freshness_}));
  EXPECT_THAT(json, HasSubstr(R"("active":false)"));
  EXPECT_THAT(json, HasSubstr(R"("verdict":"VERDICT_INACTIVE")"));
  for (const char* name : {"scopes", "sub", "username", "jti", "exp", "iat", "iss", "aud", "tokenType", "unmet"}) {
    EXPECT_THAT(json, Not(HasSubstr(name)));
  }
}

TEST_F(SetResultTest, EachVerdictHasItsName) {
  EXPECT_EQ(Map({.verdict = Verdict::kAllow, .facts = &facts_}).verdict(), v1::IntrospectResponse::VERDICT_ALLOW);
  EXPECT_EQ(Map({.verdict = Verdict::kWrongAudience, .facts = &facts_}).verdict(),
            v1::IntrospectResponse::VERDICT_WRONG_AUDIENCE);
  EXPECT_EQ(Map({.verdict = Verdict::kInsufficientScope, .facts = &facts_}).verdict(),
            v1::IntrospectResponse::VERDICT_INSUFFICIENT_SCOPE);
}

TEST_F(SetResultTest, EachSourceHasItsName) {
  const auto source = [this](AnswerSource from) { return Map({.freshness = {.source = from}}).freshness().source(); };
  EXPECT_EQ(source(AnswerSource::kStore), v1::Freshness::SOURCE_STORE);
  EXPECT_EQ(source(AnswerSource::kCache), v1::Freshness::SOURCE_CACHE);
  EXPECT_EQ(source(AnswerSource::kFormat), v1::Freshness::SOURCE_FORMAT);
}

// ---- Tokens.

TEST(SetTokenTest, ShowsTheRecordAndNothingOfTheSecret) {
  TokenView view;
  view.record.uid = *TokenUid::Parse("0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3");
  view.record.owner_id = "ada";
  view.record.display_name = "build";
  view.record.description = "for the build server";
  view.record.scopes = {"b", "a"};
  view.record.audiences = {"x"};
  view.record.create_time = absl::FromUnixSeconds(100);
  view.record.expire_time = absl::FromUnixSeconds(900);
  view.record.revoke_time = absl::FromUnixSeconds(300);
  view.record.regenerate_time = absl::FromUnixSeconds(200);
  view.record.last_use_time = absl::FromUnixSeconds(240);
  view.record.create_sequence = 1;
  view.record.change_sequence = 2;
  view.record.hmac.mac.fill('M');
  view.state = TokenState::kRevoked;
  view.expire_time = absl::FromUnixSeconds(800);  // The policy's word.

  v1::Token out;
  SetToken(view, out);
  EXPECT_EQ(out.name(), "users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3");
  EXPECT_EQ(out.uid(), "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3");
  EXPECT_EQ(out.etag(), TokenLifecycle::EtagOf(view.record));
  EXPECT_EQ(out.display_name(), "build");
  EXPECT_EQ(out.description(), "for the build server");
  EXPECT_THAT(out.scopes(), ElementsAre("b", "a"));
  EXPECT_THAT(out.audiences(), ElementsAre("x"));
  EXPECT_EQ(out.state(), v1::Token::STATE_REVOKED);
  EXPECT_EQ(out.create_time().seconds(), 100);
  EXPECT_EQ(out.expire_time().seconds(), 800);
  EXPECT_EQ(out.revoke_time().seconds(), 300);
  EXPECT_EQ(out.regenerate_time().seconds(), 200);
  EXPECT_EQ(out.last_use_time().seconds(), 240);
  EXPECT_THAT(out.SerializeAsString(), Not(HasSubstr("MMMM")));
}

TEST(SetTokenTest, WhatHasNotHappenedIsAbsent) {
  TokenView view;
  view.record.create_sequence = 1;
  v1::Token out;
  SetToken(view, out);
  EXPECT_EQ(out.state(), v1::Token::STATE_ACTIVE);
  EXPECT_FALSE(out.has_revoke_time());
  EXPECT_FALSE(out.has_regenerate_time());
  EXPECT_FALSE(out.has_last_use_time());
  view.state = TokenState::kExpired;
  SetToken(view, out);
  EXPECT_EQ(out.state(), v1::Token::STATE_EXPIRED);
}

TEST(SetTokenTest, ADryRunsTokenHasNoIdentity) {
  TokenView view;
  view.record.owner_id = "ada";
  view.record.display_name = "build";
  v1::Token out;
  SetToken(view, out);
  EXPECT_EQ(out.name(), "");
  EXPECT_EQ(out.uid(), "");
  EXPECT_EQ(out.etag(), "");
  EXPECT_EQ(out.display_name(), "build");
}

// ---- What management asks and shows.

TEST(ReadTest, InstantsAndSpansComeAsTheyAreAlsoOutOfRange) {
  google::protobuf::Timestamp time;
  time.set_seconds(kMin);
  time.set_nanos(-7);
  EXPECT_EQ(ReadTimestamp(time).seconds, kMin);
  EXPECT_EQ(ReadTimestamp(time).nanos, -7);
  google::protobuf::Duration span;
  span.set_seconds(kMax);
  span.set_nanos(7);
  EXPECT_EQ(ReadSpan(span).seconds, kMax);
  EXPECT_EQ(ReadSpan(span).nanos, 7);
}

TEST(ReadTest, ATypeThatIsNoneIsAbsent) {
  EXPECT_EQ(ReadUserType(v1::User::TYPE_LOCAL), UserType::kLocal);
  EXPECT_EQ(ReadUserType(v1::User::TYPE_DIRECTORY), UserType::kDirectory);
  EXPECT_EQ(ReadUserType(v1::User::TYPE_SAML), UserType::kSaml);
  EXPECT_EQ(ReadUserType(v1::User::TYPE_UNSPECIFIED), std::nullopt);
  v1::User user;
  // As the wire brings it: an enumeration is open.
  ASSERT_TRUE(user.ParseFromString(std::string("\x10\x07", 2)));
  EXPECT_EQ(ReadUserType(user.type()), std::nullopt);
}

UserRecord SomeUser() {
  UserRecord user;
  user.uid = *UserUid::Parse("0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3");
  user.id = "dora";
  user.type = UserType::kDirectory;
  user.disabled = true;
  user.administrator = true;
  user.grants = {"b", "*"};
  user.create_time = absl::FromUnixSeconds(100);
  user.change_sequence = 7;
  return user;
}

TEST(SetUserTest, ShowsTheRecord) {
  v1::User out;
  SetUser(SomeUser(), out);
  EXPECT_EQ(out.name(), "users/dora");
  EXPECT_EQ(out.type(), v1::User::TYPE_DIRECTORY);
  EXPECT_TRUE(out.disabled());
  EXPECT_TRUE(out.administrator());
  EXPECT_THAT(out.grants(), ElementsAre("b", "*"));
  EXPECT_EQ(out.uid(), "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3");
  EXPECT_EQ(out.create_time().seconds(), 100);
  EXPECT_EQ(out.etag(), UserLifecycle::EtagOf(SomeUser()));
}

TEST(SetUserTest, EachTypeHasItsName) {
  const auto shown = [](UserType type) {
    UserRecord user = SomeUser();
    user.type = type;
    v1::User out;
    SetUser(user, out);
    return out.type();
  };
  EXPECT_EQ(shown(UserType::kLocal), v1::User::TYPE_LOCAL);
  EXPECT_EQ(shown(UserType::kDirectory), v1::User::TYPE_DIRECTORY);
  EXPECT_EQ(shown(UserType::kSaml), v1::User::TYPE_SAML);
}

TEST(SetUserTest, ADryRunsUserHasNoIdentity) {
  UserRecord user = SomeUser();
  user.change_sequence = 0;
  v1::User out;
  SetUser(user, out);
  EXPECT_EQ(out.name(), "users/dora");
  EXPECT_EQ(out.uid(), "");
  EXPECT_EQ(out.etag(), "");
}

TEST(SetPolicyTest, ShowsTheRecord) {
  PolicyRecord policy;
  policy.tokens_disabled = true;
  policy.maximum_lifespan = absl::Hours(48);
  policy.maximum_live_tokens = 10'000;
  policy.forbidden_scopes = {"a", "b"};
  policy.change_sequence = 3;
  v1::Policy out;
  SetPolicy(policy, out);
  EXPECT_TRUE(out.tokens_disabled());
  EXPECT_EQ(out.maximum_lifespan().seconds(), 172'800);
  EXPECT_EQ(out.maximum_lifespan().nanos(), 0);
  EXPECT_EQ(out.maximum_live_tokens(), 10'000);
  EXPECT_THAT(out.forbidden_scopes(), ElementsAre("a", "b"));
  EXPECT_EQ(out.etag(), PolicyRules::EtagOf(policy));
}

// The policy that nobody has ever changed has an etag too: the first change can be guarded by one.
TEST(SetPolicyTest, TheDefaultsAreAPolicy) {
  v1::Policy out;
  SetPolicy({}, out);
  EXPECT_FALSE(out.tokens_disabled());
  EXPECT_EQ(out.maximum_lifespan().seconds(), 365 * 86'400);
  EXPECT_EQ(out.maximum_live_tokens(), 50);
  EXPECT_NE(out.etag(), "");
}

TEST(SetAuditEventTest, ShowsTheRow) {
  AuditRecord row;
  row.time = absl::FromUnixNanos(1'700'000'000'000'000'001);
  row.sequence = 9;
  row.principal = "portal:spiffe://example.org/web as ada";
  row.user_id = "ada";
  row.method = "pat.v1.TokenService/RevokeToken";
  row.target = "users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3";
  row.target_user_id = "ada";
  row.peer = "ipv4:10.0.0.7:47110";
  row.outcome = "OK";
  row.detail = "ended";
  row.count = 3;
  v1::AuditEvent out;
  SetAuditEvent(row, out);
  EXPECT_EQ(out.time().seconds(), 1'700'000'000);
  EXPECT_EQ(out.time().nanos(), 1);
  EXPECT_EQ(out.principal(), row.principal);
  EXPECT_EQ(out.on_behalf_of(), "users/ada");
  EXPECT_EQ(out.method(), row.method);
  EXPECT_EQ(out.target(), row.target);
  EXPECT_EQ(out.peer(), row.peer);
  EXPECT_EQ(out.outcome(), "OK");
  EXPECT_EQ(out.detail(), "ended");
  EXPECT_EQ(out.count(), 3);
  // So that a field that is added is not forgotten here.
  const auto& descriptor = *v1::AuditEvent::descriptor();
  std::vector<const google::protobuf::FieldDescriptor*> set;
  out.GetReflection()->ListFields(out, &set);
  EXPECT_EQ(set.size(), static_cast<size_t>(descriptor.field_count()));

  row.user_id = "";
  out.Clear();
  SetAuditEvent(row, out);
  EXPECT_EQ(out.on_behalf_of(), "");
}

}  // namespace
}  // namespace pat
