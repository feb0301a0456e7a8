#include "server/rpc/status_mapping.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/error.h"
#include "tests/server/rpc/status_details.h"

namespace pat {
namespace {

using google::rpc::BadRequest;
using google::rpc::ErrorInfo;
using google::rpc::QuotaFailure;
using google::rpc::RetryInfo;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr size_t kMostBytes = 4096;

grpc::Status Map(const ErrorDetails& details, absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  return ToGrpcStatus(MakeError(code, "what is wrong", details));
}

ErrorDetails WithViolations(size_t count, const std::string& description) {
  ErrorDetails details{.reason = "INVALID_REQUEST"};
  for (size_t i = 0; i < count; ++i) details.violations.push_back({absl::StrCat("scopes[", i, "]"), description});
  return details;
}

// How many violations a BadRequest tells of: those that it shows and those that its last one counts.
size_t ToldOf(const BadRequest& bad_request) {
  const auto& violations = bad_request.field_violations();
  if (violations.empty()) return 0;
  absl::string_view last = violations[violations.size() - 1].description();
  size_t more = 0;
  if (absl::ConsumePrefix(&last, "and ") && absl::ConsumeSuffix(&last, " more") && absl::SimpleAtoi(last, &more)) {
    return static_cast<size_t>(violations.size()) - 1 + more;
  }
  return static_cast<size_t>(violations.size());
}

TEST(ToGrpcStatusTest, CodesAndTextsPass) {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status =
        ToGrpcStatus(MakeError(static_cast<absl::StatusCode>(code), "what is wrong", {.reason = "SOME_REASON"}));
    EXPECT_EQ(status.error_code(), code);
    EXPECT_EQ(status.error_message(), "what is wrong");
    EXPECT_EQ(ReasonOf(status), "SOME_REASON");
  }
}

TEST(ToGrpcStatusTest, ErrorInfoIsFirstAndHasReasonDomainAndMetadata) {
  const grpc::Status status = Map({.reason = "ROLE_REQUIRED", .metadata = {{"role", "user,portal"}, {"a", ""}}});
  const google::rpc::Status parsed = ParsedDetails(status);
  ASSERT_EQ(parsed.details_size(), 1);
  ErrorInfo info;
  ASSERT_TRUE(parsed.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "ROLE_REQUIRED");
  EXPECT_EQ(info.domain(), "pat-sidecar");
  EXPECT_EQ(info.metadata().size(), 2);
  EXPECT_EQ(info.metadata().at("role"), "user,portal");
}

TEST(ToGrpcStatusTest, EmptyDetailsAreARefusalTooWithErrorInfo) {
  const grpc::Status status = Map({});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailsOfType<ErrorInfo>(status).size(), 1);
}

