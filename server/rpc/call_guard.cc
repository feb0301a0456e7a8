#include "server/rpc/call_guard.h"

#include "server/authn/rights.h"

namespace pat {
namespace {

constexpr char kAuthorization[] = "authorization";
constexpr char kPortalUser[] = "x-pat-user";

}  // namespace

CallInfo CallGuard::InfoOf(absl::string_view method, const grpc::ServerContextBase& context) const {
  CallInfo call{.method = method, .listener_role = role_, .authorization = {}, .portal_user = {}};
  const auto& metadata = context.client_metadata();
  const auto collect = [&metadata](const char* key, auto& values) {
    const auto [begin, end] = metadata.equal_range(key);
    for (auto it = begin; it != end; ++it) values.emplace_back(it->second.data(), it->second.size());
  };
  collect(kAuthorization, call.authorization);
  collect(kPortalUser, call.portal_user);
  return call;
}

absl::StatusOr<Principal> CallGuard::Admit(const CallInfo& call) const {
  if (IsForAnybody(call.method)) return Principal{};
  absl::StatusOr<Principal> principal = authenticator_.Authenticate(call);
  if (!principal.ok()) return principal;
  absl::Status rights = CheckRights(*principal, call.method);
  if (!rights.ok()) return rights;
  return principal;
}

}  // namespace pat
