#include "tests/simulation/sidecar_machine.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/cache/caching_facts_reader.h"
#include "server/cache/revocation_sink.h"
#include "server/upstream/upstream_error.h"
#include "tests/simulation/served_call.h"
#include "tests/simulation/sloppy_cache.h"
#include "tests/simulation/watcher.h"

namespace pat::simulation {

struct SidecarMachine::Process final : public RevocationSink {
  Process(SidecarMachine& sidecar, World& shared)
      : world(shared),
        clock(sidecar.machine_),
        hop(world, sidecar.machine_, clock, sidecar.link_, sidecar.lower_, sidecar.plan_.deadline),
        cache(hop, clock,
              {.ttl = sidecar.plan_.ttl,
               .negative_ttl = sidecar.plan_.negative_ttl,
               .capacity = sidecar.plan_.capacity,
               .load_timeout = sidecar.plan_.deadline,
               .push = sidecar.plan_.push}),
        untold(hop, clock, {.ttl = sidecar.plan_.ttl, .negative_ttl = sidecar.plan_.negative_ttl, .capacity = 100}),
        sloppy(world.fault == Fault::kKeepsOvertaken ? untold : cache, clock, sidecar.bound_, world.fault),
        introspector(world.fault == Fault::kNone ? static_cast<FactsReader&>(cache) : sloppy, clock) {
    hop.on_another_store = [this] {
      if (world.fault != Fault::kIgnoresOtherStore) DropAll();
    };
    hop.on_answer_of = [this](int store) { told = std::max(told, world.truth.LastCommit(store, 0)); };
    if (!sidecar.plan_.push) return;
    watcher.emplace(world, sidecar.machine_, sidecar.link_, sidecar.authority_, *this);
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
  UpstreamHop hop;
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
      link_(world),
      lower_(lower),
      authority_(authority) {
  Start();
}

SidecarMachine::~SidecarMachine() { Stop(); }

const Clock& SidecarMachine::clock() const { return process_->clock; }
Introspector& SidecarMachine::introspector() { return process_->introspector; }
UpstreamHop& SidecarMachine::hop() { return process_->hop; }
uint64_t SidecarMachine::told() const { return process_->told; }

void SidecarMachine::Introspect(const v1::IntrospectRequest& request, ReplyReceiver reply) {
  if (process_ == nullptr) return reply({.status = AuthorityUnavailable("nobody listens")});
  ServedCall::Start(process_->introspector, request, /*incarnation=*/{}, /*store=*/-1, std::move(reply));
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
