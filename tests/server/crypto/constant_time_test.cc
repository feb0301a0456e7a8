#include "server/crypto/constant_time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "server/crypto/bytes.h"

namespace pat {
namespace {

TEST(ConstantTimeEqualTest, SameBytesAreEqual) {
  const std::vector<uint8_t> a = {0, 1, 2, 255};
  const std::vector<uint8_t> b = {0, 1, 2, 255};
  EXPECT_TRUE(ConstantTimeEqual(a, b));
  EXPECT_TRUE(ConstantTimeEqual(a, a));
}

TEST(ConstantTimeEqualTest, ADifferenceAtAnyPlaceIsSeen) {
  const std::vector<uint8_t> a(67, 0x5a);
  for (size_t i = 0; i < a.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<uint8_t> b = a;
      b[i] ^= static_cast<uint8_t>(1 << bit);
      EXPECT_FALSE(ConstantTimeEqual(a, b)) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(ConstantTimeEqualTest, APrefixIsNotEqual) {
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("token"), AsBytes("toke")));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes(""), AsBytes("t")));
}

TEST(ConstantTimeEqualTest, EmptyEqualsEmptyWhateverThePointer) {
  EXPECT_TRUE(ConstantTimeEqual({}, {}));
  EXPECT_TRUE(ConstantTimeEqual({}, AsBytes("")));
}

}  // namespace
}  // namespace pat
