#include "client/patctl/error_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/client/manual_clock.h"

namespace pat::patctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

client::CallError Error(grpc::StatusCode code, const std::string& message) {
  client::CallError error;
  error.code = code;
  error.message = message;
  return error;
}

std::string Render(const client::CallError& error, const GlobalOptions& options) {
  return RenderCallError(error, options, std::nullopt, client::ManualClock::Start());
}

TEST(ErrorTextTest, HasALineForEverything) {
  client::CallError error = Error(grpc::StatusCode::INVALID_ARGUMENT, "two fields are wrong");
  error.reason = "INVALID_REQUEST";
  error.field_violations = {{"scopes[1]", "\"X\" is not in the catalogue; see ListScopes"}, {"ttl", "at most 365d"}};
  EXPECT_EQ(Render(error, {}),
            "INVALID_ARGUMENT: two fields are wrong\n"
            "  reason: INVALID_REQUEST\n"
            "  scopes[1]: \"X\" is not in the catalogue; see ListScopes\n"
            "  ttl: at most 365d");

  error = Error(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many tokens");
  error.reason = "QUOTA_EXCEEDED";
  error.metadata = {{"limit", "50"}};
  error.quota_violations = {{"users/ada", "at most 50 live tokens"}};
  error.retry_delay = absl::Milliseconds(1500);
  EXPECT_EQ(Render(error, {}),
            "RESOURCE_EXHAUSTED: too many tokens\n"
            "  reason: QUOTA_EXCEEDED\n"
            "  limit: 50\n"
            "  users/ada: at most 50 live tokens\n"
            "  try again in: 2s");
}

TEST(ErrorTextTest, LeavesOutWhatIsNotThere) {
  EXPECT_EQ(Render(Error(grpc::StatusCode::ABORTED, "changed meanwhile"), {}), "ABORTED: changed meanwhile");
}

TEST(ErrorTextTest, SaysWhatAnEtagIsFor) {
  client::CallError error = Error(grpc::StatusCode::ABORTED, "changed meanwhile");
  error.reason = "ETAG_MISMATCH";
  EXPECT_THAT(Render(error, {}), HasSubstr("hint: somebody changed it meanwhile"));
}

TEST(ErrorTextTest, WhoBroughtATokenNeedNotBeToldToSayWhoHeIs) {
  const client::CallError error = Error(grpc::StatusCode::UNAUTHENTICATED, "no");
  GlobalOptions options;
  EXPECT_THAT(Render(error, options), HasSubstr("--user (PATCTL_USER), or with --token-file (PATCTL_TOKEN_FILE)"));
  options.token_file = "f";
  EXPECT_THAT(Render(error, options), Not(HasSubstr("hint")));
}

TEST(ErrorTextTest, EscapesAllThatTheServerSaid) {
  client::CallError error = Error(grpc::StatusCode::ABORTED, "\x1b[2Jgone\npatctl: all is well");
  error.reason = "A\rB";
  error.metadata = {{"k\x07", "v\x07"}};
  error.field_violations = {{"f\n", "d\n"}};
  error.quota_violations = {{"s\n", "q\n"}};
  EXPECT_EQ(Render(error, {}),
            "ABORTED: \\x1b[2Jgone\\x0apatctl: all is well\n"
            "  reason: A\\x0dB\n"
            "  k\\x07: v\\x07\n"
            "  f\\x0a: d\\x0a\n"
            "  s\\x0a: q\\x0a");
}

TEST(ErrorTextTest, NeverShowsASecret) {
  const std::string secret = "pat_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghi";
  client::CallError error = Error(grpc::StatusCode::INVALID_ARGUMENT, "what is " + secret);
  error.field_violations = {{"token", secret}};
  EXPECT_THAT(Render(error, {}), Not(HasSubstr(secret.substr(4))));
}

TEST(ErrorTextTest, HelpsWhenNoServerAnswers) {
  GlobalOptions options;
  options.server = "127.0.0.1:7444";
  client::CallError error = Error(grpc::StatusCode::UNAVAILABLE, "whatever");
  EXPECT_THAT(Render(error, options), HasSubstr("\n  hint: no server answers at 127.0.0.1:7444: "));
  // This one did answer.
  error.reason = "AUTHORITY_UNAVAILABLE";
  EXPECT_THAT(Render(error, options), Not(HasSubstr("hint")));
}

TEST(ErrorTextTest, HelpsWhenTimeWasUp) {
  GlobalOptions options;
  options.timeout = absl::Seconds(90);
  EXPECT_THAT(
      Render(Error(grpc::StatusCode::DEADLINE_EXCEEDED, "late"), options),
      HasSubstr("hint: no answer within 1m30s (--timeout, PATCTL_TIMEOUT); whether the server did it is not known"));
}

TEST(ErrorTextTest, HelpsWhoDidNotSayWhoTheyAre) {
  GlobalOptions options;
  const client::CallError error = Error(grpc::StatusCode::UNAUTHENTICATED, "who are you?");
  EXPECT_THAT(Render(error, options), HasSubstr("hint: say who you are with --user"));
  options.user = "ada";
  EXPECT_THAT(Render(error, options), Not(HasSubstr("hint")));
}

TEST(ErrorTextTest, HelpsWhoAsksASidecarForTokens) {
  EXPECT_THAT(Render(Error(grpc::StatusCode::UNIMPLEMENTED, ""), {}),
              HasSubstr("UNIMPLEMENTED\n"
                        "  cause: 127.0.0.1:7443 is a sidecar (introspection only), or no server of this kind at all\n"
                        "  hint: point --server (PATCTL_SERVER) at the authority"));
}

}  // namespace
}  // namespace pat::patctl
