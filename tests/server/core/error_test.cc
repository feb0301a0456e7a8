#include "server/core/error.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ErrorDetails FullDetails() {
  return {.reason = "QUOTA_EXCEEDED",
          .metadata = {{"method", "CreateToken"}, {"user", "users/ada"}, {"method", "twice"}},
          .violations = {{"scopes[1]", "unknown"}, {"ttl", "negative"}},
          .retry_delay = absl::Milliseconds(1500),
          .quota_subject = "users/ada",
          .quota_description = "50 live tokens"};
}

TEST(MakeErrorTest, CarriesCodeTextAndAllDetails) {
  const absl::Status status = MakeError(absl::StatusCode::kResourceExhausted, "too many tokens", FullDetails());
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "too many tokens");
  EXPECT_EQ(DetailsOf(status), FullDetails());
}

TEST(MakeErrorTest, DetailsSurviveACopyOfTheStatus) {
  std::optional<absl::Status> original = MakeError(absl::StatusCode::kAborted, "etag", FullDetails());
  const absl::Status copy = *original;
  original.reset();
  EXPECT_EQ(DetailsOf(copy), FullDetails());
}

TEST(MakeErrorTest, EmptyDetailsAreDetailsToo) {
  EXPECT_EQ(DetailsOf(MakeError(absl::StatusCode::kInternal, "", {})), ErrorDetails());
}

