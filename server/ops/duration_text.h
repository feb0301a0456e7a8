// Durations as people write them in flags and files: "90s", "15m", "1h", "30d".
#ifndef PAT_SERVER_OPS_DURATION_TEXT_H_
#define PAT_SERVER_OPS_DURATION_TEXT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pat {

// A whole number and one unit of ms, s, m, h, d; also "0". Not negative, at most 100 years. nullopt: not of this form.
std::optional<absl::Duration> ParseDurationText(absl::string_view text);

}  // namespace pat

#endif  // PAT_SERVER_OPS_DURATION_TEXT_H_
