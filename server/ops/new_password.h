// A new password for `patd init`: never an argument, where other users of the machine could read it.
#ifndef PAT_SERVER_OPS_NEW_PASSWORD_H_
#define PAT_SERVER_OPS_NEW_PASSWORD_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/crypto/secret.h"

namespace pat {

// `file`: a secret file (server/core/secret_file.h), "-" for standard input, or empty to ask on the terminal, twice and
// without showing it. A line end at the end is not part of it. INVALID_ARGUMENT and the like, in one line: what cannot
// be read, no terminal to ask at, two that differ. What a password may be is judged elsewhere.
absl::StatusOr<Secret> ReadNewPassword(const std::string& file);

}  // namespace pat

#endif  // PAT_SERVER_OPS_NEW_PASSWORD_H_
