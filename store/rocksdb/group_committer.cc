#include "store/rocksdb/group_committer.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/rocksdb/key_encoding.h"
#include "store/rocksdb/record_codec.h"
#include "store/rocksdb/rocksdb_transaction.h"
#include "store/rocksdb/status_mapping.h"

namespace pat::rocks {
namespace {

// Bounds what one caller may have to do for others, and how much a crash can leave undecided.
constexpr size_t kMaxGroupSize = 256;
constexpr size_t kMaxGroupBytes = size_t{4} << 20;

// Without this the first of the callers that a group wakes leads a group of one, and the others pay for its write.
constexpr int kYieldsWithoutGrowth = 3;

}  // namespace

GroupCommitter::GroupCommitter(const Database& database, CommitSequenceFile& sequence_file, StoreState committed,
                               std::function<void(const StoreState&)> publish)
    : database_(database),
      publish_(std::move(publish)),
      sequence_file_(sequence_file),
      drawn_(committed.sequence),
      committed_(std::move(committed)) {}

absl::Status GroupCommitter::Commit(Mutation mutation, LogSync log_sync) {
  Waiter self(mutation, log_sync);
  const absl::MutexLock lock(&mutex_);
  queue_.push_back(&self);
  while (!self.done && queue_.front() != &self) self.turn.Wait(&mutex_);
  if (self.done) return self.result;

  LetOthersQueue();
  const std::vector<Waiter*> group = TakeGroup();
  last_group_size_ = group.size();
  mutex_.Unlock();
  const size_t finished = RunGroup(group);
  mutex_.Lock();

  for (size_t i = 0; i < finished; ++i) {
    Waiter* waiter = queue_.front();
    queue_.pop_front();
    waiter->done = true;
    if (waiter != &self) waiter->turn.Signal();
  }
  if (!queue_.empty()) queue_.front()->turn.Signal();
  return self.result;
}

size_t GroupCommitter::waiting() const {
  const absl::MutexLock lock(&mutex_);
  return queue_.size();
}

void GroupCommitter::LetOthersQueue() {
  int without_growth = 0;
  while (queue_.size() < last_group_size_ && without_growth < kYieldsWithoutGrowth) {
    const size_t before = queue_.size();
    mutex_.Unlock();
    std::this_thread::yield();
    mutex_.Lock();
    without_growth = queue_.size() == before ? without_growth + 1 : 0;
  }
}

std::vector<GroupCommitter::Waiter*> GroupCommitter::TakeGroup() const {
  const size_t size = std::min(queue_.size(), kMaxGroupSize);
  return {queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(size)};
}

size_t GroupCommitter::RunGroup(const std::vector<Waiter*>& group) {
  if (!latched_.ok()) {
    for (Waiter* waiter : group) waiter->result = latched_;
    return group.size();
  }

  rocksdb::WriteBatchWithIndex batch(rocksdb::BytewiseComparator(), /*reserved_bytes=*/0, /*overwrite_key=*/true);
  std::optional<size_t> first_kept;
  StoreState state = committed_;
  LogSync log_sync = LogSync::kNo;
  size_t judged = 0;
  while (judged < group.size() && batch.GetDataSize() < kMaxGroupBytes) {
    if (Judge(*group[judged], batch, state)) {
      if (group[judged]->log_sync == LogSync::kYes) log_sync = LogSync::kYes;
      if (!first_kept.has_value()) first_kept = judged;
    }
    ++judged;
  }
  if (!first_kept.has_value()) return judged;

  if (absl::Status written = Write(batch, state, log_sync); !written.ok()) {
    for (size_t i = *first_kept; i < judged; ++i) group[i]->result = written;
  }
  return judged;
}

bool GroupCommitter::Judge(Waiter& waiter, rocksdb::WriteBatchWithIndex& batch, StoreState& state) {
  RocksDbTransaction transaction(database_, batch, state, ++drawn_);
  batch.SetSavePoint();
  const absl::StatusOr<Decision> decision = waiter.mutation(transaction);
  waiter.result = decision.status();
  if (waiter.result.ok()) waiter.result = transaction.engine_status();
  const bool keep = waiter.result.ok() && *decision == Decision::kCommit;
  // Rolling back costs as much as the whole batch; most functions that fail have staged nothing.
  const rocksdb::Status settled = keep || !transaction.staged() ? batch.PopSavePoint() : batch.RollbackToSavePoint();
  if (!settled.ok()) {
    // Cannot happen with a batch in memory. If it does, nothing of this group may be written.
    latched_ = absl::UnavailableError(absl::StrCat("staging failed: ", settled.ToString()));
  }
  if (keep) state = transaction.state();
  return keep;
}

absl::Status GroupCommitter::Write(rocksdb::WriteBatchWithIndex& batch, const StoreState& next, LogSync log_sync) {
  if (!latched_.ok()) return latched_;
  rocksdb::ColumnFamilyHandle* meta = database_.family(Family::kMeta);
  const std::string row = EncodeSequenceRow({.sequence = next.sequence, .previous = committed_.sequence});
  rocksdb::Status status = batch.Put(meta, AsSlice(kSequenceKey), row);
  if (status.ok() && next.global_epoch != committed_.global_epoch) {
    status = batch.Put(meta, AsSlice(kGlobalEpochKey), EncodeNumber(next.global_epoch));
  }
  if (status.ok() && next.counters != committed_.counters) {
    status = batch.Put(meta, AsSlice(kCountersKey), EncodeCounters(next.counters));
  }
  if (status.ok() && next.policy != committed_.policy) {
    status = batch.Put(meta, AsSlice(kPolicyKey), EncodePolicy(*next.policy));
  }
  if (status.ok()) status = database_.Write(*batch.GetWriteBatch(), log_sync);
  if (!status.ok()) {
    absl::Status failed = FromRocksDb(status, "writing a group of mutations");
    if (absl::IsResourceExhausted(failed)) return failed;  // Writes are taken again when there is space.
    latched_ = absl::UnavailableError(absl::StrCat("no mutation until the store is opened anew: ", failed.message()));
    return latched_;
  }

  committed_ = next;
  absl::Status noted;
  if (log_sync == LogSync::kYes) {
    noted = sequence_file_.Write(next.sequence);
    if (noted.ok()) committed_.durable_sequence = next.sequence;
  }
  // In the database, so it is there at the next open, and readers may see it now; but without commit_seq a database
  // that loses it again would not be noticed, so nothing is acknowledged.
  publish_(committed_);
  if (noted.ok()) return absl::OkStatus();
  if (!absl::IsResourceExhausted(noted)) latched_ = absl::UnavailableError(noted.message());
  return absl::UnavailableError(noted.message());
}

}  // namespace pat::rocks
