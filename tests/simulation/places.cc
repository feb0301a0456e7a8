#include "tests/simulation/places.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/core/introspection.h"
#include "tests/simulation/oracle.h"

namespace pat::simulation {
namespace {

ScopeMask MaskOf(const ScopeSet& scopes) {
  ScopeMask mask = 0;
  for (size_t i = 0; i < kScopes.size(); ++i) {
    if (scopes.Contains(kScopes[i])) mask = static_cast<ScopeMask>(mask | (1 << i));
  }
  return mask;
}

}  // namespace

// A caller, from question to answer.
class Places::Asker final : public Introspection {
 public:
  Asker(Places& places, size_t asked_place, size_t asked_secret, size_t asked_scope, const FindOptions& options)
      : place(asked_place),
        secret(asked_secret),
        scope(asked_scope),
        max_staleness(options.max_staleness),
        patience(places.PatienceOf(asked_place, options)),
        asked_at(places.world_.events.now()),
        told(place == 0 ? 0 : places.sidecar(place).told()),
        digest(places.world_.truth.secrets()[secret].digest),
        places_(places) {
    query.credential =
        DigestCredential{absl::string_view(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size())};
    query.requirements.Begin();
    query.requirements.AddScope(kScopes[scope]);
    query.max_staleness = options.max_staleness;
    query.timeout = options.timeout;
  }

  const size_t place;
  const size_t secret;
  const size_t scope;
  const std::optional<absl::Duration> max_staleness;
  const absl::Duration patience;  // How long it has to wait at most.
  const absl::Time asked_at;
  const uint64_t told;  // Of what its place had been told when it asked.
  const TokenDigest digest;

  bool has_answer() const { return has_answer_; }

 private:
  void OnResult(const absl::StatusOr<IntrospectionResult>& result) override {
    if (std::exchange(has_answer_, true)) return places_.NoteWrong(*this, "answered twice");
    places_.Judge(*this, result);
  }

