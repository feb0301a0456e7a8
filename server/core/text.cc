#include "server/core/text.h"

#include <algorithm>
#include <cstdint>

namespace pat {

size_t CodePoints(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

bool HasControlCharacter(absl::string_view text, bool allow_lines) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (allow_lines && (c == '\n' || c == '\t')) continue;
    if (c < 0x20 || c == 0x7f) return true;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xa0) return true;
    if (c == 0xe2 && (text.substr(i, 3) == "\u2028" || text.substr(i, 3) == "\u2029")) return true;
  }
  return false;
}

bool IsUtf8(absl::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<uint8_t>(text[i]);
    size_t following = 0;
    uint32_t point = lead;
    uint32_t smallest = 0;
    if (lead >= 0x80) {
      if (lead < 0xc2 || lead > 0xf4) return false;
      following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
      smallest = following == 1 ? 0x80 : following == 2 ? 0x800 : 0x10000;
      point = lead & (0x3f >> following);
    }
    if (text.size() - i <= following) return false;
    for (size_t k = 1; k <= following; ++k) {
      const auto next = static_cast<uint8_t>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = (point << 6) | (next & 0x3f);
    }
    if (point < smallest || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    i += 1 + following;
  }
  return true;
}

bool IsPrintableAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace pat
