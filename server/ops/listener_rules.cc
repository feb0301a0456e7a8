#include "server/ops/listener_rules.h"

#include <set>
#include <string>

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
    if (absl::Status status = check("--listen", address); !status.ok()) return status;
  }
  return options.health_listen.has_value() ? check("--health-listen", *options.health_listen) : absl::OkStatus();
}

bool NeedsTls(const ListenAddress& address) { return !address.is_unix && !address.plaintext; }

absl::Status CheckTlsOptions(const Options& options) {
  if (!HasTls(options)) {
    if (!options.identities.empty()) {
      return Wrong("--identity",
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

}  // namespace

bool HasTls(const Options& options) {
  return !options.tls_cert.empty() || !options.tls_key.empty() || !options.tls_client_ca.empty();
}

absl::Status CheckDevListeners(const Options& options) {
  for (const ListenAddress& address : options.listen) {
    if (!address.is_unix && !address.IsLoopback()) {
      return Wrong("--listen", absl::StrCat(address.ToString(),
                                            " is beyond loopback, where patd dev never listens; give 127.0.0.1, "
                                            "[::1] or a Unix socket"));
    }
  }
  return CheckPlaces(options);
}

absl::Status CheckAuthorityListeners(const Options& options) {
  if (absl::Status status = CheckTlsOptions(options); !status.ok()) return status;
  for (const ListenAddress& address : options.listen) {
    if (!NeedsTls(address) || HasTls(options)) continue;
    return Wrong("--listen", absl::StrCat(address.ToString(),
                                          " is mutual TLS, and there is no certificate; give --tls-cert, --tls-key and "
                                          "--tls-client-ca, or a Unix socket"));
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

}  // namespace pat
