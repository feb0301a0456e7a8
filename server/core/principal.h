// Principal: who is calling, as authentication found it. What it may do is one table (server/authn/rights.h); what it
// may do with which token is the business of the token rules.
#ifndef PAT_SERVER_CORE_PRINCIPAL_H_
#define PAT_SERVER_CORE_PRINCIPAL_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace pat {

enum class PrincipalKind : uint8_t {
  kNobody,        // No credential. May ask for health and for the descriptors.
  kUser,          // A local user, by password.
  kPortal,        // A web front end, acting for the user that it names.
  kIntrospector,  // A service that checks the tokens of its callers.
};

struct Principal {
  PrincipalKind kind = PrincipalKind::kNobody;
  std::string user_id = {};    // kUser, kPortal: as whom it acts.
  bool administrator = false;  // kUser only: a portal never acts with an administrator's rights.

  // kIntrospector only: may ask about the SHA-256 of a token, which proves nothing about who holds it.
  bool may_send_digests = false;

  // Names the principal among all, for example "user:ada".
  std::string ToString() const {
    switch (kind) {
      case PrincipalKind::kUser:
        return absl::StrCat("user:", user_id);
      case PrincipalKind::kPortal:
        return absl::StrCat("portal:", user_id);
      case PrincipalKind::kIntrospector:
        return "introspector";
      case PrincipalKind::kNobody:
        break;
    }
    return "nobody";
  }
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_PRINCIPAL_H_
