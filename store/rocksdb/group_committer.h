// The single committer: mutations that wait at the same time become one group, one write, one acknowledgement.
//
// There is no thread of its own. Callers queue; the one at the front leads: it takes the group, runs each function
// against the database plus what the functions before it staged, numbers them in that order, writes one synced batch,
// writes commit_seq, publishes, and wakes everybody. A group of which nothing has to be durable at once is written
// without syncing, and commit_seq stays as it is: it never tells of more than is on disk. Whoever is at the front then
// leads the next group. So with one caller a mutation costs one write, and with many the cost of the write is shared.
//
// A function that fails or discards leaves nothing behind and does not disturb the others of its group. But it has seen
// what the ones before it staged, so what it returned ("revoked already") is only true once that is durable: if the
// write fails, it gets the error of the write too.
//
// Threads: Commit() is thread-safe. A function must not call Commit().
#ifndef PAT_STORE_ROCKSDB_GROUP_COMMITTER_H_
#define PAT_STORE_ROCKSDB_GROUP_COMMITTER_H_

#include <rocksdb/utilities/write_batch_with_index.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "store/rocksdb/commit_sequence_file.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/epoch_records.h"
#include "store/token_store.h"

namespace pat::rocks {

class GroupCommitter {
 public:
  // `committed` is the state that the database is in. `publish` is called after each group that is in the database,
  // with the state after it, before any of its callers returns. Both references must outlive this.
  GroupCommitter(const Database& database, CommitSequenceFile& sequence_file, StoreState committed,
                 std::function<void(const StoreState&)> publish);

  // As TokenStore::Commit, or CommitWithoutSync. A group is synced if anything in it that is kept wants it.
  absl::Status Commit(Mutation mutation, LogSync log_sync);

  // How many calls of Commit() have not returned; those that lead or are led included. For tests and metrics.
  size_t waiting() const;

 private:
  struct Waiter {
    Waiter(Mutation given, LogSync wanted) : mutation(given), log_sync(wanted) {}

    const Mutation mutation;
    const LogSync log_sync;
    bool done = false;
    absl::Status result;
    absl::CondVar turn;  // This one is done, or at the front.
  };

  // Gives callers that were just woken, and are about to come again, the time to queue: as long as the queue is shorter
  // than the last group was and still grows. A lone caller never waits.
  void LetOthersQueue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The next group: the front of the queue, the leader included.
  std::vector<Waiter*> TakeGroup() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Fills in the results of the first waiters of `group` and returns how many; the others stay in the queue.
  size_t RunGroup(const std::vector<Waiter*>& group);
  // Runs one function; true if its writes are to be kept. `state` becomes that after it then.
  bool Judge(Waiter& waiter, rocksdb::WriteBatchWithIndex& batch, StoreState& state);
  // Writes what is staged, and the rows of `next`, the state after it.
  absl::Status Write(rocksdb::WriteBatchWithIndex& batch, const StoreState& next, LogSync log_sync);

  // Constant after construction.
  const Database& database_;
  const std::function<void(const StoreState&)> publish_;

  // Touched by the leader alone; leaders follow one another under mutex_.
  CommitSequenceFile& sequence_file_;
  uint64_t drawn_;        // The last number given to a function.
  StoreState committed_;  // What is in the database.
  absl::Status latched_;  // After an error whose effect is not known: the answer to every further mutation.

  mutable absl::Mutex mutex_;
  std::deque<Waiter*> queue_ ABSL_GUARDED_BY(mutex_);
  size_t last_group_size_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_GROUP_COMMITTER_H_
