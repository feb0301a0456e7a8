// UpstreamHop: a sidecar's FactsReader over the simulated network. What server/upstream/upstream_facts.cc does, without
// gRPC: the real messages, the real reading of answers and of errors and the real waits between attempts; on a
// timetable of its own.
#ifndef PAT_TESTS_SIMULATION_UPSTREAM_HOP_H_
#define PAT_TESTS_SIMULATION_UPSTREAM_HOP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/core/facts_reader.h"
#include "server/upstream/scope_interner.h"
#include "server/upstream/upstream_error.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/network.h"
#include "tests/simulation/ways.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

class UpstreamHop final : public FactsReader {
 public:
  // `on_another_store` is UpstreamObserver's; `on_answer_of` tells the oracle of which store an answer came.
  UpstreamHop(World& world, Machine& machine, const Clock& clock, Ways& ways, Endpoint& lower, absl::Duration deadline);

  std::function<void()> on_another_store = [] {};
  std::function<void(int store)> on_answer_of = [](int) {};

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override;

  // As of UpstreamFacts: the store of the last answer.
  const StoreName& store() const { return store_; }
  void Shutdown();

  // For the oracle: what is being received just now.
  struct Received {
    const FactsReceiver* receiver = nullptr;
    absl::Time began_at = {};     // True time, when the question began;
    absl::Time asked_since = {};  // or the first one, if this was asked again.
    bool is_repeat = false;       // A drop had overtaken the answer to the first one.
    bool is_error = false;
    bool took_its_time = false;  // More than half of all that there is.
  };

  // Null: nothing is.
  const Received* receiving() const { return receiving_; }

  // How many questions there were; and whether the last one about this digest is under way and would do for a caller
  // who comes now: it is young enough, and nothing was dropped since it began.
  uint64_t asked() const { return last_id_; }
  bool HasOneToJoin(const TokenDigest& digest, absl::Duration staleness) const;

  // A caller who had asked about this digest does not wait any more.
  void NoteLeft(const TokenDigest& digest);

  // How much was dropped until now; kept by the sidecar.
  uint64_t drops = 0;

 private:
  struct Call;
  using CallPointer = std::shared_ptr<Call>;

  void Attempt(const CallPointer& call);
  void Send(const CallPointer& call);
  void Arrive(uint64_t id, size_t attempt, const Reply& reply);
  void Fail(const CallPointer& call, const UpstreamError& error);
  void NoteStore(const StoreName& store);
  void Answer(const CallPointer& call, const absl::StatusOr<FactsAnswer>& answer);
  void LookWhoMovesOn(const Call& call);
  CallPointer Current(uint64_t id, size_t attempt) const;
  Call* Youngest(const TokenDigest& digest) const;
  absl::Duration LeftOf(const Call& call) const;

  World& world_;
  Machine& machine_;
  const Clock& clock_;
  Ways& ways_;
  Endpoint& lower_;
  const absl::Duration deadline_;
  ScopeInterner scopes_;
  StoreName store_;
  bool is_closed_ = false;
  uint64_t last_id_ = 0;
  std::map<uint64_t, CallPointer> calls_;
  const Received* receiving_ = nullptr;
  const std::shared_ptr<UpstreamHop> alive_{this, [](UpstreamHop*) {}};  // Events look whether this is still there.
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_UPSTREAM_HOP_H_
