// CacheTest: a cache over a source that can be controlled, over a real authority in memory. Ada has an account.
#ifndef PAT_TESTS_SERVER_CACHE_CACHE_TEST_H_
#define PAT_TESTS_SERVER_CACHE_CACHE_TEST_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/introspection.h"
#include "server/core/use_recorder.h"
#include "tests/support/check_call.h"
#include "tests/support/controlled_facts_reader.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/test_authority.h"

namespace pat {

inline constexpr absl::Duration kTtl = absl::Hours(1);
inline constexpr absl::Duration kNegativeTtl = absl::Seconds(10);
inline constexpr absl::Duration kTick = absl::Nanoseconds(1);

// An authority with one user, and one cache over it.
struct CachedAuthority {
  explicit CachedAuthority(const CacheOptions& options = {}) : cache(source, authority.clock, options) {
    authority.AddUser("ada");
    authority.on_new_secret = [this](const TokenDigest& digest) { cache.ForgetInactive(digest); };
  }

  TestAuthority authority;
  ControlledFactsReader source{authority.facts};
  CachingFactsReader cache;
  UseRecorder uses;
  Introspector introspector{cache, authority.clock, &uses};

  // Shorter to write.
  absl::Time Now() const { return authority.clock.Now(); }
  void Advance(absl::Duration duration) { authority.time.Advance(duration); }
  IssuedToken Issue() { return authority.Issue("ada"); }
  ReceivedFacts Ask(const IssuedToken& token, std::optional<absl::Duration> max_staleness = std::nullopt) {
    return pat::Ask(cache, token.digest, max_staleness);
  }
  bool IsActive(const IssuedToken& token) { return Ask(token).active(); }
  size_t loads() const { return source.finds(); }
};

class CacheTest : public testing::Test, protected CachedAuthority {
 protected:
  explicit CacheTest(const CacheOptions& options = {}) : CachedAuthority(options) {}
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_CACHE_CACHE_TEST_H_
