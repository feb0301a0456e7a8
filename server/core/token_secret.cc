#include "server/core/token_secret.h"

#include <zlib.h>

#include <string>
#include <utility>

#include "server/crypto/random.h"
#include "server/crypto/wipe.h"

namespace pat {
namespace {

constexpr absl::string_view kPrefix = "pat_";
constexpr size_t kRandomDigits = 43;  // 62^43 > 2^256
constexpr size_t kSumDigits = 6;      // 62^6 > 2^32
static_assert(kPrefix.size() + kRandomDigits + kSumDigits == kSecretLength);

constexpr absl::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr uint32_t kBase = 62;
static_assert(kDigits.size() == kBase);

// The value of each character as a digit. Values use the lower six bits, so that an OR over many of them keeps
// kNotADigit.
constexpr uint8_t kNotADigit = 0x80;
constexpr std::array<uint8_t, 256> kValueOf = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kNotADigit);
  for (size_t value = 0; value < kDigits.size(); ++value) {
    values[static_cast<unsigned char>(kDigits[value])] = static_cast<uint8_t>(value);
  }
  return values;
}();

// HasSecretForm is on the way of every call, and zlib takes longer for these few bytes than all the rest of it. CRC-32
// is linear, so here it is the xor of what each digit contributes in its place, with a constant for all that is always
// the same.
constexpr uint32_t Absorb(uint32_t crc, uint8_t byte) {
  constexpr uint32_t kPolynomial = 0xEDB88320;
  crc ^= byte;
  for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
  return crc;
}

constexpr uint32_t kConstantPart = [] {
  uint32_t crc = 0xFFFFFFFF;
  for (const char byte : kPrefix) crc = Absorb(crc, static_cast<uint8_t>(byte));
  for (size_t place = 0; place < kRandomDigits; ++place) crc = Absorb(crc, 0);
  return crc ^ 0xFFFFFFFF;
}();

// By place and value. Rows of 64, so that no value, kNotADigit cut off, is out of them.
constexpr std::array<std::array<uint32_t, 64>, kRandomDigits> kContribution = [] {
  std::array<std::array<uint32_t, 64>, kRandomDigits> contribution{};
  for (size_t value = 0; value < kDigits.size(); ++value) {
    uint32_t crc = Absorb(0, static_cast<uint8_t>(kDigits[value]));
    for (size_t place = kRandomDigits; place-- > 0; crc = Absorb(crc, 0)) contribution[place][value] = crc;
  }
  return contribution;
}();

// Writes the last `count` digits of `value`, in front of `end`.
void WriteDigits(uint32_t value, size_t count, char* end) {
  for (; count > 0; --count, value /= kBase) *--end = kDigits[value % kBase];
}

// Divides the number (most significant word first) and returns the remainder.
uint32_t DivideBy(uint32_t divisor, std::array<uint32_t, 8>& number) {
  uint64_t rest = 0;
  for (uint32_t& word : number) {
    rest = rest << 32 | word;
    word = static_cast<uint32_t>(rest / divisor);
    rest %= divisor;
  }
  return static_cast<uint32_t>(rest);
}

}  // namespace

Secret MintSecret() {
  std::array<uint8_t, 32> bits;
  FillRandom(absl::MakeSpan(bits));
  Secret secret = EncodeSecret(bits);
  SecureWipe(bits.data(), bits.size());
  return secret;
}

Secret EncodeSecret(const std::array<uint8_t, 32>& bits) {
  std::array<uint32_t, 8> number{};
  for (size_t i = 0; i < bits.size(); ++i) number[i / 4] = number[i / 4] << 8 | bits[i];

  std::string text(kPrefix);
  text.resize(kSecretLength);
  // From the end, as many digits at a time as a word holds.
  constexpr size_t kDigitsAtATime = 5;
  constexpr uint32_t kDivisor = kBase * kBase * kBase * kBase * kBase;
  size_t left = kRandomDigits;
  for (; left >= kDigitsAtATime; left -= kDigitsAtATime) {
    WriteDigits(DivideBy(kDivisor, number), kDigitsAtATime, &text[kPrefix.size() + left]);
  }
  WriteDigits(DivideBy(kDivisor, number), left, &text[kPrefix.size() + left]);
  SecureWipe(number.data(), sizeof(number));

  const uLong sum = crc32(0, reinterpret_cast<const Bytef*>(text.data()), kSecretLength - kSumDigits);
  WriteDigits(static_cast<uint32_t>(sum), kSumDigits, text.data() + text.size());
  return Secret(std::move(text));
}

// 2 % of all runs of 43 digits are numbers of 2^256 and above, which MintSecret never makes. They pass: what the form
// promises to scanners and to other programs is prefix, length, alphabet and check sum, and who can compute a check sum
// can as well choose a smaller number, so that refusing them would protect nothing.
bool HasSecretForm(absl::string_view text) {
  if (text.size() != kSecretLength || text.substr(0, kPrefix.size()) != kPrefix) return false;
  const auto* digits = reinterpret_cast<const unsigned char*>(text.data()) + kPrefix.size();
  uint8_t seen = 0;
  uint32_t right_sum = kConstantPart;
  for (size_t place = 0; place < kRandomDigits; ++place) {
    const uint8_t value = kValueOf[digits[place]];
    seen |= value;
    right_sum ^= kContribution[place][value % 64];
  }
  uint64_t sum = 0;  // Six digits can say more than 32 bits can.
  for (size_t place = kRandomDigits; place < kRandomDigits + kSumDigits; ++place) {
    const uint8_t value = kValueOf[digits[place]];
    seen |= value;
    sum = sum * kBase + value;
  }
  return (seen & kNotADigit) == 0 && sum == right_sum;
}

TokenDigest DigestOf(absl::string_view secret) { return {.bytes = Sha256(secret)}; }

}  // namespace pat
