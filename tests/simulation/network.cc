#include "tests/simulation/network.h"

#include <algorithm>

namespace pat::simulation {

absl::Duration DrawDelay(World& world) {
  const Plan& plan = world.plan;
  if (!world.random.Chance(plan.slow)) return plan.usual_delay * world.random.Fraction();
  // Now and then exactly what a bound is made of, and a nanosecond beside it.
  if (world.random.Chance(0.1)) {
    const absl::Duration ttl = world.random.Chance(0.5) ? plan.authority_ttl : plan.sidecars.front().ttl;
    return std::max(ttl + absl::Nanoseconds(static_cast<int64_t>(world.random.Below(3)) - 1), absl::ZeroDuration());
  }
  return world.random.Scale(absl::Milliseconds(1), plan.longest_delay);
}

grpc::Status NobodyThere() { return {grpc::StatusCode::UNAVAILABLE, "nobody listens"}; }

}  // namespace pat::simulation
