// Can this address be listened on? Asked before anything is made on disk, so that a start that fails leaves nothing
// behind.
#ifndef PAT_SERVER_OPS_ADDRESS_CHECK_H_
#define PAT_SERVER_OPS_ADDRESS_CHECK_H_

#include "absl/status/status.h"
#include "server/ops/listen_address.h"

namespace pat {

// TCP: binds and lets go again. UNAVAILABLE if somebody listens there; other errors as the system says. Unix sockets:
// UnixSocketPlace::Check().
absl::Status CheckAddressFree(const ListenAddress& address);

}  // namespace pat

#endif  // PAT_SERVER_OPS_ADDRESS_CHECK_H_
