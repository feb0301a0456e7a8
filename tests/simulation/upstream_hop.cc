#include "tests/simulation/upstream_hop.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "server/upstream/introspection_answer.h"
#include "server/upstream/upstream_error.h"
#include "server/upstream/upstream_facts.h"

namespace pat::simulation {

struct UpstreamHop::Call {
  uint64_t id = 0;
  TokenDigest digest;
  FactsReceiver* receiver = nullptr;
  bool is_repeat = false;
  Reading began_at;
  absl::Duration lasts;
  uint64_t drops = 0;
  Backoff backoff;
  int attempts = 0;
  Reading sent_at = {};
};

UpstreamHop::UpstreamHop(World& world, Machine& machine, const Clock& clock, Link& link, Endpoint& lower,
                         absl::Duration deadline)
    : world_(world), machine_(machine), clock_(clock), link_(link), lower_(lower), deadline_(deadline) {}

void UpstreamHop::Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) {
  if (is_closed_) return receiver.Receive(AuthorityUnavailable("this sidecar is stopping"));
  const absl::Duration lasts = std::min(options.timeout.value_or(deadline_), deadline_);
  if (lasts <= absl::ZeroDuration()) return receiver.Receive(AuthorityUnavailable("there is no time left"));
  const UpstreamOptions defaults;
  const auto call = std::make_shared<Call>(Call{.id = ++last_id_,
                                                .digest = digest,
                                                .receiver = &receiver,
                                                .is_repeat = &receiver == receiving_,
                                                .began_at = clock_.Read(),
                                                .lasts = lasts,
                                                .drops = drops,
                                                .backoff = Backoff(defaults.first_backoff, defaults.longest_backoff)});
  if (call->is_repeat) ++world_.counts.repeats;
  calls_[call->id] = call;
  Attempt(call);
}

absl::Duration UpstreamHop::LeftOf(const Call& call) const {
  return call.lasts - absl::Nanoseconds(clock_.Read().boot_nanos - call.began_at.boot_nanos);
}

// The call, if it is still at that attempt.
UpstreamHop::CallPointer UpstreamHop::Current(uint64_t id, int attempt) const {
  const auto found = calls_.find(id);
  return found != calls_.end() && found->second->attempts == attempt ? found->second : nullptr;
}

void UpstreamHop::Attempt(const CallPointer& call) {
  const int attempt = ++call->attempts;
  call->sent_at = clock_.Read();
  machine_.Later(LeftOf(*call), [alive = std::weak_ptr(alive_), id = call->id, attempt] {
    const std::shared_ptr<UpstreamHop> hop = alive.lock();
    if (hop == nullptr) return;
    const CallPointer late = hop->Current(id, attempt);
    if (late != nullptr) hop->Answer(late, AuthorityUnavailable("nothing came in time"));
  });
  Send(call, attempt);
}

void UpstreamHop::Send(const CallPointer& call, int attempt) {
  v1::IntrospectRequest request;
  request.set_token_sha256(call->digest.bytes.data(), call->digest.bytes.size());
  request.mutable_max_staleness();
  if (world_.random.Chance(world_.plan.lost)) return;
  const auto alive = std::weak_ptr(alive_);
  // The link and the lower party outlive this sidecar's process; it may be gone when the reply comes.
  const auto reply = [alive, &world = world_, &link = link_, &machine = machine_, id = call->id,
                      attempt](Reply answer) {
    if (link.is_cut() || world.random.Chance(world.plan.lost)) return;
    machine.Later(DrawDelay(world), [alive, &link, id, attempt, answer = std::move(answer)] {
      const std::shared_ptr<UpstreamHop> hop = alive.lock();
      if (hop != nullptr && !link.is_cut()) hop->Arrive(id, attempt, answer);
    });
  };
  lower_.machine().Later(DrawDelay(world_), [&link = link_, &lower = lower_, request = std::move(request), reply] {
    if (!link.is_cut()) lower.Introspect(request, reply);
  });
}

void UpstreamHop::Arrive(uint64_t id, int attempt, const Reply& reply) {
  const CallPointer call = Current(id, attempt);
  if (call == nullptr) return;
  if (!reply.status.ok()) return Fail(call);
  if (!reply.incarnation.empty()) {
    const bool is_another = !incarnation_.empty() && reply.incarnation != incarnation_;
    incarnation_ = reply.incarnation;
    if (is_another) on_another_store();
    on_answer_of(reply.store);
  }
  const absl::StatusOr<UpstreamAnswer> answer = ReadAnswer(reply.response, scopes_);
  if (!answer.ok()) {
    // The authority of a simulation always makes sense; unless its clock was set back so far that a token that is
    // regenerated now expires before it was made.
    if (!world_.plan.have_clock_steps) world_.wrong = std::string(answer.status().message());
    return Answer(call, AuthorityUnavailable("the authority's answer makes no sense"));
  }
  const absl::Duration fresh_for = world_.fault == Fault::kIgnoresFreshFor ? absl::Hours(24 * 365) : answer->fresh_for;
  Answer(call, FactsAnswer{.facts = answer->facts.has_value() ? &*answer->facts : nullptr,
                           .source = FactsSource::kStore,
                           .now = clock_.Now(),
                           .read_time = call->sent_at.now,
                           .fresh_until = call->sent_at.now + fresh_for,
                           .fresh_for = fresh_for});
}

void UpstreamHop::Fail(const CallPointer& call) {
  const absl::Duration wait = call->backoff.Next(world_.random.Bits());
  if (wait >= LeftOf(*call)) return Answer(call, AuthorityUnavailable("the authority cannot be reached"));
  machine_.Later(wait, [alive = std::weak_ptr(alive_), id = call->id, attempt = call->attempts] {
    const std::shared_ptr<UpstreamHop> hop = alive.lock();
    if (hop == nullptr) return;
    const CallPointer again = hop->Current(id, attempt);
    if (again != nullptr) hop->Attempt(again);
  });
}

void UpstreamHop::Answer(const CallPointer& call, const absl::StatusOr<FactsAnswer>& answer) {
  calls_.erase(call->id);
  receiving_ = call->receiver;
  receiving_repeat_ = call->is_repeat;
  call->receiver->Receive(answer);
  receiving_ = nullptr;
  receiving_repeat_ = false;
}

void UpstreamHop::Shutdown() {
  is_closed_ = true;
  while (!calls_.empty()) Answer(CallPointer(calls_.begin()->second), AuthorityUnavailable("this sidecar is stopping"));
}

bool UpstreamHop::HasOneToJoin(const TokenDigest& digest, absl::Duration ttl) const {
  const Reading now = clock_.Read();
  const auto youngest =
      std::find_if(calls_.rbegin(), calls_.rend(), [&](const auto& item) { return item.second->digest == digest; });
  if (youngest == calls_.rend()) return false;
  const Call& call = *youngest->second;
  // One that has less than half of its time left is not joined.
  return !call.is_repeat && call.drops == drops && Age(call.began_at, now) <= ttl && 2 * LeftOf(call) >= deadline_;
}

}  // namespace pat::simulation
