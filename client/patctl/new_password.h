// A password that is to be, as opposed to that of the user who asks.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_NEW_PASSWORD_H_
#define PAT_CLIENT_PATCTL_NEW_PASSWORD_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/patctl/session.h"
#include "client/secret_text.h"

namespace pat::patctl {

// What is in `file` ("-": standard input); without a file, or if standard input is a terminal, the person is asked
// twice. `user`, "users/ada", is for the question. Whether it is long enough is for the server to judge.
// INVALID_ARGUMENT: it cannot be read, or there is nobody to ask. CANCELLED: nothing was typed, or two different
// things.
absl::StatusOr<client::SecretText> ReadNewPassword(const std::string& file, const std::string& user, Session& session);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_NEW_PASSWORD_H_
