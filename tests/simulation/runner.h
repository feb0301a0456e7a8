// Many schedules, on all processors.
#ifndef PAT_TESTS_SIMULATION_RUNNER_H_
#define PAT_TESTS_SIMULATION_RUNNER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/simulation/fault.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

struct Tally {
  uint64_t schedules = 0;  // That ended.
  Counts counts;           // Of all of them.

  // The first seed with an answer beyond the bound, and what that was. Later schedules were not begun.
  std::optional<uint64_t> failing_seed;
  std::string wrong;

  std::string Summary() const;
};

// The schedules of seeds `first`, `first` + 1, ...: `count` of them, or fewer if one fails.
Tally RunSchedules(uint64_t first, uint64_t count, Fault fault = Fault::kNone);

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_RUNNER_H_
