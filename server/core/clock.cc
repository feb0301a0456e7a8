#include "server/core/clock.h"

#include <time.h>

namespace pat {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

int64_t Read(clockid_t id) {
  timespec now{};
  // Cannot fail for these two clocks on the kernels that this builds for.
  clock_gettime(id, &now);
  return now.tv_sec * kNanosPerSecond + now.tv_nsec;
}

class SystemSource final : public ClockSource {
 public:
  int64_t WallNanos() const override { return Read(CLOCK_REALTIME); }
  int64_t BootNanos() const override { return Read(CLOCK_BOOTTIME); }
};

}  // namespace

const ClockSource& SystemClockSource() {
  static const SystemSource* const source = new SystemSource();
  return *source;
}

Reading Clock::Read() const {
  // The wall clock first: a thread that is held up between the two reads sees too small a lead, never too large a one,
  // so scheduling can not push `now` ahead.
  const int64_t wall = source_.WallNanos();
  const int64_t boot = source_.BootNanos();
  const int64_t lead = wall - boot;
  int64_t largest = lead_nanos_.load(std::memory_order_acquire);
  while (lead > largest) {
    if (lead_nanos_.compare_exchange_weak(largest, lead, std::memory_order_acq_rel)) {
      largest = lead;
    }
  }
  return {.now = absl::FromUnixNanos(boot + largest), .wall_nanos = wall, .boot_nanos = boot};
}

}  // namespace pat
