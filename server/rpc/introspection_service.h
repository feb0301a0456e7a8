// IntrospectionService over gRPC: the hot path.
//
// One completion queue and one thread, which never waits: what has to (scrypt, a disk) goes to the executor or answers
// later through FactsReceiver. Methods are raw: the bytes of a request are parsed here, so that what cannot be decoded
// is INVALID_ARGUMENT, and the answer is one slice. Streams of WatchRevocations have a thread of their own
// (watch_streams.h), ReportUse is synchronous.
//
// Life: construct, Register() with a builder, build the server, Start(); then EndStreams(), and after
// grpc::Server::Shutdown() has returned, Shutdown(), which returns when every call is answered and the threads have
// ended.
//
// Threads: the methods below are for the thread that owns the server.
#ifndef PAT_SERVER_RPC_INTROSPECTION_SERVICE_H_
#define PAT_SERVER_RPC_INTROSPECTION_SERVICE_H_

#include <grpcpp/completion_queue.h>
#include <grpcpp/server_builder.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/core/clock.h"
#include "server/core/executor.h"
#include "server/core/introspection.h"
#include "server/core/use_recorder.h"
#include "server/rpc/call_guard.h"
#include "server/rpc/introspection_api.h"
#include "server/rpc/watch_streams.h"

namespace pat {

inline constexpr size_t kMaxBatch = 1000;

struct IntrospectionServiceOptions {
  std::string issuer = "pat-sidecar";

  // Calls under way at a time; beyond, RESOURCE_EXHAUSTED with a delay.
  size_t max_in_flight = 10'000;

  // Of the store that is behind this, told to whoever may send digests; "": it is not known, or there is none. Asked
  // for each of their calls, on any thread, and may change: nothing that was read from the store before is answered
  // after that, but for calls that are under way. Null: there is none.
  std::function<std::string()> incarnation = nullptr;

  WatchOptions watch = {};
};

class IntrospectionServiceImpl {
 public:
  // What is given must outlive this object. `uses` null: ReportUse is UNIMPLEMENTED.
  IntrospectionServiceImpl(Introspector& introspector, const CallGuard& guard, Executor& executor, const Clock& clock,
                           const IntrospectionServiceOptions& options, const WatchSource& watch = {},
                           UseRecorder* uses = nullptr);
  ~IntrospectionServiceImpl();

  IntrospectionServiceImpl(const IntrospectionServiceImpl&) = delete;
  IntrospectionServiceImpl& operator=(const IntrospectionServiceImpl&) = delete;

  void Register(grpc::ServerBuilder& builder);
  void Start();

  // The streams end, so that the server's shutdown need not wait for them. Calls go on.
  void EndStreams() { streams_.End(); }

  void Shutdown();

 private:
  class Call;
  class UnaryCall;
  class BatchCall;

  void Work();

  // Constant after construction (the queue after Register()).
  Introspector& introspector_;
  const CallGuard& guard_;
  Executor& executor_;
  const IntrospectionServiceOptions options_;
  IntrospectionApi service_;
  WatchStreams streams_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::thread thread_;

  // Touched by the thread of the queue alone (and by Start(), before there is one).
  size_t calls_ = 0;      // Objects there are: posted, under way, or being answered.
  size_t in_flight_ = 0;  // Those of them that count against max_in_flight.
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_INTROSPECTION_SERVICE_H_
