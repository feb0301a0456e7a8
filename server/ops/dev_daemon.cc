#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/authn/authenticator.h"
#include "server/authn/identities.h"
#include "server/authn/password_verifier.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/audit_log.h"
#include "server/core/cache_bound.h"
#include "server/core/clock.h"
#include "server/core/executor.h"
#include "server/core/introspection.h"
#include "server/core/peppers.h"
#include "server/core/retention.h"
#include "server/core/store_facts.h"
#include "server/core/token_lifecycle.h"
#include "server/crypto/self_test.h"
#include "server/ops/address_check.h"
#include "server/ops/builtin_catalog.h"
#include "server/ops/daemon.h"
#include "server/ops/dev_data.h"
#include "server/ops/dev_users.h"
#include "server/ops/listener.h"
#include "server/ops/maintenance.h"
#include "store/token_store.h"

namespace pat {
namespace {

constexpr size_t kReadThreads = 4;
constexpr size_t kReadQueue = 4096;

// As many as PasswordVerifier lets compute, and wait: a queue behind its queue would only make callers wait longer.
constexpr size_t kCredentialThreads = 2;
constexpr size_t kCredentialQueue = 16;

absl::StatusOr<std::shared_ptr<const ScopeCatalog>> LoadCatalog(const Options& options) {
  if (options.scope_catalog.empty()) return ScopeCatalog::Parse(kBuiltinCatalog);
  absl::StatusOr<std::shared_ptr<const ScopeCatalog>> catalog = ScopeCatalog::Load(options.scope_catalog);
  if (catalog.ok()) return catalog;
  return absl::Status(catalog.status().code(), absl::StrCat("--scope-catalog: ", catalog.status().message()));
}

absl::Status CheckAddresses(const std::vector<ListenAddress>& addresses) {
  std::set<std::string> seen;
  for (const ListenAddress& address : addresses) {
    const bool any_port = !address.is_unix && address.port == 0;
    if (!any_port && !seen.insert(address.ToString()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("--listen: ", address.ToString(), " is given twice; give each address once"));
    }
    if (!address.is_unix && !address.IsLoopback()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--listen: ", address.ToString(),
                       " is beyond loopback, where patd dev never listens; give 127.0.0.1, [::1] or a Unix socket"));
    }
    if (absl::Status status = CheckAddressFree(address); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat("--listen: ", status.message()));
    }
  }
  return absl::OkStatus();
}

class DevDaemon final : public Daemon {
 public:
  DevDaemon(const Options& options, const ClockSource& clock_source) : options_(options), clock_(clock_source) {}
  ~DevDaemon() override { Drain(); }

  absl::Status Start() {
    if (absl::Status status = CryptoSelfTest(); !status.ok()) return status;
    absl::StatusOr<std::shared_ptr<const ScopeCatalog>> catalog = LoadCatalog(options_);
    if (!catalog.ok()) return catalog.status();
    catalog_ = *std::move(catalog);
    if (absl::Status status = CheckAddresses(options_.listen); !status.ok()) return status;
    absl::StatusOr<std::unique_ptr<DevData>> data = DevData::Open(options_, clock_);
    if (!data.ok()) return data.status();
    data_ = *std::move(data);
    if (absl::Status status = MakeDevUsers(data_->store(), clock_.Now()); !status.ok()) return status;
    if (absl::Status status = GrantTtl(); !status.ok()) return status;
    MakeParts();
    // The first listener serves while the second one is made.
    data_->Keep();
    return Listen();
  }

  std::vector<ListenAddress> listening() const override {
    std::vector<ListenAddress> addresses;
    for (const std::unique_ptr<Listener>& listener : listeners_) addresses.push_back(listener->address());
    return addresses;
  }

  const std::string& data_dir() const override { return data_->directory(); }

