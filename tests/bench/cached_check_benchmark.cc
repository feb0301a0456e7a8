// P3, P4, the in-process part of P7, and P8. README.md says what they are measured against.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/core/token_secret.h"
#include "tests/bench/sample_tokens.h"
#include "tests/bench/warm_cache.h"

namespace pat {
namespace {

// Checks each secret in turn, a new query for each as a server has it.
void CheckInTurn(benchmark::State& state, const SampleSecrets& secrets, SampleCheck::Answer expected,
                 AnswerSource source) {
  Introspector& introspector = WarmCache::Get().introspector();
  static size_t next = 0;  // Goes on from run to run, so that a short one does not meet the same few again.
  size_t wrong = 0;
  for (auto _ : state) {
    if (++next >= secrets.size()) next = 0;
    SampleCheck check(secrets[next]);
    introspector.Start(check);
    wrong += check.answer() != expected || check.source() != source ? 1 : 0;
  }
  if (wrong > 0) state.SkipWithError("a check did not give the answer that it should");
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}

// ---- P3

void RandomKeys(benchmark::State& state) {
  CheckInTurn(state, WarmCache::Get().live, SampleCheck::Answer::kAllow, AnswerSource::kCache);
}
BENCHMARK(RandomKeys)->Name("P3/cached_check/random_keys");

void HotKey(benchmark::State& state) {
  WarmCache& warm = WarmCache::Get();
  size_t wrong = 0;
  for (auto _ : state) {
    SampleCheck check(warm.live[0]);
    warm.introspector().Start(check);
    wrong += check.answer() != SampleCheck::Answer::kAllow ? 1 : 0;
  }
  if (wrong > 0) state.SkipWithError("a check did not give the answer that it should");
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(HotKey)->Name("P3/cached_check/hot_key");

// What P3 is made of, each part by itself.

void SecretForm(benchmark::State& state) {
  const SampleSecrets& secrets = WarmCache::Get().live;
  size_t next = 0;
  for (auto _ : state) {
    if (++next >= secrets.size()) next = 0;
    benchmark::DoNotOptimize(HasSecretForm(secrets[next]));
  }
}
BENCHMARK(SecretForm)->Name("P3/part/secret_form");

void Digest(benchmark::State& state) {
  const SampleSecrets& secrets = WarmCache::Get().live;
  size_t next = 0;
  for (auto _ : state) {
    if (++next >= secrets.size()) next = 0;
    benchmark::DoNotOptimize(DigestOf(secrets[next]));
  }
}
BENCHMARK(Digest)->Name("P3/part/sha256");

void ClockRead(benchmark::State& state) {
  const Clock& clock = WarmCache::Get().clock;
  for (auto _ : state) benchmark::DoNotOptimize(clock.Read());
}
BENCHMARK(ClockRead)->Name("P3/part/clock");

// One read at a place that nobody could guess, in as much memory as the cache has. A check of a random key has to wait
// for two of them, one after the other: its bucket and its entry.
struct alignas(64) Line {
  uint32_t next = 0;
};

void RandomRead(benchmark::State& state) {
  constexpr size_t kLines = size_t{300} * 1'000'000 / sizeof(Line);
  std::vector<Line> lines(kLines);
  for (size_t i = 0; i < kLines; ++i) lines[i].next = static_cast<uint32_t>(i);
  // One ring through all of them (Sattolo's shuffle).
  std::mt19937_64 random(5);
  for (size_t i = kLines - 1; i > 0; --i) std::swap(lines[i].next, lines[random() % i].next);
  uint32_t at = 0;
  for (auto _ : state) at = lines[at].next;
  benchmark::DoNotOptimize(at);
}
BENCHMARK(RandomRead)->Name("P3/part/random_read")->Iterations(2'000'000);

// ---- P7

void UnknownToken(benchmark::State& state) {
  CheckInTurn(state, WarmCache::Get().unknown, SampleCheck::Answer::kInactive, AnswerSource::kCache);
}
BENCHMARK(UnknownToken)->Name("P7/unknown_token");

void MalformedToken(benchmark::State& state) {
  WarmCache& warm = WarmCache::Get();
  std::string secret(warm.live[0]);
  secret.back() = secret.back() == '0' ? '1' : '0';  // All is well but for the check sum.
  size_t wrong = 0;
  for (auto _ : state) {
    SampleCheck check(secret);
    warm.introspector().Start(check);
    wrong += check.answer() != SampleCheck::Answer::kInactive || check.source() != AnswerSource::kFormat ? 1 : 0;
  }
  if (wrong > 0) state.SkipWithError("a check did not give the answer that it should");
}
BENCHMARK(MalformedToken)->Name("P7/malformed_token");

// ---- P4

// What one of `threads` threads does so many times.
using Work = void (*)(size_t thread, size_t times);

// Of all threads together, a second.
struct Rates {
  double by_wall_time = 0;
  double by_cpu_time = 0;  // As if no thread had ever waited for a processor.
};

double CpuSecondsOfThisThread() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

// So many times on each thread at once.
Rates RatesOf(Work work, size_t threads, size_t times) {
  using SteadyClock = std::chrono::steady_clock;
  std::barrier start(static_cast<std::ptrdiff_t>(threads) + 1);
  std::vector<double> cpu_seconds(threads);
  std::vector<std::thread> running;
  for (size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      start.arrive_and_wait();
      const double before = CpuSecondsOfThisThread();
      work(i, times);
      cpu_seconds[i] = CpuSecondsOfThisThread() - before;
    });
  }
  start.arrive_and_wait();
  const SteadyClock::time_point began = SteadyClock::now();
  for (std::thread& thread : running) thread.join();
  const std::chrono::duration<double> took = SteadyClock::now() - began;
  Rates rates;
  rates.by_wall_time = static_cast<double>(threads * times) / took.count();
  for (const double seconds : cpu_seconds) rates.by_cpu_time += static_cast<double>(times) / seconds;
  return rates;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// One thread, two, two, one: what the machine does meanwhile falls on both alike. `ratio` is the median of the pairs,
// `same_over_same` that of one block and the next of its kind: what of the ratio is noise.
void TwoThreads(benchmark::State& state, Work work) {
  constexpr size_t kTimes = 300'000;
  WarmCache::Get();
  RatesOf(work, 2, kTimes);
  std::vector<double> ratios;
  std::vector<double> ratios_by_cpu_time;
  std::vector<double> same;
  const auto compare = [&](const Rates& two, const Rates& one) {
    ratios.push_back(two.by_wall_time / one.by_wall_time);
    ratios_by_cpu_time.push_back(two.by_cpu_time / one.by_cpu_time);
  };
  for (auto _ : state) {
    const Rates one = RatesOf(work, 1, kTimes);
    const Rates two = RatesOf(work, 2, kTimes);
    const Rates two_again = RatesOf(work, 2, kTimes);
    const Rates one_again = RatesOf(work, 1, kTimes);
    compare(two, one);
    compare(two_again, one_again);
    same.push_back(two_again.by_wall_time / two.by_wall_time);
    same.push_back(one_again.by_wall_time / one.by_wall_time);
  }
  state.counters["ratio"] = Median(ratios);
  state.counters["ratio_by_cpu_time"] = Median(ratios_by_cpu_time);
  state.counters["same_over_same"] = Median(same);
}

void CheckOneKey(size_t index, size_t times) {
  WarmCache& warm = WarmCache::Get();
  for (size_t i = 0; i < times; ++i) {
    SampleCheck check(warm.live[index]);
    warm.introspector().Start(check);
    benchmark::DoNotOptimize(check.answer());
  }
}

void CheckHotKey(size_t /*thread*/, size_t times) { CheckOneKey(0, times); }

// As much work as with one hot key for all, but each thread has an entry to itself.
void CheckOwnHotKey(size_t thread, size_t times) { CheckOneKey(thread, times); }

// Far apart, so that the threads do not meet the same ones.
void CheckOwnKeys(size_t thread, size_t times) {
  WarmCache& warm = WarmCache::Get();
  const size_t begin = thread * (kLiveTokens / 2);
  for (size_t i = 0; i < times; ++i) {
    SampleCheck check(warm.live[begin + i]);
    warm.introspector().Start(check);
    benchmark::DoNotOptimize(check.answer());
  }
}

// Only a thread's own stack is written here, and the clock and the cache are not touched: more than this the machine
// does not give, which is not 2 if its processors are two threads of one core.
void FormAndDigest(size_t /*thread*/, size_t times) {
  const absl::string_view secret = WarmCache::Get().live[0];
  for (size_t i = 0; i < times * 2; ++i) {
    benchmark::DoNotOptimize(HasSecretForm(secret));
    benchmark::DoNotOptimize(DigestOf(secret));
  }
}

constexpr int kRounds = 9;
void ForSomeRounds(benchmark::internal::Benchmark* benchmark) {
  benchmark->Iterations(kRounds)->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(TwoThreads, hot_key, CheckHotKey)->Name("P4/two_threads/hot_key")->Apply(ForSomeRounds);
BENCHMARK_CAPTURE(TwoThreads, own_hot_key, CheckOwnHotKey)->Name("P4/two_threads/own_hot_key")->Apply(ForSomeRounds);
BENCHMARK_CAPTURE(TwoThreads, own_keys, CheckOwnKeys)->Name("P4/two_threads/own_keys")->Apply(ForSomeRounds);
BENCHMARK_CAPTURE(TwoThreads, machine, FormAndDigest)->Name("P4/two_threads/machine")->Apply(ForSomeRounds);

// ---- P8

// The memory was counted when the cache was made; there is nothing to repeat.
void Memory(benchmark::State& state) {
  const MemoryInUse& memory = WarmCache::Get().for_live;
  for (auto _ : state) {
  }
  const auto per_token = [](size_t bytes) { return static_cast<double>(bytes) / kLiveTokens; };
  state.counters["heap_bytes_per_token"] = per_token(memory.heap);
  state.counters["resident_bytes_per_token"] = per_token(memory.resident);
}
BENCHMARK(Memory)->Name("P8/memory_per_cached_token")->Iterations(1);

}  // namespace
}  // namespace pat
