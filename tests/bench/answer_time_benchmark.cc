// Does the time of an answer tell whether somebody else's token is there? README.md says what is measured.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/core/clock.h"
#include "server/crypto/random.h"
#include "store/uid.h"
#include "tests/e2e/client.h"
#include "tests/e2e/dev_server.h"

namespace pat {
namespace {

constexpr size_t kCallsEach = 20'000;
constexpr size_t kTokens = 40;

std::string RandomTokenId() {
  TokenUid uid;
  FillRandom(absl::MakeSpan(uid.bytes));
  return uid.ToString();
}

double MedianOf(std::vector<int64_t>& nanos) {
  const auto middle = nanos.begin() + static_cast<std::ptrdiff_t>(nanos.size() / 2);
  std::nth_element(nanos.begin(), middle, nanos.end());
  return static_cast<double>(*middle);
}

// bob asks for tokens of `parent`: those that ada has and those that nobody has, in random order, so that whatever else
// the machine does meanwhile hits both alike.
void AnswerTime(benchmark::State& state, const std::string& parent) {
  DevServer server;
  std::vector<std::string> foreign;
  for (size_t i = 0; i < kTokens; ++i) {
    foreign.push_back(server.client().Create("ada", absl::StrCat("token ", i)).token.uid());
  }
  std::vector<std::string> absent;
  for (size_t i = 0; i < kTokens; ++i) absent.push_back(RandomTokenId());

  std::minstd_rand random(1);
  std::vector<int64_t> nanos[2];
  for (auto _ : state) {
    while (nanos[0].size() < kCallsEach || nanos[1].size() < kCallsEach) {
      const size_t kind = random() / 7 % 2;
      if (nanos[kind].size() >= kCallsEach) continue;
      v1::GetTokenRequest request;
      request.set_name(absl::StrCat(parent, "/tokens/", (kind == 0 ? foreign : absent)[random() / 7 % kTokens]));
      const int64_t begin = SystemClockSource().BootNanos();
      const auto answer = server.client().Call(&TokenStub::GetToken, PortalFor("bob"), request);
      nanos[kind].push_back(SystemClockSource().BootNanos() - begin);
      if (answer.status.error_code() != grpc::StatusCode::NOT_FOUND) {
        state.SkipWithError("bob was answered otherwise than NOT_FOUND");
        return;
      }
    }
  }
  const double of_foreign = MedianOf(nanos[0]);
  const double of_absent = MedianOf(nanos[1]);
  state.counters["foreign_us"] = of_foreign / 1000;
  state.counters["absent_us"] = of_absent / 1000;
  state.counters["ratio"] = of_foreign / of_absent;
}

// Under its owner's name; and its id under bob's own name, where the store is asked.
BENCHMARK_CAPTURE(AnswerTime, owners_name, std::string("users/ada"))->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(AnswerTime, own_name, std::string("users/bob"))->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pat
