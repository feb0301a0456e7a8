// ServedCall: an introspection that came over the wire, from its request to its reply. What IntrospectionService does,
// without gRPC.
#ifndef PAT_TESTS_SIMULATION_SERVED_CALL_H_
#define PAT_TESTS_SIMULATION_SERVED_CALL_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "server/core/introspection.h"
#include "server/rpc/messages.h"
#include "tests/simulation/network.h"

namespace pat::simulation {

class ServedCall final : public Introspection {
 public:
  // `incarnation` and `store` go into the reply.
  static void Start(Introspector& introspector, const v1::IntrospectRequest& request, std::string incarnation,
                    int store, Endpoint::ReplyReceiver reply) {
    auto* const call = new ServedCall(request, std::move(incarnation), store, std::move(reply));
    introspector.Start(*call);  // It may be gone now.
  }

 private:
  ServedCall(v1::IntrospectRequest request, std::string incarnation, int store, Endpoint::ReplyReceiver reply)
      : request_(std::move(request)), reply_(std::move(reply)) {
    answer_.incarnation = std::move(incarnation);
    answer_.store = store;
    ReadQuery(request_, query);
  }

  void OnResult(const absl::StatusOr<IntrospectionResult>& result) override {
    answer_.status = result.status();
    if (result.ok()) SetResult(*result, "simulation", answer_.response);
    reply_(std::move(answer_));
    delete this;
  }

  const v1::IntrospectRequest request_;  // The query has views into it.
  Endpoint::ReplyReceiver reply_;
  Reply answer_;
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_SERVED_CALL_H_
