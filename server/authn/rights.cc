#include "server/authn/rights.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/core/error.h"

namespace pat {
namespace {

// Whoever owns tokens. That an administrator's rights over the tokens of others end at looking and revoking is a rule
// of tokens (server/core/token_rules.h); so is that a token gets, revokes and regenerates nothing but itself.
constexpr uint8_t kOwners = kUsers | kPortals;

// Everybody who is somebody.
constexpr uint8_t kAllCallers = kOwners | kIntrospectors | kTokens;

constexpr MethodRights kTable[] = {
    {"/pat.v1.TokenService/CreateToken", kOwners},
    {"/pat.v1.TokenService/GetToken", kOwners | kTokens},
    {"/pat.v1.TokenService/ListTokens", kOwners},
    {"/pat.v1.TokenService/UpdateToken", kOwners},
    {"/pat.v1.TokenService/RevokeToken", kOwners | kTokens},
    {"/pat.v1.TokenService/RegenerateToken", kOwners | kTokens},
    {"/pat.v1.TokenService/RevokeAllTokens", kOwners},
    {"/pat.v1.TokenService/ReportLeakedToken", kAllCallers},
    {"/pat.v1.TokenService/ListScopes", kAllCallers},
    {"/pat.v1.IntrospectionService/Introspect", kIntrospectors | kAdministrators},
    {"/pat.v1.IntrospectionService/BatchIntrospect", kIntrospectors | kAdministrators},
    {"/pat.v1.IntrospectionService/WatchRevocations", kIntrospectors | kAdministrators},
    {"/pat.v1.IntrospectionService/ReportUse", kIntrospectors},
    {"/pat.v1.UserService/CreateUser", kAdministrators},
    {"/pat.v1.UserService/GetUser", kAdministrators},
    {"/pat.v1.UserService/ListUsers", kAdministrators},
    {"/pat.v1.UserService/UpdateUser", kAdministrators},
    {"/pat.v1.UserService/DeleteUser", kAdministrators},
    // Users their own, with the current one (server/core/user_lifecycle.h).
    {"/pat.v1.UserService/SetPassword", kUsers},
    {"/pat.v1.PolicyService/GetPolicy", kAdministrators},
    {"/pat.v1.PolicyService/UpdatePolicy", kAdministrators},
    {"/pat.v1.AuditService/ListAuditEvents", kAdministrators},
    {"/grpc.health.v1.Health/Check", kAnybody},
    {"/grpc.health.v1.Health/Watch", kAnybody},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", kAnybody},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", kAnybody},
};

uint8_t KindsOf(const Principal& principal) {
  switch (principal.kind) {
    case PrincipalKind::kUser:
      return principal.administrator ? kUsers | kAdministrators : kUsers;
    case PrincipalKind::kPortal:
      return kPortals;
    case PrincipalKind::kToken:
      return kTokens;
    case PrincipalKind::kIntrospector:
      return kIntrospectors;
    case PrincipalKind::kHolder:
    case PrincipalKind::kNobody:
      break;
  }
  return 0;
}

std::string RoleNames(uint8_t callers) {
  std::vector<absl::string_view> names;
  if ((callers & kUsers) != 0) names.push_back("user");
  if ((callers & kAdministrators) != 0) names.push_back("administrator");
  if ((callers & kPortals) != 0) names.push_back("portal");
  if ((callers & kIntrospectors) != 0) names.push_back("introspector");
  if ((callers & kTokens) != 0) names.push_back("token");
  return absl::StrJoin(names, ",");
}

uint8_t CallersOf(absl::string_view method) {
  for (const MethodRights& row : kTable) {
    if (row.method == method) return row.callers;
  }
  return 0;
}

}  // namespace

absl::Span<const MethodRights> RightsTable() { return kTable; }

bool IsForAnybody(absl::string_view method) { return (CallersOf(method) & kAnybody) != 0; }

absl::Status CheckRights(const Principal& principal, absl::string_view method) {
  const uint8_t callers = CallersOf(method);
  if ((callers & (KindsOf(principal) | kAnybody)) != 0) return absl::OkStatus();
  const std::string roles = RoleNames(callers);
  return MakeError(absl::StatusCode::kPermissionDenied, absl::StrCat("this takes one of these roles: ", roles),
                   {.reason = "ROLE_REQUIRED", .metadata = {{"role", roles}}});
}

}  // namespace pat
