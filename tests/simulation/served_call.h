// ServedCall: an introspection that came over the wire, from its request to its reply. What IntrospectionService does,
// without gRPC.
#ifndef PAT_TESTS_SIMULATION_SERVED_CALL_H_
#define PAT_TESTS_SIMULATION_SERVED_CALL_H_

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/core/introspection.h"
#include "server/rpc/messages.h"
#include "server/rpc/status_mapping.h"
#include "tests/simulation/network.h"

namespace pat::simulation {

class ServedCall final : public Introspection {
 public:
  using Store = std::function<StoreName()>;

  // `store`: which one is behind this, as far as it is known when that is asked.
  static void Start(Introspector& introspector, const v1::IntrospectRequest& request, absl::Duration given, Store store,
                    Endpoint::ReplyReceiver reply) {
    auto* const call = new ServedCall(request, given, std::move(store), std::move(reply));
    introspector.Start(*call);  // It may be gone now.
  }

 private:
  ServedCall(v1::IntrospectRequest request, absl::Duration given, Store store, Endpoint::ReplyReceiver reply)
      : request_(std::move(request)), store_(std::move(store)), reply_(std::move(reply)) {
    answer_.store = store_();
    ReadQuery(request_, query);
    query.timeout = std::max(given * 9 / 10, absl::ZeroDuration());  // The rest is for the way back.
  }

  void OnResult(const absl::StatusOr<IntrospectionResult>& result) override {
    if (result.ok()) {
      // The store was read for this answer, and is known by now.
      if (result->freshness.source == AnswerSource::kStore) answer_.store = store_();
      SetResult(*result, "simulation", answer_.response);
    } else {
      answer_.status = ToGrpcStatus(result.status());
    }
    reply_(std::move(answer_));
    delete this;
  }

  const v1::IntrospectRequest request_;  // The query has views into it.
  const Store store_;
  Endpoint::ReplyReceiver reply_;
  Reply answer_;
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_SERVED_CALL_H_
