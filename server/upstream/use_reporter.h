// UseReporter: tells the authority when tokens were used here, so that last_use_time is true although introspections
// are answered from the cache.
//
// Uses are put together by token and minute (server/core/use_recorder.h) and sent in batches, now and then and at the
// end. An authority that is UNAVAILABLE is asked at its other addresses. What cannot be sent is kept for the next time,
// within the recorder's bound; a use may be told twice, which changes nothing.
//
// Threads: one of its own. Methods are thread-safe.
#ifndef PAT_SERVER_UPSTREAM_USE_REPORTER_H_
#define PAT_SERVER_UPSTREAM_USE_REPORTER_H_

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>

#include <cstddef>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/use_recorder.h"
#include "server/upstream/authority_channels.h"
#include "server/upstream/upstream_observer.h"

namespace pat {

struct UseReporterOptions {
  absl::Duration every = absl::Seconds(10);

  // For one call to one address; and at the end for all that is left.
  absl::Duration deadline = absl::Seconds(2);

  // A use takes some 60 bytes, a message at most 256 KiB.
  size_t most_in_batch = 2000;
};

class UseReporter {
 public:
  // What is given must outlive this object.
  UseReporter(AuthorityChannels& channels, UseRecorder& uses, UpstreamObserver& observer,
              const UseReporterOptions& options = {});

  // As Shutdown().
  ~UseReporter();

  UseReporter(const UseReporter&) = delete;
  UseReporter& operator=(const UseReporter&) = delete;

  // Tells what there is, here and now; waits for the authority. UNAVAILABLE: not everything was told, or this is
  // ending.
  absl::Status Flush();

  // Ends: cuts a call that is under way, tells what there is, and gives up what the authority has not taken when
  // UseReporterOptions::deadline is over.
  void Shutdown();

 private:
  void Work();
  absl::Status FlushUntil(std::optional<gpr_timespec> end);
  absl::Status Send(absl::Span<const NotedUse> batch, std::optional<gpr_timespec> end);
  std::optional<absl::Status> SendOver(const AuthorityChannels::Way& way, const v1::ReportUseRequest& request,
                                       std::optional<gpr_timespec> end);

  // Constant after construction.
  AuthorityChannels& channels_;
  UseRecorder& uses_;
  UpstreamObserver& observer_;
  const UseReporterOptions options_;

  absl::Mutex flush_mutex_;  // One flush at a time.

  // Protected by mutex_.
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // Of a call that Shutdown() cuts.

  std::thread thread_;
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_USE_REPORTER_H_
