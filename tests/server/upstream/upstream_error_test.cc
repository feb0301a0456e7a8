#include "server/upstream/upstream_error.h"

#include <string>

#include "absl/strings/match.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "tests/support/refusal.h"

namespace pat {
namespace {

grpc::Status FromAuthority(grpc::StatusCode code, int retry_seconds = 0, const char* reason = "RATE_LIMITED") {
  google::rpc::Status wire;
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("pat-sidecar");
  wire.add_details()->PackFrom(info);
  if (retry_seconds != 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(retry_seconds);
    wire.add_details()->PackFrom(retry);
  }
  return grpc::Status(code, "as the authority puts it", wire.SerializeAsString());
}

TEST(UpstreamErrorTest, EverythingIsUnavailableAndTheTransportsTextStaysInside) {
  for (int code = 1; code <= 16; ++code) {
    const UpstreamError error =
        ReadError(grpc::Status(static_cast<grpc::StatusCode>(code), "ipv4:10.0.0.7:7443: Connection refused"));
    const ErrorDetails details =
        ExpectRefusal(error.for_caller, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
    EXPECT_TRUE(details.retry_delay.has_value());
    EXPECT_FALSE(absl::StrContains(error.for_caller.message(), "10.0.0.7"));
    EXPECT_TRUE(absl::StrContains(error.text, "10.0.0.7"));
    EXPECT_EQ(error.may_retry, code == static_cast<int>(grpc::StatusCode::UNAVAILABLE));
    EXPECT_EQ(error.is_transport, error.may_retry);
    EXPECT_EQ(error.is_late, code == static_cast<int>(grpc::StatusCode::DEADLINE_EXCEEDED));
  }
}

TEST(UpstreamErrorTest, AnAuthorityThatHasTooMuchToDoSaysSoItself) {
  const UpstreamError error = ReadError(FromAuthority(grpc::StatusCode::RESOURCE_EXHAUSTED, 3));
  EXPECT_EQ(ExpectRefusal(error.for_caller, absl::StatusCode::kResourceExhausted, "RATE_LIMITED").retry_delay,
            absl::Seconds(3));
  EXPECT_FALSE(error.may_retry);
  EXPECT_EQ(error.retry_delay, absl::Seconds(3));  // For whoever asks for a stream.
}

TEST(UpstreamErrorTest, AnAuthorityWithoutItsStoreMayBeAskedAgainAndIsThere) {
  const UpstreamError error = ReadError(FromAuthority(grpc::StatusCode::UNAVAILABLE, 1));
  ExpectRefusal(error.for_caller, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
  EXPECT_TRUE(error.may_retry);
  EXPECT_FALSE(error.is_transport);
  EXPECT_EQ(error.retry_delay, absl::Seconds(1));
}

TEST(UpstreamErrorTest, WhoIsUnavailableIsSaidAsItIs) {
  const auto message = [](const grpc::Status& status) { return std::string(ReadError(status).for_caller.message()); };
  EXPECT_EQ(message(FromAuthority(grpc::StatusCode::UNAVAILABLE, 1, "STORE_UNAVAILABLE")),
            "the authority cannot read its store");
  // A sidecar in the middle, whose own authority may be anywhere.
  EXPECT_EQ(message(FromAuthority(grpc::StatusCode::UNAVAILABLE, 1, "AUTHORITY_UNAVAILABLE")),
            "the authority is a sidecar, which could not ask its own");
  EXPECT_EQ(message(FromAuthority(grpc::StatusCode::UNAVAILABLE, 1, "OF_A_LATER_VERSION")),
            "the authority cannot serve just now");
  EXPECT_EQ(message(grpc::Status(grpc::StatusCode::UNAVAILABLE, "refused")), "the authority cannot be reached");
}

TEST(UpstreamErrorTest, DelaysAreKeptInReason) {
  EXPECT_EQ(ReadError(FromAuthority(grpc::StatusCode::UNAVAILABLE, -5)).retry_delay, absl::ZeroDuration());
  EXPECT_EQ(ReadError(FromAuthority(grpc::StatusCode::UNAVAILABLE, 1'000'000)).retry_delay, absl::Minutes(1));
}

TEST(UpstreamErrorTest, DetailsThatAreNoneAreNone) {
  const UpstreamError error =
      ReadError(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too large", std::string(100, '\xff')));
  ExpectRefusal(error.for_caller, absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
}

}  // namespace
}  // namespace pat
