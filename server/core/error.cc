#include "server/core/error.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace pat {
namespace {

constexpr absl::string_view kPayloadType = "pat.internal/ErrorDetails";
constexpr size_t kLongestQuotedValue = 64;

// The payload is a list of strings, each with its length in front. It never leaves the process.
void Append(std::string& out, absl::string_view text) { absl::StrAppend(&out, text.size(), ":", text); }

class Reader {
 public:
  explicit Reader(absl::string_view bytes) : bytes_(bytes) {}

  std::string Next() {
    const size_t colon = bytes_.find(':');
    size_t length = 0;
    if (colon == absl::string_view::npos || !absl::SimpleAtoi(bytes_.substr(0, colon), &length)) return {};
    std::string text(bytes_.substr(colon + 1, length));
    bytes_.remove_prefix(colon + 1 + text.size());
    return text;
  }

  size_t NextCount() {
    size_t count = 0;
    return absl::SimpleAtoi(Next(), &count) ? count : 0;
  }

 private:
  absl::string_view bytes_;
};

size_t RunLength(absl::string_view text, bool (*belongs)(unsigned char)) {
  size_t length = 0;
  while (length < text.size() && belongs(static_cast<unsigned char>(text[length]))) ++length;
  return length;
}

std::string Masked(absl::string_view text) {
  constexpr absl::string_view kPrefix = "pat_";
  constexpr size_t kFewestOfASecret = 16;
  constexpr size_t kHexDigitsOfADigest = 64;
  std::string masked;
  while (!text.empty()) {
    if (absl::StartsWith(text, kPrefix)) {
      const size_t length = RunLength(text.substr(kPrefix.size()), absl::ascii_isalnum);
      absl::StrAppend(&masked, kPrefix, length < kFewestOfASecret ? text.substr(kPrefix.size(), length) : "...");
      text.remove_prefix(kPrefix.size() + length);
    } else if (const size_t digits = RunLength(text, absl::ascii_isxdigit); digits >= kHexDigitsOfADigest) {
      masked += "...";
      text.remove_prefix(digits);
    } else {
      masked += text.front();
      text.remove_prefix(1);
    }
  }
  return masked;
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, absl::string_view message, const ErrorDetails& details) {
  std::string payload;
  Append(payload, details.reason);
  Append(payload, absl::StrCat(details.metadata.size()));
  for (const auto& [key, value] : details.metadata) {
    Append(payload, key);
    Append(payload, value);
  }
  Append(payload, absl::StrCat(details.violations.size()));
  for (const FieldViolation& violation : details.violations) {
    Append(payload, violation.field);
    Append(payload, violation.description);
  }
  Append(payload, absl::StrCat(details.more_violations));
  Append(payload, details.retry_delay.has_value() ? absl::StrCat(absl::ToInt64Nanoseconds(*details.retry_delay)) : "");
  Append(payload, details.quota_subject);
  Append(payload, details.quota_description);
  absl::Status status(code, message);
  status.SetPayload(kPayloadType, absl::Cord(payload));
  return status;
}

std::optional<ErrorDetails> DetailsOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadType);
  if (!payload.has_value()) return std::nullopt;
  const std::string bytes(*payload);
  Reader reader(bytes);
  ErrorDetails details;
  details.reason = reader.Next();
  for (size_t n = reader.NextCount(); n > 0; --n) {
    std::string key = reader.Next();
    details.metadata.emplace_back(std::move(key), reader.Next());
  }
  for (size_t n = reader.NextCount(); n > 0; --n) {
    std::string field = reader.Next();
    details.violations.push_back({std::move(field), reader.Next()});
  }
  details.more_violations = reader.NextCount();
  int64_t nanos = 0;
  if (absl::SimpleAtoi(reader.Next(), &nanos)) details.retry_delay = absl::Nanoseconds(nanos);
  details.quota_subject = reader.Next();
  details.quota_description = reader.Next();
  return details;
}

absl::Status InvalidRequest(std::vector<FieldViolation> violations) {
  std::string message = absl::StrCat(violations.front().field, ": ", violations.front().description);
  if (violations.size() > 1) absl::StrAppend(&message, " (and ", violations.size() - 1, " more)");
  ErrorDetails details{.reason = "INVALID_REQUEST"};
  if (constexpr size_t kKept = kMostViolations + 1; violations.size() > kKept) {
    details.more_violations = violations.size() - kKept;
    violations.resize(kKept);
  }
  details.violations = std::move(violations);
  return MakeError(absl::StatusCode::kInvalidArgument, message, details);
}

std::string Quoted(absl::string_view original) {
  // More than is shown is looked at, so that no beginning of a secret is left at the cut.
  const std::string value = Masked(original.substr(0, 4 * kLongestQuotedValue));
  const bool cut = value.size() > kLongestQuotedValue || original.size() > 4 * kLongestQuotedValue;
  return absl::StrCat("\"", absl::CHexEscape(absl::string_view(value).substr(0, kLongestQuotedValue)),
                      cut ? "…\"" : "\"");
}

}  // namespace pat
