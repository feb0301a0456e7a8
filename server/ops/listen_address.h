// Where a server listens: a TCP address or a Unix socket.
#ifndef PAT_SERVER_OPS_LISTEN_ADDRESS_H_
#define PAT_SERVER_OPS_LISTEN_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pat {

struct ListenAddress {
  bool is_unix = false;
  std::string host = {};       // TCP: "127.0.0.1", "::1".
  uint16_t port = 0;           // TCP; 0: the system chooses.
  std::string path = {};       // Unix.
  uint32_t mode = 0600;        // Unix: the permissions of the socket.
  bool introspectors = false;  // Unix, "role=introspector": whoever can open the socket may introspect.

  // True for 127.0.0.0/8 and ::1: nobody outside the machine can connect.
  bool IsLoopback() const;

  // "127.0.0.1:7443", "[::1]:7443" or "unix:/run/pat/pat.sock".
  std::string ToString() const;
};

// Takes numeric addresses with a port ("127.0.0.1:7443", "[::1]:7443") and "unix:/absolute/path", the latter with
// "?role=introspector&mode=0660" if wanted. The loopback forms may end in "?plaintext", which says what they are
// anyway. INVALID_ARGUMENT with what would be right.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

}  // namespace pat

#endif  // PAT_SERVER_OPS_LISTEN_ADDRESS_H_
