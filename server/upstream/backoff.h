// Backoff: how long to wait before the next attempt. Each wait is drawn at random between half of a step and the whole
// of it, so that a crowd that lost the same authority does not come back in one instant; the step doubles.
//
// Threads: none of its own.
#ifndef PAT_SERVER_UPSTREAM_BACKOFF_H_
#define PAT_SERVER_UPSTREAM_BACKOFF_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/crypto/random.h"

namespace pat {

// For the seed of a generator that draws the waits.
inline uint64_t RandomBits() {
  std::array<uint8_t, sizeof(uint64_t)> bytes{};
  FillRandom(absl::MakeSpan(bytes));
  return std::bit_cast<uint64_t>(bytes);
}

class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration longest) : first_(first), longest_(longest), step_(first) {}

  // `random`: 64 random bits.
  absl::Duration Next(uint64_t random) {
    const absl::Duration step = step_;
    step_ = std::min(2 * step_, longest_);
    return step / 2 + step * (static_cast<double>(random >> 11) / static_cast<double>(uint64_t{1} << 54));
  }

  void Reset() { step_ = first_; }

 private:
  const absl::Duration first_;
  const absl::Duration longest_;
  absl::Duration step_;
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_BACKOFF_H_
