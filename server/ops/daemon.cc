#include "server/ops/daemon.h"

#include <grpcpp/security/credentials.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "server/authn/identities.h"
#include "server/core/clock.h"
#include "server/core/scope_catalog.h"
#include "server/crypto/self_test.h"
#include "server/ops/authority.h"
#include "server/ops/data_directory.h"
#include "server/ops/dev_users.h"
#include "server/ops/health_listener.h"
#include "server/ops/listener.h"
#include "server/ops/listener_rules.h"
#include "server/ops/periodic_task.h"
#include "server/ops/server_limits.h"
#include "server/ops/sidecar.h"
#include "server/ops/tls_files.h"
#include "server/upstream/authority_channels.h"

namespace pat {
namespace {

constexpr char kPlaintext[] = "?plaintext";
const absl::Duration kTlsPollInterval = absl::Seconds(1);

// Then its authority drains, and all of it has to end within 10 s.
const absl::Duration kDevSidecarDrainTime = absl::Seconds(2);

// Each connection is an open file. The soft limit is 1024 on many systems, less than there may be sidecars; it is that
// low for programs that use select(), and this is none. The hard limit is what the administrator wants to be kept.
void AllowOpenFilesUpToTheHardLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    spdlog::warn("the limit of open files could not be raised; there may be too few for all connections");
  }
}

// The mode of a socket is all that keeps others from its role; but a user has to show a password or a token as well.
void WarnOfOpenSocket(const ListenAddress& address) {
  if (!address.is_unix || (address.mode & 0002) == 0 || address.role == ListenerRole::kUser) return;
  spdlog::warn("{}: the mode lets every user of this machine connect ({}); give for example mode=0660",
               address.ToString(), address.About());
}

// All roles: they differ in what there is to serve, where they may listen and whom they take callers for.
class RunningDaemon final : public Daemon {
 public:
  RunningDaemon(const Options& options, const ClockSource& clock_source) : options_(options), clock_(clock_source) {
    AllowOpenFilesUpToTheHardLimit();
  }
  ~RunningDaemon() override { Drain(); }

  absl::Status StartDev() {
    if (absl::Status status = ReadScopes(); !status.ok()) return status;
    if (absl::Status status = CheckDevListeners(options_); !status.ok()) return status;
    if (absl::Status status = OpenData(DataUse::kDev); !status.ok()) return status;
    if (absl::Status status = MakeDevUsers(data_->store(), clock_.Now()); !status.ok()) return status;
    if (absl::Status status = ServeData(IdentityTable(), DevListeners(options_)); !status.ok()) return status;
    if (options_.sidecar_listen.has_value()) {
      if (absl::Status status = AddDevSidecar(); !status.ok()) return status;
    }
    data_->Keep();
    return absl::OkStatus();
  }

  absl::Status StartAuthority() {
    if (absl::Status status = ReadScopes(); !status.ok()) return status;
    absl::StatusOr<IdentityTable> identities = IdentityTable::Create(options_.identities);
    if (!identities.ok()) return identities.status();
    if (absl::Status status = CheckAuthorityListeners(options_); !status.ok()) return status;
    if (HasTls(options_)) {
      if (absl::Status status = OpenServerTls(); !status.ok()) return status;
    }
    if (absl::Status status = OpenData(DataUse::kServe); !status.ok()) return status;
    return ServeData(*std::move(identities),
                     AuthorityListeners(options_, tls_ == nullptr ? nullptr : tls_->credentials()));
  }

  absl::Status StartSidecar() {
    if (absl::Status status = CryptoSelfTest(); !status.ok()) return status;
    absl::StatusOr<IdentityTable> identities = IdentityTable::Create(options_.identities);
    if (!identities.ok()) return identities.status();
    if (absl::Status status = CheckSidecarListeners(options_); !status.ok()) return status;
    if (!options_.tls_client_ca.empty()) {
      if (absl::Status status = OpenServerTls(); !status.ok()) return status;
    }
    absl::StatusOr<std::unique_ptr<AuthorityChannels>> channels = OpenChannels();
    if (!channels.ok()) return channels.status();
    sidecar_ = std::make_unique<Sidecar>(options_, *std::move(channels), *std::move(identities), clock_);
    const std::vector<ListenerSettings> all =
        SidecarListeners(options_, tls_ == nullptr ? nullptr : tls_->credentials());
    if (absl::Status status = Listen("--listen", all, sidecar_->serving(), listeners_); !status.ok()) return status;
    return Watch(/*with_management=*/false);
  }

