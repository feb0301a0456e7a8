// An expiry, as requests carry it.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_EXPIRATION_H_
#define PAT_CLIENT_PATCTL_EXPIRATION_H_

#include <variant>

#include "client/patctl/expiry.h"
#include "client/patctl/time_text.h"

namespace pat::patctl {

// A duration is sent as one, so that it counts from now by the clock of the server.
template <typename Request>
void SetExpiration(const Expiry& expiry, Request& request) {
  if (const auto* ttl = std::get_if<absl::Duration>(&expiry)) {
    *request.mutable_ttl() = ToProto(*ttl);
  } else {
    *request.mutable_expire_time() = ToProto(std::get<absl::Time>(expiry));
  }
}

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_EXPIRATION_H_
