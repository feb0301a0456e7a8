// The network: how long messages take, whether they arrive, and what is at the other end.
#ifndef PAT_TESTS_SIMULATION_NETWORK_H_
#define PAT_TESTS_SIMULATION_NETWORK_H_

#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "pat/v1/introspection_service.pb.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

// How long the next message takes.
absl::Duration DrawDelay(World& world);

// Of which store an answer is: what its header says, empty if there is none; and the oracle's number.
struct StoreName {
  std::string incarnation = {};
  int number = -1;
};

// What the lower party sends back. With gRPC's status and metadata, as far as they matter.
struct Reply {
  grpc::Status status;
  v1::IntrospectResponse response = {};
  StoreName store = {};
};

// As gRPC says it where nobody listens.
grpc::Status NobodyThere();

// Whom a sidecar asks: an authority or another sidecar.
class Endpoint {
 public:
  using ReplyReceiver = absl::AnyInvocable<void(Reply)>;

  virtual ~Endpoint() = default;
  virtual Machine& machine() = 0;

  // On its machine. The reply comes at once or later, exactly once. `given`: how long who asks waits for it.
  virtual void Introspect(const v1::IntrospectRequest& request, absl::Duration given, ReplyReceiver reply) = 0;
};

// A message of a stream, and the last commit of which it says that it was told (the oracle's; nobody else looks at it).
struct StreamMessage {
  v1::WatchRevocationsResponse message;
  uint64_t told = 0;
  int store = -1;
};

// One stream, as both ends see it. Messages arrive in order, until one of the ends, or what is between, gives up.
struct Stream {
  bool is_over = false;  // Nothing arrives any more.
  std::function<void(const StreamMessage&)> on_message;
  std::function<void()> on_end;
  absl::Time last_arrival = absl::InfinitePast();
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_NETWORK_H_
