// One schedule: an authority, sidecars, and what happens between them in some hours of virtual time, all from one seed.
//
// The product's own code is at work wherever no socket, thread or real clock is needed: memory store, rules, facts,
// caches, feed, follower, messages. Network, machines and time are simulated. Every answer that a caller gets is judged
// by the oracle (oracle.h).
#ifndef PAT_TESTS_SIMULATION_SIMULATION_H_
#define PAT_TESTS_SIMULATION_SIMULATION_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "tests/simulation/fault.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

struct Outcome {
  std::string wrong;  // The first answer beyond the bound. Empty: there is none.
  Counts counts;
};

// Threads: may be called from several at once. `journal`: gets a line for each event; null: nobody does.
Outcome RunSchedule(uint64_t seed, Fault fault = Fault::kNone, std::ostream* journal = nullptr);

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_SIMULATION_H_
