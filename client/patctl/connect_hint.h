// Why no connection came about, and what to do about it, for a person.
//
// gRPC says it in words only, which differ between its versions: what is not recognised here gets no cause, and a hint
// that is good for all of them.
//
// Threads: pure functions, except where they read a file.
#ifndef PAT_CLIENT_PATCTL_CONNECT_HINT_H_
#define PAT_CLIENT_PATCTL_CONNECT_HINT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/patctl/options.h"
#include "client/peer_certificate.h"

namespace pat::patctl {

// What, and what to do: a line each, not yet escaped.
struct ConnectHint {
  std::string cause;  // Empty: not recognised.
  std::string hint;
};

// Whether the server's certificate was the problem: then it is worth looking at, for HintFor.
bool IsAboutServerCertificate(absl::string_view message);

// Whether the calls of these options go over TLS.
bool UsesTls(const GlobalOptions& options);

// For the message of an UNAVAILABLE that is gRPC's own. `peer`: the server's certificate, if it was looked at. Reads
// the client's own certificate, where that may have been the problem.
ConnectHint HintFor(absl::string_view message, const GlobalOptions& options,
                    const std::optional<client::PeerCertificate>& peer, absl::Time now);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_CONNECT_HINT_H_
