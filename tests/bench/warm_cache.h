// WarmCache: a cache of a million live tokens and a hundred thousand unknown ones, and what it costs in memory.
#ifndef PAT_TESTS_BENCH_WARM_CACHE_H_
#define PAT_TESTS_BENCH_WARM_CACHE_H_

#include <cstddef>
#include <memory>

#include "server/cache/caching_facts_reader.h"
#include "server/core/clock.h"
#include "server/core/introspection.h"
#include "tests/bench/sample_tokens.h"

namespace pat {

inline constexpr size_t kLiveTokens = 1'000'000;
inline constexpr size_t kUnknownTokens = 100'000;

// Of the whole process, in bytes.
struct MemoryInUse {
  size_t heap = 0;      // What malloc gave out, its own headers and rounding included.
  size_t resident = 0;  // What the kernel says.

  static MemoryInUse Now();
};

// Threads: once it is made, checks may run on any thread.
class WarmCache {
 public:
  // The only one; made, in a second or two, by the first call. Every secret of `live` is in the cache as active, every
  // one of `unknown` as inactive, or this aborts.
  static WarmCache& Get();

  const Clock clock{SystemClockSource()};
  SampleSecrets live{kLiveTokens, 1};
  SampleSecrets unknown{kUnknownTokens, 2};
  MadeUpFacts source{clock};

  // What making the cache and its live entries took. Everything counted: buckets and places too.
  MemoryInUse for_live;

  CachingFactsReader& cache() { return *cache_; }
  Introspector& introspector() { return *introspector_; }

 private:
  WarmCache();
  void Fill(const SampleSecrets& secrets, SampleCheck::Answer expected);

  std::unique_ptr<CachingFactsReader> cache_;
  std::unique_ptr<Introspector> introspector_;
};

}  // namespace pat

#endif  // PAT_TESTS_BENCH_WARM_CACHE_H_
