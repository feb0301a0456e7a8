// EventQueue: virtual time, and what happens when. Time stands still while something happens and then jumps to the next
// event; so years take milliseconds, and one seed is one course of events.
//
// This is true time: the oracle's. Machines see it through clocks of their own (machine.h).
//
// Threads: none; each schedule has its own.
#ifndef PAT_TESTS_SIMULATION_EVENT_QUEUE_H_
#define PAT_TESTS_SIMULATION_EVENT_QUEUE_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace pat::simulation {

class EventQueue {
 public:
  using Action = absl::AnyInvocable<void()>;

  absl::Time now() const { return now_; }

  // Events of one instant happen in the order in which they were asked for. At a whole nanosecond: clocks show no less.
  void At(absl::Time when, Action action) {
    const absl::Time whole = absl::FromUnixNanos(absl::ToUnixNanos(when));
    events_.push_back({std::max(whole, now_), next_order_++, std::move(action)});
    std::push_heap(events_.begin(), events_.end(), IsLater);
  }
  void In(absl::Duration wait, Action action) { At(now_ + wait, std::move(action)); }

  // Lets the next event happen. False: there is none before `end`.
  bool RunNext(absl::Time end) {
    if (events_.empty() || events_.front().when >= end) return false;
    std::pop_heap(events_.begin(), events_.end(), IsLater);
    Event event = std::move(events_.back());
    events_.pop_back();
    now_ = event.when;
    event.action();
    return true;
  }

 private:
  struct Event {
    absl::Time when;
    uint64_t order = 0;
    Action action;
  };

  static bool IsLater(const Event& a, const Event& b) { return a.when != b.when ? b.when < a.when : b.order < a.order; }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  uint64_t next_order_ = 0;
  std::vector<Event> events_;  // A heap.
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_EVENT_QUEUE_H_
