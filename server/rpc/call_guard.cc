#include "server/rpc/call_guard.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "server/authn/rights.h"
#include "server/core/error.h"

namespace pat {
namespace {

constexpr char kAuthorization[] = "authorization";
constexpr char kPortalUser[] = "x-pat-user";

// Everything of ours but the hot path.
bool IsManagement(absl::string_view method) {
  return absl::StartsWith(method, "/pat.v1.") && !absl::StartsWith(method, "/pat.v1.IntrospectionService/");
}

// As methods are called in the audit log: without the slash before it.
absl::string_view AuditName(absl::string_view method) { return absl::StripPrefix(method, "/"); }

// One walk over the properties: looking each one up by its name makes a vector each time. gRPC has judged the chain,
// and gives a SPIFFE ID only if it is the certificate's one URI.
PeerCertificate ReadCertificate(const grpc::AuthContext& context) {
  PeerCertificate certificate;
  for (auto it = context.begin(); it != context.end(); ++it) {
    const grpc::AuthProperty property = *it;
    const absl::string_view name(property.first.data(), property.first.size());
    const absl::string_view value(property.second.data(), property.second.size());
    if (name == GRPC_PEER_SPIFFE_ID_PROPERTY_NAME) {
      certificate.spiffe_id = value;
    } else if (name == GRPC_PEER_URI_PROPERTY_NAME) {
      certificate.uris.push_back(value);
    } else if (name == GRPC_PEER_DNS_PROPERTY_NAME) {
      certificate.dns_names.push_back(value);
    }
  }
  return certificate;
}

}  // namespace

CallInfo CallGuard::InfoOf(absl::string_view method, const grpc::ServerContextBase& context, std::string& peer) const {
  CallInfo call{.method = method,
                .listener_role = listener_.role,
                .listener = listener_.address,
                .confidential = listener_.confidential};
  const auto& metadata = context.client_metadata();
  const auto collect = [&metadata](const char* key, auto& values) {
    const auto [begin, end] = metadata.equal_range(key);
    for (auto it = begin; it != end; ++it) values.emplace_back(it->second.data(), it->second.size());
  };
  collect(kAuthorization, call.authorization);
  collect(kPortalUser, call.portal_user);
  // The context keeps the properties as long as it lives.
  if (listener_.tls) call.certificate = ReadCertificate(*context.auth_context());
  if (IsManagement(method) || Authenticator::MayBlock(call)) {
    peer = PeerOf(context);
    call.peer = peer;
  }
  return call;
}

std::string CallGuard::PeerOf(const grpc::ServerContextBase& context) const {
  // A client of a Unix socket has no name; the socket has. "ipv6:%5B::1%5D:4711" is for nobody to read.
  std::string peer = absl::StrReplaceAll(context.peer(), {{"%5B", "["}, {"%5D", "]"}});
  return absl::StartsWith(peer, "unix") ? listener_.address : peer;
}

absl::StatusOr<Principal> CallGuard::Admit(const CallInfo& call, const grpc::ServerContextBase& context,
                                           absl::string_view target) const {
  if (IsForAnybody(call.method)) return Principal{};
  Principal refused;
  absl::StatusOr<Principal> principal = authenticator_.Authenticate(call, &refused);
  if (!principal.ok()) {
    if (listener_.refusals != nullptr) listener_.refusals->OnRefused(call, PeerOf(context), principal.status());
    NoteRefusal(refused, call.method, target, principal.status());
    return principal;
  }
  if (absl::Status rights = CheckRights(*principal, call.method); !rights.ok()) {
    if (listener_.refusals != nullptr) listener_.refusals->OnRefused(call, PeerOf(context), rights);
    NoteRefusal(*principal, call.method, target, rights);
    return rights;
  }
  return principal;
}

absl::Status CallGuard::CheckStillAdmitted(const Principal& principal, absl::string_view method) const {
  const absl::StatusOr<Principal> now = authenticator_.StandingNow(principal);
  return now.ok() ? CheckRights(*now, method) : now.status();
}

void CallGuard::NoteDone(const Principal& principal, absl::string_view method, absl::string_view target) const {
  if (audit_ != nullptr) audit_->Note(principal, AuditName(method), target, "OK");
}

void CallGuard::NoteRefusal(const Principal& principal, absl::string_view method, absl::string_view target,
                            const absl::Status& status) const {
  if (audit_ == nullptr || !IsManagement(method)) return;
  const std::optional<ErrorDetails> details = DetailsOf(status);
  if (details.has_value()) audit_->Note(principal, AuditName(method), target, details->reason);
}

}  // namespace pat
