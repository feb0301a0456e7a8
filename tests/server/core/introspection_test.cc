#include "server/core/introspection.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/error.h"
#include "server/core/token_secret.h"
#include "tests/support/check_call.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/plain_secret.h"
#include "tests/support/refusal.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Answers at once, or keeps the receiver until it is told to answer. Counts.
class FakeReader final : public FactsReader {
 public:
  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override {
    ++finds;
    last_digest = digest;
    last_options = options;
    if (later) {
      waiting = &receiver;
    } else {
      receiver.Receive(answer);
    }
  }

  absl::StatusOr<FactsAnswer> answer = FactsAnswer();
  bool later = false;
  int finds = 0;
  TokenDigest last_digest;
  FindOptions last_options;
  FactsReceiver* waiting = nullptr;
};

class IntrospectionTest : public testing::Test {
 protected:
  IntrospectionTest() {
    const auto catalog = ScopeCatalog::Parse(
                             "R\tP\tDocs\tDocs.Read Docs.Write\tD.\town\n"
                             "R\tP\tDocs.Read\t\tD.\town\n"
                             "R\tP\tDocs.Write\t\tD.\town\n"
                             "R\tP\tMail\t\tD.\town\n")
                             .value();
    facts_.owner_id = "ada";
    facts_.expire_time = clock_.Now() + absl::Hours(1);
    facts_.scopes = catalog->Closure({"Docs"});
    reader_.answer->facts = &facts_;
    reader_.answer->now = clock_.Now();
  }

  CheckResult Check(const IntrospectionQuery& query) { return pat::Check(introspector_, query); }

  // The fields of the violations; there must be some, and no question to the reader.
  std::vector<std::string> Violations(const IntrospectionQuery& query) {
    std::vector<std::string> fields = ExpectInvalid(Check(query).status);
    EXPECT_EQ(reader_.finds, 0);
    return fields;
  }
  CheckResult Accepted(const IntrospectionQuery& query) {
    CheckResult result = Check(query);
    EXPECT_TRUE(result.status.ok()) << result.status;
    return result;
  }

  FakeClockSource time_;
  const Clock clock_{time_};
  TokenFacts facts_;
  FakeReader reader_;
  Introspector introspector_{reader_, clock_};
  const std::string secret_ = PlainSecret(EncodeSecret({1, 2, 3}));
};

Requirements Many(size_t requirements, size_t names) {
  Requirements all;
  for (size_t i = 0; i < requirements; ++i) {
    all.Begin();
    for (size_t n = 0; n < names; ++n) all.AddScope("Mail");
  }
  return all;
}

// ---- Arguments.

TEST_F(IntrospectionTest, ACredentialIsNeeded) {
  EXPECT_THAT(Violations(IntrospectionQuery()), ElementsAre("token"));
  EXPECT_THAT(Violations(QueryFor("")), ElementsAre("token"));
}

