#include "server/core/clock.h"

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"

namespace pat {
namespace {

TEST(ClockTest, IsTheWallClockWhileNobodySetsIt) {
  FakeClockSource source;
  const Clock clock(source);
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(FakeClockSource::kStartSeconds));
  for (const absl::Duration step : {absl::Nanoseconds(1), absl::Seconds(1), absl::Hours(1), absl::Hours(24 * 365)}) {
    source.Advance(step);
    EXPECT_EQ(clock.Now(), source.wall());
  }
}

TEST(ClockTest, StandsStillWhileBothClocksDo) {
  FakeClockSource source;
  const Clock clock(source);
  EXPECT_EQ(clock.Now(), clock.Now());
}

TEST(ClockTest, GoesOnFromWhereItWasWhenTheWallClockIsSetBack) {
  FakeClockSource source;
  const Clock clock(source);
  const absl::Time before = clock.Now();
  source.SetWall(before - absl::Hours(24));
  EXPECT_EQ(clock.Now(), before);
  source.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(clock.Now(), before + absl::Nanoseconds(1));
  source.Advance(absl::Hours(1));
  EXPECT_EQ(clock.Now(), before + absl::Hours(1) + absl::Nanoseconds(1));
}

TEST(ClockTest, AnExpiredTokenStaysExpiredWhenTheWallClockIsSetBack) {
  FakeClockSource source;
  const Clock clock(source);
  const absl::Time expire_time = source.wall() + absl::Minutes(1);
  source.Advance(absl::Minutes(1) - absl::Nanoseconds(1));
  EXPECT_LT(clock.Now(), expire_time);
  source.Advance(absl::Nanoseconds(1));
  EXPECT_GE(clock.Now(), expire_time);
  for (int hour = 1; hour <= 24; ++hour) {
    source.SetWall(expire_time - absl::Hours(hour));
    EXPECT_GE(clock.Now(), expire_time);
  }
}

TEST(ClockTest, FollowsTheWallClockAtOnceWhenItIsSetForward) {
  FakeClockSource source;
  const Clock clock(source);
  clock.Now();
  const absl::Time tomorrow = source.wall() + absl::Hours(24);
  source.SetWall(tomorrow);
  EXPECT_EQ(clock.Now(), tomorrow);
  source.Advance(absl::Seconds(1));
  EXPECT_EQ(clock.Now(), tomorrow + absl::Seconds(1));
}

TEST(ClockTest, StaysAheadAfterTheWallClockWasWrongForAWhile) {
  FakeClockSource source;
  const Clock clock(source);
  const absl::Time right = source.wall();
  source.SetWall(right + absl::Hours(24));
  clock.Now();
  source.SetWall(right);
  EXPECT_EQ(clock.Now(), right + absl::Hours(24));
  source.Advance(absl::Seconds(1));
  EXPECT_EQ(clock.Now(), right + absl::Hours(24) + absl::Seconds(1));
}

// Nobody can tell afterwards that the wall clock was wrong if no one looked meanwhile.
TEST(ClockTest, DoesNotNoticeAMistakeThatNobodyReadTheClockDuring) {
  FakeClockSource source;
  const Clock clock(source);
  const absl::Time right = clock.Now();
  source.SetWall(right + absl::Hours(24));
  source.SetWall(right);
  EXPECT_EQ(clock.Now(), right);
}

TEST(ClockTest, ASleepCountsEvenIfTheWallClockStoodStillMeanwhile) {
  FakeClockSource source;
  const Clock clock(source);
  const absl::Time before = clock.Now();
  source.AdvanceBoot(absl::Hours(8));
  EXPECT_EQ(clock.Now(), before + absl::Hours(8));
  source.Advance(absl::Seconds(1));
  EXPECT_EQ(clock.Now(), before + absl::Hours(8) + absl::Seconds(1));
}

TEST(ClockTest, WorksBeforeTheEpochAndRightAfterBoot) {
  FakeClockSource source(absl::FromUnixSeconds(-1'000'000));
  const Clock clock(source);
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(-1'000'000));
}

TEST(ClockTest, TwoClocksOverOneSourceKeepTheirOwnHistory) {
  FakeClockSource source;
  const Clock early(source);
  const absl::Time before = early.Now();
  source.SetWall(before - absl::Hours(1));
  const Clock late(source);
  EXPECT_EQ(early.Now(), before);
  EXPECT_EQ(late.Now(), before - absl::Hours(1));
}

// Whatever is done to the clocks. It is enough to compare neighbours, because the differences add up.
TEST(ClockTest, IsNeverBehindTheWallClockNorSlowerThanTheBootClock) {
  std::mt19937_64 random(20260101);  // The same walk each time.
  FakeClockSource source;
  const Clock clock(source);
  const auto up_to_an_hour = [&] { return absl::Nanoseconds(static_cast<int64_t>(random() % 3'600'000'000'000)); };
  absl::Time now = clock.Now();
  int64_t boot = source.BootNanos();
  for (int step = 0; step < 100'000; ++step) {
    switch (random() % 4) {
      case 0:
        source.Advance(up_to_an_hour());
        break;
      case 1:
        source.SetWall(source.wall() + up_to_an_hour());
        break;
      case 2:
        source.SetWall(source.wall() - up_to_an_hour());
        break;
      case 3:
        source.AdvanceBoot(up_to_an_hour());
        break;
    }
    if (random() % 3 == 0) continue;  // Several moves between two readings.
    const absl::Time next = clock.Now();
    ASSERT_GE(next, now) << "step " << step;
    ASSERT_GE(next - now, absl::Nanoseconds(source.BootNanos() - boot)) << "step " << step;
    ASSERT_GE(next, source.wall()) << "step " << step;
    now = next;
    boot = source.BootNanos();
  }
}

