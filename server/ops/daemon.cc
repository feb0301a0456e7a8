#include "server/ops/daemon.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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
#include "server/ops/tls_files.h"

namespace pat {
namespace {

const absl::Duration kTlsPollInterval = absl::Seconds(1);

// `patd dev` and `patd authority`: they differ in where they may listen, whom they take callers for, and in the sample
// users.
class AuthorityDaemon final : public Daemon {
 public:
  AuthorityDaemon(const Options& options, const ClockSource& clock_source) : options_(options), clock_(clock_source) {}
  ~AuthorityDaemon() override { Drain(); }

  absl::Status StartDev() {
    if (absl::Status status = ReadScopes(); !status.ok()) return status;
    if (absl::Status status = CheckDevListeners(options_); !status.ok()) return status;
    if (absl::Status status = OpenData(DataUse::kDev); !status.ok()) return status;
    if (absl::Status status = MakeDevUsers(data_->store(), clock_.Now()); !status.ok()) return status;
    return Serve(IdentityTable(), DevListeners(options_));
  }

  absl::Status StartAuthority() {
    if (absl::Status status = ReadScopes(); !status.ok()) return status;
    absl::StatusOr<IdentityTable> identities = IdentityTable::Create(options_.identities);
    if (!identities.ok()) return identities.status();
    if (absl::Status status = CheckAuthorityListeners(options_); !status.ok()) return status;
    if (HasTls(options_)) {
      absl::StatusOr<std::unique_ptr<TlsFiles>> tls =
          TlsFiles::Open({options_.tls_cert, options_.tls_key, options_.tls_client_ca}, clock_);
      if (!tls.ok()) return tls.status();
      tls_ = *std::move(tls);
    }
    if (absl::Status status = OpenData(DataUse::kServe); !status.ok()) return status;
    return Serve(*std::move(identities), AuthorityListeners(options_, tls_ == nullptr ? nullptr : tls_->credentials()));
  }

  std::vector<ListenAddress> listening() const override {
    std::vector<ListenAddress> addresses;
    for (const std::unique_ptr<Listener>& listener : listeners_) addresses.push_back(listener->address());
    return addresses;
  }

  std::optional<ListenAddress> health_listening() const override {
    return health_ == nullptr ? std::nullopt : std::optional(health_->address());
  }

  const std::string& data_dir() const override { return data_->directory(); }

  void Drain() override {
    for (const std::unique_ptr<Listener>& listener : listeners_) listener->Drain();
    if (health_ != nullptr) health_->Drain();
    // Together: each waits until its time is up if a stream is open, and until then the others would serve.
    std::vector<std::thread> stopping;
    for (const std::unique_ptr<Listener>& listener : listeners_) {
      stopping.emplace_back([&listener] { listener->Stop(); });
    }
    if (health_ != nullptr) stopping.emplace_back([this] { health_->Stop(); });
    for (std::thread& thread : stopping) thread.join();
    listeners_.clear();
    health_ = nullptr;
    tls_poll_ = nullptr;
    authority_ = nullptr;
    if (data_ != nullptr) data_->CloseStore();
  }

 private:
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

  absl::Status Serve(IdentityTable identities, const std::vector<ListenerSettings>& all) {
    absl::StatusOr<std::unique_ptr<Authority>> authority =
        Authority::Create(options_, *data_, catalog_, std::move(identities), clock_);
    if (!authority.ok()) return authority.status();
    authority_ = *std::move(authority);
    // The first listener serves while the second one is made.
    data_->Keep();
    for (const ListenerSettings& settings : all) {
      absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Create(settings, authority_->serving());
      if (!listener.ok()) return listener.status();
      listeners_.push_back(*std::move(listener));
    }
    if (options_.health_listen.has_value()) {
      absl::StatusOr<std::unique_ptr<HealthListener>> health = HealthListener::Create(*options_.health_listen);
      if (!health.ok()) return health.status();
      health_ = *std::move(health);
    }
    if (tls_ != nullptr) tls_poll_ = std::make_unique<PeriodicTask>(kTlsPollInterval, [this] { tls_->Poll(); });
    return absl::OkStatus();
  }

  // In the order in which they are made; each may use those before it.
  const Options options_;
  const Clock clock_;
  std::shared_ptr<const ScopeCatalog> catalog_;
  std::unique_ptr<TlsFiles> tls_;
  std::unique_ptr<DataDirectory> data_;
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<PeriodicTask> tls_poll_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<HealthListener> health_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::CreateDev(const Options& options, const ClockSource& clock_source) {
  auto daemon = std::make_unique<AuthorityDaemon>(options, clock_source);
  if (absl::Status status = daemon->StartDev(); !status.ok()) return status;
  return daemon;
}

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::CreateAuthority(const Options& options,
                                                                const ClockSource& clock_source) {
  auto daemon = std::make_unique<AuthorityDaemon>(options, clock_source);
  if (absl::Status status = daemon->StartAuthority(); !status.ok()) return status;
  return daemon;
}

std::string ServingText(const Daemon& daemon) {
  std::string text;
  for (const ListenAddress& address : daemon.listening())
    absl::StrAppend(&text, "Listening on ", address.ToString(), "\n");
  const std::optional<ListenAddress> health = daemon.health_listening();
  if (health.has_value()) absl::StrAppend(&text, "Health on ", health->ToString(), "\n");
  absl::StrAppend(&text, "Data in ", daemon.data_dir(), "\n");
  return text;
}

}  // namespace pat
