// Calls and the details of their status as a client sees them.
#ifndef PAT_TESTS_SERVER_RPC_STATUS_DETAILS_H_
#define PAT_TESTS_SERVER_RPC_STATUS_DETAILS_H_

#include <grpcpp/support/status.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace pat {

// What a call brings besides its message: name and value.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// Fails the test if they cannot be decoded, or say another code or text than the status itself.
inline google::rpc::Status ParsedDetails(const grpc::Status& status) {
  google::rpc::Status parsed;
  EXPECT_TRUE(parsed.ParseFromString(status.error_details()));
  EXPECT_EQ(parsed.code(), status.error_code());
  EXPECT_EQ(parsed.message(), status.error_message());
  return parsed;
}

// All details of one type.
template <typename Detail>
std::vector<Detail> DetailsOfType(const grpc::Status& status) {
  std::vector<Detail> found;
  const google::rpc::Status parsed = ParsedDetails(status);
  for (const auto& any : parsed.details()) {
    if (Detail detail; any.UnpackTo(&detail)) found.push_back(detail);
  }
  return found;
}

// ErrorInfo.reason; empty if there is not exactly one ErrorInfo of ours.
inline std::string ReasonOf(const grpc::Status& status) {
  const auto infos = DetailsOfType<google::rpc::ErrorInfo>(status);
  return infos.size() == 1 && infos[0].domain() == "pat-sidecar" ? infos[0].reason() : std::string();
}

// "PERMISSION_DENIED ROLE_REQUIRED"; "OK".
inline std::string Outcome(const grpc::Status& status) {
  if (status.ok()) return "OK";
  return absl::StrCat(absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code())), " ",
                      ReasonOf(status));
}

// The fields that a BadRequest names, in order.
inline std::vector<std::string> FieldsOf(const grpc::Status& status) {
  std::vector<std::string> fields;
  for (const auto& bad_request : DetailsOfType<google::rpc::BadRequest>(status)) {
    for (const auto& violation : bad_request.field_violations()) fields.push_back(violation.field());
  }
  return fields;
}

inline bool HasRetryDelay(const grpc::Status& status) {
  const auto retries = DetailsOfType<google::rpc::RetryInfo>(status);
  return retries.size() == 1 && (retries[0].retry_delay().seconds() > 0 || retries[0].retry_delay().nanos() > 0);
}

}  // namespace pat

#endif  // PAT_TESTS_SERVER_RPC_STATUS_DETAILS_H_
