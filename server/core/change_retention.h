// ChangeRetention: which changes of the store nobody needs any more.
//
// A watcher that comes back after a break goes on from its position. If the break was longer than any cache keeps
// anything, there is nothing left that it could have to drop: so the changes need to be kept no longer. They are kept
// for an hour at least.
//
// Changes have no time, only their order. So the position of the store is noted now and then, with the time. A restart
// forgets that. Until it is known again for as long as changes are kept, the audit log says how old they are, to ten
// minutes: its rows have the time and the number of a mutation. So an authority that is restarted each day removes them
// too, with whatever TTL. Where neither says anything (the audit log is kept for a shorter time), nothing is removed.
//
// Removing too much would be safe: who is at a position that is gone starts over, and drops what it knows.
//
// Threads: no synchronisation of its own.
#ifndef PAT_SERVER_CORE_CHANGE_RETENTION_H_
#define PAT_SERVER_CORE_CHANGE_RETENTION_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "store/token_store.h"

namespace pat {

class ChangeRetention {
 public:
  // At `now` the store is at mutation `sequence`.
  void Note(absl::Time now, uint64_t sequence);

  // The mutation until which all changes are older than `age` at `now`; 0: none is known to be.
  uint64_t OlderThan(absl::Duration age, absl::Time now);

 private:
  struct Sample {
    absl::Time time;
    uint64_t sequence = 0;
  };
  std::deque<Sample> samples_;  // In order. The first is the last one that was found old enough.
};

// Notes where the store is and removes the changes that no cache can need, in transactions of bounded size. How many
// they were. `stop`: as of PurgeEnded.
absl::StatusOr<size_t> RemoveOldChanges(
    TokenStore& store, ChangeRetention& retention, absl::Time now,
    absl::FunctionRef<bool()> stop = [] { return false; });

}  // namespace pat

#endif  // PAT_SERVER_CORE_CHANGE_RETENTION_H_
