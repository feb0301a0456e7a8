// Clock: the only place of the server that knows what time it is.
//
// Two clocks of the machine are read. The *wall clock* (CLOCK_REALTIME) is what people see and what expiry is written
// in; it can be set, forwards and backwards. The *boot clock* (CLOCK_BOOTTIME) cannot be set and runs on while the
// machine sleeps.
//
// A Clock reads both at once (`Read()`). Two questions are asked of a reading, and each has an answer of its own:
//
// What time is it? `Reading::now`: the boot clock plus the largest distance by which the wall clock was ever seen ahead
// of it in this process. It never runs backwards, so a token that was seen to be expired does not come back when the
// wall clock is set back; and while nobody sets the wall clock it is the wall clock. The price: after the wall clock
// was set forward by mistake and put right again, this process stays ahead until it is restarted. It then errs towards
// denying.
//
// How long ago was that? `Age()`: what the boot clock says or what the wall clock says, whichever is more. So whatever
// is used for a TTL at most ends at the earlier of the two, and a bound holds as long as one of the clocks runs. (`now`
// would not do for this: a wall clock that catches up after it was set back is seen by Age() and not by `now`.) See
// docs/adr/0003-one-instant-from-two-clocks.md.
//
// Threads: all of it may be called from any thread, and does not block. If one reading happens before another, its
// `now` is no later.
#ifndef PAT_SERVER_CORE_CLOCK_H_
#define PAT_SERVER_CORE_CLOCK_H_

#include <algorithm>
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

// Both clocks at one moment.
struct Reading {
  absl::Time now;          // For expiry and for people.
  int64_t wall_nanos = 0;  // As they were read: for Age() only.
  int64_t boot_nanos = 0;
};

// How much older `earlier` is than `later`, on the clock on which it is more. Negative only if both say so.
inline absl::Duration Age(const Reading& earlier, const Reading& later) {
  return absl::Nanoseconds(std::max(later.boot_nanos - earlier.boot_nanos, later.wall_nanos - earlier.wall_nanos));
}

class Clock {
 public:
  // `source` must outlive the clock.
  explicit Clock(const ClockSource& source) : source_(source) {}

  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  Reading Read() const;

  absl::Time Now() const { return Read().now; }

 private:
  const ClockSource& source_;

  // The largest (wall - boot) seen so far. Read by every call, written only when the wall clock gained on the boot
  // clock.
  mutable std::atomic<int64_t> lead_nanos_{INT64_MIN};
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_CLOCK_H_