  std::vector<ListenAddress> listening() const override {
    std::vector<ListenAddress> addresses;
    for (const std::unique_ptr<Listener>& listener : listeners_) addresses.push_back(listener->address());
    return addresses;
  }

  std::optional<ListenAddress> sidecar_listening() const override {
    return sidecar_listeners_.empty() ? std::nullopt : std::optional(sidecar_listeners_.front()->address());
  }

  std::optional<ListenAddress> health_listening() const override {
    return health_ == nullptr ? std::nullopt : std::optional(health_->address());
  }

  std::string data_dir() const override { return data_ == nullptr ? "" : data_->directory(); }

  void Drain() override {
    for (const auto* all : {&sidecar_listeners_, &listeners_}) {
      for (const std::unique_ptr<Listener>& listener : *all) listener->Drain();
    }
    if (health_ != nullptr) health_->Drain();
    // Of `patd dev`, whose sidecar needs its authority until the end.
    StopAll(sidecar_listeners_, kDevSidecarDrainTime);
    if (!listeners_.empty() && authority_ != nullptr) sidecar_ = nullptr;
    StopAll(listeners_, kDrainTime);
    tls_poll_ = nullptr;
    sidecar_ = nullptr;
    authority_ = nullptr;
    if (data_ != nullptr) data_->CloseStore();
    // The last: a probe that finds nobody takes a process for dead that has yet to end what it is at.
    health_ = nullptr;
  }

 private:
  using Listeners = std::vector<std::unique_ptr<Listener>>;

  absl::Status ReadScopes() {
    if (absl::Status status = CryptoSelfTest(); !status.ok()) return status;
    absl::StatusOr<std::shared_ptr<const ScopeCatalog>> catalog = LoadScopeCatalog(options_);
    if (!catalog.ok()) return catalog.status();
    catalog_ = *std::move(catalog);
    return absl::OkStatus();
  }

  absl::Status OpenData(DataUse use) {
    absl::StatusOr<std::unique_ptr<DataDirectory>> data = DataDirectory::Open(options_, use, clock_);
    if (!data.ok()) return data.status();
    data_ = *std::move(data);
    return absl::OkStatus();
  }

  absl::Status OpenServerTls() {
    absl::StatusOr<std::unique_ptr<TlsFiles>> tls =
        TlsFiles::Open({options_.tls_cert, options_.tls_key, options_.tls_client_ca}, clock_);
    if (!tls.ok()) return tls.status();
    tls_ = *std::move(tls);
    spdlog::debug("TLS: {}, {} and clients of {}; the first certificate ends at {}", options_.tls_cert,
                  options_.tls_key, options_.tls_client_ca, absl::FormatTime(tls_->expire_time(), absl::UTCTimeZone()));
    return absl::OkStatus();
  }

  // To the authority that the options name.
  absl::StatusOr<std::unique_ptr<AuthorityChannels>> OpenChannels() {
    if (IsPlaintextAuthority(options_)) {
      std::vector<std::string> addresses;
      for (const std::string& address : options_.authorities) {
        addresses.emplace_back(absl::StripSuffix(address, kPlaintext));
      }
      return AuthorityChannels::Create(addresses, grpc::InsecureChannelCredentials(), {});
    }
    absl::StatusOr<std::unique_ptr<TlsFiles>> tls =
        TlsFiles::Open({options_.tls_cert, options_.tls_key, options_.authority_ca, TlsSide::kClient}, clock_);
    if (!tls.ok()) return tls.status();
    upstream_tls_ = *std::move(tls);
    spdlog::debug("the authority is asked at {}, with {}; trusted are the CAs of {}",
                  absl::StrJoin(options_.authorities, ", "), options_.tls_cert, options_.authority_ca);
    return AuthorityChannels::Create(options_.authorities, upstream_tls_->channel_credentials(),
                                     options_.authority_name);
  }

  absl::Status ServeData(IdentityTable identities, const std::vector<ListenerSettings>& all) {
    absl::StatusOr<std::unique_ptr<Authority>> authority =
        Authority::Create(options_, *data_, catalog_, std::move(identities), clock_);
    if (!authority.ok()) return authority.status();
    authority_ = *std::move(authority);
    // The first listener serves while the second one is made.
    data_->AboutToServe();
    if (absl::Status status = Listen("--listen", all, authority_->serving(), listeners_); !status.ok()) return status;
    return Watch(/*with_management=*/true);
  }

