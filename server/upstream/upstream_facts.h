// UpstreamFacts: what a sidecar has instead of a store. A FactsReader that asks the authority over gRPC.
//
// What is sent is SHA-256(secret), never the secret; and max_staleness 0, so that the authority reads its store and
// layers of caches do not add up. What comes back is judged (introspection_answer.h): facts, and for how long they may
// be used, counted from before they were asked for (FactsAnswer::fresh_for).
//
// A call lasts at most UpstreamOptions::deadline, or FindOptions::timeout if that is less. Within that time it is
// repeated as long as the authority is UNAVAILABLE, be it that it cannot be reached or that it says so: at once over
// the other addresses until each was asked, then after a wait drawn at random, unless less than a tenth of the time
// would be left.
//
// An authority that says so itself also says when it wants to be asked again (RetryInfo). That is not looked at before
// every address was asked, and is then obeyed, never cut short: where it does not fit into the time that is left (ours
// say 1 s, which is all there is), the answer is given at once. So a call makes at most one question to each address
// while all of them are in trouble, which is not made worse by sidecars that ask twice. The price: where there is one
// address, a store that cannot be read for 50 ms is not waited out here, but by the caller, who is told to ask again.
//
// When there is no time for another attempt the answer is
//   UNAVAILABLE, AUTHORITY_UNAVAILABLE   nobody there, no answer in time, an answer that makes no sense, an authority
//                                        that says so, or one that does not accept this sidecar;
//   RESOURCE_EXHAUSTED, RATE_LIMITED     the authority says so.
//
// One completion queue and one thread, which also calls the receivers; they must not block.
//
// Threads: Find() is thread-safe.
#ifndef PAT_SERVER_UPSTREAM_UPSTREAM_FACTS_H_
#define PAT_SERVER_UPSTREAM_UPSTREAM_FACTS_H_

#include <grpcpp/completion_queue.h>

#include <random>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/core/facts_reader.h"
#include "server/upstream/authority_channels.h"
#include "server/upstream/scope_interner.h"
#include "server/upstream/upstream_observer.h"

namespace pat {

// With this initial metadata the authority says of which incarnation of its store an answer is.
inline constexpr char kIncarnationHeader[] = "x-pat-incarnation";

struct UpstreamOptions {
  absl::Duration deadline = absl::Seconds(1);

  // Before the second attempt, and at most before any.
  absl::Duration first_backoff = absl::Milliseconds(20);
  absl::Duration longest_backoff = absl::Milliseconds(200);
};

class UpstreamFacts final : public FactsReader {
 public:
  // What is given must outlive this object.
  UpstreamFacts(AuthorityChannels& channels, const Clock& clock, UpstreamObserver& observer,
                const UpstreamOptions& options = {});

  // As Shutdown().
  ~UpstreamFacts() override;

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override;

  // Of the authority's store, as its last answer said; "": none has said one yet. Another one than before is told to
  // the observer first, so that whoever sees it here finds nothing of the one before in a cache that the observer
  // drops. And it is told before the receiver of the answer is, which sees the incarnation of that very answer here.
  std::string incarnation() const;

  // Gives up the calls under way: their receivers, and those of later calls, are told UNAVAILABLE. Returns when all
  // were told. Not to be called from a receiver.
  void Shutdown();

 private:
  class Call;

  void Work();
  void NoteIncarnation(absl::string_view incarnation);

  // Constant after construction.
  AuthorityChannels& channels_;
  const Clock& clock_;
  UpstreamObserver& observer_;
  const UpstreamOptions options_;

  grpc::CompletionQueue queue_;

  // Protected by mutex_.
  mutable absl::Mutex mutex_;
  absl::flat_hash_set<Call*> calls_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::string incarnation_ ABSL_GUARDED_BY(mutex_);  // Written by the queue's thread alone.

  // Touched by the queue's thread alone.
  ScopeInterner scopes_;
  std::mt19937_64 random_;

  std::thread thread_;
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_UPSTREAM_FACTS_H_
