// Can this address be listened on? Asked before anything is made on disk, so that a start that fails leaves nothing
// behind.
#ifndef PAT_SERVER_OPS_ADDRESS_CHECK_H_
#define PAT_SERVER_OPS_ADDRESS_CHECK_H_

#include "absl/status/status.h"
#include "server/ops/listen_address.h"

namespace pat {

// Binds and lets go again. UNAVAILABLE if somebody listens there; other errors as the system says. Unix sockets have a
// check of their own (unix_socket.h); here only that their directory is there.
absl::Status CheckAddressFree(const ListenAddress& address);

}  // namespace pat

#endif  // PAT_SERVER_OPS_ADDRESS_CHECK_H_
