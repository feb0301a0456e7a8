// Text from elsewhere, made fit for a terminal.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_TEXT_H_
#define PAT_CLIENT_PATCTL_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace pat::patctl {

// `text` with everything escaped that could move the cursor, colour, hide or reorder what a terminal shows: control
// characters and bytes that are not UTF-8 as \x1b, invisible and direction-changing characters as \u{202e}. Line ends
// too: the result is one line.
std::string Printable(absl::string_view text);

// How many columns Printable text takes, counting each code point as one.
size_t Width(absl::string_view text);

// `text` with the body of everything that looks like a token's secret replaced: "pat_...". For texts that quote what a
// person typed or what a server said.
std::string MaskSecrets(absl::string_view text);

// True if `text` is a secret, as far as its looks go.
bool LooksLikeSecret(absl::string_view text);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_TEXT_H_
