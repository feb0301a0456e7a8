// Refusals by the rules, for tests to look into.
#ifndef PAT_TESTS_SUPPORT_REFUSAL_H_
#define PAT_TESTS_SUPPORT_REFUSAL_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "server/core/error.h"

namespace pat {

// Fails the test unless `status` is a refusal with this code and reason. Gives its details.
inline ErrorDetails ExpectRefusal(const absl::Status& status, absl::StatusCode code, absl::string_view reason) {
  EXPECT_EQ(status.code(), code) << status;
  const std::optional<ErrorDetails> details = DetailsOf(status);
  EXPECT_TRUE(details.has_value()) << status;
  if (!details.has_value()) return {};
  EXPECT_EQ(details->reason, reason) << status;
  EXPECT_FALSE(status.message().empty());
  return *details;
}

// The same for INVALID_REQUEST. Gives the fields that are wrong, in order.
inline std::vector<std::string> ExpectInvalid(const absl::Status& status) {
  const ErrorDetails details = ExpectRefusal(status, absl::StatusCode::kInvalidArgument, "INVALID_REQUEST");
  std::vector<std::string> fields;
  for (const FieldViolation& violation : details.violations) {
    fields.push_back(violation.field);
    EXPECT_FALSE(violation.description.empty()) << violation.field;
  }
  return fields;
}

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_REFUSAL_H_
