// What patctl tells a person about a call that failed.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_ERROR_TEXT_H_
#define PAT_CLIENT_PATCTL_ERROR_TEXT_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "client/call_error.h"
#include "client/patctl/options.h"
#include "client/peer_certificate.h"

namespace pat::patctl {

// Code and message in the first line; then, each on a line of its own and only if it is there: the reason and its
// facts, every field that was wrong with what would be right, every limit that was hit, when to try again, and, if it
// was not the server's rules that refused, the cause and a hint what to do. Escaped; whatever looks like a secret is
// left out. `peer`: see connect_hint.h.
std::string RenderCallError(const client::CallError& error, const GlobalOptions& options,
                            const std::optional<client::PeerCertificate>& peer, absl::Time now);

// Whether nobody answered at all, so that the message is gRPC's.
bool IsConnectFailure(const client::CallError& error);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_ERROR_TEXT_H_
