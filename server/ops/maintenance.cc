#include "server/ops/maintenance.h"

#include <spdlog/spdlog.h>

#include "absl/time/time.h"
#include "server/core/purge.h"

namespace pat {
namespace {

constexpr int kSweepsPerPurge = 60;
const absl::Duration kSweepInterval = absl::Minutes(1);

}  // namespace

Maintenance::Maintenance(TokenStore& store, CachingFactsReader& cache, const Retention& retention, const Clock& clock)
    : store_(store), cache_(cache), retention_(retention), clock_(clock), thread_([this] { Work(); }) {}

Maintenance::~Maintenance() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void Maintenance::Work() {
  for (int sweep = 0;; ++sweep) {
    if (sweep % kSweepsPerPurge == 0) Purge();
    ForgetChanges();
    {
      const absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kSweepInterval)) return;
    }
    cache_.Sweep();
  }
}

bool Maintenance::Stopping() {
  const absl::MutexLock lock(&mutex_);
  return stopping_;
}

void Maintenance::Purge() {
  const absl::StatusOr<Purged> purged = PurgeEnded(store_, retention_, clock_.Now(), [this] { return Stopping(); });
  // An error of the store is in the log already.
  if (purged.ok() && purged->tokens + purged->requests + purged->audit_rows > 0) {
    spdlog::info("purged {} tokens that ended long ago, {} request ids and {} rows of the audit log", purged->tokens,
                 purged->requests, purged->audit_rows);
  }
}

void Maintenance::ForgetChanges() {
  // An error of the store is in the log already, and the next time comes.
  RemoveOldChanges(store_, changes_, clock_.Now(), [this] { return Stopping(); }).status().IgnoreError();
}

}  // namespace pat
