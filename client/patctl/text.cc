#include "client/patctl/text.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace pat::patctl {
namespace {

constexpr absl::string_view kSecretPrefix = "pat_";
// A secret is longer; a part of one, or one with a typing error, is not for showing either.
constexpr size_t kShortestSecretBody = 16;

struct CodePoint {
  uint32_t value;
  size_t length;  // In bytes; 0 if there is no valid UTF-8 here.
};

CodePoint Decode(absl::string_view text) {
  constexpr CodePoint kInvalid{0, 0};
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return kInvalid;
  uint32_t value = first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return kInvalid;
    value = value << 6 | (byte(i) & 0x3F);
  }
  if (value < kSmallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return kInvalid;
  return {value, length};
}

bool IsInvisible(uint32_t value) {
  struct Range {
    uint32_t first;
    uint32_t last;
  };
  constexpr Range kRanges[] = {
      {0xAD, 0xAD},        // soft hyphen
      {0x61C, 0x61C},      // Arabic letter mark
      {0x200B, 0x200F},    // zero width, direction marks
      {0x2028, 0x202E},    // line and paragraph ends, direction overrides
      {0x2060, 0x206F},    // invisible operators, direction isolates
      {0xFEFF, 0xFEFF},    // byte order mark
      {0xFFF9, 0xFFFB},    // interlinear annotation
      {0xE0000, 0xE007F},  // tags
  };
  for (const Range& range : kRanges) {
    if (value >= range.first && value <= range.last) return true;
  }
  return false;
}

bool IsControl(uint32_t value) { return value < 0x20 || (value >= 0x7F && value < 0xA0); }

size_t SecretBodyLength(absl::string_view text) {
  size_t length = 0;
  while (length < text.size() && absl::ascii_isalnum(text[length])) ++length;
  return length;
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = Decode(text);
    if (point.length == 0) {
      absl::StrAppendFormat(&printable, "\\x%02x", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (IsControl(point.value)) {
      absl::StrAppendFormat(&printable, "\\x%02x", point.value);
    } else if (IsInvisible(point.value)) {
      absl::StrAppendFormat(&printable, "\\u{%x}", point.value);
    } else {
      absl::StrAppend(&printable, text.substr(0, point.length));
    }
    text.remove_prefix(point.length);
  }
  return printable;
}

size_t Width(absl::string_view text) {
  size_t width = 0;
  for (char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (!continues) ++width;
  }
  return width;
}

std::string MaskSecrets(absl::string_view text) {
  std::string masked;
  size_t at;
  while ((at = text.find(kSecretPrefix)) != absl::string_view::npos) {
    at += kSecretPrefix.size();
    absl::StrAppend(&masked, text.substr(0, at));
    text.remove_prefix(at);
    const size_t length = SecretBodyLength(text);
    if (length >= kShortestSecretBody) {
      absl::StrAppend(&masked, "...");
      text.remove_prefix(length);
    }
  }
  absl::StrAppend(&masked, text);
  return masked;
}

bool LooksLikeSecret(absl::string_view text) {
  return absl::ConsumePrefix(&text, kSecretPrefix) && SecretBodyLength(text) >= kShortestSecretBody;
}

}  // namespace pat::patctl
