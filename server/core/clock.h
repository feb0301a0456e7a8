// Clock: the only place of the server that knows what time it is.
//
// Two clocks of the machine are read. The *wall clock* (CLOCK_REALTIME) is what people see and what expiry is written
// in; it can be set, forwards and backwards. The *boot clock* (CLOCK_BOOTTIME) cannot be set and runs on while the
// machine sleeps.
//
// A Clock joins them to one instant, `Now()`: the boot clock plus the largest distance by which the wall clock was ever
// seen ahead of it in this process. Hence, within a process,
//   - Now() never runs backwards: a token that was seen to be expired does not come back when the wall clock is set
//   back;
//   - Now() advances at least as fast as each of the two clocks. So "age by Now() is at most the TTL" implies that the
//   age is
//     at most the TTL on the boot clock *and* on the wall clock: an entry ends at the earlier of the two;
//   - while nobody sets the wall clock, Now() is the wall clock.
// The price: after the wall clock was set forward by mistake and put right again, this process stays ahead until it is
// restarted. It then errs towards denying. See docs/adr/0003-one-instant-from-two-clocks.md.
//
// Threads: Now() may be called from any thread, and does not block. If one call happens before another, it answers no
// later instant.
#ifndef PAT_SERVER_CORE_CLOCK_H_
#define PAT_SERVER_CORE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace pat {

// The two clocks of a machine, as they are. Tests give a source of their own; nothing sleeps to wait for time.
class ClockSource {
 public:
  virtual ~ClockSource() = default;

  // Nanoseconds since the Unix epoch.
  virtual int64_t WallNanos() const = 0;

  // Nanoseconds since some fixed instant. Never runs backwards.
  virtual int64_t BootNanos() const = 0;
};

// The clocks of this machine. Never destroyed.
const ClockSource& SystemClockSource();

class Clock {
 public:
  // `source` must outlive the clock.
  explicit Clock(const ClockSource& source) : source_(source) {}

  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  absl::Time Now() const;

 private:
  const ClockSource& source_;

  // The largest (wall - boot) seen so far. Read by every call, written only when the wall clock gained on the boot
  // clock.
  mutable std::atomic<int64_t> lead_nanos_{INT64_MIN};
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_CLOCK_H_
