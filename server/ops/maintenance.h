// Maintenance: what has to be done now and then, on a thread of its own. It frees memory and disk and never decides
// whether anything is valid.
#ifndef PAT_SERVER_OPS_MAINTENANCE_H_
#define PAT_SERVER_OPS_MAINTENANCE_H_

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/change_retention.h"
#include "server/core/clock.h"
#include "server/core/retention.h"
#include "store/token_store.h"

namespace pat {

class Maintenance {
 public:
  // Starts. What is given must outlive this object.
  Maintenance(TokenStore& store, CachingFactsReader& cache, const Retention& retention, const Clock& clock);

  // Ends the thread, after the transaction or sweep that it is in.
  ~Maintenance();

  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

 private:
  void Work();
  void Purge();
  void ForgetChanges();
  bool Stopping() ABSL_LOCKS_EXCLUDED(mutex_);

  TokenStore& store_;
  CachingFactsReader& cache_;
  const Retention& retention_;
  const Clock& clock_;

  ChangeRetention changes_;  // Touched by the thread alone.

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_MAINTENANCE_H_
