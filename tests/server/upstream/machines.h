// Machines: an authority with its cache, and caches over it, each on a machine of its own with clocks that are set
// differently. The hops between them are what UpstreamFacts sends and reads, without a socket; time passes on the way.
#ifndef PAT_TESTS_SERVER_UPSTREAM_MACHINES_H_
#define PAT_TESTS_SERVER_UPSTREAM_MACHINES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "server/cache/caching_facts_reader.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/test_authority.h"
#include "tests/support/wire_hop.h"

namespace pat {

inline constexpr absl::Duration kTtl = absl::Hours(1);
inline constexpr absl::Duration kNegativeTtl = absl::Seconds(10);
inline constexpr absl::Duration kTick = absl::Nanoseconds(1);

// A machine with a cache over what is below it.
struct Layer {
  Layer(FactsReader& below, const Clock& clock_below, absl::Duration skew, const CacheOptions& options)
      : time(absl::FromUnixSeconds(FakeClockSource::kStartSeconds) + skew),
        hop(below, clock_below, clock),
        cache(hop, clock, options) {}

  FakeClockSource time;
  const Clock clock{time};
  WireHop hop;
  CachingFactsReader cache;
};

// An authority with its cache, and caches over it.
class Machines {
 public:
  Machines(const std::vector<absl::Duration>& skews, const CacheOptions& upper, const CacheOptions& lowest = {})
      : lowest_(authority.facts, authority.clock, lowest) {
    authority.AddUser("ada");
    FactsReader* below = &lowest_;
    const Clock* clock_below = &authority.clock;
    for (const absl::Duration skew : skews) {
      layers.push_back(std::make_unique<Layer>(*below, *clock_below, skew, upper));
      below = &layers.back()->cache;
      clock_below = &layers.back()->clock;
    }
  }

  // True time passes, everywhere.
  void Advance(absl::Duration duration) {
    authority.time.Advance(duration);
    for (const auto& layer : layers) layer->time.Advance(duration);
    elapsed += duration;
  }

  CachingFactsReader& top() { return layers.back()->cache; }
  ReceivedFacts Ask(const IssuedToken& token, std::optional<absl::Duration> staleness = std::nullopt) {
    return pat::Ask(top(), token.digest, staleness);
  }

  TestAuthority authority;
  std::vector<std::unique_ptr<Layer>> layers;
  absl::Duration elapsed;  // True time, since the beginning.

 private:
  CachingFactsReader lowest_;
};

inline absl::Duration RandomBelow(absl::Duration limit, std::mt19937_64& random) {
  return absl::Nanoseconds(static_cast<int64_t>(random() % static_cast<uint64_t>(absl::ToInt64Nanoseconds(limit))));
}

}  // namespace pat

#endif  // PAT_TESTS_SERVER_UPSTREAM_MACHINES_H_
