// World: what all parties of one schedule share. Made anew for each, so schedules may run on threads side by side.
#ifndef PAT_TESTS_SIMULATION_WORLD_H_
#define PAT_TESTS_SIMULATION_WORLD_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/random.h"
#include "tests/simulation/truth.h"

namespace pat::simulation {

// What happened, counted: to see that a schedule was not about nothing.
struct Counts {
  uint64_t answers = 0;  // Judged by the oracle.
  uint64_t active = 0;
  uint64_t hits = 0;
  uint64_t late = 0;       // Active, of a secret that was dead: the lag itself.
  uint64_t undecided = 0;  // Errors. Nothing to judge.
  uint64_t changes = 0;    // Commits that changed what is true.
  uint64_t drops = 0;      // That a cache was told of, by token, owner or everything.
  uint64_t repeats = 0;    // Loads that were overtaken.
  uint64_t dismissed = 0;  // Callers who were told that their time was up;
  uint64_t deadlines = 0;  // those of them who had a deadline of their own.
  uint64_t outlived = 0;   // Questions that were answered after one of those had left them.
  uint64_t moved_on = 0;   // Callers who got the answer to a later question than the one that they had joined.
  uint64_t elsewhere = 0;  // Attempts over another address than the one before.
  uint64_t resets = 0;     // Messages that said so.
  uint64_t streams = 0;    // That were opened.
  uint64_t restarts = 0;   // Of any party.
  uint64_t stores = 0;     // That took the place of another one.
  uint64_t clock_steps = 0;
  double longest_lag = 0;  // In bounds: 1 is the bound itself.

  void Add(const Counts& other);
};

// What happened, one event a line, with the virtual time: for a replay.
class Journal {
 public:
  Journal(const EventQueue& events, std::ostream* out) : events_(events), began_at_(events.now()), out_(out) {}

  bool is_on() const { return out_ != nullptr; }

  template <typename... Parts>
  void Note(const Parts&... parts) {
    if (is_on()) Write(absl::StrCat(parts...));
  }

 private:
  void Write(const std::string& text);

  const EventQueue& events_;
  const absl::Time began_at_;
  std::ostream* const out_;
};

struct World {
  World(uint64_t seed, Fault made, std::ostream* out)
      : random(seed), plan(MakePlan(random)), fault(made), journal(events, out) {}

  EventQueue events;
  Random random;
  const Plan plan;
  const Fault fault;
  Journal journal;
  Truth truth;
  Counts counts;
  std::string wrong;  // The first answer that was beyond the bound.
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_WORLD_H_
