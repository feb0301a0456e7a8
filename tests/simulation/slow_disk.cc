#include "tests/simulation/slow_disk.h"

#include <memory>
#include <utility>

#include "server/upstream/upstream_error.h"
#include "tests/simulation/network.h"

namespace pat::simulation {
namespace {

// As the answer was kept, lent again.
void Tell(const ReceivedFacts& kept, FactsReceiver& receiver) {
  if (!kept.status.ok()) return receiver.Receive(kept.status);
  receiver.Receive(FactsAnswer{.facts = kept.facts.has_value() ? &*kept.facts : nullptr,
                               .source = kept.source,
                               .now = kept.now,
                               .read_time = kept.read_time,
                               .fresh_until = kept.fresh_until,
                               .fresh_for = kept.fresh_for});
}

}  // namespace

void SlowDisk::Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) {
  if (is_closed_) return receiver.Receive(AuthorityUnavailable("the authority is stopping"));
  if (!world_.random.Chance(world_.plan.slow_disk)) return store_.Find(digest, options, receiver);
  const uint64_t id = ++last_id_;
  waiting_[id] = &receiver;
  ReadLater(id, digest);
}

void SlowDisk::ReadLater(uint64_t id, const TokenDigest& digest) {
  const absl::Duration wait = world_.random.Chance(0.5) ? absl::ZeroDuration() : DrawDelay(world_);
  machine_.Later(wait, [alive = std::weak_ptr(alive_), id, digest] {
    const std::shared_ptr<SlowDisk> disk = alive.lock();
    if (disk == nullptr || disk->is_closed_) return;
    FactsRecorder recorder;
    disk->store_.Find(digest, {}, recorder);
    disk->AnswerLater(id, recorder.Wait());
  });
}

void SlowDisk::AnswerLater(uint64_t id, ReceivedFacts answer) {
  machine_.Later(DrawDelay(world_), [alive = std::weak_ptr(alive_), id, answer = std::move(answer)] {
    const std::shared_ptr<SlowDisk> disk = alive.lock();
    if (disk == nullptr) return;
    const auto found = disk->waiting_.find(id);
    if (found == disk->waiting_.end()) return;
    FactsReceiver& receiver = *found->second;
    disk->waiting_.erase(found);
    Tell(answer, receiver);
  });
}

void SlowDisk::Shutdown() {
  is_closed_ = true;
  while (!waiting_.empty()) {
    FactsReceiver& receiver = *waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    receiver.Receive(AuthorityUnavailable("the authority is stopping"));
  }
}

}  // namespace pat::simulation
