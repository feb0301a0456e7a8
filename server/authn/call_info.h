// What authentication looks at: what one call brought with it, as plain values, whatever carried it.
#ifndef PAT_SERVER_AUTHN_CALL_INFO_H_
#define PAT_SERVER_AUTHN_CALL_INFO_H_

#include <cstdint>
#include <optional>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"

namespace pat {

// What a listener takes a caller for who brings no credential of its own. Where there is a certificate, its role counts
// and not the listener's.
enum class ListenerRole : uint8_t {
  kNone,          // Nobody. TCP with TLS: the client certificate tells.
  kUser,          // Nobody either: for those who bring a password or a token.
  kIntrospector,  // A service that checks tokens: the mode of the Unix socket is the gate.
  kPortal,        // A web front end, with x-pat-user: again the mode is the gate.
  kDev,           // `patd dev` on loopback: an introspector, and with x-pat-user the portal. In this mode only.
};

// The names in the certificate that a client has shown in the handshake.
struct PeerCertificate {
  absl::string_view spiffe_id = {};  // Empty: none, or more than one URI (then it is not to be trusted).
  absl::InlinedVector<absl::string_view, 2> uris = {};
  absl::InlinedVector<absl::string_view, 2> dns_names = {};
};

// Views: they must live until authentication is done.
struct CallInfo {
  absl::string_view method = {};  // "/pat.v1.TokenService/CreateToken".
  ListenerRole listener_role = ListenerRole::kNone;
  absl::string_view listener = {};  // Its address, "unix:/run/pat/pat.sock".

  // A password or a token may be sent here: TLS, a Unix socket, or `patd dev`.
  bool confidential = true;

  // Absent: the listener has no TLS. With TLS there is always a certificate.
  std::optional<PeerCertificate> certificate = {};

  // From where: "ipv4:10.0.0.7:47110", "ipv6:[::1]:47110", "unix:/run/pat/pat.sock" (the listener). Empty for an
  // introspection without a header that is judged: nobody asks.
  absl::string_view peer = {};

  absl::InlinedVector<absl::string_view, 1> authorization = {};  // Each value of the header.
  absl::InlinedVector<absl::string_view, 1> portal_user = {};    // Each value of x-pat-user.
};

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_CALL_INFO_H_