TEST(ToGrpcStatusTest, ViolationsBecomeABadRequestInTheirOrder) {
  const grpc::Status status =
      ToGrpcStatus(InvalidRequest({{"display_name", "is empty"}, {"scopes[1]", "is unknown"}, {"scopes[1]", "again"}}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "INVALID_REQUEST");
  const auto bad_requests = DetailsOfType<BadRequest>(status);
  ASSERT_EQ(bad_requests.size(), 1);
  ASSERT_EQ(bad_requests[0].field_violations_size(), 3);
  EXPECT_EQ(bad_requests[0].field_violations(0).field(), "display_name");
  EXPECT_EQ(bad_requests[0].field_violations(0).description(), "is empty");
  EXPECT_EQ(bad_requests[0].field_violations(1).field(), "scopes[1]");
  EXPECT_EQ(bad_requests[0].field_violations(2).description(), "again");
}

TEST(ToGrpcStatusTest, ADelayBecomesRetryInfoToTheNanosecond) {
  const grpc::Status status = Map({.reason = "RATE_LIMITED", .retry_delay = absl::Nanoseconds(2'500'000'001)},
                                  absl::StatusCode::kResourceExhausted);
  const auto retries = DetailsOfType<RetryInfo>(status);
  ASSERT_EQ(retries.size(), 1);
  EXPECT_EQ(retries[0].retry_delay().seconds(), 2);
  EXPECT_EQ(retries[0].retry_delay().nanos(), 500'000'001);
  EXPECT_EQ(DetailsOfType<RetryInfo>(Map({.reason = "X"})).size(), 0);
  EXPECT_EQ(DetailsOfType<RetryInfo>(Map({.reason = "X", .retry_delay = absl::ZeroDuration()})).size(), 1);
}

TEST(ToGrpcStatusTest, AQuotaBecomesAQuotaFailure) {
  const grpc::Status status =
      Map({.reason = "QUOTA_EXCEEDED", .quota_subject = "users/ada", .quota_description = "50 live tokens"},
          absl::StatusCode::kResourceExhausted);
  const auto quotas = DetailsOfType<QuotaFailure>(status);
  ASSERT_EQ(quotas.size(), 1);
  ASSERT_EQ(quotas[0].violations_size(), 1);
  EXPECT_EQ(quotas[0].violations(0).subject(), "users/ada");
  EXPECT_EQ(quotas[0].violations(0).description(), "50 live tokens");
}

TEST(ToGrpcStatusTest, AllKindsOfDetailsMayComeTogether) {
  ErrorDetails details = WithViolations(2, "is wrong");
  details.retry_delay = absl::Seconds(1);
  details.quota_subject = "s";
  details.quota_description = "q";
  EXPECT_EQ(ParsedDetails(Map(details)).details_size(), 4);
}

// ---- Not too much of it.

TEST(ToGrpcStatusTest, TwentyViolationsAreShownAndTheRestIsCounted) {
  for (const size_t count : {1, 19, 20, 21, 64, 1000}) {
    const auto bad_requests = DetailsOfType<BadRequest>(Map(WithViolations(count, "is not in the catalogue")));
    ASSERT_EQ(bad_requests.size(), 1) << count;
    EXPECT_EQ(bad_requests[0].field_violations_size(), count <= 20 ? count : 21) << count;
    EXPECT_EQ(ToldOf(bad_requests[0]), count);
  }
  const auto bad_requests = DetailsOfType<BadRequest>(Map(WithViolations(64, "is not in the catalogue")));
  EXPECT_EQ(bad_requests[0].field_violations(19).field(), "scopes[19]");
  EXPECT_EQ(bad_requests[0].field_violations(20).field(), "scopes[20]");
  EXPECT_EQ(bad_requests[0].field_violations(20).description(), "and 44 more");
}

TEST(ToGrpcStatusTest, ViolationsThatWereNotKeptAreCountedToo) {
  for (const size_t count : {20, 21, 22, 130'000}) {
    const auto bad_requests = DetailsOfType<BadRequest>(
        ToGrpcStatus(InvalidRequest(WithViolations(count, "is not in the catalogue").violations)));
    ASSERT_EQ(bad_requests.size(), 1) << count;
    EXPECT_EQ(ToldOf(bad_requests[0]), count);
    EXPECT_EQ(bad_requests[0].field_violations_size(), count <= 20 ? count : 21) << count;
    if (count <= 20) continue;
    EXPECT_EQ(bad_requests[0].field_violations(20).field(), "scopes[20]");
  }
}

// 64 bad scopes, each of 64 bytes that all have to be escaped: the most that a caller can bring about.
TEST(ToGrpcStatusTest, TheLongestRequestThatIsWrongInEverythingFits) {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < 64; ++i) {
    violations.push_back({absl::StrCat("scopes[", i, "]"),
                          absl::StrCat(Quoted(std::string(200, '\x01')), " is not in the catalogue; see ListScopes")});
  }
  const grpc::Status status = ToGrpcStatus(InvalidRequest(violations));
  EXPECT_LT(status.error_details().size(), kMostBytes);
  EXPECT_EQ(ReasonOf(status), "INVALID_REQUEST");
  const auto bad_requests = DetailsOfType<BadRequest>(status);
  ASSERT_EQ(bad_requests.size(), 1);
  EXPECT_GE(bad_requests[0].field_violations_size(), 5);
  EXPECT_EQ(bad_requests[0].field_violations(0).description(), violations[0].description);
  EXPECT_EQ(ToldOf(bad_requests[0]), 64);
}

class AnySizeTest : public testing::TestWithParam<size_t> {};

TEST_P(AnySizeTest, DetailsStayUnderFourKilobytesAndKeepTheReason) {
  for (const char* unit : {"x", "ü", "€", "\U0001F511", "\""}) {
    std::string text;
    while (text.size() < GetParam()) text += unit;
    for (const size_t count : {0, 1, 2, 20, 21, 64, 1000}) {
      if (count * GetParam() > 3'000'000) continue;  // Ten times what fits into a request; beyond, it only takes long.
      const ErrorDetails violations = WithViolations(count, text);
      ErrorDetails fields{.reason = "REASON", .retry_delay = absl::Seconds(1)};
      for (size_t i = 0; i < count; ++i) {
        fields.violations.push_back({text, text});
        fields.metadata.emplace_back(absl::StrCat(i, text), text);
      }
      fields.quota_subject = fields.quota_description = text;
      for (const ErrorDetails& details : {violations, fields}) {
        const grpc::Status status =
            ToGrpcStatus(MakeError(absl::StatusCode::kInvalidArgument, text.empty() ? "x" : text, details));
        EXPECT_LT(status.error_details().size(), kMostBytes) << unit << count;
        EXPECT_LT(status.error_message().size(), 1024) << unit << count;
        EXPECT_EQ(ReasonOf(status), details.reason) << unit << count;  // Decodes, so nothing is cut in a character.
      }
      if (count == 0) continue;
      const auto bad_requests = DetailsOfType<BadRequest>(Map(violations));
      ASSERT_EQ(bad_requests.size(), 1) << unit << count;
      EXPECT_EQ(ToldOf(bad_requests[0]), count) << unit;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, AnySizeTest, testing::Values(0, 1, 64, 150, 300, 599, 600, 601, 1000, 5000, 100'000));

TEST(ToGrpcStatusTest, AnEndlessReasonIsCutToo) {
  const grpc::Status status = Map({.reason = std::string(10'000, 'R')});
  EXPECT_LT(status.error_details().size(), kMostBytes);
  EXPECT_EQ(DetailsOfType<ErrorInfo>(status).size(), 1);
}

// ---- What is not for callers.

class EngineErrorTest : public testing::TestWithParam<absl::StatusCode> {};

TEST_P(EngineErrorTest, ItsTextStaysInside) {
  constexpr absl::string_view kSecret = "IO error: /var/lib/pat/db/000012.sst: checksum mismatch";
  absl::Status engine(GetParam(), kSecret);
  engine.SetPayload("type.googleapis.com/google.rpc.DebugInfo", absl::Cord(kSecret));
  engine.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord(kSecret));
  const grpc::Status status = ToGrpcStatus(engine);
  for (const char* word : {"IO error", "/var/lib/pat", "000012", "checksum"}) {
    EXPECT_THAT(status.error_message(), Not(HasSubstr(word)));
    EXPECT_THAT(status.error_details(), Not(HasSubstr(word)));
  }
  const bool full = GetParam() == absl::StatusCode::kResourceExhausted;
  EXPECT_EQ(status.error_code(), full ? grpc::StatusCode::RESOURCE_EXHAUSTED : grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), full ? "DISK_FULL" : "STORE_UNAVAILABLE");
  EXPECT_TRUE(HasRetryDelay(status));
  EXPECT_FALSE(status.error_message().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Codes, EngineErrorTest,
    testing::Values(absl::StatusCode::kCancelled, absl::StatusCode::kUnknown, absl::StatusCode::kInvalidArgument,
                    absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kNotFound, absl::StatusCode::kAlreadyExists,
                    absl::StatusCode::kPermissionDenied, absl::StatusCode::kResourceExhausted,
                    absl::StatusCode::kFailedPrecondition, absl::StatusCode::kAborted, absl::StatusCode::kOutOfRange,
                    absl::StatusCode::kUnimplemented, absl::StatusCode::kInternal, absl::StatusCode::kUnavailable,
                    absl::StatusCode::kDataLoss, absl::StatusCode::kUnauthenticated),
    [](const testing::TestParamInfo<absl::StatusCode>& code) { return absl::StatusCodeToString(code.param); });

}  // namespace
}  // namespace pat
