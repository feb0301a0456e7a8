// WatchStreams: the streams of WatchRevocations of one server.
//
// A thread of their own does all their work: it reads the store, which may wait for a disk, and gives each stream its
// next message when the one before is sent. A stream is a position in the store's history, with at most one message on
// its way; so a client that does not read costs no more than one that does. Streams that are at the same position get
// the same bytes.
//
// A stream is for as long as its caller may open one: who did so as an administrator and is none any more, or has been
// disabled or deleted, gets no further message, and an error instead at the next commit or heartbeat.
//
// What gRPC says about them comes through the queue of the hot path, whose thread only hands it over: a second queue
// that is polled would make every introspection dearer (docs/adr/0006), and a stream has few events.
//
// Life: construct, Start() when the queue is served; End(), before the server is shut down; Shutdown() when count() is
// 0 after that, which it becomes only while the queue is still served.
//
// Threads: the methods are for the thread that owns the server, but count(), which is for any.
#ifndef PAT_SERVER_RPC_WATCH_STREAMS_H_
#define PAT_SERVER_RPC_WATCH_STREAMS_H_

#include <grpcpp/completion_queue.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/change_feed.h"
#include "server/core/clock.h"
#include "server/core/commit_watch.h"
#include "server/core/executor.h"
#include "server/rpc/call_guard.h"
#include "server/rpc/introspection_api.h"

namespace pat {

// What an authority has and a sidecar has not; both or neither. Without, WatchRevocations is UNIMPLEMENTED.
struct WatchSource {
  const ChangeFeed* feed = nullptr;
  CommitWatch* commits = nullptr;
};

struct WatchOptions {
  // Of callers who were let in; beyond: RESOURCE_EXHAUSTED. A stream that waits costs the memory of one gRPC call and a
  // message every heartbeat (and a connection, which a sidecar has anyway): all of them 2000 small messages a second.
  //
  // One caller (Principal::Caller(): for services the identity in the configuration) has half of them at most: so one
  // that goes wild takes push from nobody else. Not less, because all pods of a service may share one identity.
  size_t max_streams = 10'000;

  // A stream on which nothing happened gets a message so often, so that its client can tell silence from loss.
  absl::Duration heartbeat_interval = absl::Seconds(5);
};

class WatchStreams {
 public:
  // What is given must outlive this object. Credentials that have to be computed are checked on `executor`.
  WatchStreams(const WatchSource& source, const CallGuard& guard, Executor& executor, const Clock& clock,
               const WatchOptions& options);
  ~WatchStreams();

  WatchStreams(const WatchStreams&) = delete;
  WatchStreams& operator=(const WatchStreams&) = delete;

  void Start(IntrospectionApi& service, grpc::ServerCompletionQueue& queue);

  // Every stream ends soon, and those that come are refused: UNAVAILABLE.
  void End();

  // How many objects there are that the queue, or the thread, may still say something about.
  size_t count() const { return count_.load(std::memory_order_acquire); }

  void Shutdown();

 private:
  class Stream;

  // What has happened to a stream.
  struct Event {
    enum class Kind : uint8_t { kOperation, kDone, kAdmitted };
    Stream* stream = nullptr;
    Kind kind = Kind::kOperation;
    bool ok = false;
  };

  // From any thread.
  void Push(const Event& event) ABSL_LOCKS_EXCLUDED(mutex_);

  // All the rest is for the thread.
  void Work();
  void Post();
  void Called(Stream& stream);
  void Admitted(Stream& stream);
  void Handle(const Event& event);
  // Gives each stream that is idle, and for which there is something, its next message.
  void Feed();
  // `is_due`: also if nothing has changed.
  void FeedOne(Stream& stream, bool is_due, int64_t now_nanos);
  // What comes at this position; from what was read last, if it was read there.
  absl::Status Read(const FeedPosition& position);
  // Counts it, or says which limit it is beyond.
  absl::Status TakePlace(Stream& stream);
  void Finish(Stream& stream, const grpc::Status& status);
  void RemoveIfOver(Stream& stream);

  // Constant after construction, or after Start().
  const WatchSource source_;
  const CallGuard& guard_;
  Executor& executor_;
  const Clock& clock_;
  const WatchOptions options_;
  IntrospectionApi* service_ = nullptr;
  grpc::ServerCompletionQueue* queue_ = nullptr;
  int commit_listener_ = 0;

  // Touched by the thread alone.
  absl::flat_hash_set<Stream*> streams_;                     // All there are, those that wait for a client included.
  size_t open_ = 0;                                          // Those of them that count against max_streams,
  absl::flat_hash_map<std::string, size_t> open_by_caller_;  // and whose they are.
  bool is_ending_ = false;

  // What was read last, for the streams that are at the same place.
  struct LastRead {
    FeedPosition position;
    FeedMessage message;
    grpc::ByteBuffer bytes;
  };
  std::optional<LastRead> last_read_;

  std::atomic<size_t> count_ = 0;

  absl::Mutex mutex_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
  bool committed_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_WATCH_STREAMS_H_