// An age is never less than the wall clock says, whenever that was read first. Here while it was an hour slow: `now`
// does not notice that it catches up, because it was never behind.
TEST(AgeTest, IsAtLeastTheAgeByTheWallClock) {
  FakeClockSource source;
  const Clock clock(source);
  const absl::Time right = clock.Now();
  source.SetWall(right - absl::Hours(1));
  const Reading loaded_at = clock.Read();
  source.SetWall(right);  // Put right again; or the machine was paused for an hour, and its boot clock with it.
  EXPECT_EQ(Age(loaded_at, clock.Read()), absl::Hours(1));
  EXPECT_EQ(clock.Now(), loaded_at.now);
}

TEST(AgeTest, IsAtLeastTheAgeByTheBootClock) {
  FakeClockSource source;
  const Clock clock(source);
  const Reading loaded_at = clock.Read();
  source.Advance(absl::Minutes(70));
  source.SetWall(source.wall() - absl::Hours(24));
  EXPECT_EQ(Age(loaded_at, clock.Read()), absl::Minutes(70));
}

TEST(AgeTest, IsExactToTheNanosecond) {
  FakeClockSource source;
  const Clock clock(source);
  const Reading loaded_at = clock.Read();
  source.Advance(absl::Hours(1) + absl::Nanoseconds(1));
  EXPECT_EQ(Age(loaded_at, clock.Read()), absl::Hours(1) + absl::Nanoseconds(1));
}

// A thread that is held up between its readings of the two clocks, whichever it reads first.
class HeldUpSource final : public ClockSource {
 public:
  int64_t WallNanos() const override {
    HoldUpBeforeSecondReading();
    return source.WallNanos();
  }
  int64_t BootNanos() const override {
    HoldUpBeforeSecondReading();
    return source.BootNanos();
  }

  mutable FakeClockSource source;
  mutable absl::Duration hold_up;

 private:
  void HoldUpBeforeSecondReading() const {
    if (++readings_ % 2 == 0) source.Advance(std::exchange(hold_up, absl::ZeroDuration()));
  }

  mutable int readings_ = 0;
};

TEST(ClockTest, IsNotPushedAheadByAThreadThatIsHeldUpWithinIt) {
  HeldUpSource source;
  const Clock clock(source);
  for (int round = 0; round < 3; ++round) {
    source.hold_up = absl::Minutes(10);
    const absl::Time held_up = clock.Now();
    EXPECT_LE(held_up, source.source.wall());
    const absl::Time next = clock.Now();
    EXPECT_EQ(next, source.source.wall());
  }
}

// Each thread notes what it was told where all can see it, and must never be told less than what was noted before it
// asked.
TEST(ClockTest, NeverRunsBackwardsFromOneThreadToAnother) {
  constexpr int kThreads = 4;
  constexpr int kReadings = 50'000;
  FakeClockSource source;
  const Clock clock(source);
  std::atomic<int64_t> latest{0};
  std::atomic<int> backwards{0};
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int reading = 0; reading < kReadings; ++reading) {
        const int64_t before = latest.load(std::memory_order_acquire);
        const int64_t now = absl::ToUnixNanos(clock.Now());
        if (now < before) ++backwards;
        int64_t noted = latest.load(std::memory_order_relaxed);
        while (now > noted && !latest.compare_exchange_weak(noted, now, std::memory_order_release)) {
        }
      }
      --running;
    });
  }
  std::mt19937_64 random(7);  // The same moves each time.
  while (running > 0) {
    source.Advance(absl::Nanoseconds(static_cast<int64_t>(random() % 1000)));
    source.SetWall(source.wall() + absl::Nanoseconds(static_cast<int64_t>(random() % 20'000) - 10'000));
    source.AdvanceBoot(absl::Nanoseconds(static_cast<int64_t>(random() % 1000)));
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(backwards, 0);
}

TEST(SystemClockSourceTest, ReadsTheClocksOfThisMachine) {
  const ClockSource& source = SystemClockSource();
  EXPECT_EQ(&source, &SystemClockSource());
  const int64_t boot = source.BootNanos();
  EXPECT_GT(boot, 0);
  EXPECT_GE(source.BootNanos(), boot);
  // Loose on purpose: only that it is the wall clock and in nanoseconds.
  EXPECT_LT(absl::AbsDuration(absl::FromUnixNanos(source.WallNanos()) - absl::Now()), absl::Minutes(10));
  EXPECT_LT(absl::AbsDuration(Clock(source).Now() - absl::Now()), absl::Minutes(10));
}

}  // namespace
}  // namespace pat
