// Purging: what ended long ago is removed. Revoked and expired tokens, and rows of the audit log, stay to be looked at
// for a while (their retention), known request ids for theirs.
#ifndef PAT_SERVER_CORE_PURGE_H_
#define PAT_SERVER_CORE_PURGE_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/core/retention.h"
#include "store/token_store.h"

namespace pat {

struct Purged {
  size_t tokens = 0;
  size_t requests = 0;
  size_t audit_rows = 0;
};

// Removes everything whose time is over at `now`, in transactions of bounded size. Blocks. `stop` is asked before each
// transaction; once it says true, the rest is left for the next time, and that is no error.
absl::StatusOr<Purged> PurgeEnded(
    TokenStore& store, const Retention& retention, absl::Time now,
    absl::FunctionRef<bool()> stop = [] { return false; });

}  // namespace pat

#endif  // PAT_SERVER_CORE_PURGE_H_
