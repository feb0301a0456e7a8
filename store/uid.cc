#include "store/uid.h"

#include "absl/strings/ascii.h"

namespace pat {
namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr size_t kTextLength = 36;

constexpr bool IsDashPosition(size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

}  // namespace

std::string FormatUid(const std::array<uint8_t, 16>& bytes) {
  std::string text;
  text.reserve(kTextLength);
  for (const uint8_t byte : bytes) {
    if (IsDashPosition(text.size())) text.push_back('-');
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0xf]);
  }
  return text;
}

std::optional<std::array<uint8_t, 16>> ParseUid(absl::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  std::array<uint8_t, 16> bytes{};
  size_t digit = 0;
  for (size_t i = 0; i < kTextLength; ++i) {
    if (IsDashPosition(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = HexValue(text[i]);
    if (value < 0) return std::nullopt;
    bytes[digit / 2] = static_cast<uint8_t>((bytes[digit / 2] << 4) | value);
    ++digit;
  }
  return bytes;
}

}  // namespace pat
