// CallError: why a call failed, with everything that the server said about it.
//
// Servers send a google.rpc.Status with typed details beside the status of gRPC. Here they are plain values. All texts
// are those of the server, as they came: escape them before they reach a terminal.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_CALL_ERROR_H_
#define PAT_CLIENT_CALL_ERROR_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"

namespace pat::client {

// One thing that was wrong with the request: the path of the field, such as "scopes[1]", and what would be right.
struct FieldViolation {
  std::string field;
  std::string description;

  friend bool operator==(const FieldViolation&, const FieldViolation&) = default;
};

// A limit that was hit: whose, and which.
struct QuotaViolation {
  std::string subject;
  std::string description;

  friend bool operator==(const QuotaViolation&, const QuotaViolation&) = default;
};

struct CallError {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  std::string message;
  std::string reason;  // UPPER_SNAKE_CASE, for programs. Empty if it was not our server that refused.
  std::map<std::string, std::string> metadata;
  std::vector<FieldViolation> field_violations;
  std::vector<QuotaViolation> quota_violations;
  std::optional<absl::Duration> retry_delay;  // It makes no sense to try again earlier.
};

// `status` must not be OK. Details that cannot be read, or are of a type not known here, are left out.
CallError DecodeCallError(const grpc::Status& status);

// For example "NOT_FOUND"; "CODE_99" for a number that gRPC does not know.
std::string CodeName(grpc::StatusCode code);

}  // namespace pat::client

#endif  // PAT_CLIENT_CALL_ERROR_H_
