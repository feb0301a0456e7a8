#include "server/ops/sidecar.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <utility>

#include "server/upstream/upstream_error.h"

namespace pat {
namespace {

const absl::Duration kSweepInterval = absl::Minutes(1);

// For credentials, which are all refused.
constexpr size_t kCredentialThreads = 1;
constexpr size_t kCredentialQueue = 64;

}  // namespace

void Sidecar::Observer::OnAnotherStore() {
  spdlog::warn("the authority answers from another store than before: what was cached is dropped");
  sidecar_.cache_.DropAll();
}

void Sidecar::Observer::OnFailure(absl::string_view text) {
  const std::optional<uint64_t> kept_back = lines_.Admit();
  if (!kept_back.has_value()) return;
  spdlog::warn("the authority could not be asked: {} (and {} more)", std::string(text), *kept_back);
}

Sidecar::Sidecar(const Options& options, std::unique_ptr<AuthorityChannels> channels, IdentityTable identities,
                 const Clock& clock)
    : issuer_(options.issuer),
      identities_(std::move(identities)),
      clock_(clock),
      channels_(std::move(channels)),
      observer_(*this, clock),
      upstream_(*channels_, clock, observer_),
      alarm_(clock, [this] { cache_.DismissLate(); }),
      cache_(upstream_, clock,
             {.ttl = options.cache_ttl,
              .negative_ttl = options.negative_cache_ttl,
              .capacity = options.cache_capacity,
              .load_timeout = UpstreamOptions().deadline,
              .too_late = AuthorityUnavailable("the authority has not answered in time"),
              .push = options.propagation == Propagation::kPush},
             &alarm_),
      introspector_(cache_, clock, &uses_),
      authenticator_(identities_),
      credentials_(std::make_unique<ThreadPool>(kCredentialThreads, kCredentialQueue)),
      reporter_(std::make_unique<UseReporter>(*channels_, uses_, observer_)),
      watcher_(options.propagation == Propagation::kPush
                   ? std::make_unique<RevocationWatcher>(*channels_, clock, cache_, observer_)
                   : nullptr),
      sweeper_(std::make_unique<PeriodicTask>(kSweepInterval, [this] { cache_.Sweep(); })) {}

ServingParts Sidecar::serving() {
  return {.management = std::nullopt,
          .introspector = introspector_,
          .authenticator = authenticator_,
          .credentials = *credentials_,
          .clock = clock_,
          .changes = {},
          .uses = nullptr,
          .issuer = issuer_,
          .incarnation = {}};
}

void Sidecar::Stop() {
  if (sweeper_ == nullptr) return;
  sweeper_ = nullptr;
  watcher_ = nullptr;
  upstream_.Shutdown();
  alarm_.Stop();
  credentials_ = nullptr;
  reporter_ = nullptr;
}

}  // namespace pat
