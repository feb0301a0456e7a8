#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <string>

#include "server/crypto/bytes.h"
#include "server/crypto/constant_time.h"
#include "server/crypto/digest.h"
#include "server/crypto/random.h"
#include "server/crypto/scrypt.h"

namespace pat {
namespace {

// About the length of a token's secret.
const std::string& Data() {
  static const auto& data = *new std::string(53, 't');
  return data;
}

void BM_Sha256(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Sha256(Data()));
}
BENCHMARK(BM_Sha256);

void BM_HmacSha256OneShot(benchmark::State& state) {
  const std::string key(32, 'k');
  for (auto _ : state) {
    benchmark::DoNotOptimize(HmacSha256(AsBytes(key), AsBytes(Data())));
  }
}
BENCHMARK(BM_HmacSha256OneShot);

void BM_HmacSha256Key(benchmark::State& state) {
  const HmacSha256Key key(AsBytes(std::string(32, 'k')));
  for (auto _ : state) benchmark::DoNotOptimize(key.Mac(AsBytes(Data())));
}
BENCHMARK(BM_HmacSha256Key);

void BM_ConstantTimeEqual(benchmark::State& state) {
  const Sha256Digest a = Sha256("a");
  const Sha256Digest b = Sha256("a");
  for (auto _ : state) benchmark::DoNotOptimize(ConstantTimeEqual(a, b));
}
BENCHMARK(BM_ConstantTimeEqual);

void BM_FillRandom24(benchmark::State& state) {
  std::array<uint8_t, 24> bytes;
  for (auto _ : state) {
    FillRandom(absl::MakeSpan(bytes));
    benchmark::DoNotOptimize(bytes);
  }
}
BENCHMARK(BM_FillRandom24);

void BM_ScryptDefaultCost(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(Scrypt("password", AsBytes("salt"), {}));
  }
}
BENCHMARK(BM_ScryptDefaultCost)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pat
