// The one table of rights: which kind of caller may call which method. What is not in it is denied.
//
// A test compares it with the descriptors of all services, so that no method can be forgotten.
#ifndef PAT_SERVER_AUTHN_RIGHTS_H_
#define PAT_SERVER_AUTHN_RIGHTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/core/principal.h"

namespace pat {

// Kinds of callers, as bits.
enum CallerKinds : uint8_t {
  kUsers = 1,           // Local users, by password.
  kAdministrators = 2,  // Those of them who are administrators.
  kPortals = 4,         // Acting for a user.
  kIntrospectors = 8,   // Services that check tokens.
  kTokens = 16,         // Personal access tokens, for themselves.
  kAnybody = 0x80,      // Health and reflection: no credential beyond what the listener asks.
};

struct MethodRights {
  absl::string_view method;  // "/pat.v1.TokenService/CreateToken"
  uint8_t callers;           // CallerKinds.
};

absl::Span<const MethodRights> RightsTable();

// True if the method takes no credential.
bool IsForAnybody(absl::string_view method);

// OK, or PERMISSION_DENIED with ROLE_REQUIRED, naming the roles it takes.
absl::Status CheckRights(const Principal& principal, absl::string_view method);

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_RIGHTS_H_