  void Drain() override {
    for (const std::unique_ptr<Listener>& listener : listeners_) listener->Drain();
    // Together: each waits until its time is up if a stream is open, and until then the others would serve.
    std::vector<std::thread> stopping;
    for (const std::unique_ptr<Listener>& listener : listeners_) {
      stopping.emplace_back([&listener] { listener->Stop(); });
    }
    for (std::thread& thread : stopping) thread.join();
    listeners_.clear();
    maintenance_ = nullptr;
    credentials_ = nullptr;
    reads_ = nullptr;
    if (data_ != nullptr) data_->CloseStore();
  }

 private:
  // The one cache of this mode is in this process, so entries under an earlier --cache-ttl are gone; a larger bound of
  // the past is kept all the same until it has run out, because that is how every authority does it.
  absl::Status GrantTtl() { return CommitCacheTtl(data_->store(), options_.cache_ttl, clock_.Now()); }

  void MakeParts() {
    TokenStore& store = data_->store();
    const Peppers& peppers = data_->peppers();
    reads_ = std::make_unique<ThreadPool>(kReadThreads, kReadQueue);
    credentials_ = std::make_unique<ThreadPool>(kCredentialThreads, kCredentialQueue);
    store_facts_ = std::make_unique<StoreFacts>(store, peppers, *catalog_, clock_, *reads_);
    cache_ = std::make_unique<CachingFactsReader>(*store_facts_, clock_,
                                                  CacheOptions{.ttl = options_.cache_ttl,
                                                               .negative_ttl = options_.negative_cache_ttl,
                                                               .capacity = options_.cache_capacity});
    introspector_ = std::make_unique<Introspector>(*cache_, clock_);
    audit_ = std::make_unique<AuditLog>(store, peppers, clock_);
    lifecycle_ =
        std::make_unique<TokenLifecycle>(store, peppers, *catalog_, retention_, *audit_, clock_,
                                         [this](const TokenDigest& digest) { cache_->ForgetInactive(digest); });
    passwords_ = std::make_unique<PasswordVerifier>(store, clock_);
    authenticator_ = std::make_unique<Authenticator>(identities_, store, *passwords_, *store_facts_);
    scope_page_tokens_ = std::make_unique<PageTokens>(peppers.DeriveKey("page tokens of ListScopes"));
    maintenance_ = std::make_unique<Maintenance>(store, *cache_, retention_, clock_);
  }

  absl::Status Listen() {
    const ServingParts parts{.lifecycle = *lifecycle_,
                             .introspector = *introspector_,
                             .authenticator = *authenticator_,
                             .catalog = *catalog_,
                             .scope_page_tokens = *scope_page_tokens_,
                             .credentials = *credentials_,
                             .issuer = options_.issuer};
    for (const ListenAddress& address : options_.listen) {
      const ListenerRole role = address.introspectors ? ListenerRole::kIntrospector : ListenerRole::kDev;
      absl::StatusOr<std::unique_ptr<Listener>> listener =
          Listener::Create(address, role, options_.reflection != Switch::kOff, parts);
      if (!listener.ok()) return listener.status();
      listeners_.push_back(*std::move(listener));
    }
    return absl::OkStatus();
  }

  // In the order in which they are made; each may use those before it. Drain() ends those that have threads.
  const Options options_;
  const Retention retention_;
  const Clock clock_;
  std::shared_ptr<const ScopeCatalog> catalog_;
  std::unique_ptr<DevData> data_;
  std::unique_ptr<StoreFacts> store_facts_;
  std::unique_ptr<CachingFactsReader> cache_;
  std::unique_ptr<Introspector> introspector_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<TokenLifecycle> lifecycle_;
  const IdentityTable identities_;
  std::unique_ptr<PasswordVerifier> passwords_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<PageTokens> scope_page_tokens_;
  std::unique_ptr<Maintenance> maintenance_;
  std::unique_ptr<ThreadPool> reads_;
  std::unique_ptr<ThreadPool> credentials_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::CreateDev(const Options& options, const ClockSource& clock_source) {
  auto daemon = std::make_unique<DevDaemon>(options, clock_source);
  if (absl::Status status = daemon->Start(); !status.ok()) return status;
  return daemon;
}

}  // namespace pat
