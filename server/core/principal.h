// Principal: who is calling, as authentication found it. What it may do is one table (server/authn/rights.h); what it
// may do with which token is the business of the token rules.
#ifndef PAT_SERVER_CORE_PRINCIPAL_H_
#define PAT_SERVER_CORE_PRINCIPAL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/core/token_secret.h"
#include "store/uid.h"

namespace pat {

enum class PrincipalKind : uint8_t {
  kNobody,        // No credential. May ask for health and for the descriptors.
  kUser,          // A local user, by password.
  kToken,         // A personal access token, judged from the store; for its owner, with narrow rights.
  kPortal,        // A web front end, acting for the user that it names.
  kIntrospector,  // A service that checks the tokens of its callers.

  // The holder of a client certificate that may present a credential and has presented none: may do nothing. Never let
  // in; it stands in the audit log, with what it was refused.
  kHolder,
};

// A token that holds this scope may regenerate itself.
inline constexpr absl::string_view kSelfRegenerateScope = "PAT.SelfRegenerate";

struct Principal {
  PrincipalKind kind = PrincipalKind::kNobody;
  // kUser, kPortal: as whom it acts (a portal that was refused: as whom it wanted to; empty if that was no user id).
  // kToken: the owner.
  std::string user_id = {};

  bool administrator = false;  // kUser only: a portal or a token never acts with an administrator's rights.

  // kUser, kPortal: which user of that id was meant, for the id may be given to another one while the call is under
  // way. Absent: there was none, which only a portal can have.
  std::optional<UserUid> user_uid = {};

  // kPortal, kIntrospector, kHolder: the name in the configuration ("spiffe://example.org/web"), or of the listener
  // that stands for it ("unix:/run/pat/pat.sock"). Empty: a caller without a credential, of `patd dev`.
  std::string identity = {};

  // kPortal only: the configuration lists this user, for whom it acts even if that is an administrator.
  bool user_is_listed = false;

  // kUser only: against whom a wrong password of this caller counts.
  std::string attempt_peer = {};

  // kToken only. With the digest of the secret that was presented, whoever changes the token decides in the transaction
  // that this secret is still the living one.
  TokenUid token = {};
  TokenDigest token_digest = {};
  bool may_regenerate_itself = false;  // It holds kSelfRegenerateScope, effectively.

  // kIntrospector only: may ask about the SHA-256 of a token, which proves nothing about who holds it.
  bool may_send_digests = false;

  // From where, for the audit log only: "ipv4:10.0.0.7:47110".
  std::string peer = {};

  // May manage others' things: nobody but a user by password.
  bool IsAdministrator() const { return kind == PrincipalKind::kUser && administrator; }

  // May act on the things of `user_id`, short of what only a token itself is asked for.
  bool ActsAs(absl::string_view id) const {
    return (kind == PrincipalKind::kUser || kind == PrincipalKind::kPortal) && user_id == id;
  }

  // Names the principal among all, for example "user:ada" or "portal:spiffe://example.org/web as ada".
  std::string ToString() const {
    if (kind == PrincipalKind::kPortal && !user_id.empty()) return absl::StrCat(Caller(), " as ", user_id);
    return Caller();
  }

  // Whose call it is, for limits: as ToString(), but a portal is one caller, whomever it names.
  std::string Caller() const {
    const auto named = [this](absl::string_view role) {
      return identity.empty() ? std::string(role) : absl::StrCat(role, ":", identity);
    };
    switch (kind) {
      case PrincipalKind::kUser:
        return absl::StrCat("user:", user_id);
      case PrincipalKind::kToken:
        return absl::StrCat("token:", token.ToString());
      case PrincipalKind::kPortal:
        return named("portal");
      case PrincipalKind::kIntrospector:
        return named("introspector");
      case PrincipalKind::kHolder:
        return named("certificate");
      case PrincipalKind::kNobody:
        break;
    }
    return "nobody";
  }
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_PRINCIPAL_H_
