// VirtualAlarm: an alarm in virtual time, on a machine that may sleep. What AlarmThread (server/core/alarm.h) does,
// without a thread.
#ifndef PAT_TESTS_SIMULATION_VIRTUAL_ALARM_H_
#define PAT_TESTS_SIMULATION_VIRTUAL_ALARM_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "server/core/alarm.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/machine.h"

namespace pat::simulation {

class VirtualAlarm final : public Alarm {
 public:
  VirtualAlarm(Machine& machine, Fault fault, std::function<void()> task)
      : machine_(machine), fault_(fault), task_(std::move(task)) {}

  void SetNoLaterThan(int64_t boot_nanos) override {
    if (boot_nanos >= at_ || (fault_ == Fault::kAlarmStaysAsSet && at_ != kNever)) return;
    at_ = boot_nanos;
    if (fault_ == Fault::kAlarmStaysSilent) return;
    const int64_t wait = std::max(boot_nanos - machine_.BootNanos(), int64_t{0});
    machine_.Later(absl::Nanoseconds(wait), [alive = std::weak_ptr(alive_)] {
      if (const std::shared_ptr<VirtualAlarm> alarm = alive.lock(); alarm != nullptr) alarm->GoOff();
    });
  }

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  // What it was set to before it was brought forward comes for nothing.
  void GoOff() {
    if (at_ > machine_.BootNanos()) return;
    at_ = kNever;
    task_();
  }

  Machine& machine_;
  const Fault fault_;
  const std::function<void()> task_;
  int64_t at_ = kNever;
  const std::shared_ptr<VirtualAlarm> alive_{this, [](VirtualAlarm*) {}};  // Events look whether this is still there.
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_VIRTUAL_ALARM_H_
