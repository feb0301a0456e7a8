// Plan: what one schedule is like, drawn before it begins: who there is, with which settings, over what kind of
// network, and how much happens. The events themselves are drawn as it goes (simulation.h).
#ifndef PAT_TESTS_SIMULATION_PLAN_H_
#define PAT_TESTS_SIMULATION_PLAN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/simulation/random.h"

namespace pat::simulation {

struct SidecarPlan {
  bool is_over_sidecar = false;  // Asks the first sidecar instead of the authority.
  bool push = false;
  absl::Duration ttl;
  absl::Duration negative_ttl;
  size_t capacity = 0;
  absl::Duration deadline;  // For an answer from below; nobody waits longer.
  size_t ways = 1;          // Addresses of what is below.
};

struct Plan {
  absl::Duration authority_ttl;
  absl::Duration authority_negative_ttl;
  std::vector<SidecarPlan> sidecars;

  // Until when it goes on.
  absl::Duration span;

  // How long a message takes: the usual delay or less; or anything up to the longest one, far beyond the TTL.
  absl::Duration usual_delay;
  absl::Duration longest_delay;
  double slow = 0;       // The chance of the latter,
  double lost = 0;       // and that it never arrives.
  double slow_disk = 0;  // The chance that a read of the store takes its time, too.

  // How much happens.
  size_t asks = 0;
  size_t changes = 0;
  size_t disturbances = 0;
  bool have_clock_steps = false;
  bool have_other_stores = false;
  bool callers_have_deadlines = false;

  // The bound that holds for the answers of sidecar `index`: the smallest TTL from there down to the store.
  absl::Duration BoundOf(size_t index) const;

  // The longest of the TTLs.
  absl::Duration longest_ttl() const;

  std::string ToString() const;
};

Plan MakePlan(Random& random);

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_PLAN_H_
