#include "server/core/alarm.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pat {
namespace {

// So that no sum of instants overflows; then it is looked at again.
constexpr std::chrono::nanoseconds kLongestSleep = std::chrono::hours(1);

}  // namespace

AlarmThread::AlarmThread(const Clock& clock, std::function<void()> task)
    : clock_(clock), task_(std::move(task)), thread_([this] { Work(); }) {}

AlarmThread::~AlarmThread() { Stop(); }

void AlarmThread::SetNoLaterThan(int64_t boot_nanos) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (boot_nanos >= at_) return;
    at_ = boot_nanos;
  }
  changed_.notify_one();
}

void AlarmThread::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void AlarmThread::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (at_ == kNever) {
      changed_.wait(lock);
      continue;
    }
    const std::chrono::nanoseconds left(at_ - clock_.Read().boot_nanos);
    if (left.count() > 0) {
      changed_.wait_for(lock, std::min(left, kLongestSleep));
      continue;
    }
    at_ = kNever;  // Before the task, which may set it.
    lock.unlock();
    task_();
    lock.lock();
  }
}

}  // namespace pat