TEST(MakeErrorTest, NoTextConfusesTheDetails) {
  const std::vector<std::string> awkward = {"",
                                            ":",
                                            "3:abc",
                                            "0:",
                                            "12",
                                            "-1:",
                                            std::string(1, '\0'),
                                            std::string("a\0b", 3),
                                            "\xff\xfe",
                                            "grüße\n\t",
                                            "999999999999999999999:x",
                                            std::string(100'000, ':')};
  for (const std::string& text : awkward) {
    SCOPED_TRACE(text.substr(0, 30));
    const ErrorDetails details = {.reason = text,
                                  .metadata = {{text, text}, {"", text}, {text, ""}},
                                  .violations = {{text, text}, {"", ""}},
                                  .more_violations = 7,
                                  .retry_delay = absl::Seconds(1),
                                  .quota_subject = text,
                                  .quota_description = text};
    EXPECT_TRUE(DetailsOf(MakeError(absl::StatusCode::kInternal, text, details)) == details);
  }
}

TEST(MakeErrorTest, RetryDelayIsOptionalAndExactToTheNanosecond) {
  ErrorDetails details;
  EXPECT_EQ(DetailsOf(MakeError(absl::StatusCode::kUnavailable, "", details))->retry_delay, std::nullopt);
  for (const absl::Duration delay : {absl::ZeroDuration(), absl::Nanoseconds(1), -absl::Seconds(1), absl::Hours(24)}) {
    details.retry_delay = delay;
    EXPECT_EQ(DetailsOf(MakeError(absl::StatusCode::kUnavailable, "", details))->retry_delay, delay);
  }
}

TEST(DetailsOfTest, AreAbsentFromAStatusThatOthersMade) {
  EXPECT_EQ(DetailsOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(DetailsOf(absl::UnavailableError("IO error: /data/db/000012.log")), std::nullopt);
  absl::Status foreign = absl::InternalError("engine");
  foreign.SetPayload("type.googleapis.com/google.rpc.ErrorInfo", absl::Cord("6:reason"));
  EXPECT_EQ(DetailsOf(foreign), std::nullopt);
}

TEST(InvalidRequestTest, IsAnInvalidArgumentWithItsOneViolation) {
  const absl::Status status = InvalidRequest({{"ttl", "is -1s; it must be at least 1s"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "ttl: is -1s; it must be at least 1s");
  const std::optional<ErrorDetails> details = DetailsOf(status);
  ASSERT_TRUE(details.has_value());
  EXPECT_EQ(details->reason, "INVALID_REQUEST");
  EXPECT_EQ(details->violations, (std::vector<FieldViolation>{{"ttl", "is -1s; it must be at least 1s"}}));
}

TEST(InvalidRequestTest, KeepsAllViolationsInOrderAndCountsThemInTheText) {
  const std::vector<FieldViolation> violations = {{"scopes[0]", "a"}, {"scopes[1]", "b"}, {"ttl", "c"}};
  const absl::Status status = InvalidRequest(violations);
  EXPECT_EQ(status.message(), "scopes[0]: a (and 2 more)");
  EXPECT_EQ(DetailsOf(status)->violations, violations);
}

TEST(InvalidRequestTest, KeepsWhatIsToldAndCountsTheRest) {
  for (const size_t count : {size_t{20}, kMostViolations + 1, size_t{22}, size_t{130'000}}) {
    std::vector<FieldViolation> violations;
    for (size_t i = 0; i < count; ++i) violations.push_back({absl::StrCat("scopes[", i, "]"), "is wrong"});
    const absl::Status status = InvalidRequest(violations);
    EXPECT_EQ(status.message(), absl::StrCat("scopes[0]: is wrong (and ", count - 1, " more)"));
    const ErrorDetails details = DetailsOf(status).value();
    EXPECT_EQ(details.violations.size() + details.more_violations, count);
    violations.resize(std::min(count, kMostViolations + 1));
    EXPECT_EQ(details.violations, violations) << count;
  }
}

TEST(QuotedTest, PutsPrintableTextInQuotes) {
  EXPECT_EQ(Quoted(""), R"("")");
  EXPECT_EQ(Quoted("OR.Folders Read~"), R"("OR.Folders Read~")");
}

TEST(QuotedTest, EscapesWhatATextCannotCarry) {
  EXPECT_EQ(Quoted("a\nb\tc\r"), R"("a\nb\tc\r")");
  EXPECT_EQ(Quoted(absl::string_view("\0", 1)), R"("\x00")");
  EXPECT_EQ(Quoted("\x1b[31m\x7f"), R"("\x1b[31m\x7f")");
  EXPECT_EQ(Quoted("ü\xff"), R"("\xc3\xbc\xff")");
  EXPECT_EQ(Quoted(R"(say "hi" \)"), R"("say \"hi\" \\")");
}

TEST(QuotedTest, CutsAt64BytesAndShowsThatItDid) {
  EXPECT_EQ(Quoted(std::string(64, 'x')), "\"" + std::string(64, 'x') + "\"");
  EXPECT_EQ(Quoted(std::string(65, 'x')), "\"" + std::string(64, 'x') + "…\"");
  EXPECT_EQ(Quoted(std::string(1'000'000, 'x')), "\"" + std::string(64, 'x') + "…\"");
  EXPECT_THAT(Quoted(std::string(65, '\n')), HasSubstr("\\n…"));
}

// Somebody who puts a secret into the wrong field does not get it back in an error, where logs and tickets pick it up.
TEST(QuotedTest, MasksWhatLooksLikeASecretOrADigest) {
  const std::string secret = "pat_" + std::string(49, 'k');
  EXPECT_EQ(Quoted(secret), "\"pat_...\"");
  EXPECT_EQ(Quoted("users/ada/tokens/" + secret + "?"), "\"users/ada/tokens/pat_...?\"");
  EXPECT_THAT(Quoted(std::string(40, ' ') + secret), Not(HasSubstr("kkkk")));
  EXPECT_THAT(Quoted(std::string(62, ' ') + secret), Not(HasSubstr("k")));
  EXPECT_THAT(Quoted(secret.substr(0, 30)), Not(HasSubstr("k")));
  EXPECT_THAT(Quoted(std::string(64, 'a')), Not(HasSubstr("a")));
  EXPECT_EQ(Quoted("pat_sidecar"), "\"pat_sidecar\"");
  EXPECT_EQ(Quoted("0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3"), "\"0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3\"");
}

}  // namespace
}  // namespace pat
