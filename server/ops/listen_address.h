// Where a server listens: a TCP address or a Unix socket.
#ifndef PAT_SERVER_OPS_LISTEN_ADDRESS_H_
#define PAT_SERVER_OPS_LISTEN_ADDRESS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/authn/call_info.h"

namespace pat {

struct ListenAddress {
  bool is_unix = false;
  std::string host = {};                  // TCP: "127.0.0.1", "::1".
  uint16_t port = 0;                      // TCP; 0: the system chooses.
  bool plaintext = false;                 // TCP, "?plaintext": no TLS. On loopback only.
  std::string path = {};                  // Unix.
  uint32_t mode = 0600;                   // Unix: the permissions of the socket.
  std::optional<ListenerRole> role = {};  // "role=introspector": whom it takes whoever can connect for.
                                          // Unix; or TCP in plaintext, and then it is introspector.

  // True for 127.0.0.0/8 and ::1: nobody outside the machine can connect.
  bool IsLoopback() const;

  // "127.0.0.1:7443", "[::1]:7443" or "unix:/run/pat/pat.sock".
  std::string ToString() const;

  // What it is, for people: "mutual TLS", "plaintext, role introspector", "Unix socket, role user, mode 0660".
  std::string About() const;
};

// Takes numeric addresses with a port ("127.0.0.1:7443", "[::1]:7443") and "unix:/absolute/path", the latter with
// "?role=introspector&mode=0660" if wanted (the roles: introspector, portal, user). The loopback forms may end in
// "?plaintext" or "?plaintext&role=introspector". INVALID_ARGUMENT with what would be right.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

// The same for an address that is in plaintext wherever it is: TCP, without options.
absl::StatusOr<ListenAddress> ParsePlaintextAddress(absl::string_view text);

}  // namespace pat

#endif  // PAT_SERVER_OPS_LISTEN_ADDRESS_H_
