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

GroupCommitter::GroupCommitter(const Database& database, CommitSequenceFile& sequence_file, uint64_t committed,
                               std::function<void(uint64_t sequence)> publish)
    : database_(database),
      publish_(std::move(publish)),
      sequence_file_(sequence_file),
      drawn_(committed),
      committed_(committed) {}

absl::Status GroupCommitter::Commit(Mutation mutation) {
  Waiter self(mutation);
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
  uint64_t last = 0;
  size_t judged = 0;
  while (judged < group.size() && batch.GetDataSize() < kMaxGroupBytes) {
    if (Judge(*group[judged], batch)) {
      last = drawn_;
      if (!first_kept.has_value()) first_kept = judged;
    }
    ++judged;
  }
  if (!first_kept.has_value()) return judged;

  if (absl::Status written = Write(batch, last); !written.ok()) {
    for (size_t i = *first_kept; i < judged; ++i) group[i]->result = written;
  }
  return judged;
}

bool GroupCommitter::Judge(Waiter& waiter, rocksdb::WriteBatchWithIndex& batch) {
  RocksDbTransaction transaction(database_, batch, ++drawn_);
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
  return keep;
}

absl::Status GroupCommitter::Write(rocksdb::WriteBatchWithIndex& batch, uint64_t last) {
  if (!latched_.ok()) return latched_;
  const std::string row = EncodeSequenceRow({.sequence = last, .previous = committed_});
  rocksdb::Status status = batch.Put(database_.family(Family::kMeta), AsSlice(kSequenceKey), row);
  if (status.ok()) status = database_.Write(*batch.GetWriteBatch());
  if (!status.ok()) {
    absl::Status failed = FromRocksDb(status, "writing a group of mutations");
    if (absl::IsResourceExhausted(failed)) return failed;  // Writes are taken again when there is space.
    latched_ = absl::UnavailableError(absl::StrCat("no mutation until the store is opened anew: ", failed.message()));
    return latched_;
  }

  committed_ = last;
  absl::Status noted = sequence_file_.Write(last);
  // In the database, so it is there at the next open, and readers may see it now; but without commit_seq a database
  // that loses it again would not be noticed, so nothing is acknowledged.
  publish_(last);
  if (noted.ok()) return absl::OkStatus();
  if (!absl::IsResourceExhausted(noted)) latched_ = absl::UnavailableError(noted.message());
  return absl::UnavailableError(noted.message());
}

}  // namespace pat::rocks
