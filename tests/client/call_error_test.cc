#include "client/call_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/struct.pb.h"
#include "google/rpc/error_details.pb.h"
#include "tests/client/fake_server.h"

namespace pat::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(CallErrorTest, HasEverythingThatTheServerSaid) {
  google::rpc::BadRequest bad;
  for (const char* field : {"scopes[1]", "display_name"}) {
    auto* violation = bad.add_field_violations();
    violation->set_field(field);
    violation->set_description(std::string(field) + " is wrong");
  }
  google::rpc::QuotaFailure quota;
  quota.add_violations()->set_subject("users/ada");
  quota.mutable_violations(0)->set_description("50 tokens");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500'000'000);

  const CallError error = DecodeCallError(
      ErrorWith(grpc::StatusCode::INVALID_ARGUMENT, "two are wrong", "INVALID_REQUEST", {&bad, &quota, &retry}));
  EXPECT_EQ(error.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(error.message, "two are wrong");
  EXPECT_EQ(error.reason, "INVALID_REQUEST");
  EXPECT_THAT(error.field_violations, ElementsAre(FieldViolation{"scopes[1]", "scopes[1] is wrong"},
                                                  FieldViolation{"display_name", "display_name is wrong"}));
  EXPECT_THAT(error.quota_violations, ElementsAre(QuotaViolation{"users/ada", "50 tokens"}));
  EXPECT_EQ(error.retry_delay, absl::Milliseconds(1500));
}

TEST(CallErrorTest, HasTheFactsOfTheReason) {
  google::rpc::ErrorInfo info;
  info.set_reason("REQUEST_REPLAYED");
  (*info.mutable_metadata())["token"] = "users/ada/tokens/1";
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  const CallError error =
      DecodeCallError(grpc::Status(grpc::StatusCode::ALREADY_EXISTS, "again", details.SerializeAsString()));
  EXPECT_EQ(error.reason, "REQUEST_REPLAYED");
  EXPECT_THAT(error.metadata, ElementsAre(Pair("token", "users/ada/tokens/1")));
}

TEST(CallErrorTest, DoesWithoutDetails) {
  const CallError error = DecodeCallError(grpc::Status(grpc::StatusCode::UNAVAILABLE, "connection refused"));
  EXPECT_EQ(error.code, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(error.message, "connection refused");
  EXPECT_EQ(error.reason, "");
  EXPECT_THAT(error.field_violations, IsEmpty());
  EXPECT_EQ(error.retry_delay, std::nullopt);
}

TEST(CallErrorTest, LeavesOutWhatItCannotRead) {
  EXPECT_EQ(DecodeCallError(grpc::Status(grpc::StatusCode::INTERNAL, "x", "no proto at all")).message, "x");

  google::protobuf::Value unknown;
  unknown.set_string_value("from the future");
  const CallError error = DecodeCallError(ErrorWith(grpc::StatusCode::NOT_FOUND, "x", "TOKEN_NOT_FOUND", {&unknown}));
  EXPECT_EQ(error.reason, "TOKEN_NOT_FOUND");

  google::rpc::Status broken;
  google::protobuf::Any* detail = broken.add_details();
  detail->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail->set_value("\xff\xff");
  EXPECT_EQ(DecodeCallError(grpc::Status(grpc::StatusCode::NOT_FOUND, "x", broken.SerializeAsString())).reason, "");
}

TEST(CallErrorTest, NamesCodes) {
  EXPECT_EQ(CodeName(grpc::StatusCode::OK), "OK");
  EXPECT_EQ(CodeName(grpc::StatusCode::NOT_FOUND), "NOT_FOUND");
  EXPECT_EQ(CodeName(grpc::StatusCode::FAILED_PRECONDITION), "FAILED_PRECONDITION");
  EXPECT_EQ(CodeName(grpc::StatusCode::UNAUTHENTICATED), "UNAUTHENTICATED");
  EXPECT_EQ(CodeName(static_cast<grpc::StatusCode>(99)), "CODE_99");
}

}  // namespace
}  // namespace pat::client
