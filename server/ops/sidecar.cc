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

Sidecar::Observer::Kind& Sidecar::Observer::KindOf(UpstreamCall call) {
  switch (call) {
    case UpstreamCall::kFacts:
      break;
    case UpstreamCall::kRevocations:
      return revocations_;
    case UpstreamCall::kUses:
      return uses_;
  }
  return facts_;
}

void Sidecar::Observer::OnAnswer(UpstreamCall call) {
  Kind& kind = KindOf(call);
  // Looked at before it is written: this is called for every load.
  if (!kind.has_failed.load(std::memory_order_relaxed) || !kind.has_failed.exchange(false)) return;
  spdlog::info("{}the authority answers again", kind.about);
}

void Sidecar::Observer::OnPush(PushState state) {
  switch (state) {
    case PushState::kUp:
      return spdlog::info("push: the authority tells of revocations from now on");
    case PushState::kLost:
      return spdlog::warn("push: the stream of revocations is lost; until it is back the TTL alone is the bound");
    case PushState::kNotYet:
      return spdlog::warn("push: the stream of revocations is not there yet; until it is the TTL alone is the bound");
    case PushState::kReset:
      return spdlog::info("push: the authority could not go on from where it ended; what was cached is dropped");
    case PushState::kNotServed:
      return spdlog::warn(
          "push: this authority does not tell of revocations (is it a sidecar?), so --propagation push has no effect; "
          "the TTL alone is the bound");
  }
}

void Sidecar::Observer::OnFailure(UpstreamCall call, absl::string_view text) {
  Kind& kind = KindOf(call);
  const std::optional<uint64_t> kept_back = kind.lines.Admit();
  if (!kept_back.has_value()) return;
  kind.has_failed = true;
  spdlog::warn("{}the authority could not be asked: {} (and {} more)", kind.about, std::string(text), *kept_back);
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
      refusals_(clock, /*users=*/nullptr),
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
          .uses = &uses_,  // A sidecar in front of this one tells its uses; they are passed on.
          .issuer = issuer_,
          // For a sidecar in front of this one, which has to drop what it knows when this one does.
          .incarnation = [this] { return upstream_.incarnation(); },
          .refusals = &refusals_};
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
