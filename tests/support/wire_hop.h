// WireHop: one hop between two machines, without a socket: what the lower one answers becomes the message that it would
// send, and that is read as UpstreamFacts reads it. For stories of hours with many hops, each machine on its own clock.
#ifndef PAT_TESTS_SUPPORT_WIRE_HOP_H_
#define PAT_TESTS_SUPPORT_WIRE_HOP_H_

#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/core/clock.h"
#include "server/core/facts_reader.h"
#include "server/core/introspection.h"
#include "server/rpc/messages.h"
#include "server/upstream/introspection_answer.h"
#include "server/upstream/upstream_error.h"

namespace pat {

// `lower` must answer within Find(). For one thread.
class WireHop final : public FactsReader {
 public:
  // `lower` on its machine's clock; `clock` is that of the machine which asks.
  WireHop(FactsReader& lower, const Clock& lower_clock, const Clock& clock)
      : introspector_(lower, lower_clock), clock_(clock) {}

  // Runs while the request, and the answer, are on their way: time passes, tokens are revoked, clocks are set.
  std::function<void()> on_request = [] {};
  std::function<void()> on_answer = [] {};

  // Nobody can be reached.
  bool is_down = false;

  void Find(const TokenDigest& digest, const FindOptions& /*options*/, FactsReceiver& receiver) override {
    const Reading sent_at = clock_.Read();
    on_request();
    if (is_down) return receiver.Receive(AuthorityUnavailable("the authority cannot be reached"));
    v1::IntrospectRequest request;
    request.set_token_sha256(digest.bytes.data(), digest.bytes.size());
    request.mutable_max_staleness();
    Call call;
    ReadQuery(request, call.query);
    introspector_.Start(call);
    on_answer();
    if (!call.status.ok()) return receiver.Receive(AuthorityUnavailable("the authority cannot read its store"));
    const absl::StatusOr<UpstreamAnswer> answer = ReadAnswer(call.response, scopes_);
    if (!answer.ok()) return receiver.Receive(answer.status());
    receiver.Receive(FactsAnswer{.facts = answer->facts.has_value() ? &*answer->facts : nullptr,
                                 .source = FactsSource::kStore,
                                 .now = clock_.Now(),
                                 .read_time = sent_at.now,
                                 .fresh_until = sent_at.now + answer->fresh_for,
                                 .fresh_for = answer->fresh_for});
  }

 private:
  class Call final : public Introspection {
   public:
    absl::Status status;
    v1::IntrospectResponse response;

   private:
    void OnResult(const absl::StatusOr<IntrospectionResult>& result) override {
      status = result.status();
      if (result.ok()) SetResult(*result, "hop", response);
    }
  };

  Introspector introspector_;
  const Clock& clock_;
  ScopeInterner scopes_;
};

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_WIRE_HOP_H_
