// AuthenticatorTest: an authenticator over a small authority, for the files that test it.
#ifndef PAT_TESTS_SERVER_AUTHN_AUTHENTICATOR_TEST_H_
#define PAT_TESTS_SERVER_AUTHN_AUTHENTICATOR_TEST_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "server/authn/authenticator.h"
#include "server/authn/call_info.h"
#include "server/authn/identities.h"
#include "server/authn/password_verifier.h"
#include "server/core/error.h"
#include "server/core/principal.h"
#include "tests/server/authn/passwords.h"
#include "tests/support/test_authority.h"

namespace pat {

inline constexpr char kPassword[] = "ada-password";

// What Outcome() says of refusals.
inline constexpr char kInvalid[] = "UNAUTHENTICATED CREDENTIALS_INVALID";
inline constexpr char kMissing[] = "UNAUTHENTICATED CREDENTIALS_MISSING";
inline constexpr char kRoleRequired[] = "PERMISSION_DENIED ROLE_REQUIRED";

using Headers = std::vector<std::string>;

// "user:ada", "portal as ada", "introspector administrator" (which should never be), or the code and the reason of the
// refusal.
inline std::string Outcome(const absl::StatusOr<Principal>& principal) {
  if (principal.ok()) return absl::StrCat(principal->ToString(), principal->administrator ? " administrator" : "");
  const std::optional<ErrorDetails> details = DetailsOf(principal.status());
  return absl::StrCat(absl::StatusCodeToString(principal.status().code()), " ",
                      details.has_value() ? details->reason : "without details");
}

inline std::string Bearer(const IssuedToken& token) { return absl::StrCat("Bearer ", token.secret); }

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    for (const char* id : {"ada", "admin", "disabled", "directory", "saml"}) {
      authority_.AddUser(id);
      GivePassword(*authority_.engine, id, kPassword);
    }
    authority_.AddUser("newcomer");  // Has no password yet.
    authority_.ChangeUser("admin", [](UserRecord& user) { user.administrator = true; });
    authority_.ChangeUser("disabled", [](UserRecord& user) { user.disabled = true; });
    authority_.ChangeUser("directory", [](UserRecord& user) { user.type = UserType::kDirectory; });
    authority_.ChangeUser("saml", [](UserRecord& user) { user.type = UserType::kSaml; });
  }

  absl::StatusOr<Principal> AuthenticateCall(const CallInfo& call) { return authenticator_.Authenticate(call); }
  absl::StatusOr<Principal> Authenticate(const Headers& authorization, const Headers& portal_user = {},
                                         ListenerRole role = ListenerRole::kNone) {
    return AuthenticateCall({.method = "/pat.v1.TokenService/GetToken",
                             .listener_role = role,
                             .authorization = {authorization.begin(), authorization.end()},
                             .portal_user = {portal_user.begin(), portal_user.end()}});
  }

  void FailReads() { authority_.store.FailReadsWith(absl::UnavailableError("IO error: /data/db/000012.sst")); }

  TestAuthority authority_;
  PasswordVerifier passwords_{authority_.store, authority_.clock, {.cost = kCheapCost}};
  const IdentityTable identities_ =
      IdentityTable::Create({{.spiffe = "spiffe://example.org/gateway", .role = "introspector"},
                             {.spiffe = "spiffe://example.org/sidecar", .role = "introspector", .digests = true},
                             {.uri = "https://example.org/portal", .role = "portal"},
                             {.dns = "portal.example.org", .role = "portal", .users = {"admin", "ghost"}},
                             {.dns = "laptop", .role = "user"},
                             {.dns = "desktop", .role = "user"}})
          .value();
  Authenticator authenticator_{identities_, authority_.store, passwords_, authority_.facts};
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_AUTHN_AUTHENTICATOR_TEST_H_
