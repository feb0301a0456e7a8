#include "server/upstream/introspection_answer.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

using Response = v1::IntrospectResponse;

constexpr char kUid[] = "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3";

Response GoodAnswer() {
  Response response;
  response.set_active(true);
  response.add_scopes("OR.Folders");
  response.add_scopes("OR.Folders.Read");
  response.set_sub("users/ada");
  response.set_username("ada");
  response.set_jti(kUid);
  response.set_exp(1'700'003'600);
  response.set_iat(1'700'000'000);
  response.set_iss("pat-sidecar");
  response.set_token_type("pat");
  response.set_verdict(Response::VERDICT_ALLOW);
  response.mutable_freshness()->set_source(v1::Freshness::SOURCE_STORE);
  response.mutable_freshness()->mutable_fresh_for()->set_seconds(3599);
  response.mutable_freshness()->mutable_fresh_for()->set_nanos(999'999'999);
  return response;
}

Response InactiveAnswer() {
  Response response;
  response.set_active(false);
  response.set_verdict(Response::VERDICT_INACTIVE);
  response.mutable_freshness()->set_source(v1::Freshness::SOURCE_STORE);
  response.mutable_freshness()->mutable_fresh_for()->set_seconds(10);
  return response;
}

absl::StatusOr<UpstreamAnswer> Read(const Response& response) {
  ScopeInterner scopes;
  return ReadAnswer(response, scopes);
}

TEST(IntrospectionAnswerTest, ReadsTheFactsOfAnActiveToken) {
  const UpstreamAnswer answer = Read(GoodAnswer()).value();
  ASSERT_TRUE(answer.facts.has_value());
  EXPECT_EQ(answer.facts->uid.ToString(), kUid);
  EXPECT_EQ(answer.facts->owner_id, "ada");
  EXPECT_EQ(answer.facts->create_time, absl::FromUnixSeconds(1'700'000'000));
  EXPECT_EQ(answer.facts->expire_time, absl::FromUnixSeconds(1'700'003'600));
  EXPECT_EQ(answer.facts->scopes.ToVector(), (std::vector<std::string>{"OR.Folders", "OR.Folders.Read"}));
  EXPECT_TRUE(answer.facts->audiences.empty());
  EXPECT_EQ(answer.fresh_for, absl::Seconds(3600) - absl::Nanoseconds(1));
}

// No audience was named, so this is what the authority says of a token that has some. Facts are not verdicts.
TEST(IntrospectionAnswerTest, ReadsAudiences) {
  Response response = GoodAnswer();
  response.add_aud("https://billing.example.com");
  response.set_verdict(Response::VERDICT_WRONG_AUDIENCE);
  EXPECT_EQ(Read(response).value().facts->audiences, std::vector<std::string>{"https://billing.example.com"});
}

TEST(IntrospectionAnswerTest, ReadsInactive) {
  const UpstreamAnswer answer = Read(InactiveAnswer()).value();
  EXPECT_FALSE(answer.facts.has_value());
  EXPECT_EQ(answer.fresh_for, absl::Seconds(10));
}

TEST(IntrospectionAnswerTest, TakesATokenWithoutScopesAndOneThatEndsAtOnce) {
  Response response = GoodAnswer();
  response.clear_scopes();
  response.set_exp(response.iat());
  response.mutable_freshness()->mutable_fresh_for()->Clear();
  EXPECT_TRUE(Read(response).value().facts->scopes.empty());
}

// As many as a catalogue may have: what bounds them is the size of a message.
TEST(IntrospectionAnswerTest, TakesAsManyScopesAsAnAuthorityMaySay) {
  Response response = GoodAnswer();
  response.clear_scopes();
  for (int i = 0; i < 20'000; ++i) response.add_scopes(absl::StrCat("S", 10'000 + i));
  EXPECT_TRUE(Read(response).ok());
}

TEST(IntrospectionAnswerTest, AnAnswerThatMakesNoSenseIsNone) {
  struct Case {
    const char* field;  // Is named in the text.
    std::function<void(Response&)> spoil;
  };
  const std::vector<Case> cases = {
      {"active", [](Response& r) { r.clear_active(); }},
      {"fresh_for", [](Response& r) { r.clear_freshness(); }},
      {"fresh_for", [](Response& r) { r.mutable_freshness()->clear_fresh_for(); }},
      {"fresh_for", [](Response& r) { r.mutable_freshness()->mutable_fresh_for()->set_seconds(-1); }},
      {"fresh_for", [](Response& r) { r.mutable_freshness()->mutable_fresh_for()->set_nanos(-1); }},
      {"fresh_for", [](Response& r) { r.mutable_freshness()->mutable_fresh_for()->set_nanos(1'000'000'000); }},
      {"fresh_for", [](Response& r) { r.mutable_freshness()->mutable_fresh_for()->set_seconds(367 * 86400); }},
      {"fresh_for",
       [](Response& r) {
         r.mutable_freshness()->mutable_fresh_for()->set_seconds(std::numeric_limits<int64_t>::max());
       }},
      {"source", [](Response& r) { r.mutable_freshness()->set_source(v1::Freshness::SOURCE_UNSPECIFIED); }},
      {"source", [](Response& r) { r.mutable_freshness()->set_source(v1::Freshness::SOURCE_FORMAT); }},
      {"source", [](Response& r) { r.mutable_freshness()->set_source(static_cast<v1::Freshness::Source>(9)); }},
      {"jti", [](Response& r) { r.clear_jti(); }},
      {"jti", [](Response& r) { r.set_jti("0B6E2D43-7A1F-4C58-9D0E-5F2A8C417BE3"); }},
      {"jti", [](Response& r) { r.set_jti(std::string(100'000, 'a')); }},
      {"sub", [](Response& r) { r.clear_sub(); }},
      {"sub", [](Response& r) { r.set_sub("ada"); }},
      {"sub", [](Response& r) { r.set_sub("users/-"); }},
      {"sub", [](Response& r) { r.set_sub("users/Ada"); }},
      {"sub", [](Response& r) { r.set_sub(absl::StrCat("users/", std::string(64, 'a'))); }},
      {"sub", [](Response& r) { r.set_sub("users/ada/tokens/x"); }},
      {"token_type", [](Response& r) { r.clear_token_type(); }},
      {"iat", [](Response& r) { r.set_iat(-1); }},
      {"iat", [](Response& r) { r.set_iat(int64_t{1} << 60); }},
      {"exp", [](Response& r) { r.set_exp(r.iat() - 1); }},
      {"exp", [](Response& r) { r.set_exp(253'402'300'800); }},
      {"exp", [](Response& r) { r.set_exp(std::numeric_limits<int64_t>::min()); }},
      {"scopes", [](Response& r) { r.add_scopes("OR.Folders.Read"); }},  // Twice.
      {"scopes", [](Response& r) { r.add_scopes("A.BeforeThem"); }},
      {"scopes", [](Response& r) { r.add_scopes(""); }},
      {"scopes", [](Response& r) { r.add_scopes("Z a"); }},
      {"scopes", [](Response& r) { r.add_scopes("*"); }},
      {"scopes", [](Response& r) { r.add_scopes(std::string(129, 'z')); }},
      {"aud", [](Response& r) { r.add_aud(""); }},
      {"aud", [](Response& r) { r.add_aud("a b"); }},
      {"aud", [](Response& r) { r.add_aud(std::string(256, 'a')); }},
      {"aud",
       [](Response& r) {
         for (int i = 0; i < 17; ++i) r.add_aud(absl::StrCat("a", i));
       }},
      {"verdict", [](Response& r) { r.set_verdict(Response::VERDICT_INACTIVE); }},
      {"verdict", [](Response& r) { r.set_verdict(Response::VERDICT_UNSPECIFIED); }},
      {"verdict", [](Response& r) { r.set_verdict(Response::VERDICT_INSUFFICIENT_SCOPE); }},
      {"verdict", [](Response& r) { r.set_verdict(Response::VERDICT_WRONG_AUDIENCE); }},
      {"verdict", [](Response& r) { r.add_aud("https://billing.example.com"); }},
      {"verdict", [](Response& r) { r.add_unmet_requirements(0); }},
      {"active", [](Response& r) { r.set_active(false); }},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    Response response = GoodAnswer();
    cases[i].spoil(response);
    const auto answer = Read(response);
    ASSERT_FALSE(answer.ok()) << i << ": " << response.ShortDebugString();
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kInternal);
    EXPECT_TRUE(absl::StrContains(answer.status().message(), cases[i].field)) << i << ": " << answer.status();
    EXPECT_LT(answer.status().message().size(), 300);
  }
}

TEST(IntrospectionAnswerTest, InactiveWithFactsIsNone) {
  const std::vector<std::function<void(Response&)>> cases = {
      [](Response& r) { r.set_verdict(Response::VERDICT_ALLOW); }, [](Response& r) { r.set_jti(kUid); },
      [](Response& r) { r.set_sub("users/ada"); }, [](Response& r) { r.add_scopes("A"); },
      [](Response& r) { r.set_exp(1); }};
  for (const auto& spoil : cases) {
    Response response = InactiveAnswer();
    spoil(response);
    EXPECT_FALSE(Read(response).ok()) << response.ShortDebugString();
  }
}

TEST(IntrospectionAnswerTest, AnEmptyMessageIsNone) { EXPECT_FALSE(Read(Response()).ok()); }

}  // namespace
}  // namespace pat
