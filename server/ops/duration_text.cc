#include "server/ops/duration_text.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace pat {

std::optional<absl::Duration> ParseDurationText(absl::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits]))) ++digits;
  int64_t count = 0;
  if (digits == 0 || digits > 12 || !absl::SimpleAtoi(text.substr(0, digits), &count)) return std::nullopt;
  const absl::string_view unit = text.substr(digits);
  absl::Duration duration;
  if (unit == "ms") {
    duration = absl::Milliseconds(count);
  } else if (unit == "s" || (unit.empty() && count == 0)) {
    duration = absl::Seconds(count);
  } else if (unit == "m") {
    duration = absl::Minutes(count);
  } else if (unit == "h") {
    duration = absl::Hours(count);
  } else if (unit == "d") {
    duration = 24 * absl::Hours(count);
  } else {
    return std::nullopt;
  }
  if (duration > 24 * 36'525 * absl::Hours(1)) return std::nullopt;
  return duration;
}

}  // namespace pat
