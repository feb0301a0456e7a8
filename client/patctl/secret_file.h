// Reading secrets from files and descriptors, without leaving copies behind.
//
// Threads: no shared state.
#ifndef PAT_CLIENT_PATCTL_SECRET_FILE_H_
#define PAT_CLIENT_PATCTL_SECRET_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/patctl/console.h"
#include "client/secret_text.h"

namespace pat::patctl {

// No password and no token is longer.
inline constexpr size_t kLongestSecret = 4096;

// Everything that can be read from `descriptor`. INVALID_ARGUMENT: more than `limit` bytes, or it cannot be read.
absl::StatusOr<client::SecretText> ReadDescriptor(int descriptor, size_t limit);

// Writes a line to standard error, with the path and what to do, if `path` is a file that its group or everybody can
// read. What cannot be looked at, and what is no file (a pipe), is for whoever opens it to judge.
void WarnIfOthersCanRead(const std::string& path, Console& console);

// What is in the file `path`, or, if that is "-", on standard input; there, if it is a terminal, the person is asked
// with `prompt` instead. One line end is taken off. Warns as above. INVALID_ARGUMENT, with the path: it cannot be read,
// is empty or too long.
absl::StatusOr<client::SecretText> ReadSecretFile(const std::string& path, absl::string_view prompt, Console& console);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_SECRET_FILE_H_
