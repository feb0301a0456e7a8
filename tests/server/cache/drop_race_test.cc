// Drops against loads, in threads: once a drop has returned, nothing that was read before it is told to anybody who
// asks afterwards.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/cache/caching_facts_reader.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/fake_clock.h"

namespace pat {
namespace {

constexpr size_t kTokens = 8;

// Tells of each token how often it was changed, as the number of its audiences; owners are two. Every second answer
// comes from another thread's call, later.
class CountingSource final : public FactsReader {
 public:
  void Find(const TokenDigest& digest, const FindOptions& /*options*/, FactsReceiver& receiver) override {
    const size_t n = digest.bytes[1] % kTokens;
    TokenFacts facts;
    facts.uid.bytes[0] = static_cast<uint8_t>(n);
    facts.owner_id = n % 2 == 0 ? "ada" : "bob";
    facts.expire_time = absl::InfiniteFuture();
    facts.audiences = {std::to_string(changes[n].load())};
    if (finds_.fetch_add(1) % 2 == 0) return Tell(facts, receiver);
    Late now{};
    {
      const absl::MutexLock lock(&mutex_);
      now = std::exchange(late_, {std::move(facts), &receiver});
    }
    if (now.receiver != nullptr) Tell(now.facts, *now.receiver);
  }

  void TellTheLast() {
    Late last{};
    {
      const absl::MutexLock lock(&mutex_);
      last = std::exchange(late_, {});
    }
    if (last.receiver != nullptr) Tell(last.facts, *last.receiver);
  }

  std::array<std::atomic<int>, kTokens> changes{};

 private:
  struct Late {
    TokenFacts facts;
    FactsReceiver* receiver = nullptr;
  };

  static void Tell(const TokenFacts& facts, FactsReceiver& receiver) {
    receiver.Receive(FactsAnswer{.facts = &facts, .fresh_for = absl::InfiniteDuration()});
  }

  std::atomic<uint64_t> finds_{0};
  absl::Mutex mutex_;
  Late late_ ABSL_GUARDED_BY(mutex_);
};

TokenDigest DigestOfToken(size_t n) {
  TokenDigest digest;
  digest.bytes[0] = static_cast<uint8_t>(n);  // The shard.
  digest.bytes[1] = static_cast<uint8_t>(n);
  return digest;
}

void RunRace(bool push, bool everything) {
  FakeClockSource time;
  const Clock clock(time);
  CountingSource source;
  CachingFactsReader cache(source, clock, {.capacity = 1000, .push = push});
  // What whoever asks now must at least be told.
  std::array<std::atomic<int>, kTokens> dropped{};
  std::atomic<bool> stop{false};
  std::atomic<int> stale{0};
  std::atomic<int> hits{0};

  std::vector<std::thread> threads;
  for (int seed = 0; seed < 3; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      while (!stop.load()) {
        const size_t n = random() % kTokens;
        const int least = dropped[n].load();
        FactsRecorder receiver;
        cache.Find(DigestOfToken(n), {}, receiver);
        while (!receiver.done()) source.TellTheLast();
        const ReceivedFacts answer = receiver.Wait();
        if (std::stoi(answer.facts->audiences[0]) < least) stale.fetch_add(1);
        if (answer.source == FactsSource::kCache) hits.fetch_add(1);
        time.Advance(absl::Nanoseconds(1));
      }
    });
  }
  std::mt19937_64 random(99);
  for (int i = 0; i < 3000; ++i) {
    // Now and then the others meet an entry first: on few processors they would come too late for any.
    if (i % 30 == 0) {
      const int before = hits.load();
      while (hits.load() == before) std::this_thread::yield();
    }
    const size_t n = random() % kTokens;
    if (everything || random() % 10 == 0) {
      std::array<int, kTokens> now{};
      for (size_t k = 0; k < kTokens; ++k) now[k] = source.changes[k].fetch_add(1) + 1;
      cache.DropAll();
      for (size_t k = 0; k < kTokens; ++k) dropped[k].store(now[k]);
    } else if (random() % 3 == 0) {
      std::array<int, kTokens> now{};
      for (size_t k = n % 2; k < kTokens; k += 2) now[k] = source.changes[k].fetch_add(1) + 1;
      cache.DropOwner(n % 2 == 0 ? "ada" : "bob");
      for (size_t k = n % 2; k < kTokens; k += 2) dropped[k].store(now[k]);
    } else {
      const int now = source.changes[n].fetch_add(1) + 1;
      cache.Drop(TokenUid{.bytes = {static_cast<uint8_t>(n)}});
      dropped[n].store(now);
    }
  }
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stale, 0);
  EXPECT_GT(hits, 0);
}

TEST(DropRaceTest, NothingStaleAfterADropInPushMode) { RunRace(/*push=*/true, /*everything=*/false); }
TEST(DropRaceTest, NothingStaleAfterADropOfEverything) { RunRace(/*push=*/true, /*everything=*/true); }
TEST(DropRaceTest, NothingStaleAfterADropWithoutPushMode) { RunRace(/*push=*/false, /*everything=*/true); }

}  // namespace
}  // namespace pat
