// Random: everything in a schedule that is left to chance, from one seed. The distributions are our own: those of the
// standard library differ between implementations, and a seed has to mean the same everywhere.
#ifndef PAT_TESTS_SIMULATION_RANDOM_H_
#define PAT_TESTS_SIMULATION_RANDOM_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>

#include "absl/time/time.h"

namespace pat::simulation {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  uint64_t Bits() { return engine_(); }

  // Below `limit`, which is positive.
  size_t Below(size_t limit) { return static_cast<size_t>(engine_() % limit); }

  // At least 0, less than 1.
  double Fraction() { return static_cast<double>(engine_() >> 11) / static_cast<double>(uint64_t{1} << 53); }

  bool Chance(double probability) { return Fraction() < probability; }

  absl::Duration Between(absl::Duration least, absl::Duration most) {
    return WholeNanos(least + (most - least) * Fraction());
  }

  // As likely between a second and two as between an hour and two.
  absl::Duration Scale(absl::Duration least, absl::Duration most) {
    return WholeNanos(least * std::pow(absl::FDivDuration(most, least), Fraction()));
  }

 private:
  // What a clock can show: an absl::Duration is finer.
  static absl::Duration WholeNanos(absl::Duration duration) { return absl::Trunc(duration, absl::Nanoseconds(1)); }

  std::mt19937_64 engine_;
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_RANDOM_H_
