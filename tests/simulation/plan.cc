#include "tests/simulation/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pat::simulation {
namespace {

// Heartbeats come every five seconds: with a longer TTL a schedule of some TTLs would be about little else.
const absl::Duration kLongestTtlWithPush = absl::Minutes(5);

SidecarPlan MakeSidecar(Random& random, absl::Duration longest_ttl) {
  SidecarPlan sidecar;
  sidecar.push = random.Chance(0.6);
  sidecar.ttl = random.Chance(0.03) ? absl::ZeroDuration() : random.Scale(absl::Seconds(1), longest_ttl);
  sidecar.negative_ttl = random.Chance(0.5) ? absl::Seconds(10) : random.Scale(absl::Milliseconds(100), longest_ttl);
  // Few enough to be evicted, or enough for all.
  sidecar.capacity = random.Chance(0.3) ? 2 + random.Below(8) : 100;
  sidecar.deadline = random.Chance(0.5) ? absl::Seconds(1) : random.Scale(absl::Seconds(1), 3 * longest_ttl);
  sidecar.ways = random.Chance(0.4) ? 2 : 1;
  return sidecar;
}

}  // namespace

absl::Duration Plan::BoundOf(size_t index) const {
  const absl::Duration bound = std::min(sidecars[index].ttl, authority_ttl);
  return sidecars[index].is_over_sidecar ? std::min(bound, sidecars.front().ttl) : bound;
}

absl::Duration Plan::longest_ttl() const {
  absl::Duration longest = std::max(authority_ttl, absl::Seconds(1));
  for (const SidecarPlan& sidecar : sidecars) longest = std::max(longest, sidecar.ttl);
  return longest;
}

std::string Plan::ToString() const {
  std::string text = absl::StrCat("authority with TTL ", absl::FormatDuration(authority_ttl), ", negative ",
                                  absl::FormatDuration(authority_negative_ttl));
  for (size_t i = 0; i < sidecars.size(); ++i) {
    const SidecarPlan& sidecar = sidecars[i];
    absl::StrAppend(&text, "; sidecar ", i + 1, " over ", sidecar.is_over_sidecar ? "sidecar 1" : "the authority", ", ",
                    sidecar.push ? "push" : "ttl", ", TTL ", absl::FormatDuration(sidecar.ttl), ", negative ",
                    absl::FormatDuration(sidecar.negative_ttl), ", capacity ", sidecar.capacity, ", deadline ",
                    absl::FormatDuration(sidecar.deadline), ", ", sidecar.ways, sidecar.ways == 1 ? " way" : " ways");
  }
  return text;
}

Plan MakePlan(Random& random) {
  Plan plan;
  const bool is_long = random.Chance(0.1);
  const absl::Duration longest_ttl = is_long ? absl::Hours(2) : kLongestTtlWithPush;
  plan.authority_ttl = random.Chance(0.03) ? absl::ZeroDuration() : random.Scale(absl::Seconds(1), longest_ttl);
  plan.authority_negative_ttl = random.Chance(0.5) ? absl::Seconds(10) : random.Scale(absl::Seconds(1), longest_ttl);
  plan.sidecars.push_back(MakeSidecar(random, longest_ttl));
  if (random.Chance(0.5)) plan.sidecars.push_back(MakeSidecar(random, longest_ttl));
  if (plan.sidecars.size() > 1) plan.sidecars[1].is_over_sidecar = random.Chance(0.6);
  for (SidecarPlan& sidecar : plan.sidecars) {
    // A sidecar serves no stream of revocations.
    if (sidecar.is_over_sidecar || is_long) sidecar.push = false;
  }

  plan.span = std::max(3 * plan.longest_ttl(), absl::Seconds(60));
  plan.usual_delay = random.Scale(absl::Milliseconds(1), absl::Milliseconds(300));
  plan.longest_delay = 2 * plan.longest_ttl();
  plan.slow = random.Chance(0.3) ? 0 : random.Fraction() * 0.4;
  plan.lost = random.Chance(0.5) ? 0 : random.Fraction() * 0.1;
  plan.slow_disk = random.Chance(0.5) ? 0 : random.Fraction() * 0.3;
  plan.asks = 40 + random.Below(60);
  plan.changes = 4 + random.Below(12);
  plan.disturbances = random.Below(8);
  plan.have_clock_steps = random.Chance(0.4);
  plan.have_other_stores = random.Chance(0.15);
  plan.callers_have_deadlines = random.Chance(0.5);
  return plan;
}

}  // namespace pat::simulation
