#include "tests/simulation/upstream_hop.h"

#include <grpcpp/support/status.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "server/upstream/backoff.h"
#include "server/upstream/introspection_answer.h"
#include "server/upstream/upstream_facts.h"

namespace pat::simulation {
namespace {

// As in upstream_facts.cc.
constexpr size_t kMostAttempts = 16;
constexpr int kLeastPart = 10;

}  // namespace

struct UpstreamHop::Call {
  uint64_t id = 0;
  TokenDigest digest;
  FactsReceiver* receiver = nullptr;
  Received received;      // As far as it is known before the end.
  bool was_left = false;  // By somebody whose time was up.
  Reading began_at;
  absl::Duration lasts;
  uint64_t drops = 0;
  Backoff backoff;
  size_t attempts = 0;
  size_t way = 0;  // Of the last attempt,
  Reading sent_at = {};
  absl::Duration given = {};        // and how long it may take.
  absl::Duration retry_delay = {};  // The longest that was asked for since the last wait.
};

UpstreamHop::UpstreamHop(World& world, Machine& machine, const Clock& clock, Ways& ways, Endpoint& lower,
                         absl::Duration deadline)
    : world_(world), machine_(machine), clock_(clock), ways_(ways), lower_(lower), deadline_(deadline) {}

void UpstreamHop::Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) {
  if (is_closed_) return receiver.Receive(AuthorityUnavailable("this sidecar is stopping"));
  const absl::Duration lasts = std::min(options.timeout.value_or(deadline_), deadline_);
  if (lasts <= absl::ZeroDuration()) {
    return receiver.Receive(AuthorityUnavailable("there is no time left to ask the authority"));
  }
  const absl::Time now = world_.events.now();
  const bool is_repeat = receiving_ != nullptr && receiving_->receiver == &receiver;
  const UpstreamOptions defaults;
  const auto call = std::make_shared<Call>(Call{.id = ++last_id_,
                                                .digest = digest,
                                                .receiver = &receiver,
                                                .received = {.receiver = &receiver,
                                                             .began_at = now,
                                                             .asked_since = is_repeat ? receiving_->asked_since : now,
                                                             .is_repeat = is_repeat},
                                                .began_at = clock_.Read(),
                                                .lasts = lasts,
                                                .drops = drops,
                                                .backoff = Backoff(defaults.first_backoff, defaults.longest_backoff)});
  if (is_repeat) ++world_.counts.repeats;
  if (receiving_ != nullptr && !is_repeat) LookWhoMovesOn(*call);
  calls_[call->id] = call;
  Attempt(call);
}

// Those whose load failed as its time was up get another one; unless there is a younger one, which does for them.
void UpstreamHop::LookWhoMovesOn(const Call& call) {
  const Call* const other = Youngest(call.digest);
  // (Somebody who came before the wall clock was set back takes a younger one for an older one.)
  const bool would_do = other != nullptr && other->received.began_at >= receiving_->began_at && other->drops == drops &&
                        !world_.plan.have_clock_steps;
  if (receiving_->is_error && would_do && world_.wrong.empty()) {
    world_.wrong = machine_.name() + " asked for those who moved on, though there was a question to join";
  }
}

absl::Duration UpstreamHop::LeftOf(const Call& call) const {
  return call.lasts - absl::Nanoseconds(clock_.Read().boot_nanos - call.began_at.boot_nanos);
}

// The call, if it is still at that attempt.
UpstreamHop::CallPointer UpstreamHop::Current(uint64_t id, size_t attempt) const {
  const auto found = calls_.find(id);
  return found != calls_.end() && found->second->attempts == attempt ? found->second : nullptr;
}

// At first each address once, beginning with the one in use; then that one.
void UpstreamHop::Attempt(const CallPointer& call) {
  const bool is_first_round = call->attempts > 0 && call->attempts < ways_.size();
  const size_t way = is_first_round ? ways_.After(call->way) : ways_.current();
  if (call->attempts > 0 && way != call->way) ++world_.counts.elsewhere;
  call->way = way;
  ++call->attempts;
  call->sent_at = clock_.Read();
  call->given = LeftOf(*call);
  machine_.Later(call->given, [alive = std::weak_ptr(alive_), id = call->id, attempt = call->attempts] {
    const std::shared_ptr<UpstreamHop> hop = alive.lock();
    if (hop == nullptr) return;
    const CallPointer late = hop->Current(id, attempt);
    if (late != nullptr) hop->Fail(late, ReadError({grpc::StatusCode::DEADLINE_EXCEEDED, "nothing came in time"}));
  });
  Send(call);
}

