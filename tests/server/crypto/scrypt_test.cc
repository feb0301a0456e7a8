#include "server/crypto/scrypt.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "server/crypto/bytes.h"

namespace pat {
namespace {

// Cheap enough for tests that are not about the cost.
constexpr ScryptCost kCheap = {.n = 2, .r = 1, .p = 1};

struct ScryptVector {
  std::string password;
  std::string salt;
  ScryptCost cost;
  std::string key;
};

// RFC 7914, section 12: the first 32 of its 64 bytes, as PBKDF2 makes them
// first. Its fourth vector needs a gigabyte; see NeedsMoreThanTheBound.
TEST(ScryptTest, KnownAnswers) {
  const std::vector<ScryptVector> vectors = {
      {"", "", {.n = 16, .r = 1, .p = 1}, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"},
      {"password",
       "NaCl",
       {.n = 1024, .r = 8, .p = 16},
       "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"},
      {"pleaseletmein",
       "SodiumChloride",
       {.n = 16384, .r = 8, .p = 1},
       "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"},
  };
  for (const ScryptVector& vector : vectors) {
    const absl::StatusOr<ScryptKey> key = Scrypt(vector.password, AsBytes(vector.salt), vector.cost);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(absl::BytesToHexString(AsText(*key)), vector.key);
  }
}

TEST(ScryptTest, TheDefaultCostIsWithinTheBound) {
  EXPECT_EQ(ScryptCost(), (ScryptCost{.n = 32768, .r = 8, .p = 1}));
  EXPECT_TRUE(Scrypt("password", AsBytes("salt"), ScryptCost()).ok());
}

TEST(ScryptTest, EveryInputCounts) {
  const ScryptKey key = *Scrypt("password", AsBytes("salt"), kCheap);
  EXPECT_EQ(key, *Scrypt("password", AsBytes("salt"), kCheap));
  EXPECT_NE(key, *Scrypt("Password", AsBytes("salt"), kCheap));
  EXPECT_NE(key, *Scrypt("password", AsBytes("Salt"), kCheap));
  for (const ScryptCost& other :
       {ScryptCost{.n = 4, .r = 1, .p = 1}, ScryptCost{.n = 2, .r = 2, .p = 1}, ScryptCost{.n = 2, .r = 1, .p = 2}}) {
    EXPECT_NE(key, *Scrypt("password", AsBytes("salt"), other));
  }
}

TEST(ScryptTest, APasswordIsBytesNotACString) {
  const std::string with_nul("pass\0word", 9);
  EXPECT_NE(*Scrypt(with_nul, AsBytes("salt"), kCheap), *Scrypt("pass", AsBytes("salt"), kCheap));
}

TEST(ScryptTest, RefusesACostThatIsNone) {
  constexpr uint32_t kMax = std::numeric_limits<uint32_t>::max();
  for (const ScryptCost& cost :
       {ScryptCost{.n = 0, .r = 1, .p = 1}, ScryptCost{.n = 1, .r = 1, .p = 1}, ScryptCost{.n = 3, .r = 1, .p = 1},
        ScryptCost{.n = 2, .r = 0, .p = 1}, ScryptCost{.n = 2, .r = 1, .p = 0},
        ScryptCost{.n = 2, .r = 1, .p = kMaxScryptParallelism + 1}, ScryptCost{.n = 2, .r = 1, .p = kMax}}) {
    EXPECT_EQ(Scrypt("password", AsBytes("salt"), cost).status().code(), absl::StatusCode::kInvalidArgument)
        << cost.n << " " << cost.r << " " << cost.p;
  }
}

TEST(ScryptTest, NeedsMoreThanTheBound) {
  constexpr uint32_t kMax = std::numeric_limits<uint32_t>::max();
  for (const ScryptCost& cost :
       {// The fourth vector of RFC 7914.
        ScryptCost{.n = 1048576, .r = 8, .p = 1},
        // 128 MiB and a little more: the table alone is within the bound.
        ScryptCost{.n = 131072, .r = 8, .p = 1},
        // Products that overflow.
        ScryptCost{.n = uint64_t{1} << 63, .r = kMax, .p = 1}, ScryptCost{.n = uint64_t{1} << 57, .r = 1, .p = 1},
        ScryptCost{.n = 2, .r = kMax, .p = kMaxScryptParallelism}}) {
    EXPECT_EQ(Scrypt("password", AsBytes("salt"), cost).status().code(), absl::StatusCode::kResourceExhausted)
        << cost.n << " " << cost.r << " " << cost.p;
  }
}

TEST(ScryptTest, HalfTheBoundIsFine) {
  EXPECT_TRUE(Scrypt("password", AsBytes("salt"), {.n = 65536, .r = 8, .p = 1}).ok());
}

}  // namespace
}  // namespace pat
