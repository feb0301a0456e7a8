// What may stand in a text that comes from outside.
//
// Threads: pure functions.
#ifndef PAT_SERVER_CORE_TEXT_H_
#define PAT_SERVER_CORE_TEXT_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace pat {

// Characters of a text in UTF-8.
size_t CodePoints(absl::string_view text);

// C0 and C1 controls (NUL among them), DEL, and the line and paragraph separators: what could forge a line of a log or
// of a terminal. With `allow_lines` newline and tab are none.
bool HasControlCharacter(absl::string_view text, bool allow_lines);

// True for well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
bool IsUtf8(absl::string_view text);

bool IsPrintableAscii(absl::string_view text);

}  // namespace pat

#endif  // PAT_SERVER_CORE_TEXT_H_
