// Machine: the clocks of one machine, which may be wrong, and what happens on it. It may sleep; what comes meanwhile is
// looked at when it wakes up.
//
// The wall clock is off by some distance, which changes when somebody sets it. The boot clock runs as true time does,
// also while the machine sleeps.
#ifndef PAT_TESTS_SIMULATION_MACHINE_H_
#define PAT_TESTS_SIMULATION_MACHINE_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "server/core/clock.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/random.h"

namespace pat::simulation {

class Machine final : public ClockSource {
 public:
  Machine(EventQueue& events, Random& random, std::string name)
      : name_(std::move(name)),
        events_(events),
        booted_at_(events.now() - random.Scale(absl::Minutes(1), absl::Hours(10'000))),
        wall_offset_(random.Between(-absl::Seconds(30), absl::Seconds(30))) {}

  const std::string& name() const { return name_; }

  int64_t WallNanos() const override { return absl::ToUnixNanos(events_.now() + wall_offset_); }
  int64_t BootNanos() const override { return absl::ToInt64Nanoseconds(events_.now() - booted_at_); }
  absl::Time wall() const { return events_.now() + wall_offset_; }

  // Somebody sets the wall clock to be wrong by `offset`.
  void SetWallOffset(absl::Duration offset) {
    wall_offset_ = offset;
    largest_offset_ = std::max(largest_offset_, offset);
    set_at_ = events_.now();
  }
  absl::Duration wall_offset() const { return wall_offset_; }
  absl::Time set_at() const { return set_at_; }  // When that was last.

  // No clock of this machine (server/core/clock.h) was ever ahead of this.
  absl::Time latest_now() const { return events_.now() + largest_offset_; }

  void Sleep(absl::Duration duration, bool wall_stands_still) {
    // Never shorter than it was to be: what waits for the end would be overtaken.
    asleep_until_ = std::max(asleep_until_, events_.now() + duration);
    if (wall_stands_still) SetWallOffset(wall_offset_ - duration);
  }

  // Does it on this machine after `wait`, or when it then wakes up.
  void Later(absl::Duration wait, EventQueue::Action action) {
    events_.In(wait, [this, action = std::move(action)]() mutable { Do(std::move(action)); });
  }

 private:
  void Do(EventQueue::Action action) {
    if (events_.now() >= asleep_until_) return action();
    events_.At(asleep_until_, [this, action = std::move(action)]() mutable { Do(std::move(action)); });
  }

  const std::string name_;
  EventQueue& events_;
  const absl::Time booted_at_;
  absl::Duration wall_offset_;
  absl::Duration largest_offset_ = wall_offset_;
  absl::Time set_at_ = absl::InfinitePast();
  absl::Time asleep_until_ = absl::InfinitePast();
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_MACHINE_H_
