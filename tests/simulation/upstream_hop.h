// UpstreamHop: a sidecar's FactsReader over the simulated network. What server/upstream/upstream_facts.cc does, without
// gRPC: the real messages, the real reading of answers and the real waits between attempts; on a timetable of its own.
#ifndef PAT_TESTS_SIMULATION_UPSTREAM_HOP_H_
#define PAT_TESTS_SIMULATION_UPSTREAM_HOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/core/facts_reader.h"
#include "server/upstream/backoff.h"
#include "server/upstream/scope_interner.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/network.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

class UpstreamHop final : public FactsReader {
 public:
  // `on_another_store` is UpstreamObserver's; `on_answer_of` tells the oracle of which store an answer came.
  UpstreamHop(World& world, Machine& machine, const Clock& clock, Link& link, Endpoint& lower, absl::Duration deadline);

  std::function<void()> on_another_store = [] {};
  std::function<void(int store)> on_answer_of = [](int) {};

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override;

  // As of UpstreamFacts.
  void Shutdown();

  // For the oracle. Whether what is being received just now is the answer to a question that was asked again, because
  // a drop had overtaken the first answer.
  bool is_repeat() const { return receiving_repeat_; }

  // How many questions there were; and whether the last one about this digest is under way and would do for a caller
  // who comes now: it is young enough, and nothing was dropped since it began.
  uint64_t asked() const { return last_id_; }
  bool HasOneToJoin(const TokenDigest& digest, absl::Duration ttl) const;

  // How much was dropped until now; kept by the sidecar.
  uint64_t drops = 0;

 private:
  struct Call;
  using CallPointer = std::shared_ptr<Call>;

  void Attempt(const CallPointer& call);
  void Send(const CallPointer& call, int attempt);
  void Arrive(uint64_t id, int attempt, const Reply& reply);
  void Fail(const CallPointer& call);
  void Answer(const CallPointer& call, const absl::StatusOr<FactsAnswer>& answer);
  CallPointer Current(uint64_t id, int attempt) const;
  absl::Duration LeftOf(const Call& call) const;

  World& world_;
  Machine& machine_;
  const Clock& clock_;
  Link& link_;
  Endpoint& lower_;
  const absl::Duration deadline_;
  ScopeInterner scopes_;
  std::string incarnation_;
  bool is_closed_ = false;
  uint64_t last_id_ = 0;
  std::map<uint64_t, CallPointer> calls_;
  const FactsReceiver* receiving_ = nullptr;
  bool receiving_repeat_ = false;
  const std::shared_ptr<UpstreamHop> alive_{this, [](UpstreamHop*) {}};  // Events look whether this is still there.
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_UPSTREAM_HOP_H_
