#include "client/call_error.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace pat::client {
namespace {

void AddDetail(const google::protobuf::Any& detail, CallError& error) {
  if (google::rpc::ErrorInfo info; detail.UnpackTo(&info)) {
    error.reason = info.reason();
    error.metadata.insert(info.metadata().begin(), info.metadata().end());
  } else if (google::rpc::BadRequest request; detail.UnpackTo(&request)) {
    for (const auto& violation : request.field_violations()) {
      error.field_violations.push_back({violation.field(), violation.description()});
    }
  } else if (google::rpc::QuotaFailure quota; detail.UnpackTo(&quota)) {
    for (const auto& violation : quota.violations()) {
      error.quota_violations.push_back({violation.subject(), violation.description()});
    }
  } else if (google::rpc::RetryInfo retry; detail.UnpackTo(&retry) && retry.has_retry_delay()) {
    error.retry_delay = absl::Seconds(retry.retry_delay().seconds()) + absl::Nanoseconds(retry.retry_delay().nanos());
  }
}

}  // namespace

CallError DecodeCallError(const grpc::Status& status) {
  CallError error;
  error.code = status.error_code();
  error.message = status.error_message();
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return error;
  for (const auto& detail : details.details()) AddDetail(detail, error);
  return error;
}

std::string CodeName(grpc::StatusCode code) {
  constexpr absl::string_view kNames[] = {
      "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED",
  };
  const int number = code;
  if (number < 0 || number >= static_cast<int>(std::size(kNames))) return absl::StrCat("CODE_", number);
  return std::string(kNames[number]);
}

}  // namespace pat::client
