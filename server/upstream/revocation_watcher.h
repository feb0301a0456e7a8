// RevocationWatcher: keeps a stream of WatchRevocations to the authority, so that a cache forgets what is revoked as it
// happens (propagation mode "push").
//
// A stream that is lost is asked for again, from where it ended, after a wait drawn at random; one on which nothing has
// come for WatcherOptions::silence counts as lost. An authority that is UNAVAILABLE is left for its next address. One
// that refuses the stream (it has too many) is asked for it not before it wants to be, and less and less often
// (stream_waits.h). Losing it drops nothing: meanwhile the TTL is the bound, as always.
//
// Threads: one of its own, which calls the sink. Methods are thread-safe.
#ifndef PAT_SERVER_UPSTREAM_REVOCATION_WATCHER_H_
#define PAT_SERVER_UPSTREAM_REVOCATION_WATCHER_H_

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <random>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/cache/revocation_sink.h"
#include "server/core/clock.h"
#include "server/upstream/authority_channels.h"
#include "server/upstream/revocation_follower.h"
#include "server/upstream/stream_waits.h"
#include "server/upstream/upstream_observer.h"

namespace pat {

struct WatcherOptions {
  // Three heartbeats.
  absl::Duration silence = absl::Seconds(15);

  absl::Duration first_backoff = absl::Milliseconds(50);
  absl::Duration longest_backoff = absl::Seconds(2);

  // For an authority that is there and refuses.
  absl::Duration longest_refused_backoff = absl::Minutes(1);

  // For an authority that has no such stream (another sidecar).
  absl::Duration unserved_backoff = absl::Minutes(5);

  // How often the clock is looked at while nothing comes.
  absl::Duration check_every = absl::Milliseconds(500);
};

// A moment's truth, for metrics.
struct WatcherStatus {
  bool is_connected = false;          // Something came on the stream there is now.
  absl::Time last_message_time = {};  // absl::InfinitePast(): none yet.
  absl::Time last_drop_time = {};     // The same, of those that told to drop something.
  uint64_t messages = 0;
  uint64_t streams = 0;  // That were asked for.
};

class RevocationWatcher {
 public:
  // What is given must outlive this object.
  RevocationWatcher(AuthorityChannels& channels, const Clock& clock, RevocationSink& sink, UpstreamObserver& observer,
                    const WatcherOptions& options = {});

  // As Shutdown().
  ~RevocationWatcher();

  RevocationWatcher(const RevocationWatcher&) = delete;
  RevocationWatcher& operator=(const RevocationWatcher&) = delete;

  // Ends the stream and returns after the last call of the sink.
  void Shutdown();

  WatcherStatus status() const;

 private:
  void Work();
  StreamEnd RunStream();
  StreamEnd Judge(const grpc::Status& status, const AuthorityChannels::Way& way, bool has_told);
  bool Await(grpc::CompletionQueue& queue, grpc::ClientContext& context, const Reading& last_heard);
  bool EndStream();
  void NoteMessage(const Reading& now, bool dropped);
  void NoteUp();
  void NoteLost(const AuthorityChannels::Way& way, absl::string_view why);

  // Constant after construction.
  AuthorityChannels& channels_;
  const Clock& clock_;
  UpstreamObserver& observer_;
  const WatcherOptions options_;

  // Touched by the thread alone.
  RevocationFollower follower_;
  std::mt19937_64 random_;
  bool is_silent_ = false;
  bool was_told_unserved_ = false;
  bool was_told_ = false;  // The observer, of any state.
  bool is_up_ = false;     // As it was told.

  // Protected by mutex_.
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // Of the stream there is now.
  WatcherStatus status_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_REVOCATION_WATCHER_H_
