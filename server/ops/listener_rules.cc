#include "server/ops/listener_rules.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/ops/address_check.h"

namespace pat {
namespace {

absl::Status Wrong(absl::string_view option, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(option, ": ", what));
}

// Each once, and free.
absl::Status CheckPlaces(const Options& options) {
  std::set<std::string> seen;
  const auto check = [&seen](absl::string_view option, const ListenAddress& address) {
    const bool any_port = !address.is_unix && address.port == 0;
    if (!any_port && !seen.insert(address.ToString()).second) {
      return Wrong(option, absl::StrCat(address.ToString(), " is given twice; give each address once"));
    }
    absl::Status status = CheckAddressFree(address);
    return status.ok() ? status : absl::Status(status.code(), absl::StrCat(option, ": ", status.message()));
  };
  for (const ListenAddress& address : options.listen) {
    if (absl::Status status = check(WhereGiven(options, "listen"), address); !status.ok()) return status;
  }
  if (options.sidecar_listen.has_value()) {
    if (absl::Status status = check(WhereGiven(options, "sidecar-listen"), *options.sidecar_listen); !status.ok())
      return status;
  }
  return options.health_listen.has_value() ? check(WhereGiven(options, "health-listen"), *options.health_listen)
                                           : absl::OkStatus();
}

bool NeedsTls(const ListenAddress& address) { return !address.is_unix && !address.plaintext; }

absl::Status CheckTlsOptions(const Options& options) {
  if (!HasTls(options)) {
    if (!options.identities.empty()) {
      return Wrong(WhereGiven(options, "identities"),
                   "names certificates, but there is no TLS; give --tls-cert, --tls-key and "
                   "--tls-client-ca");
    }
    return absl::OkStatus();
  }
  const std::pair<const char*, const std::string&> files[] = {
      {"--tls-cert", options.tls_cert}, {"--tls-key", options.tls_key}, {"--tls-client-ca", options.tls_client_ca}};
  for (const auto& [option, file] : files) {
    if (file.empty()) {
      return Wrong(option, "is missing; --tls-cert, --tls-key and --tls-client-ca belong together");
    }
  }
  return absl::OkStatus();
}

// The way to the authority: mutual TLS, or asked for in so many words, plaintext on loopback.
absl::Status CheckUpstreamOptions(const Options& options) {
  if (options.authorities.empty()) {
    return Wrong(WhereGiven(options, "authority"),
                 "is missing; give the address of the authority, for example authority.example:7443");
  }
  if (IsPlaintextAuthority(options)) {
    for (const std::string& address : options.authorities) {
      if (!absl::EndsWith(address, "?plaintext")) {
        return Wrong(WhereGiven(options, "authority"),
                     absl::StrCat(address, " is with TLS and another one is not; give all of one kind"));
      }
    }
    if (!options.authority_ca.empty() || !options.authority_name.empty()) {
      return Wrong(options.authority_ca.empty() ? "--authority-name" : "--authority-ca",
                   "is about the authority's certificate, and in plaintext there is none; leave it out");
    }
    return absl::OkStatus();
  }
  const std::pair<const char*, const std::string&> files[] = {
      {"--tls-cert", options.tls_cert}, {"--tls-key", options.tls_key}, {"--authority-ca", options.authority_ca}};
  for (const auto& [option, file] : files) {
    if (file.empty()) {
      return Wrong(option,
                   "is missing; the authority is asked over mutual TLS, with --tls-cert, --tls-key and "
                   "--authority-ca");
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool HasTls(const Options& options) {
  return !options.tls_cert.empty() || !options.tls_key.empty() || !options.tls_client_ca.empty();
}

absl::Status CheckDevListeners(const Options& options) {
  for (const ListenAddress& address : options.listen) {
    if (!address.is_unix && !address.IsLoopback()) {
      return Wrong(WhereGiven(options, "listen"),
                   absl::StrCat(address.ToString(),
                                " is beyond loopback, where patd dev never listens; give 127.0.0.1, "
                                "[::1] or a Unix socket"));
    }
  }
  const bool takes_digests = std::any_of(options.listen.begin(), options.listen.end(),
                                         [](const ListenAddress& address) { return !address.role.has_value(); });
  if (options.sidecar_listen.has_value() && !takes_digests) {
    return Wrong("--sidecar-listen",
                 "has no authority to ask: every --listen has a role, and a sidecar needs one without");
  }
  return CheckPlaces(options);
}

absl::Status CheckAuthorityListeners(const Options& options) {
  if (absl::Status status = CheckTlsOptions(options); !status.ok()) return status;
  for (const ListenAddress& address : options.listen) {
    if (!address.is_unix && address.role.has_value()) {
      return Wrong(WhereGiven(options, "listen"),
                   absl::StrCat(address.ToString(),
                                " has a role in plaintext, which only patd sidecar gives; give a Unix "
                                "socket with the role"));
    }
    if (!NeedsTls(address) || HasTls(options)) continue;
    return Wrong(WhereGiven(options, "listen"),
                 absl::StrCat(address.ToString(),
                              " is mutual TLS, and there is no certificate; give --tls-cert, --tls-key and "
                              "--tls-client-ca, or a Unix socket"));
  }
  return CheckPlaces(options);
}

bool IsPlaintextAuthority(const Options& options) {
  return std::any_of(options.authorities.begin(), options.authorities.end(),
                     [](const std::string& address) { return absl::EndsWith(address, "?plaintext"); });
}

absl::Status CheckSidecarListeners(const Options& options) {
  if (absl::Status status = CheckUpstreamOptions(options); !status.ok()) return status;
  if (options.listen.empty()) {
    return Wrong(WhereGiven(options, "listen"),
                 "is missing; give for example unix:/run/pat/pat.sock?role=introspector");
  }
  bool needs_tls = false;
  for (const ListenAddress& address : options.listen) {
    needs_tls = needs_tls || NeedsTls(address);
    if (address.role.value_or(ListenerRole::kIntrospector) != ListenerRole::kIntrospector) {
      return Wrong(WhereGiven(options, "listen"), absl::StrCat(address.ToString(),
                                                               " has a role that a sidecar knows nothing of; give "
                                                               "role=introspector"));
    }
  }
  for (const IdentityEntry& entry : options.identities) {
    if (entry.role != "introspector") {
      return Wrong(WhereGiven(options, "identities"),
                   absl::StrCat(entry.spiffe, entry.uri, entry.dns,
                                " has a role that a sidecar knows nothing of; give role=introspector"));
    }
  }
  if (needs_tls && (options.tls_cert.empty() || options.tls_key.empty() || options.tls_client_ca.empty())) {
    return Wrong(WhereGiven(options, "listen"),
                 "TCP is mutual TLS; give --tls-cert, --tls-key and --tls-client-ca, or a Unix socket, or "
                 "for example 127.0.0.1:7443?plaintext&role=introspector");
  }
  if (!needs_tls && (!options.tls_client_ca.empty() || !options.identities.empty())) {
    return Wrong(WhereGiven(options, options.identities.empty() ? "tls-client-ca" : "identities"),
                 "is about clients with certificates, and no --listen takes such; give a TCP address");
  }
  return CheckPlaces(options);
}

std::vector<ListenerSettings> DevListeners(const Options& options) {
  std::vector<ListenerSettings> listeners;
  for (const ListenAddress& address : options.listen) {
    listeners.push_back({.address = address,
                         .role = address.role.value_or(ListenerRole::kDev),
                         .reflection = options.reflection != Switch::kOff,
                         .connection_age = options.connection_age});
  }
  return listeners;
}

std::vector<ListenerSettings> AuthorityListeners(const Options& options,
                                                 const std::shared_ptr<grpc::ServerCredentials>& tls) {
  std::vector<ListenerSettings> listeners;
  for (const ListenAddress& address : options.listen) {
    const bool mutual_tls = NeedsTls(address);
    listeners.push_back(
        {.address = address,
         .role = address.is_unix ? address.role.value_or(ListenerRole::kUser) : ListenerRole::kNone,
         .confidential = address.is_unix || mutual_tls,
         .tls = mutual_tls ? tls : nullptr,
         .reflection = options.reflection == Switch::kOn || (options.reflection == Switch::kAuto && !mutual_tls),
         .connection_age = options.connection_age});
  }
  return listeners;
}

std::vector<ListenerSettings> SidecarListeners(const Options& options,
                                               const std::shared_ptr<grpc::ServerCredentials>& tls) {
  std::vector<ListenerSettings> listeners;
  for (const ListenAddress& address : options.listen) {
    const bool mutual_tls = NeedsTls(address);
    const ListenerRole without_role = address.is_unix ? ListenerRole::kIntrospector : ListenerRole::kNone;
    listeners.push_back(
        {.address = address,
         .role = address.role.value_or(without_role),
         .confidential = address.is_unix || mutual_tls,
         .tls = mutual_tls ? tls : nullptr,
         .reflection = options.reflection == Switch::kOn || (options.reflection == Switch::kAuto && !mutual_tls),
         .connection_age = options.connection_age});
  }
  return listeners;
}

}  // namespace pat
