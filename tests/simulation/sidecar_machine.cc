#include "tests/simulation/sidecar_machine.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/cache/caching_facts_reader.h"
#include "server/cache/revocation_sink.h"
#include "server/upstream/upstream_error.h"
#include "tests/simulation/served_call.h"
#include "tests/simulation/sloppy_cache.h"
#include "tests/simulation/virtual_alarm.h"
#include "tests/simulation/watcher.h"

namespace pat::simulation {
namespace {

// One of the cache that stands above the product's.
bool IsOfSloppyCache(Fault fault) {
  constexpr std::array<Fault, 9> kOfSloppyCache = {
      Fault::kLoadedAfterwards, Fault::kSlidesOnHit,   Fault::kServesStaleOnError,
      Fault::kAgesByWallClock,  Fault::kIgnoresExpiry, Fault::kKeepsOvertaken,
      Fault::kKeepsInactive,    Fault::kJoinsNothing,  Fault::kMixesScopes};
  return std::find(kOfSloppyCache.begin(), kOfSloppyCache.end(), fault) != kOfSloppyCache.end();
}

CacheOptions OptionsOf(const SidecarPlan& plan) {
  return {.ttl = plan.ttl,
          .negative_ttl = plan.negative_ttl,
          .capacity = plan.capacity,
          .load_timeout = plan.deadline,
          .too_late = AuthorityUnavailable("the authority has not answered in time"),
          .push = plan.push};
}

CacheOptions UntoldOptionsOf(const SidecarPlan& plan) {
  CacheOptions options = OptionsOf(plan);
  options.capacity = 100;
  options.push = false;
  return options;
}

}  // namespace

struct SidecarMachine::Process final : public RevocationSink {
  Process(SidecarMachine& sidecar, World& shared)
      : world(shared),
        clock(sidecar.machine_),
        ways(sidecar.links_),
        hop(world, sidecar.machine_, clock, ways, sidecar.lower_, sidecar.plan_.deadline),
        alarm(sidecar.machine_, world.fault,
              [this] { (world.fault == Fault::kKeepsOvertaken ? untold : cache).DismissLate(); }),
        cache(hop, clock, OptionsOf(sidecar.plan_), &alarm),
        untold(hop, clock, UntoldOptionsOf(sidecar.plan_), &alarm),
        sloppy(world.fault == Fault::kKeepsOvertaken ? untold : cache, clock, sidecar.bound_, world.fault),
        introspector(IsOfSloppyCache(world.fault) ? static_cast<FactsReader&>(sloppy) : cache, clock) {
    hop.on_another_store = [this] {
      if (world.fault != Fault::kIgnoresOtherStore) DropAll();
    };
    hop.on_answer_of = [this](int store) { told = std::max(told, world.truth.LastCommit(store, 0)); };
    if (!sidecar.plan_.push) return;
    watcher.emplace(world, sidecar.machine_, ways, sidecar.authority_, *this);
    watcher->on_told = [this](uint64_t commit) { told = std::max(told, commit); };
    watcher->Connect();
  }

  void Drop(const TokenUid& token) override {
    NoteDrop();
    if (world.fault == Fault::kForgetsTokenDrops && world.random.Chance(0.3)) return;
    cache.Drop(token);
  }
  void DropOwner(absl::string_view owner_id) override {
    NoteDrop();
    if (world.fault == Fault::kForgetsOwnerDrops && world.random.Chance(0.3)) return;
    cache.DropOwner(owner_id);
  }
  void DropAll() override {
    NoteDrop();
    cache.DropAll();
  }
  void NoteDrop() {
    ++world.counts.drops;
    ++hop.drops;
    sloppy.DropAll();
  }

  World& world;
  const Clock clock;
  Ways ways;
  UpstreamHop hop;
  VirtualAlarm alarm;
  CachingFactsReader cache;
  CachingFactsReader untold;  // With Fault::kKeepsOvertaken: is told of no drop, and is always asked to load.
  SloppyCache sloppy;
  Introspector introspector;
  uint64_t told = 0;
  std::optional<Watcher> watcher;
};

SidecarMachine::SidecarMachine(World& world, size_t index, Endpoint& lower, AuthorityMachine& authority)
    : world_(world),
      plan_(world.plan.sidecars[index]),
      bound_(world.plan.BoundOf(index)),
      machine_(world.events, world.random, absl::StrCat("sidecar ", index + 1)),
      links_(plan_.ways),
      lower_(lower),
      authority_(authority) {
  Start();
}

SidecarMachine::~SidecarMachine() { Stop(); }

const Clock& SidecarMachine::clock() const { return process_->clock; }
Introspector& SidecarMachine::introspector() { return process_->introspector; }
UpstreamHop& SidecarMachine::hop() { return process_->hop; }
uint64_t SidecarMachine::told() const { return process_->told; }

void SidecarMachine::Introspect(const v1::IntrospectRequest& request, absl::Duration given, ReplyReceiver reply) {
  if (process_ == nullptr) return reply({.status = NobodyThere()});
  const auto store = [&hop = process_->hop, is_hidden = world_.fault == Fault::kHidesStore] {
    StoreName name = hop.store();
    if (is_hidden) name.incarnation.clear();
    return name;
  };
  ServedCall::Start(process_->introspector, request, given, store, std::move(reply));
}

void SidecarMachine::Start() {
  process_ = std::make_unique<Process>(*this, world_);
  started_at_ = world_.events.now();
}

void SidecarMachine::Stop() {
  if (process_ == nullptr) return;
  // Nobody finds the process any more, while those that wait are told.
  const std::unique_ptr<Process> process = std::move(process_);
  process->watcher.reset();
  process->hop.Shutdown();
}

void SidecarMachine::Sweep() { process_->cache.Sweep(); }

void SidecarMachine::BreakStream() {
  if (process_->watcher.has_value()) process_->watcher->Break();
}

}  // namespace pat::simulation
