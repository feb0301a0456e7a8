#include "server/core/token_secret.h"

#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

using ::testing::ContainsRegex;
using ::testing::Each;
using ::testing::MatchesRegex;

constexpr absl::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

using Bits = std::array<uint8_t, 32>;

Bits BitsOf(absl::string_view hex) {
  const std::string bytes = absl::HexStringToBytes(hex);
  Bits bits{};
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<uint8_t>(bytes.at(i));
  return bits;
}

std::string HexOf(const Sha256Digest& digest) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string Mint() {
  const Secret secret = MintSecret();
  return std::string(secret.Reveal());
}

std::string Encode(const Bits& bits) {
  const Secret secret = EncodeSecret(bits);
  return std::string(secret.Reveal());
}

// Made by this Python program, which shares nothing with the code under test:
//
//   import hashlib, zlib
//   DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
//   def base62(number, width):
//       digits = ""
//       for _ in range(width):
//           number, digit = divmod(number, 62)
//           digits = DIGITS[digit] + digits
//       return digits
//   def secret(bits):
//       text = "pat_" + base62(int.from_bytes(bits, "big"), 43)
//       return text + base62(zlib.crc32(text.encode()), 6)
//   for bits in [bytes(32), bytes(31) + b"\1", b"\x80" + bytes(31), bytes(range(32)),
//                hashlib.sha256(b"pat-sidecar").digest(), b"\xff" * 32]:
//       print(bits.hex(), secret(bits), hashlib.sha256(secret(bits).encode()).hexdigest())
struct KnownSecret {
  absl::string_view bits;
  absl::string_view secret;
  absl::string_view digest;
};

constexpr KnownSecret kKnownSecrets[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "pat_00000000000000000000000000000000000000000002GjXJC",
     "8b7c3a0488232bf643e897401366de782e94463e8b12eba1b6c6afc13cedc4dd"},
    {"0000000000000000000000000000000000000000000000000000000000000001",
     "pat_00000000000000000000000000000000000000000010Ehxm0",
     "1ded67c49b28f3eb382446c71dd52d174f5fa8a970d217bc5da9f7ed4c2fb50a"},
    {"8000000000000000000000000000000000000000000000000000000000000000",
     "pat_ULrwNTJa3CHVaAVmO8lHlO4Afd3drtx651MXvhT4GuW1PSgeK",
     "111bfffeace5c454bb8deea5524375259bcf4ca3bedab01bb994f71fbeafbea2"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "pat_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1akZus",
     "43d33dd59de7b4a92c23deeb1d221de8473a238e4a9e98a6676628ba3218e367"},
    {"76a0dda102122a685166b7b3b0c904811c38a5855fa632b1a627eaa78b3dd106",
     "pat_S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C1YAThD",
     "7593b4371fda73aaa6d67a5eb384f5b601b0e01d73ed731420d3cbffc34a7efb"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "pat_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13oiRF4",
     "3a13402599aaf5d1a3178a1da65b148be01589587f90c613a8943e25cc841fdb"},
};

TEST(EncodeSecretTest, GivesTheKnownSecrets) {
  for (const KnownSecret& known : kKnownSecrets) EXPECT_EQ(Encode(BitsOf(known.bits)), known.secret);
}