TEST_F(IntrospectionTest, ATokenOf1024BytesIsJudgedAndOneOf1025IsNot) {
  const std::string longest(1024, 'x');
  EXPECT_EQ(Accepted(QueryFor(longest)).verdict, Verdict::kInactive);
  for (const size_t size : {size_t{1025}, size_t{60'000}}) {
    const std::string too_long(size, 'x');
    EXPECT_THAT(Violations(QueryFor(too_long)), ElementsAre("token"));
  }
}

TEST_F(IntrospectionTest, ADigestHas32Bytes) {
  const std::string bytes(64, 'd');
  for (const size_t size : {0, 1, 31, 33, 64}) {
    IntrospectionQuery query;
    query.credential = DigestCredential{absl::string_view(bytes).substr(0, size)};
    EXPECT_THAT(Violations(query), ElementsAre("token_sha256")) << size;
  }
  IntrospectionQuery query;
  query.credential = DigestCredential{absl::string_view(bytes).substr(0, 32)};
  EXPECT_EQ(Accepted(query).verdict, Verdict::kAllow);
  EXPECT_EQ(reader_.last_digest.bytes[0], 'd');
}

TEST_F(IntrospectionTest, AtMost16RequirementsOf1To32Names) {
  EXPECT_THAT(Violations(QueryFor(secret_, Many(17, 1))), ElementsAre("requirements"));
  EXPECT_THAT(Violations(QueryFor(secret_, Many(1, 33))), ElementsAre("requirements[0].any_of"));
  EXPECT_THAT(Violations(QueryFor(secret_, AllOf({{"Mail"}, {}, {"Mail"}}))), ElementsAre("requirements[1].any_of"));
  EXPECT_THAT(Violations(QueryFor(secret_, AllOf({{}}))), ElementsAre("requirements[0].any_of"));
  EXPECT_EQ(Accepted(QueryFor(secret_, Many(16, 32))).verdict, Verdict::kInsufficientScope);
  EXPECT_EQ(Accepted(QueryFor(secret_, Many(0, 0))).verdict, Verdict::kAllow);
}

TEST_F(IntrospectionTest, StalenessIsNotNegative) {
  IntrospectionQuery query = QueryFor(secret_);
  query.max_staleness = -absl::Nanoseconds(1);
  EXPECT_THAT(Violations(query), ElementsAre("max_staleness"));
  query.max_staleness = -absl::InfiniteDuration();
  EXPECT_THAT(Violations(query), ElementsAre("max_staleness"));
  query.max_staleness = absl::ZeroDuration();
  EXPECT_EQ(Accepted(query).verdict, Verdict::kAllow);
}

TEST_F(IntrospectionTest, AllViolationsAreToldAtOnce) {
  IntrospectionQuery query;
  query.requirements = AllOf({{"Mail"}, {}, {"Mail"}, {}});
  query.max_staleness = -absl::Seconds(1);
  EXPECT_THAT(Violations(query),
              ElementsAre("token", "requirements[1].any_of", "requirements[3].any_of", "max_staleness"));

  query.requirements = Many(17, 0);  // The first sixteen are named, however many there are.
  EXPECT_EQ(Violations(query).size(), 1 + 1 + 16 + 1);
}

TEST_F(IntrospectionTest, ViolationsOfABatchSayWhichRequest) {
  std::vector<FieldViolation> violations;
  CheckQuery(IntrospectionQuery(), "requests[7].", violations);
  CheckQuery(QueryFor(secret_, AllOf({{}})), "requests[8].", violations);
  CheckQuery(QueryFor(secret_), "requests[9].", violations);
  ASSERT_EQ(violations.size(), 2);
  EXPECT_EQ(violations[0].field, "requests[7].token");
  EXPECT_EQ(violations[1].field, "requests[8].requirements[0].any_of");
}

TEST_F(IntrospectionTest, ArgumentsAreJudgedBeforeTheToken) {
  EXPECT_THAT(Violations(QueryFor("no token at all", AllOf({{}}))), ElementsAre("requirements[0].any_of"));
}

TEST_F(IntrospectionTest, NoTextOfARefusalHoldsTheToken) {
  const std::string too_long = absl::StrCat(secret_, std::string(1000, 'x'));
  const absl::Status status = Check(QueryFor(too_long)).status;
  EXPECT_EQ(status.ToString().find(secret_), std::string::npos);
}

// ---- The form of the token.

TEST_F(IntrospectionTest, AMalformedTokenIsInactiveAndNobodyIsAsked) {
  std::string wrong_sum = secret_;
  wrong_sum.back() = wrong_sum.back() == '0' ? '1' : '0';
  std::string wrong_digit = secret_;
  wrong_digit[10] = '-';
  std::string with_nul = secret_;
  with_nul[20] = '\0';
  std::vector<std::string> malformed = {"x",
                                        "pat_",
                                        "Bearer " + secret_,
                                        secret_ + " ",
                                        " " + secret_,
                                        secret_ + "\n",
                                        secret_ + std::string(1, '\0'),
                                        secret_.substr(0, 52),
                                        secret_.substr(1),
                                        "PAT_" + secret_.substr(4),
                                        "pat-" + secret_.substr(4),
                                        std::string(53, 'a'),
                                        std::string(1024, 'p'),
                                        std::string(1, '\0'),
                                        "\xff\xfe",
                                        wrong_sum,
                                        wrong_digit,
                                        with_nul};
  std::mt19937 random(64);
  for (int i = 0; i < 100; ++i) {
    std::string printable(64, ' ');
    for (char& c : printable) c = static_cast<char>(0x20 + random() % 0x5f);
    malformed.push_back(printable);
  }
  for (const std::string& token : malformed) {
    const CheckResult result = Accepted(QueryFor(token, AllOf({{"Docs.Read"}})));
    EXPECT_EQ(result.verdict, Verdict::kInactive);
    EXPECT_FALSE(result.facts.has_value());
    EXPECT_THAT(result.unmet, IsEmpty());
    EXPECT_EQ(result.freshness.source, AnswerSource::kFormat);
    EXPECT_EQ(result.freshness.read_time, clock_.Now());
    EXPECT_EQ(result.freshness.fresh_until, clock_.Now());
    EXPECT_EQ(result.freshness.fresh_for, absl::ZeroDuration());
  }
  EXPECT_EQ(reader_.finds, 0);
}

TEST_F(IntrospectionTest, AWellFormedTokenIsLookedUpByItsDigest) {
  Accepted(QueryFor(secret_));
  EXPECT_EQ(reader_.finds, 1);
  EXPECT_EQ(reader_.last_digest, DigestOf(secret_));
  const TokenDigest digest = DigestOf(secret_);
  Accepted(QueryFor(digest));
  EXPECT_EQ(reader_.finds, 2);
  EXPECT_EQ(reader_.last_digest, digest);
}

TEST_F(IntrospectionTest, TheStalenessAskedForIsPassedOn) {
  IntrospectionQuery query = QueryFor(secret_);
  Accepted(query);
  EXPECT_EQ(reader_.last_options.max_staleness, std::nullopt);
  for (const absl::Duration staleness : {absl::ZeroDuration(), absl::Seconds(90), absl::InfiniteDuration()}) {
    query.max_staleness = staleness;
    Accepted(query);
    EXPECT_EQ(reader_.last_options.max_staleness, staleness);
  }
}

// ---- Verdicts.

TEST_F(IntrospectionTest, InactiveComesBeforeEverythingElse) {
  facts_.audiences = {"billing"};
  reader_.answer->facts = nullptr;
  const CheckResult result = Accepted(QueryFor(secret_, AllOf({{"Mail"}})));
  EXPECT_EQ(result.verdict, Verdict::kInactive);
  EXPECT_FALSE(result.facts.has_value());
  EXPECT_THAT(result.unmet, IsEmpty());
}

TEST_F(IntrospectionTest, WrongAudienceComesBeforeInsufficientScope) {
  facts_.audiences = {"billing"};
  IntrospectionQuery query = QueryFor(secret_, AllOf({{"Mail"}}));
  const CheckResult wrong = Accepted(query);
  EXPECT_EQ(wrong.verdict, Verdict::kWrongAudience);
  EXPECT_TRUE(wrong.facts.has_value());
  EXPECT_THAT(wrong.unmet, IsEmpty());
  query.audience = "billing";
  const CheckResult insufficient = Accepted(query);
  EXPECT_EQ(insufficient.verdict, Verdict::kInsufficientScope);
  EXPECT_TRUE(insufficient.facts.has_value());
  EXPECT_THAT(insufficient.unmet, ElementsAre(0));
}

TEST_F(IntrospectionTest, ExpiryIsJudgedByTheNowOfTheAnswerAtEveryCall) {
  time_.Advance(absl::Hours(48));  // Judge() never reads a clock.
  reader_.answer->now = facts_.expire_time - absl::Nanoseconds(1);
  EXPECT_EQ(Accepted(QueryFor(secret_)).verdict, Verdict::kAllow);
  reader_.answer->now = facts_.expire_time;
  EXPECT_EQ(Accepted(QueryFor(secret_)).verdict, Verdict::kInactive);
  EXPECT_FALSE(Accepted(QueryFor(secret_)).facts.has_value());
  reader_.answer->now = absl::InfiniteFuture();
  EXPECT_EQ(Accepted(QueryFor(secret_)).verdict, Verdict::kInactive);
}

TEST_F(IntrospectionTest, ATokenWithoutAudiencesFitsAll) {
  IntrospectionQuery query = QueryFor(secret_);
  for (const absl::string_view audience : {"", "billing", "anything at all"}) {
    query.audience = audience;
    EXPECT_EQ(Accepted(query).verdict, Verdict::kAllow) << audience;
  }
}

TEST_F(IntrospectionTest, ATokenWithAudiencesNeedsOneOfThemToTheLetter) {
  facts_.audiences = {"billing", "folders"};
  IntrospectionQuery query = QueryFor(secret_);
  for (const absl::string_view audience : {"billing", "folders"}) {
    query.audience = audience;
    EXPECT_EQ(Accepted(query).verdict, Verdict::kAllow) << audience;
  }
  for (const absl::string_view audience : {"", "Billing", "billin", "billing ", "billing,folders", "*"}) {
    query.audience = audience;
    EXPECT_EQ(Accepted(query).verdict, Verdict::kWrongAudience) << audience;
  }
}

TEST_F(IntrospectionTest, ARequirementIsMetByAnyOfItsNames) {
  for (const auto& met : {AllOf({{"Docs"}}), AllOf({{"Docs.Read"}}), AllOf({{"Mail", "Docs.Write"}}),
                          AllOf({{"No.Such.Scope", "Docs"}}), AllOf({{"Docs"}, {"Docs.Read"}, {"Docs.Write"}})}) {
    EXPECT_EQ(Accepted(QueryFor(secret_, met)).verdict, Verdict::kAllow);
  }
}

TEST_F(IntrospectionTest, TheIndicesOfTheUnmetOnesAreTold) {
  const CheckResult result =
      Accepted(QueryFor(secret_, AllOf({{"Mail"}, {"Docs"}, {"No.Such.Scope"}, {"Docs.Read", "Mail"}, {"docs", "*"}})));
  EXPECT_EQ(result.verdict, Verdict::kInsufficientScope);
  EXPECT_THAT(result.unmet, ElementsAre(0, 2, 4));
}

TEST_F(IntrospectionTest, AllSixteenMayBeUnmet) {
  const CheckResult result = Accepted(QueryFor(secret_, Many(16, 1)));
  EXPECT_EQ(result.unmet.size(), 16);
  EXPECT_EQ(result.unmet.back(), 15);
}

TEST_F(IntrospectionTest, ATokenWithoutScopesMeetsOnlyNoRequirement) {
  const ScopeSet none;
  facts_.scopes = none;
  EXPECT_EQ(Accepted(QueryFor(secret_)).verdict, Verdict::kAllow);
  EXPECT_EQ(Accepted(QueryFor(secret_, AllOf({{"Docs"}}))).verdict, Verdict::kInsufficientScope);
}

TEST_F(IntrospectionTest, FreshnessIsPassedOnAsItIs) {
  for (const bool active : {true, false}) {
    FactsAnswer answer;
    answer.facts = active ? &facts_ : nullptr;
    answer.source = FactsSource::kCache;
    answer.now = clock_.Now();
    answer.read_time = answer.now - absl::Seconds(7);
    answer.fresh_until = answer.now + absl::Seconds(3);
    answer.fresh_for = absl::Seconds(2);
    reader_.answer = answer;
    const Freshness freshness = Accepted(QueryFor(secret_)).freshness;
    EXPECT_EQ(freshness.source, AnswerSource::kCache);
    EXPECT_EQ(freshness.read_time, answer.read_time);
    EXPECT_EQ(freshness.fresh_until, answer.fresh_until);
    EXPECT_EQ(freshness.fresh_for, absl::Seconds(2));
  }
}

// ---- When it cannot be decided, and when it takes a while.

TEST_F(IntrospectionTest, StalenessAndTimeoutArePassedOn) {
  CheckCall call(QueryFor(UnknownDigest(1)));
  call.query.max_staleness = absl::Seconds(3);
  call.query.timeout = absl::Milliseconds(250);
  introspector_.Start(call);
  EXPECT_EQ(reader_.last_options.max_staleness, absl::Seconds(3));
  EXPECT_EQ(reader_.last_options.timeout, absl::Milliseconds(250));
}

TEST_F(IntrospectionTest, AnErrorOfTheReaderIsTheResult) {
  const ErrorDetails details{.reason = "STORE_UNAVAILABLE", .retry_delay = absl::Seconds(1)};
  reader_.answer = MakeError(absl::StatusCode::kUnavailable, "down", details);
  const CheckResult result = Check(QueryFor(secret_));
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(DetailsOf(result.status), details);
}

TEST_F(IntrospectionTest, TheResultMayComeLater) {
  reader_.later = true;
  CheckCall call(QueryFor(secret_, AllOf({{"Docs"}})));
  introspector_.Start(call);
  EXPECT_FALSE(call.done());
  reader_.waiting->Receive(reader_.answer);
  EXPECT_EQ(call.times(), 1);
  EXPECT_EQ(call.Wait().verdict, Verdict::kAllow);
}

TEST_F(IntrospectionTest, ACallThatWasCheckedIsStartedWithoutChecking) {
  CheckCall call(QueryFor(secret_));
  introspector_.StartChecked(call);
  EXPECT_EQ(call.Wait().verdict, Verdict::kAllow);
}

TEST(RequirementsTest, KeepNamesApart) {
  const Requirements requirements = AllOf({{"a", "b"}, {}, {"c"}});
  ASSERT_EQ(requirements.size(), 3);
  EXPECT_THAT(requirements.any_of(0), ElementsAre("a", "b"));
  EXPECT_THAT(requirements.any_of(1), IsEmpty());
  EXPECT_THAT(requirements.any_of(2), ElementsAre("c"));
}

}  // namespace
}  // namespace pat
