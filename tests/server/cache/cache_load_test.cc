// C8 and C9: many callers for one token, and many tokens that do not exist.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/server/cache/cache_test.h"

namespace pat {
namespace {

// Sanitizers take ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kFlood = 100'000;
#else
constexpr uint64_t kFlood = 1'000'000;
#endif

// ---- C8

class ColdKeyTest : public CacheTest {
 protected:
  static constexpr int kCallers = 1000;

  // A thousand threads ask while the source is silent; then it says this.
  std::vector<std::unique_ptr<FactsRecorder>> AskFromManyThreads(const IssuedToken& token,
                                                                 const absl::Status& instead) {
    source.Hold();
    std::vector<std::unique_ptr<FactsRecorder>> receivers;
    for (int i = 0; i < kCallers; ++i) receivers.push_back(std::make_unique<FactsRecorder>());
    absl::BlockingCounter asked(kCallers);
    std::vector<std::thread> threads;
    threads.reserve(kCallers);
    for (int i = 0; i < kCallers; ++i) {
      threads.emplace_back([&, receiver = receivers[i].get()] {
        cache.Find(token.digest, {}, *receiver);
        asked.DecrementCount();
        receiver->Wait();
      });
    }
    asked.Wait();
    source.Release(instead);
    for (std::thread& thread : threads) thread.join();
    return receivers;
  }
};

TEST_F(ColdKeyTest, AThousandThreadsMakeOneRead) {
  const IssuedToken token = Issue();
  for (const auto& receiver : AskFromManyThreads(token, absl::OkStatus())) {
    EXPECT_EQ(receiver->times(), 1);
    EXPECT_TRUE(receiver->Wait().active());
  }
  EXPECT_EQ(loads(), 1);
  EXPECT_EQ(authority.store.finds_in_memory(), 1);
}

TEST_F(ColdKeyTest, IfThatReadFailsEverybodyIsToldAndNothingIsRemembered) {
  const IssuedToken token = Issue();
  for (const auto& receiver : AskFromManyThreads(token, absl::UnavailableError("down"))) {
    EXPECT_EQ(receiver->times(), 1);
    EXPECT_EQ(receiver->Wait().status.code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_EQ(loads(), 1);
  EXPECT_EQ(cache.table().active_size() + cache.table().inactive_size(), 0);
  EXPECT_TRUE(IsActive(token));
  EXPECT_EQ(loads(), 2);
}

// ---- C9

class FloodTest : public CacheTest {
 protected:
  static constexpr size_t kCapacity = 10'000;
  static constexpr size_t kHot = 1000;
  FloodTest() : CacheTest({.capacity = kCapacity}) {}
};

TEST_F(FloodTest, UnknownTokensNeitherFillTheMemoryNorPushOutGoodOnes) {
  authority.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = kHot; });
  std::vector<IssuedToken> hot;
  for (size_t i = 0; i < kHot; ++i) hot.push_back(Issue());
  for (const IssuedToken& token : hot) ASSERT_TRUE(IsActive(token));
  const size_t loads_before = loads();

  size_t lookups = 0;
  size_t misses = 0;
  for (uint64_t i = 0; i < kFlood; ++i) {
    Advance(absl::Microseconds(100));  // 10,000 a second.
    const ReceivedFacts flooded = pat::Ask(cache, UnknownDigest(i));
    ASSERT_TRUE(flooded.status.ok());
    ASSERT_FALSE(flooded.active());
    const ReceivedFacts good = Ask(hot[i % kHot]);
    ASSERT_TRUE(good.active());
    ++lookups;
    if (good.source != FactsSource::kCache) ++misses;
    if (i % 10'000 == 0) {
      ASSERT_LE(cache.table().inactive_size(), kCapacity / 10);
      ASSERT_LE(cache.table().active_size(), kCapacity - kCapacity / 10);
    }
  }
  EXPECT_LE(misses * 100, lookups);
  EXPECT_EQ(misses, 0);
  EXPECT_EQ(loads() - loads_before, kFlood);
  EXPECT_LE(cache.table().inactive_size(), kCapacity / 10);
}

// ---- All of it at once: threads that ask, revoke, regenerate and sweep, and a clock that runs.

TEST_F(CacheTest, HoldsTheBoundUnderThreads) {
  constexpr int kTokens = 16;
  constexpr int kSteps = 3000;
  authority.AddUser("bob");
  struct Tracked {
    IssuedToken token;
    absl::Mutex mutex;
    absl::Time revoked_at ABSL_GUARDED_BY(mutex) = absl::InfiniteFuture();
  };
  std::vector<std::unique_ptr<Tracked>> tracked;
  for (int i = 0; i < kTokens; ++i) {
    tracked.push_back(std::make_unique<Tracked>());
    tracked.back()->token = authority.Issue("bob");
  }
  std::atomic<int> asking{2};
  std::atomic<int> wrong{0};
  std::atomic<int> active{0};
  const auto ask = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int step = 0; step < kSteps * 4; ++step) {
      Tracked& one = *tracked[random() % kTokens];
      std::optional<absl::Duration> max_staleness;
      if (random() % 4 == 0) max_staleness = absl::Seconds(static_cast<int64_t>(random() % 4000));
      const absl::Time revoked_at = [&one] {
        const absl::MutexLock lock(&one.mutex);
        return one.revoked_at;
      }();
      const ReceivedFacts answer = Ask(one.token, max_staleness);
      // revoked_at was known before the question; so the bound is on the answer's side.
      if (!answer.status.ok()) continue;
      if (answer.active()) active.fetch_add(1);
      if (answer.active() && answer.now > revoked_at + kTtl) wrong.fetch_add(1);
      if (answer.active() && answer.facts->uid != one.token.uid) wrong.fetch_add(1);
    }
    asking.fetch_sub(1);
  };
  const auto write = [&] {
    std::mt19937_64 random(3);
    size_t next = 0;
    while (asking.load() > 0) {
      Advance(absl::Seconds(static_cast<int64_t>(random() % 100)));
      if (random() % 8 == 0) cache.Sweep();
      if (next < kTokens && random() % 16 == 0) {
        Tracked& one = *tracked[next++];
        authority.Revoke(one.token);
        const absl::MutexLock lock(&one.mutex);
        one.revoked_at = Now();
      }
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(ask, 1);
  threads.emplace_back(ask, 2);
  threads.emplace_back(write);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(active, 0);
}

}  // namespace
}  // namespace pat
