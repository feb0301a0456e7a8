#include "server/crypto/wipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace pat {
namespace {

using ::testing::Each;

TEST(SecureWipeTest, OverwritesTheBytesAndNoOthers) {
  std::array<uint8_t, 6> bytes = {1, 2, 3, 4, 5, 6};
  SecureWipe(bytes.data() + 1, 4);
  EXPECT_EQ(bytes, (std::array<uint8_t, 6>{1, 0, 0, 0, 0, 6}));
}

TEST(SecureWipeTest, NothingIsFine) { SecureWipe(nullptr, 0); }

TEST(SecureWipeTest, EmptiesAStringAndWipesAllItsMemory) {
  for (size_t size : {0u, 5u, 15u, 16u, 1000u}) {
    std::string text(size, 's');
    const char* memory = text.data();
    SecureWipe(text);
    EXPECT_EQ(text, "");
    ASSERT_EQ(text.data(), memory) << "it was wiped somewhere else";
    // The string still owns this memory; it just does not count as its content.
    EXPECT_THAT(std::vector<char>(memory, memory + size), Each('\0'));
  }
}

TEST(SecureWipeTest, WipesWhatAStringHoldsBeyondItsEnd) {
  std::string text = "a secret that does not fit into the object";
  const size_t size = text.size();
  const char* memory = text.data();
  text.resize(1);
  SecureWipe(text);
  EXPECT_THAT(std::vector<char>(memory, memory + size), Each('\0'));
}

}  // namespace
}  // namespace pat
