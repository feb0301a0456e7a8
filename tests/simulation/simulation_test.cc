// Random schedules of an authority, its stream and its sidecars in virtual time: no answer is beyond the bound, in any
// of them. And that the oracle which says so finds what is wrong: every fault of fault.h, soon.
//
//   pat_simulation_test                              what ctest runs
//   pat_simulation_test --schedules 1000000          so many, on all processors
//   pat_simulation_test --schedules 1000 --seed 7    from seed 7 on
//   pat_simulation_test --replay 7                   the events of one, one a line, with their virtual times
//   pat_simulation_test --replay 7 --fault NAME      the same with a fault
#include "tests/simulation/simulation.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/runner.h"

namespace pat::simulation {

void PrintTo(const NamedFault& fault, std::ostream* out) { *out << fault.name; }

namespace {

constexpr uint64_t kSchedules = 10'000;
constexpr uint64_t kSchedulesForAFault = 10'000;

TEST(SimulationTest, NoAnswerIsBeyondTheBound) {
  const Tally run = RunSchedules(1, kSchedules);
  EXPECT_FALSE(run.failing_seed.has_value()) << "seed " << *run.failing_seed << ": " << run.wrong;
  std::cout << run.Summary() << "\n";
  // The schedules are about what they are meant to be about.
  EXPECT_EQ(run.schedules, kSchedules);
  EXPECT_GT(run.counts.late, kSchedules);
  EXPECT_GT(run.counts.hits, kSchedules);
  EXPECT_GT(run.counts.drops, kSchedules);
  EXPECT_GT(run.counts.repeats, kSchedules / 10);
  EXPECT_GT(run.counts.dismissed, kSchedules);
  EXPECT_GT(run.counts.deadlines, kSchedules);
  EXPECT_GT(run.counts.outlived, kSchedules / 10);
  EXPECT_GT(run.counts.moved_on, kSchedules / 10);
  EXPECT_GT(run.counts.elsewhere, kSchedules / 10);
  EXPECT_GT(run.counts.resets, kSchedules / 100);
  EXPECT_GT(run.counts.restarts, kSchedules / 10);
  EXPECT_GT(run.counts.stores, kSchedules / 20);
  EXPECT_GT(run.counts.clock_steps, kSchedules / 10);
  EXPECT_EQ(run.counts.longest_lag, 1);  // The bound is reached, to the nanosecond.
}

TEST(SimulationTest, ASeedIsOneCourseOfEvents) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto replay = [seed] {
      const Outcome outcome = RunSchedule(seed);
      return outcome.counts.answers * 1'000'003 + outcome.counts.hits * 1'009 + outcome.counts.drops;
    };
    EXPECT_EQ(replay(), replay()) << seed;
  }
}

class FaultTest : public testing::TestWithParam<NamedFault> {};

TEST_P(FaultTest, IsFound) {
  const Tally run = RunSchedules(1, kSchedulesForAFault, GetParam().fault);
  ASSERT_TRUE(run.failing_seed.has_value()) << run.Summary();
  std::cout << GetParam().name << ": found by seed " << *run.failing_seed << ": " << run.wrong << "\n";
  // The same seed finds it again, and nothing without the fault.
  EXPECT_EQ(RunSchedule(*run.failing_seed, GetParam().fault).wrong, run.wrong);
  EXPECT_EQ(RunSchedule(*run.failing_seed).wrong, "");
}

INSTANTIATE_TEST_SUITE_P(EveryFault, FaultTest, testing::ValuesIn(kFaults), [](const auto& info) {
  std::string name(info.param.name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

struct Flags {
  std::optional<uint64_t> schedules;
  std::optional<uint64_t> replay;
  uint64_t seed = 1;
  Fault fault = Fault::kNone;
  bool are_ours = false;
};

// False: not ours.
bool ReadFlag(absl::string_view name, absl::string_view value, Flags& flags) {
  uint64_t number = 0;
  const bool is_number = absl::SimpleAtoi(value, &number);
  flags.are_ours = true;
  if (name == "--schedules" && is_number) return flags.schedules = number, true;
  if (name == "--replay" && is_number) return flags.replay = number, true;
  if (name == "--seed" && is_number) return flags.seed = number, true;
  const auto* const fault =
      std::find_if(kFaults.begin(), kFaults.end(), [value](const NamedFault& named) { return named.name == value; });
  if (name == "--fault" && fault != kFaults.end()) return flags.fault = fault->fault, true;
  return false;
}

int RunByHand(const Flags& flags) {
  if (flags.replay.has_value()) {
    const Outcome outcome = RunSchedule(*flags.replay, flags.fault, &std::cout);
    std::cout << (outcome.wrong.empty() ? "no answer is beyond the bound" : outcome.wrong) << "\n";
    return outcome.wrong.empty() ? 0 : 1;
  }
  const Tally run = RunSchedules(flags.seed, flags.schedules.value_or(kSchedules), flags.fault);
  std::cout << run.Summary() << "\n";
  if (!run.failing_seed.has_value()) return 0;
  std::cout << "seed " << *run.failing_seed << ": " << run.wrong << "\n  see it with: --replay " << *run.failing_seed
            << "\n";
  return 1;
}

}  // namespace
}  // namespace pat::simulation

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // Schedules share nothing, and each has one thread. Looking for deadlocks would take half of the time, and a lock
  // that all of them share.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  pat::simulation::Flags flags;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 < argc && pat::simulation::ReadFlag(argv[i], argv[i + 1], flags)) continue;
    std::cerr << "what is " << argv[i] << "? --schedules N, --seed N, --replay SEED, --fault NAME\n";
    return 2;
  }
  return flags.are_ours ? pat::simulation::RunByHand(flags) : RUN_ALL_TESTS();
}
