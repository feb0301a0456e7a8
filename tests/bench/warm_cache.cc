#include "tests/bench/warm_cache.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace pat {
namespace {

// A shard that gets more than its share of the digests must not push any out, hence the capacity. Unknown ones stay as
// long as live ones, so that a long run does not find them gone. The source is asked as fast as it goes.
CacheOptions Options() {
  CacheOptions options;
  options.ttl = absl::Hours(24);
  options.negative_ttl = options.ttl;
  options.capacity = 1'200'000;
  options.max_loads_per_second = 1'000'000'000;
  return options;
}

}  // namespace

MemoryInUse MemoryInUse::Now() {
  const struct mallinfo2 heap = mallinfo2();
  size_t pages = 0;
  size_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident_pages;
  return {.heap = heap.uordblks + heap.hblkhd, .resident = resident_pages * static_cast<size_t>(sysconf(_SC_PAGESIZE))};
}

WarmCache& WarmCache::Get() {
  static auto& warm_cache = *new WarmCache();
  return warm_cache;
}

WarmCache::WarmCache() {
  const MemoryInUse before = MemoryInUse::Now();
  cache_ = std::make_unique<CachingFactsReader>(source, clock, Options());
  introspector_ = std::make_unique<Introspector>(*cache_, clock);
  Fill(live, SampleCheck::Answer::kAllow);
  const MemoryInUse after = MemoryInUse::Now();
  for_live = {.heap = after.heap - before.heap, .resident = after.resident - before.resident};

  source.set_say(MadeUpFacts::Say::kInactive);
  Fill(unknown, SampleCheck::Answer::kInactive);
  if (cache_->table().active_size() != live.size() || cache_->table().inactive_size() != unknown.size()) {
    std::fprintf(stderr, "the cache has %zu live and %zu unknown tokens; %zu and %zu were put in\n",
                 cache_->table().active_size(), cache_->table().inactive_size(), live.size(), unknown.size());
    std::abort();
  }
  // Entries lie in memory in the order in which they were made; no caller asks in that order.
  live.Shuffle(3);
  unknown.Shuffle(4);
}

void WarmCache::Fill(const SampleSecrets& secrets, SampleCheck::Answer expected) {
  for (size_t i = 0; i < secrets.size(); ++i) {
    SampleCheck check(secrets[i]);
    introspector_->Start(check);
    if (check.answer() == expected) continue;
    std::fprintf(stderr, "a sample token was not judged as it should be\n");
    std::abort();
  }
}

}  // namespace pat
