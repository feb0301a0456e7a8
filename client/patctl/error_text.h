// What patctl tells a person about a call that failed.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_ERROR_TEXT_H_
#define PAT_CLIENT_PATCTL_ERROR_TEXT_H_

#include <string>

#include "client/call_error.h"
#include "client/patctl/options.h"

namespace pat::patctl {

// Code and message in the first line; then, each on a line of its own and only if it is there: the reason and its
// facts, every field that was wrong with what would be right, every limit that was hit, when to try again, and a hint
// if it was not the server's rules that refused. Escaped; whatever looks like a secret is left out.
std::string RenderCallError(const client::CallError& error, const GlobalOptions& options);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_ERROR_TEXT_H_
