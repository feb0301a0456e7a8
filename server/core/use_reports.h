// What sidecars report of the uses of tokens, checked and noted.
//
// Threads: thread-safe.
#ifndef PAT_SERVER_CORE_USE_REPORTS_H_
#define PAT_SERVER_CORE_USE_REPORTS_H_

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/core/token_requests.h"
#include "server/core/use_recorder.h"

namespace pat {

inline constexpr size_t kMaxReportedUses = 10'000;

struct ReportedUse {
  absl::string_view jti = {};
  std::optional<RequestedInstant> last_use_time = {};  // Absent: not said.
};

// Notes them, or nothing if anything is wrong with any. A time later than `now` is taken for `now`: the clock of
// whoever reports may be ahead, and nothing was used in the future. Tokens that are not there, and times before one
// that is known, are let pass; they change nothing when the uses are written. INVALID_ARGUMENT names every violation.
absl::Status NoteReportedUses(absl::Span<const ReportedUse> uses, absl::Time now, UseRecorder& recorder);

}  // namespace pat

#endif  // PAT_SERVER_CORE_USE_REPORTS_H_