  // In front of the authority of this process, by gRPC like any other.
  absl::Status AddDevSidecar() {
    absl::StatusOr<std::unique_ptr<AuthorityChannels>> channels =
        AuthorityChannels::Create({DevAuthority().ToString()}, grpc::InsecureChannelCredentials(), /*name=*/{});
    if (!channels.ok()) return channels.status();
    sidecar_ = std::make_unique<Sidecar>(options_, *std::move(channels), IdentityTable(), clock_);
    Options own = options_;
    own.listen = {*options_.sidecar_listen};
    own.listen.front().role = ListenerRole::kIntrospector;
    own.listen.front().plaintext = !own.listen.front().is_unix;
    return Listen("--sidecar-listen", SidecarListeners(own, nullptr), sidecar_->serving(), sidecar_listeners_);
  }

  // One that takes digests; that there is one was looked at (listener_rules.h).
  ListenAddress DevAuthority() const {
    return (*std::find_if(listeners_.begin(), listeners_.end(),
                          [](const auto& listener) { return !listener->address().role.has_value(); }))
        ->address();
  }

  static absl::Status Listen(absl::string_view option, const std::vector<ListenerSettings>& all,
                             const ServingParts& parts, Listeners& listeners) {
    for (const ListenerSettings& settings : all) {
      absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Create(settings, parts);
      if (!listener.ok()) {
        return {listener.status().code(), absl::StrCat(option, ": ", listener.status().message())};
      }
      WarnOfOpenSocket((*listener)->address());
      listeners.push_back(*std::move(listener));
    }
    return absl::OkStatus();
  }

  absl::Status Watch(bool with_management) {
    if (options_.health_listen.has_value()) {
      absl::StatusOr<std::unique_ptr<HealthListener>> health =
          HealthListener::Create(*options_.health_listen, with_management);
      if (!health.ok()) return health.status();
      health_ = *std::move(health);
    }
    if (tls_ == nullptr && upstream_tls_ == nullptr) return absl::OkStatus();
    tls_poll_ = std::make_unique<PeriodicTask>(kTlsPollInterval, [this] {
      if (tls_ != nullptr) tls_->Poll();
      if (upstream_tls_ != nullptr) upstream_tls_->Poll();
    });
    return absl::OkStatus();
  }

  // Together: each waits until its time is up if a stream is open, and until then the others would serve.
  static void StopAll(Listeners& listeners, absl::Duration drain_time) {
    std::vector<std::thread> stopping;
    for (const std::unique_ptr<Listener>& listener : listeners) {
      stopping.emplace_back([&listener, drain_time] { listener->Stop(drain_time); });
    }
    for (std::thread& thread : stopping) thread.join();
    listeners.clear();
  }

  // In the order in which they are made; each may use those before it.
  const Options options_;
  const Clock clock_;
  std::shared_ptr<const ScopeCatalog> catalog_;
  std::unique_ptr<TlsFiles> tls_;
  std::unique_ptr<TlsFiles> upstream_tls_;
  std::unique_ptr<DataDirectory> data_;
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<Sidecar> sidecar_;
  std::unique_ptr<PeriodicTask> tls_poll_;
  Listeners listeners_;
  Listeners sidecar_listeners_;  // Of `patd dev`.
  std::unique_ptr<HealthListener> health_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::CreateDev(const Options& options, const ClockSource& clock_source) {
  auto daemon = std::make_unique<RunningDaemon>(options, clock_source);
  if (absl::Status status = daemon->StartDev(); !status.ok()) return status;
  return daemon;
}

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::CreateAuthority(const Options& options,
                                                                const ClockSource& clock_source) {
  auto daemon = std::make_unique<RunningDaemon>(options, clock_source);
  if (absl::Status status = daemon->StartAuthority(); !status.ok()) return status;
  return daemon;
}

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::CreateSidecar(const Options& options, const ClockSource& clock_source) {
  auto daemon = std::make_unique<RunningDaemon>(options, clock_source);
  if (absl::Status status = daemon->StartSidecar(); !status.ok()) return status;
  return daemon;
}

std::string ServingText(const Daemon& daemon) {
  std::string text;
  for (const ListenAddress& address : daemon.listening())
    absl::StrAppend(&text, "Listening on ", address.ToString(), " (", address.About(), ")\n");
  const std::optional<ListenAddress> health = daemon.health_listening();
  if (health.has_value()) absl::StrAppend(&text, "Health on ", health->ToString(), " (health only, plaintext)\n");
  absl::StrAppend(&text, "Data in ", daemon.data_dir().empty() ? "memory only" : daemon.data_dir(), "\n");
  return text;
}

}  // namespace pat
