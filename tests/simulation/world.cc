#include "tests/simulation/world.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace pat::simulation {

void Counts::Add(const Counts& other) {
  answers += other.answers;
  active += other.active;
  hits += other.hits;
  late += other.late;
  undecided += other.undecided;
  changes += other.changes;
  drops += other.drops;
  repeats += other.repeats;
  dismissed += other.dismissed;
  deadlines += other.deadlines;
  outlived += other.outlived;
  moved_on += other.moved_on;
  elsewhere += other.elsewhere;
  resets += other.resets;
  streams += other.streams;
  restarts += other.restarts;
  stores += other.stores;
  clock_steps += other.clock_steps;
  longest_lag = std::max(longest_lag, other.longest_lag);
}

void Journal::Write(const std::string& text) {
  const int64_t nanos = absl::ToInt64Nanoseconds(events_.now() - began_at_);
  *out_ << absl::StrFormat("%6d.%09d  ", nanos / 1'000'000'000, nanos % 1'000'000'000) << text << "\n";
}

}  // namespace pat::simulation
