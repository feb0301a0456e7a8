// SidecarMachine: a sidecar, as `patd sidecar` puts it together, without threads and sockets. When it is restarted all
// that it knew is gone.
#ifndef PAT_TESTS_SIMULATION_SIDECAR_MACHINE_H_
#define PAT_TESTS_SIMULATION_SIDECAR_MACHINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/core/clock.h"
#include "server/core/introspection.h"
#include "tests/simulation/authority_machine.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/network.h"
#include "tests/simulation/upstream_hop.h"
#include "tests/simulation/ways.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

class SidecarMachine final : public Endpoint {
 public:
  // The sidecar number `index` of the plan. It asks `lower`; `authority` has the stream of revocations.
  SidecarMachine(World& world, size_t index, Endpoint& lower, AuthorityMachine& authority);
  ~SidecarMachine() override;

  const SidecarPlan& plan() const { return plan_; }
  Machine& machine() override { return machine_; }
  std::vector<Link>& links() { return links_; }
  void Introspect(const v1::IntrospectRequest& request, absl::Duration given, ReplyReceiver reply) override;

  bool is_up() const { return process_ != nullptr; }
  absl::Time started_at() const { return started_at_; }
  void Stop();
  void Start();
  void Sweep();
  void BreakStream();

  // Of the process there is.
  const Clock& clock() const;
  Introspector& introspector();
  UpstreamHop& hop();

  // The last commit of which this process knows that it and all before were told: what it answers from now on does not
  // rest on what they ended.
  uint64_t told() const;

 private:
  struct Process;

  World& world_;
  const SidecarPlan& plan_;
  const absl::Duration bound_;
  Machine machine_;
  std::vector<Link> links_;
  Endpoint& lower_;
  AuthorityMachine& authority_;
  absl::Time started_at_;
  std::unique_ptr<Process> process_;
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_SIDECAR_MACHINE_H_