// All that is left to chance is drawn here: calls that the other end answers at one instant are not answered in the
// same order each time.
void UpstreamHop::Send(const CallPointer& call) {
  Link& link = ways_.link(call->way);
  const bool is_lost = world_.random.Chance(world_.plan.lost);
  const bool is_reply_lost = world_.random.Chance(world_.plan.lost);
  const absl::Duration way_there = DrawDelay(world_);
  // The link and the lower party outlive this sidecar's process; it may be gone when the reply comes.
  const auto reply = [alive = std::weak_ptr(alive_), &events = world_.events, &link, &machine = machine_, id = call->id,
                      attempt = call->attempts, is_reply_lost, way_back = DrawDelay(world_)](Reply answer) {
    if (is_reply_lost || events.now() < link.cut_until) return;
    machine.Later(way_back, [alive, &events, &link, id, attempt, answer = std::move(answer)] {
      const std::shared_ptr<UpstreamHop> hop = alive.lock();
      if (hop != nullptr && events.now() >= link.cut_until) hop->Arrive(id, attempt, answer);
    });
  };
  if (is_lost) return;
  if (world_.events.now() < link.refused_until) return reply({.status = NobodyThere()});
  v1::IntrospectRequest request;
  request.set_token_sha256(call->digest.bytes.data(), call->digest.bytes.size());
  request.mutable_max_staleness();
  lower_.machine().Later(way_there, [&events = world_.events, &link, &lower = lower_, request = std::move(request),
                                     given = call->given, reply] {
    if (events.now() >= link.cut_until) lower.Introspect(request, given, reply);
  });
}

void UpstreamHop::Arrive(uint64_t id, size_t attempt, const Reply& reply) {
  const CallPointer call = Current(id, attempt);
  if (call == nullptr) return;
  if (!reply.status.ok()) return Fail(call, ReadError(reply.status));
  NoteStore(reply.store);
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

void UpstreamHop::NoteStore(const StoreName& store) {
  if (!store.incarnation.empty() && store.incarnation != store_.incarnation) {
    if (!store_.incarnation.empty()) on_another_store();
    store_ = store;
  }
  on_answer_of(store.number);
}

void UpstreamHop::Fail(const CallPointer& call, const UpstreamError& error) {
  // Who gave it little time does not judge it.
  if (error.may_retry || (error.is_late && 4 * call->given >= deadline_)) ways_.MoveOn(call->way);
  call->retry_delay = std::max(call->retry_delay, error.retry_delay);
  if (error.may_retry && call->attempts < kMostAttempts) {
    const absl::Duration left = LeftOf(*call);
    if (call->attempts < ways_.size() && left > absl::ZeroDuration()) return Attempt(call);
    const absl::Duration wait = std::max(call->backoff.Next(world_.random.Bits()), call->retry_delay);
    if (wait + call->lasts / kLeastPart < left) {
      call->retry_delay = absl::ZeroDuration();
      return machine_.Later(wait, [alive = std::weak_ptr(alive_), id = call->id, attempt = call->attempts] {
        const std::shared_ptr<UpstreamHop> hop = alive.lock();
        if (hop == nullptr) return;
        const CallPointer again = hop->Current(id, attempt);
        if (again != nullptr) hop->Attempt(again);
      });
    }
  }
  Answer(call, error.for_caller);
}

void UpstreamHop::Answer(const CallPointer& call, const absl::StatusOr<FactsAnswer>& answer) {
  calls_.erase(call->id);
  if (call->was_left && answer.ok()) ++world_.counts.outlived;
  Received received = call->received;
  received.is_error = !answer.ok();
  received.took_its_time = 2 * (world_.events.now() - received.asked_since) > deadline_;
  receiving_ = &received;
  if (world_.fault == Fault::kForsakesJoiners && !answer.ok()) {
    call->receiver->Receive(absl::DeadlineExceededError("not in the way in which the cache is told that time was up"));
  } else {
    call->receiver->Receive(answer);
  }
  receiving_ = nullptr;
}

void UpstreamHop::Shutdown() {
  is_closed_ = true;
  while (!calls_.empty()) Answer(CallPointer(calls_.begin()->second), AuthorityUnavailable("this sidecar is stopping"));
}

void UpstreamHop::NoteLeft(const TokenDigest& digest) {
  if (Call* const call = Youngest(digest); call != nullptr) call->was_left = true;
}

UpstreamHop::Call* UpstreamHop::Youngest(const TokenDigest& digest) const {
  const auto youngest =
      std::find_if(calls_.rbegin(), calls_.rend(), [&](const auto& item) { return item.second->digest == digest; });
  return youngest == calls_.rend() ? nullptr : youngest->second.get();
}

bool UpstreamHop::HasOneToJoin(const TokenDigest& digest, absl::Duration staleness) const {
  const Call* const call = Youngest(digest);
  return call != nullptr && call->drops == drops && Age(call->began_at, clock_.Read()) <= staleness;
}

}  // namespace pat::simulation
