// Alarm: something that has to be done at an instant, which is brought forward as the need arises.
//
// Who has many deadlines keeps them in order and sets the alarm to the first; when it goes off, what is due is done and
// the alarm is set to what is first now. While it is not set nothing runs.
#ifndef PAT_SERVER_CORE_ALARM_H_
#define PAT_SERVER_CORE_ALARM_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>

#include "server/core/clock.h"

namespace pat {

class Alarm {
 public:
  virtual ~Alarm() = default;

  // It goes off at this instant of the boot clock (Reading::boot_nanos) or soon after, unless it goes off before that
  // anyway. Never within this call. After it went off it is not set any more. Thread-safe, and does not wait.
  virtual void SetNoLaterThan(int64_t boot_nanos) = 0;
};

// An alarm with a thread of its own, on which `task` runs each time it goes off. The task may set the alarm.
//
// Sleeps on the steady clock: that the wall clock is set delays nothing.
class AlarmThread final : public Alarm {
 public:
  // `clock` must outlive this object.
  AlarmThread(const Clock& clock, std::function<void()> task);

  // As Stop().
  ~AlarmThread() override;

  AlarmThread(const AlarmThread&) = delete;
  AlarmThread& operator=(const AlarmThread&) = delete;

  void SetNoLaterThan(int64_t boot_nanos) override;

  // Returns when a run that is under way has ended; there is none after it, and setting the alarm does nothing. Twice
  // does no harm. Not to be called by the task, nor by two threads at a time.
  void Stop();

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  void Work();

  // Constant after construction.
  const Clock& clock_;
  const std::function<void()> task_;

  // Protected by mutex_. Not an absl::Mutex: the waits of its version here end by the wall clock.
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t at_ = kNever;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_ALARM_H_
