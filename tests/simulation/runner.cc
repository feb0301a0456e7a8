#include "tests/simulation/runner.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "tests/simulation/simulation.h"

namespace pat::simulation {
namespace {

// Seeds are handed out in order; so when one fails, all before it are done or under way.
class Seeds {
 public:
  Seeds(uint64_t first, uint64_t count, Fault fault) : fault_(fault), next_(first), end_(first + count) {}

  void Work() {
    while (const std::optional<uint64_t> seed = Take()) Note(*seed, RunSchedule(*seed, fault_));
  }

  Tally result() const {
    const absl::MutexLock lock(&mutex_);
    return run_;
  }

 private:
  std::optional<uint64_t> Take() {
    const absl::MutexLock lock(&mutex_);
    if (next_ == end_ || run_.failing_seed.has_value()) return std::nullopt;
    return next_++;
  }

  void Note(uint64_t seed, const Outcome& outcome) {
    const absl::MutexLock lock(&mutex_);
    ++run_.schedules;
    run_.counts.Add(outcome.counts);
    if (outcome.wrong.empty() || seed > run_.failing_seed.value_or(UINT64_MAX)) return;
    run_.failing_seed = seed;
    run_.wrong = outcome.wrong;
  }

  const Fault fault_;
  mutable absl::Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_);
  const uint64_t end_;
  Tally run_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::string Tally::Summary() const {
  return absl::StrFormat(
      "%d schedules: %d answers judged, %d beyond the bound; %d active, %d of them of secrets that were dead (at most "
      "%.9f of the bound), %d hits, %d calls that could not be decided; %d callers whose time was up (%d had a "
      "deadline "
      "of their own), %d questions answered after they had left, %d callers who moved on to another question, %d "
      "attempts over another address; %d changes, %d drops, %d repeated loads, %d streams, %d resets, %d restarts, %d "
      "other stores, %d clock steps",
      schedules, counts.answers, failing_seed.has_value() ? 1 : 0, counts.active, counts.late, counts.longest_lag,
      counts.hits, counts.undecided, counts.dismissed, counts.deadlines, counts.outlived, counts.moved_on,
      counts.elsewhere, counts.changes, counts.drops, counts.repeats, counts.streams, counts.resets, counts.restarts,
      counts.stores, counts.clock_steps);
}

Tally RunSchedules(uint64_t first, uint64_t count, Fault fault) {
  Seeds seeds(first, count, fault);
  std::vector<std::thread> threads(std::max(1U, std::thread::hardware_concurrency()));
  for (std::thread& thread : threads) thread = std::thread([&seeds] { seeds.Work(); });
  for (std::thread& thread : threads) thread.join();
  return seeds.result();
}

}  // namespace pat::simulation
