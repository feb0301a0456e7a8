// Ways: the addresses of what is below a sidecar, as the network has them, and which one the sidecar uses. What
// AuthorityChannels (server/upstream/authority_channels.h) decides, without channels: all addresses lead to the same
// place, but each may be down by itself.
#ifndef PAT_TESTS_SIMULATION_WAYS_H_
#define PAT_TESTS_SIMULATION_WAYS_H_

#include <cstddef>
#include <vector>

#include "absl/time/time.h"

namespace pat::simulation {

// One address. It outlives the processes at both ends.
struct Link {
  // Until then nothing arrives, and nobody is told so.
  absl::Time cut_until = absl::InfinitePast();

  // Until then who sends is told that nobody can be reached.
  absl::Time refused_until = absl::InfinitePast();
};

// Of one process: another one begins with the first address again.
class Ways {
 public:
  // At least one.
  explicit Ways(std::vector<Link>& links) : links_(links) {}

  size_t size() const { return links_.size(); }
  Link& link(size_t way) { return links_[way]; }

  // The one in use.
  size_t current() const { return current_; }
  size_t After(size_t way) const { return (way + 1) % links_.size(); }

  // It failed: if it is still in use, the next one is from now on.
  void MoveOn(size_t way) {
    if (current_ == way) current_ = After(way);
  }

 private:
  std::vector<Link>& links_;
  size_t current_ = 0;
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_WAYS_H_
