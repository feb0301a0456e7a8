// AlarmThread, on the machine's own clock: nothing here waits for longer than some milliseconds.
#include "server/core/alarm.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "server/core/clock.h"
#include "tests/support/fake_clock.h"

namespace pat {
namespace {

constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kHour = 3'600'000 * kMillisecond;

class AlarmThreadTest : public testing::Test {
 protected:
  int64_t BootNanos() const { return clock_.Read().boot_nanos; }

  const Clock clock_{SystemClockSource()};
};

TEST_F(AlarmThreadTest, GoesOffOnceAndNotBeforeItsTime) {
  std::atomic<int> times = 0;
  std::atomic<int64_t> went_off_at = 0;
  absl::Notification went_off;
  AlarmThread alarm(clock_, [&] {
    went_off_at = BootNanos();
    if (++times == 1) went_off.Notify();
  });
  const int64_t at = BootNanos() + 5 * kMillisecond;
  alarm.SetNoLaterThan(at);
  alarm.SetNoLaterThan(at);
  alarm.SetNoLaterThan(at + kMillisecond);
  went_off.WaitForNotification();
  EXPECT_GE(went_off_at, at);
  alarm.Stop();
  EXPECT_EQ(times, 1);
}

TEST_F(AlarmThreadTest, IsBroughtForwardAndNeverPutOff) {
  absl::Notification went_off;
  AlarmThread alarm(clock_, [&] { went_off.Notify(); });
  alarm.SetNoLaterThan(BootNanos() + kHour);
  alarm.SetNoLaterThan(BootNanos() + kMillisecond);
  alarm.SetNoLaterThan(BootNanos() + kHour);
  went_off.WaitForNotification();
}

TEST_F(AlarmThreadTest, WhatIsPastIsDueAtOnceButNotWithinTheCall) {
  std::thread::id where;
  absl::Notification went_off;
  AlarmThread alarm(clock_, [&] {
    where = std::this_thread::get_id();
    went_off.Notify();
  });
  alarm.SetNoLaterThan(0);
  went_off.WaitForNotification();
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST_F(AlarmThreadTest, ItsTaskMaySetItAgain) {
  constexpr int kTimes = 10;
  absl::BlockingCounter left(kTimes);
  int times = 0;
  std::function<void(int64_t)> set;
  AlarmThread alarm(clock_, [&] {
    left.DecrementCount();
    if (++times < kTimes) set(BootNanos() + kMillisecond / 10);
  });
  set = [&alarm](int64_t at) { alarm.SetNoLaterThan(at); };
  set(BootNanos());
  left.Wait();
}

// Set for an hour by a clock that stands still.
TEST_F(AlarmThreadTest, StopsAtOnceWhateverItIsSetTo) {
  FakeClockSource time;
  const Clock clock(time);
  for (const int64_t in : {int64_t{0}, kHour, 100'000 * kHour}) {
    std::atomic<int> times = 0;
    AlarmThread alarm(clock, [&] { ++times; });
    if (in > 0) alarm.SetNoLaterThan(clock.Read().boot_nanos + in);
    alarm.Stop();
    alarm.Stop();
    alarm.SetNoLaterThan(0);
    EXPECT_EQ(times, 0);
  }
}

TEST_F(AlarmThreadTest, ManyThreadsMaySetIt) {
  std::atomic<int> times = 0;
  AlarmThread alarm(clock_, [&] { ++times; });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) alarm.SetNoLaterThan(BootNanos() + (i * 7 + t) % 20 * 1000);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const int before = times;
  alarm.SetNoLaterThan(BootNanos());
  while (times == before) std::this_thread::yield();
}

}  // namespace
}  // namespace pat
