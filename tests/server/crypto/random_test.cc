#include "server/crypto/random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bitset>
#include <cstdint>
#include <set>
#include <vector>

namespace pat {
namespace {

using Sample = std::array<uint8_t, 16>;

Sample RandomSample() {
  Sample sample = {};
  FillRandom(absl::MakeSpan(sample));
  return sample;
}

TEST(FillRandomTest, NeverRepeatsItself) {
  std::set<Sample> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.insert(RandomSample()).second);
  }
}

TEST(FillRandomTest, FillsExactlyTheSpan) {
  for (size_t size : {0u, 1u, 7u, 24u, 4096u}) {
    std::vector<uint8_t> bytes(size + 2, 0xaa);
    FillRandom(absl::MakeSpan(bytes).subspan(1, size));
    EXPECT_EQ(bytes.front(), 0xaa);
    EXPECT_EQ(bytes.back(), 0xaa);
  }
}

// 2^20 bits: the count of ones is within 8 standard deviations of a half except
// once in 10^15 runs.
TEST(FillRandomTest, HalfOfTheBitsAreOnes) {
  std::vector<uint8_t> bytes(1 << 17);
  FillRandom(absl::MakeSpan(bytes));
  int64_t ones = 0;
  for (uint8_t byte : bytes) {
    ones += static_cast<int64_t>(std::bitset<8>(byte).count());
  }
  EXPECT_NEAR(static_cast<double>(ones), 1 << 19, 8 * 512);
}

TEST(FillRandomTest, AForkedChildDrawsOtherBytes) {
  RandomSample();  // the generator is seeded before the fork
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Sample sample = RandomSample();
    _exit(write(fds[1], sample.data(), sample.size()) == static_cast<ssize_t>(sample.size()) ? 0 : 1);
  }
  Sample of_child = {};
  EXPECT_EQ(read(fds[0], of_child.data(), of_child.size()), static_cast<ssize_t>(of_child.size()));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(of_child, RandomSample());
  close(fds[0]);
  close(fds[1]);
}

}  // namespace
}  // namespace pat
