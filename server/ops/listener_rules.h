// Who may listen where, and whom a listener takes its callers for.
//
// `patd dev`: plaintext on loopback and Unix sockets, nowhere else; without a role a caller without credentials is an
// introspector, and with x-pat-user the portal.
//
// `patd authority`: TCP is mutual TLS; on loopback it may be plaintext if asked for, and then nobody is anybody there:
// health and reflection are all that can be had. A Unix socket takes whoever can open it for its role; without one
// (role=user) a password or a token has to be presented.
//
// `patd sidecar`: mutual TLS, Unix sockets, and plaintext on loopback; whoever connects is an introspector or nobody.
//
// Errors are one line that names the option, the address and what would be right.
//
// Threads: pure functions, but for the addresses that are tried.
#ifndef PAT_SERVER_OPS_LISTENER_RULES_H_
#define PAT_SERVER_OPS_LISTENER_RULES_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "server/ops/listener.h"
#include "server/ops/options.h"

namespace pat {

// Whether the options name files for TLS.
bool HasTls(const Options& options);

// Judges how the addresses and the options about TLS fit together, and whether the addresses are free.
absl::Status CheckDevListeners(const Options& options);
absl::Status CheckAuthorityListeners(const Options& options);
absl::Status CheckSidecarListeners(const Options& options);

// Of `patd sidecar`: whether an address of the authority is to be reached without TLS. Then all are.
bool IsPlaintextAuthority(const Options& options);

// For options that were found right. `tls` may be null if no listener needs it.
std::vector<ListenerSettings> DevListeners(const Options& options);
std::vector<ListenerSettings> AuthorityListeners(const Options& options,
                                                 const std::shared_ptr<grpc::ServerCredentials>& tls);

std::vector<ListenerSettings> SidecarListeners(const Options& options,
                                               const std::shared_ptr<grpc::ServerCredentials>& tls);

}  // namespace pat

#endif  // PAT_SERVER_OPS_LISTENER_RULES_H_