  Places& places_;
  bool has_answer_ = false;
};

Places::Places(World& world, AuthorityMachine& authority) : world_(world), authority_(authority) {
  for (size_t i = 0; i < world.plan.sidecars.size(); ++i) {
    const bool is_over_sidecar = world.plan.sidecars[i].is_over_sidecar;
    Endpoint& lower = is_over_sidecar ? static_cast<Endpoint&>(*sidecars_[0]) : authority;
    sidecars_.push_back(std::make_unique<SidecarMachine>(world, i, lower, authority));
  }
}

// Everybody who waits is told, while all are still there.
Places::~Places() { End(); }

void Places::End() {
  authority_.Stop();
  for (const auto& sidecar : sidecars_) sidecar->Stop();
  for (const auto& asker : askers_) {
    if (!asker->has_answer()) NoteWrong(*asker, "never answered");
  }
}

absl::Duration Places::ttl(size_t place) const {
  return place == 0 ? world_.plan.authority_ttl : world_.plan.sidecars[place - 1].ttl;
}

absl::Duration Places::negative_ttl(size_t place) const {
  return place == 0 ? world_.plan.authority_negative_ttl : world_.plan.sidecars[place - 1].negative_ttl;
}

absl::Duration Places::bound(size_t place) const {
  return place == 0 ? world_.plan.authority_ttl : world_.plan.BoundOf(place - 1);
}

// An authority's store does not keep anybody waiting for long, so there nobody is looked after.
absl::Duration Places::PatienceOf(size_t place, const FindOptions& options) const {
  if (place == 0) return absl::InfiniteDuration();
  const absl::Duration most = world_.plan.sidecars[place - 1].deadline;
  return std::min(options.timeout.value_or(most), most);
}

bool Places::MayHaveReached(size_t place, absl::Time time) {
  bool may = authority_.machine().latest_now() >= time || machine(place).latest_now() >= time;
  if (place != 0 && world_.plan.sidecars[place - 1].is_over_sidecar) may = may || machine(1).latest_now() >= time;
  return may;
}

void Places::Ask(size_t place, size_t secret, const FindOptions& options) {
  machine(place).Later(absl::ZeroDuration(), [=, this] {
    if (is_up(place)) AskNow(place, secret, options);
  });
}

void Places::AskNow(size_t place, size_t secret, const FindOptions& options) {
  auto& asker = *askers_.emplace_back(
      std::make_unique<Asker>(*this, place, secret, world_.random.Below(kScopes.size()), options));
  if (place == 0) return authority_.introspector().Start(asker);

  UpstreamHop& hop = sidecar(place).hop();
  const bool is_known = world_.fault == Fault::kNone || world_.fault == Fault::kJoinsNothing;  // How it loads.
  const absl::Duration staleness = std::min(options.max_staleness.value_or(ttl(place)), ttl(place));
  const bool must_join = is_known && staleness > absl::ZeroDuration() && hop.HasOneToJoin(asker.digest, staleness);
  const uint64_t asked = hop.asked();
  sidecar(place).introspector().Start(asker);
  if (must_join && hop.asked() != asked) NoteWrong(asker, "a second question, though there was one to join");
  if (!asker.has_answer()) LookAtTheEndOfPatience(asker);
}

// On its machine, which may be asleep just then; after all else that happens there at that instant.
void Places::LookAtTheEndOfPatience(const Asker& asker) {
  machine(asker.place).Later(asker.patience, [this, &asker] {
    world_.events.In(absl::ZeroDuration(), [this, &asker] {
      if (asker.has_answer()) return;
      NoteWrong(asker, absl::StrCat("no answer after ", absl::FormatDuration(world_.events.now() - asker.asked_at),
                                    ", though it could wait for ", absl::FormatDuration(asker.patience)));
    });
  });
}

void Places::NoteWrong(const Asker& asker, absl::string_view wrong) {
  if (!world_.wrong.empty()) return;
  world_.wrong = absl::StrCat(machine(asker.place).name(), ", secret ", asker.secret, ": ", wrong);
  world_.journal.Note("WRONG: ", world_.wrong);
}

// At a sidecar that is up.
void Places::JudgeError(const Asker& asker) {
  UpstreamHop& hop = sidecar(asker.place).hop();
  const UpstreamHop::Received* const from = hop.receiving();
  const absl::Time now = world_.events.now();
  Told told{.left = asker.asked_at + asker.patience - now, .is_dismissal = from == nullptr && now > asker.asked_at};
  told.is_of_another = from != nullptr && from->is_error && !from->is_repeat && from->took_its_time &&
                       from->asked_since < asker.asked_at;
  if (told.is_dismissal) {
    Counts& counts = world_.counts;
    ++counts.dismissed;
    if (asker.patience < sidecar(asker.place).plan().deadline) ++counts.deadlines;
    hop.NoteLeft(asker.digest);
  }
  if (const std::string wrong = simulation::Judge(told); !wrong.empty()) NoteWrong(asker, wrong);
}

void Places::Judge(const Asker& asker, const absl::StatusOr<IntrospectionResult>& result) {
  const KnownSecret& secret = world_.truth.secrets()[asker.secret];
  const absl::Time now = world_.events.now();
  Counts& counts = world_.counts;
  const auto note = [&](absl::string_view answer) {
    if (!world_.journal.is_on()) return;
    world_.journal.Note(machine(asker.place).name(), " answers of secret ", asker.secret, ", asked ",
                        absl::FormatDuration(now - asker.asked_at), " ago: ", answer);
  };
  const bool is_at_sidecar = asker.place != 0 && is_up(asker.place);  // And that is not stopping.
  if (is_at_sidecar) {
    const UpstreamHop::Received* const from = sidecar(asker.place).hop().receiving();
    if (from != nullptr && !from->is_repeat && from->began_at > asker.asked_at) ++counts.moved_on;
  }
  if (!result.ok() || !is_up(asker.place)) {  // Or it is stopping.
    ++counts.undecided;
    note(result.ok() ? "too late" : result.status().message());
    if (!result.ok() && is_at_sidecar) JudgeError(asker);
    return;
  }
  const bool is_hit = result->freshness.source == AnswerSource::kCache;
  ++counts.answers;
  if (is_hit) ++counts.hits;
  if (result->facts != nullptr) {
    ++counts.active;
    const absl::Duration dead_for = DeadFor(secret, now);
    if (dead_for > absl::ZeroDuration()) ++counts.late;
    const absl::Duration most = bound(asker.place);
    if (most > absl::ZeroDuration()) {
      counts.longest_lag = std::max(counts.longest_lag, absl::FDivDuration(dead_for, most));
    }
  }
  note(absl::StrCat(result->facts == nullptr ? "inactive" : "active", is_hit ? ", cached" : "", ", for ",
                    absl::FormatDuration(result->freshness.fresh_for)));
  const std::string wrong = FindWrong(asker, *result);
  if (!wrong.empty()) NoteWrong(asker, absl::StrCat(is_hit ? "cached, " : "", wrong));
}

std::string Places::FindWrong(const Asker& asker, const IntrospectionResult& result) {
  const KnownSecret& secret = world_.truth.secrets()[asker.secret];
  const size_t place = asker.place;
  const bool is_hit = result.freshness.source == AnswerSource::kCache;
  const absl::Time now = world_.events.now();
  // An end that the policy sets need not be a whole second, and on the wire it is.
  const absl::Time expire_time =
      place == 0 ? secret.expire_time : absl::FromUnixSeconds(absl::ToUnixSeconds(secret.expire_time));
  Judged judged{.now = now, .active = result.facts != nullptr, .fresh_for = result.freshness.fresh_for};
  judged.bound = bound(place);
  judged.active_since = now - judged.bound;
  judged.inactive_since = now - (is_hit ? std::min(ttl(place), negative_ttl(place)) : ttl(place));
  if (!is_hit) {
    // Without a cache, here or below, nobody gets what was read before they came.
    if (judged.bound == absl::ZeroDuration()) judged.active_since = asker.asked_at;
    if (ttl(place) == absl::ZeroDuration()) judged.inactive_since = asker.asked_at;
  }
  if (place == 0) {
    // Where it was made a new secret works at once.
    judged.inactive_since = std::max(judged.inactive_since, secret.made_at + absl::Nanoseconds(1));
  } else {
    // A question is asked again only once. If that was overtaken too, whoever came before gets the answer all the same.
    const UpstreamHop::Received* const from = sidecar(place).hop().receiving();
    const bool is_second = !is_hit && from != nullptr && from->is_repeat;
    judged.told = is_second ? asker.told : sidecar(place).told();
  }
  judged.may_be_expired = MayHaveReached(place, expire_time);
  if (result.facts == nullptr) return simulation::Judge(secret, judged);

  const TokenFacts& facts = *result.facts;
  judged.scopes = MaskOf(facts.scopes);
  if (facts.uid != secret.uid || facts.owner_id != secret.owner_id || facts.expire_time != expire_time) {
    return "the facts are another token's";
  }
  if ((result.verdict == Verdict::kAllow) != (((judged.scopes >> asker.scope) & 1) != 0)) {
    return "the verdict does not follow from the scopes";
  }
  // To a layer above it would say that there is no cache.
  const bool asks_now = asker.max_staleness == absl::ZeroDuration();
  if (asks_now && judged.bound > absl::ZeroDuration() && judged.fresh_for == absl::ZeroDuration()) {
    return "active, but for no time at all, which it says to who asked with a staleness of zero";
  }
  const absl::Time here = place == 0 ? authority_.clock().Now() : sidecar(place).clock().Now();
  if (here >= expire_time) {
    return absl::StrCat("active, though it expired ", absl::FormatDuration(here - expire_time), " ago");
  }
  // Unless somebody set the authority's clock meanwhile, its expiry holds here, too.
  const Machine& lowest = authority_.machine();
  const bool holds = judged.bound > absl::ZeroDuration() && lowest.set_at() < judged.active_since;
  if (holds && lowest.wall() > secret.expire_time) {
    return absl::StrCat("active, though at the authority it expired ",
                        absl::FormatDuration(lowest.wall() - secret.expire_time), " ago");
  }
  return simulation::Judge(secret, judged);
}

}  // namespace pat::simulation
