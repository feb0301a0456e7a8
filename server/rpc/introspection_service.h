// IntrospectionService over gRPC: the hot path.
//
// One completion queue and one thread, which never waits: what has to (scrypt, a disk) goes to the executor or answers
// later through FactsReceiver. Methods are raw: the bytes of a request are parsed here, so that what cannot be decoded
// is INVALID_ARGUMENT, and the answer is one slice.
//
// Life: construct, Register() with a builder, build the server, Start(); then, after grpc::Server::Shutdown() has
// returned, Shutdown(), which returns when every call is answered and the thread has ended.
//
// Threads: the methods below are for the thread that owns the server.
#ifndef PAT_SERVER_RPC_INTROSPECTION_SERVICE_H_
#define PAT_SERVER_RPC_INTROSPECTION_SERVICE_H_

#include <grpcpp/completion_queue.h>
#include <grpcpp/server_builder.h>

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "pat/v1/introspection_service.grpc.pb.h"
#include "server/core/executor.h"
#include "server/core/introspection.h"
#include "server/rpc/call_guard.h"

namespace pat {

inline constexpr size_t kMaxBatch = 1000;

struct IntrospectionServiceOptions {
  std::string issuer = "pat-sidecar";

  // Calls under way at a time; beyond, RESOURCE_EXHAUSTED with a delay.
  size_t max_in_flight = 10'000;
};

class IntrospectionServiceImpl {
 public:
  // What is given must outlive this object.
  IntrospectionServiceImpl(Introspector& introspector, const CallGuard& guard, Executor& executor,
                           const IntrospectionServiceOptions& options);
  ~IntrospectionServiceImpl();

  IntrospectionServiceImpl(const IntrospectionServiceImpl&) = delete;
  IntrospectionServiceImpl& operator=(const IntrospectionServiceImpl&) = delete;

  void Register(grpc::ServerBuilder& builder);
  void Start();
  void Shutdown();

 private:
  class Call;
  class UnaryCall;
  class BatchCall;

  using Service = v1::IntrospectionService::WithRawMethod_Introspect<
      v1::IntrospectionService::WithRawMethod_BatchIntrospect<v1::IntrospectionService::Service>>;

  void Work();

  // Constant after construction (the queue after Register()).
  Introspector& introspector_;
  const CallGuard& guard_;
  Executor& executor_;
  const IntrospectionServiceOptions options_;
  Service service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::thread thread_;

  // Touched by the thread of the queue alone (and by Start(), before there is one).
  size_t calls_ = 0;      // Objects there are: posted, under way, or being answered.
  size_t in_flight_ = 0;  // Those of them that count against max_in_flight.
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_INTROSPECTION_SERVICE_H_
