// The in-process part of P6: a check that the cache cannot answer. README.md says what it is measured against.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/cache/caching_facts_reader.h"
#include "server/core/clock.h"
#include "server/core/executor.h"
#include "server/core/introspection.h"
#include "server/core/peppers.h"
#include "server/core/store_facts.h"
#include "store/memory/memory_token_store.h"
#include "store/rocksdb/rocksdb_token_store.h"
#include "store/token_store.h"
#include "tests/bench/sample_tokens.h"

namespace pat {
namespace {

// Next to no token is met again before it was pushed out.
constexpr size_t kCacheCapacity = 1000;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

CacheOptions SmallCache() {
  CacheOptions options;
  options.capacity = kCacheCapacity;
  options.max_loads_per_second = 1'000'000'000;
  return options;
}

std::unique_ptr<const Peppers> OnePepper() {
  std::vector<Secret> peppers;
  peppers.push_back(Secret(std::string(32, 'p')));
  return Peppers::Create(std::move(peppers)).value();
}

void CheckInTurn(benchmark::State& state, const SampleSecrets& secrets, Introspector& introspector) {
  size_t next = 0;
  size_t wrong = 0;
  for (auto _ : state) {
    if (++next >= secrets.size()) next = 0;
    SampleCheck check(secrets[next]);
    introspector.Start(check);
    wrong += check.answer() != SampleCheck::Answer::kAllow || check.source() != AnswerSource::kStore ? 1 : 0;
  }
  if (wrong * 100 > static_cast<size_t>(state.iterations())) {
    state.SkipWithError("more than one in a hundred checks was not answered by the source on the spot");
  }
  state.counters["not_by_source"] = static_cast<double>(wrong);
}

// An authority: `store` with so many tokens, and all that is between it and the caller. A source that answered later,
// from another thread, would be seen as a wrong answer above.
class Authority {
 public:
  Authority(std::unique_ptr<TokenStore> store, size_t tokens) : secrets(tokens, 1), store_(std::move(store)) {
    Fill();
    secrets.Shuffle(2);
  }

  SampleSecrets secrets;
  Introspector& introspector() { return introspector_; }

 private:
  void Fill();
  TokenRecord RecordOf(absl::string_view secret) const;

  const Clock clock_{SystemClockSource()};
  const std::shared_ptr<const ScopeCatalog> catalog_ = ShippedCatalog();
  const std::unique_ptr<const Peppers> peppers_ = OnePepper();
  UserRecord owner_;
  std::unique_ptr<TokenStore> store_;
  ThreadPool executor_{1, 1000};
  StoreFacts facts_{*store_, *peppers_, *catalog_, clock_, executor_};
  CachingFactsReader cache_{facts_, clock_, SmallCache()};
  Introspector introspector_{cache_, clock_};
};

TokenRecord Authority::RecordOf(absl::string_view secret) const {
  const TokenDigest digest = DigestOf(secret);
  TokenRecord token;
  std::memcpy(token.uid.bytes.data(), digest.bytes.data(), token.uid.bytes.size());
  token.owner = owner_.uid;
  token.owner_id = owner_.id;
  token.display_name = "token of " + token.uid.ToString();
  token.description = "for the nightly run";
  token.scopes = SampleScopes();
  token.create_time = owner_.create_time;
  token.expire_time = absl::FromUnixSeconds(absl::ToUnixSeconds(owner_.create_time)) + absl::Hours(24 * 90);
  token.hmac = peppers_->Hmac(digest);
  return token;
}

// Many tokens a mutation, which a server never does; it makes filling a matter of seconds. Every one is read once, from
// a thread that may wait, so that it is in memory.
void Authority::Fill() {
  owner_.uid.bytes.fill(1);
  owner_.id = std::string(kSampleOwner);
  owner_.grants = {"*"};
  owner_.create_time = clock_.Now();
  constexpr size_t kAtOnce = 5000;
  for (size_t begin = 0; begin < secrets.size(); begin += kAtOnce) {
    const absl::Status status = store_->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      owner_.change_sequence = transaction.Sequence();
      if (begin == 0) {
        if (absl::Status put = transaction.PutUser(owner_); !put.ok()) return put;
      }
      for (size_t i = begin; i < std::min(begin + kAtOnce, secrets.size()); ++i) {
        TokenRecord token = RecordOf(secrets[i]);
        token.create_sequence = token.change_sequence = transaction.Sequence();
        if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
      }
      return Decision::kCommit;
    });
    if (!status.ok()) Die(std::string(status.message()));
  }
  for (size_t i = 0; i < secrets.size(); ++i) {
    const absl::StatusOr<FindOutcome> found =
        store_->FindByHmac({peppers_->Hmac(DigestOf(secrets[i]))}, Blocking::kAllowed);
    if (!found.ok() || !found->found.has_value()) Die("a token that was put into the store is not there");
  }
}

// In memory if there is room: what is measured never goes to the disk, and filling is quicker.
class ScratchDirectory {
 public:
  ScratchDirectory() : path_("/dev/shm/pat-bench.XXXXXX") {
    if (mkdtemp(path_.data()) != nullptr) return;
    path_ = "/tmp/pat-bench.XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) Die("no directory under /dev/shm or /tmp");
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What the cache's own part of a miss costs: the load, the entry, and pushing out another one.
void MadeUpSource(benchmark::State& state) {
  static const auto& secrets = *new SampleSecrets(1'000'000, 1);
  const Clock clock(SystemClockSource());
  MadeUpFacts source(clock);
  CachingFactsReader cache(source, clock, SmallCache());
  Introspector introspector(cache, clock);
  CheckInTurn(state, secrets, introspector);
}
BENCHMARK(MadeUpSource)->Name("P6/miss/made_up_source");

// The stores have a fixed number of iterations: they would be filled again for each attempt to find one.

void MemoryStore(benchmark::State& state) {
  Authority authority(NewMemoryTokenStore(), static_cast<size_t>(state.range(0)));
  CheckInTurn(state, authority.secrets, authority.introspector());
}
BENCHMARK(MemoryStore)->Name("P6/miss/memory_store/tokens")->Arg(100'000)->Iterations(300'000);

void RocksDbStore(benchmark::State& state) {
  const ScratchDirectory directory;
  RocksDbOptions options;
  options.directory = directory.path() + "/store";
  options.create_if_missing = true;
  options.development = true;
  options.block_cache_bytes = size_t{4} << 30;
  absl::StatusOr<std::unique_ptr<TokenStore>> store = OpenRocksDbTokenStore(options);
  if (!store.ok()) Die(std::string(store.status().message()));
  Authority authority(*std::move(store), static_cast<size_t>(state.range(0)));
  CheckInTurn(state, authority.secrets, authority.introspector());
}
BENCHMARK(RocksDbStore)->Name("P6/miss/rocksdb/tokens")->Arg(1'000'000)->Iterations(1'000'000);

}  // namespace
}  // namespace pat
