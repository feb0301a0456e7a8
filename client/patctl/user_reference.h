// How a person names a user: everywhere in the same two ways.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_USER_REFERENCE_H_
#define PAT_CLIENT_PATCTL_USER_REFERENCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pat::patctl {

// "ada", for "ada" and for its resource name "users/ada". INVALID_ARGUMENT: no name, one that stands for several users
// ("-"), or one of something else, such as a token. Whether there can be such a user is for the server to judge.
absl::StatusOr<std::string> ParseUser(absl::string_view text);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_USER_REFERENCE_H_
