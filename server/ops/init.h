// `patd init`: makes what `patd authority` serves.
#ifndef PAT_SERVER_OPS_INIT_H_
#define PAT_SERVER_OPS_INIT_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/core/clock.h"
#include "server/ops/options.h"

namespace pat {

// Makes the data directory, the pepper file, unless there is one, and the first administrator, whose password it reads
// as the options say. Returns what to tell: what was made, and what to do next.
//
// All or nothing: after an error, which is one line, everything is as it was before. An error it is too if there are
// data already.
absl::StatusOr<std::string> InitAuthority(const Options& options,
                                          const ClockSource& clock_source = SystemClockSource());

}  // namespace pat

#endif  // PAT_SERVER_OPS_INIT_H_
