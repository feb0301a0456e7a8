// What authentication looks at: what one call brought with it, as plain values, whatever carried it.
#ifndef PAT_SERVER_AUTHN_CALL_INFO_H_
#define PAT_SERVER_AUTHN_CALL_INFO_H_

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"

namespace pat {

// What a listener takes a caller for who brings no credential.
enum class ListenerRole : uint8_t {
  kNone,          // Nobody.
  kIntrospector,  // A service that checks tokens: the mode of the Unix socket is the gate.
  kDev,           // `patd dev` on loopback: an introspector, and with x-pat-user the portal. In this mode only.
};

// Views: they must live until authentication is done.
struct CallInfo {
  absl::string_view method = {};  // "/pat.v1.TokenService/CreateToken".
  ListenerRole listener_role = ListenerRole::kNone;
  absl::InlinedVector<absl::string_view, 1> authorization = {};  // Each value of the header.
  absl::InlinedVector<absl::string_view, 1> portal_user = {};    // Each value of x-pat-user.
};

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_CALL_INFO_H_