TEST(DigestOfTest, IsSha256OfTheWholeSecret) {
  for (const KnownSecret& known : kKnownSecrets) EXPECT_EQ(HexOf(DigestOf(known.secret).bytes), known.digest);
  // FIPS 180-4's own examples: whatever the text is, malformed or not.
  EXPECT_EQ(HexOf(DigestOf("").bytes), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf(DigestOf("abc").bytes), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// The 43 digits as a number again, digit by digit: number = number * 62 + digit.
Bits Decode(absl::string_view secret) {
  Bits bits{};
  for (const char digit : secret.substr(4, 43)) {
    auto carry = static_cast<uint32_t>(kDigits.find(digit));
    for (size_t i = bits.size(); i-- > 0;) {
      carry += bits[i] * 62u;
      bits[i] = static_cast<uint8_t>(carry);
      carry >>= 8;
    }
    EXPECT_EQ(carry, 0u) << "not below 2^256";
  }
  return bits;
}

TEST(EncodeSecretTest, KeepsEveryBit) {
  for (size_t bit = 0; bit < 256; ++bit) {
    for (const uint8_t background : {0x00, 0xff, 0x5a}) {
      Bits bits;
      bits.fill(background);
      bits[bit / 8] = static_cast<uint8_t>(bits[bit / 8] ^ (1u << (bit % 8)));
      ASSERT_EQ(Decode(Encode(bits)), bits) << "bit " << bit;
    }
  }
}

TEST(MintSecretTest, HasTheFormThatScannersLookFor) {
  const auto is_one = MatchesRegex("pat_[0-9A-Za-z]{49}");
  const auto has_one = ContainsRegex(R"(\bpat_[0-9A-Za-z]{49}\b)");
  for (int i = 0; i < 1000; ++i) {
    const std::string secret = Mint();
    ASSERT_EQ(secret.size(), kSecretLength);
    ASSERT_THAT(secret, is_one);
    ASSERT_TRUE(HasSecretForm(secret)) << secret;
    ASSERT_THAT(absl::StrCat("curl -H 'authorization: Bearer ", secret, "' https://localhost"), has_one);
    ASSERT_THAT(absl::StrCat("PAT_TOKEN=", secret, "\n"), has_one);
  }
}

TEST(MintSecretTest, UsesAll256Bits) {
  Bits ever{};
  Bits always;
  always.fill(0xff);
  for (int i = 0; i < 200; ++i) {
    const Bits bits = Decode(Mint());
    for (size_t byte = 0; byte < bits.size(); ++byte) {
      ever[byte] = static_cast<uint8_t>(ever[byte] | bits[byte]);
      always[byte] = static_cast<uint8_t>(always[byte] & bits[byte]);
    }
  }
  EXPECT_THAT(ever, Each(0xff));
  EXPECT_THAT(always, Each(0));
}

TEST(MintSecretTest, AMillionSecretsAreAllDifferent) {
  constexpr size_t kSecrets = 1'000'000;
  absl::flat_hash_set<std::string> secrets;
  secrets.reserve(kSecrets);
  for (size_t i = 0; i < kSecrets; ++i) ASSERT_TRUE(secrets.insert(Mint()).second);
}

TEST(HasSecretFormTest, AcceptsTheKnownSecrets) {
  for (const KnownSecret& known : kKnownSecrets) EXPECT_TRUE(HasSecretForm(known.secret));
}

// CRC-32 finds every error within 32 neighbouring bits, so these are certain, not likely.
TEST(HasSecretFormTest, RefusesEverySingleWrongCharacter) {
  for (int i = 0; i < 1000; ++i) {
    std::string secret = Mint();
    for (char& character : secret) {
      const char right = character;
      for (const char wrong : kDigits) {
        if (wrong == right) continue;
        character = wrong;
        ASSERT_FALSE(HasSecretForm(secret)) << secret;
      }
      character = right;
    }
    ASSERT_TRUE(HasSecretForm(secret));
  }
}

TEST(HasSecretFormTest, RefusesEveryOtherByteInEveryPlace) {
  for (int i = 0; i < 20; ++i) {
    std::string secret = Mint();
    for (char& character : secret) {
      const char right = character;
      for (int byte = 0; byte < 256; ++byte) {
        character = static_cast<char>(byte);
        ASSERT_EQ(HasSecretForm(secret), character == right) << absl::CHexEscape(secret);
      }
      character = right;
    }
  }
}

TEST(HasSecretFormTest, RefusesTwoNeighboursThatChangedPlaces) {
  int tried = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string secret = Mint();
    for (size_t at = 0; at + 1 < secret.size(); ++at) {
      if (secret[at] == secret[at + 1]) continue;
      std::swap(secret[at], secret[at + 1]);
      ASSERT_FALSE(HasSecretForm(secret)) << secret;
      std::swap(secret[at], secret[at + 1]);
      ++tried;
    }
  }
  EXPECT_GT(tried, 40'000);
}

TEST(HasSecretFormTest, RefusesEveryOtherLength) {
  const std::string secret(kKnownSecrets[4].secret);
  std::string longer = secret;
  for (int i = 0; i < 100; ++i) longer += kDigits[i % kDigits.size()];
  for (size_t length = 0; length <= 100; ++length) {
    EXPECT_EQ(HasSecretForm(longer.substr(0, length)), length == kSecretLength) << length;
    EXPECT_FALSE(HasSecretForm(std::string(length, 'p'))) << length;
    EXPECT_FALSE(HasSecretForm(std::string(length, '0'))) << length;
  }
  EXPECT_FALSE(HasSecretForm(absl::string_view()));
  EXPECT_FALSE(HasSecretForm(std::string(1 << 20, '0')));
}

TEST(HasSecretFormTest, RefusesWhatIsOnlyAroundASecret) {
  const std::string secret(kKnownSecrets[4].secret);
  for (const absl::string_view around : {absl::string_view(" "), absl::string_view("\n"), absl::string_view("\r\n"),
                                         absl::string_view("\0", 1), absl::string_view("\""), absl::string_view("=")}) {
    EXPECT_FALSE(HasSecretForm(absl::StrCat(secret, around)));
    EXPECT_FALSE(HasSecretForm(absl::StrCat(around, secret)));
    // Also if the length is right again.
    EXPECT_FALSE(HasSecretForm(absl::StrCat(secret.substr(0, secret.size() - around.size()), around)));
    EXPECT_FALSE(HasSecretForm(absl::StrCat(around, secret.substr(around.size()))));
  }
}

TEST(HasSecretFormTest, RefusesOtherPrefixesThoughTheCheckSumIsRightForThem) {
  // By the same program as above, with these prefixes; the first one is right.
  EXPECT_TRUE(HasSecretForm("pat_S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C1YAThD"));
  for (const absl::string_view secret : {
           "PAT_S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C2rsqBg",
           "Pat_S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C0Q51HN",
           "pat-S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C00160b",
           "pat.S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C2JbqfD",
           "tap_S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C3hGpwL",
           "pbt_S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C3tk46A",
           "pat0S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C3ehqBh",
           "____S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C2RbBxb",
           "ghp_S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C1phY5O",
       }) {
    ASSERT_EQ(secret.size(), kSecretLength);
    EXPECT_FALSE(HasSecretForm(secret)) << secret;
  }
  std::string upper(kKnownSecrets[4].secret);
  for (const bool all : {false, true}) {
    for (size_t i = 0; i < (all ? upper.size() : 3); ++i) upper[i] = absl::ascii_toupper(upper[i]);
    EXPECT_FALSE(HasSecretForm(upper));
  }
}

TEST(HasSecretFormTest, RefusesDigitsOfOtherAlphabetsThoughTheCheckSumIsRightForThem) {
  for (const absl::string_view secret : {
           "pat_-85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C34nP8l",
           "pat__85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C3dNqfN",
           "pat_S85QE1pFVj4hsuzI+Y8dLRs2wyGOeaXUHhaacKK9r9C3fOAZo",
           "pat_S85QE1pFVj4hsuzI/Y8dLRs2wyGOeaXUHhaacKK9r9C35tzmr",
           "pat_S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9=49nl9k",
           "pat_S85QE1pFVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9 2LMq9R",
           "pat_S85QE1@FVj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C4Rrq4C",
           "pat_S85QE1p[Vj4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C1uac8Z",
           "pat_S85QE1pF`j4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C1KDmiL",
           "pat_S85QE1pFV{4hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C1Z6qp4",
           "pat_S85QE1pFVj:hsuzI3Y8dLRs2wyGOeaXUHhaacKK9r9C2bldkG",
       }) {
    ASSERT_EQ(secret.size(), kSecretLength);
    EXPECT_FALSE(HasSecretForm(secret)) << absl::CHexEscape(secret);
  }
}

// Six digits can say numbers of 2^32 and above; the same check sum plus 2^32 must not pass for it.
TEST(HasSecretFormTest, RefusesACheckSumThatIsRightOnlyIn32Bits) {
  for (const KnownSecret& known : kKnownSecrets) {
    uint64_t sum = 0;
    for (const char digit : known.secret.substr(47)) sum = sum * 62 + kDigits.find(digit);
    int tried = 0;
    for (uint64_t wrong = sum + (uint64_t{1} << 32); wrong < uint64_t{62} * 62 * 62 * 62 * 62 * 62;
         wrong += uint64_t{1} << 32) {
      std::string secret(known.secret);
      uint64_t rest = wrong;
      for (size_t at = secret.size(); at-- > 47; rest /= 62) secret[at] = kDigits[rest % 62];
      EXPECT_FALSE(HasSecretForm(secret)) << secret;
      ++tried;
    }
    EXPECT_GE(tried, 12);
  }
}

// 2^256 itself, and 43 times the last digit. No secret is ever made with such a number, but the form does not exclude
// them.
TEST(HasSecretFormTest, AcceptsNumbersAboveTheLargestThatIsMade) {
  EXPECT_TRUE(HasSecretForm("pat_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp21LP4YK"));
  EXPECT_TRUE(HasSecretForm("pat_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz0Rr2Ch"));
}

TEST(HasSecretFormTest, ReadsNothingBeyondItsArgument) {
  // In a block of memory of exactly this size; a sanitizer notices the byte after it.
  const std::vector<char> exact(kKnownSecrets[0].secret.begin(), kKnownSecrets[0].secret.end());
  EXPECT_TRUE(HasSecretForm({exact.data(), exact.size()}));
  for (size_t length = 0; length < exact.size(); ++length) {
    const std::vector<char> part(exact.begin(), exact.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(HasSecretForm({part.data(), part.size()}));
  }
}

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <typename T>
concept Concatenable = requires(const T& value) {
  absl::StrCat(value);
};

TEST(TokenDigestTest, IsATypeOfItsOwnThatCannotBePrinted) {
  static_assert(!Printable<TokenDigest> && !Concatenable<TokenDigest>);
  static_assert(!std::is_convertible_v<TokenDigest, Sha256Digest>);
  static_assert(!std::is_convertible_v<TokenDigest, absl::string_view>);
  static_assert(!Printable<Secret> && !Concatenable<Secret>);
  EXPECT_TRUE(DigestOf("a") == DigestOf("a"));
  EXPECT_FALSE(DigestOf("a") == DigestOf("b"));
}

}  // namespace
}  // namespace pat
