#include "server/core/commit_watch.h"

#include <utility>

namespace pat {

CommitWatch::CommitWatch(TokenReader& store)
    : store_(store), seen_(store.DurableSequence()), thread_([this] { Work(); }) {}

CommitWatch::~CommitWatch() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  store_.EndWaiting();
  thread_.join();
}

int CommitWatch::Add(std::function<void()> on_commit) {
  const absl::MutexLock lock(&mutex_);
  listeners_.emplace(++last_id_, std::move(on_commit));
  return last_id_;
}

void CommitWatch::Remove(int id) {
  const absl::MutexLock lock(&mutex_);
  listeners_.erase(id);
}

void CommitWatch::Work() {
  while (true) {
    store_.WaitForCommit(seen_, absl::InfiniteDuration());
    seen_ = store_.DurableSequence();
    const absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    for (const auto& [id, on_commit] : listeners_) on_commit();
  }
}

}  // namespace pat
