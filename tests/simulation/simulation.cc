#include "tests/simulation/simulation.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/simulation/authority_machine.h"
#include "tests/simulation/changes.h"
#include "tests/simulation/places.h"

namespace pat::simulation {
namespace {

class Schedule {
 public:
  Schedule(uint64_t seed, Fault fault, std::ostream* journal)
      : world_(seed, fault, journal), authority_(world_), changes_(world_, authority_), places_(world_, authority_) {}

  Outcome Run();

 private:
  Random& random() { return world_.random; }
  absl::Duration AnyTime() { return world_.plan.span * random().Fraction(); }

  void Ask(size_t place, size_t secret);
  void AskSomething();
  void Change();
  void ProbeAfterChange(size_t secret);
  void Disturb();
  void CutOff(SidecarMachine& sidecar, absl::Duration duration);
  void ForgetChangesMeanwhile(SidecarMachine& sidecar);
  void RestartAuthority(bool restore);
  void RestartSidecar(size_t place);
  void SetClock(Machine& machine);
  size_t AnySidecar() { return 1 + random().Below(places_.size() - 1); }
  void Sweep();

  World world_;
  AuthorityMachine authority_;
  Changes changes_;
  Places places_;
};

Outcome Schedule::Run() {
  const Plan& plan = world_.plan;
  world_.journal.Note(plan.ToString());
  // Some that nobody has.
  for (int i = 0; i < 2; ++i) {
    KnownSecret unknown;
    for (uint8_t& byte : unknown.digest.bytes) byte = static_cast<uint8_t>(random().Bits());
    world_.truth.AddSecret(std::move(unknown));
  }
  const absl::Time end = world_.events.now() + plan.span;
  for (size_t i = 0; i < plan.asks; ++i) world_.events.In(AnyTime(), [this] { AskSomething(); });
  for (size_t i = 0; i < plan.changes; ++i) world_.events.In(AnyTime(), [this] { Change(); });
  for (size_t i = 0; i < plan.disturbances; ++i) world_.events.In(AnyTime(), [this] { Disturb(); });
  for (int i = 0; i < 3; ++i) world_.events.In(AnyTime(), [this] { Sweep(); });
  if (plan.have_other_stores) {
    const absl::Duration restore_after = AnyTime();
    world_.events.In(restore_after * random().Fraction(), [this] { changes_.TakeBackup(); });
    world_.events.In(restore_after, [this] { RestartAuthority(/*restore=*/true); });
  }
  while (world_.wrong.empty() && world_.events.RunNext(end)) {
  }
  places_.End();
  return {.wrong = world_.wrong, .counts = world_.counts};
}

void Schedule::Ask(size_t place, size_t secret) {
  FindOptions options;
  if (random().Chance(0.1)) options.max_staleness = absl::ZeroDuration();
  if (random().Chance(0.1)) options.max_staleness = places_.ttl(place) * random().Fraction() * 1.2;
  if (world_.plan.callers_have_deadlines && random().Chance(0.3)) {
    options.timeout = random().Scale(absl::Milliseconds(1), absl::Seconds(10));
  }
  places_.Ask(place, secret, options);
}

void Schedule::AskSomething() {
  // Mostly of the younger ones: those before are dead for good.
  const size_t secrets = world_.truth.secrets().size();
  const size_t secret =
      random().Chance(0.7) ? secrets - 1 - random().Below(std::min<size_t>(secrets, 6)) : random().Below(secrets);
  const size_t place = random().Below(places_.size());
  Ask(place, secret);
  // Others come at the same time, or a little later.
  while (random().Chance(0.4)) {
    world_.events.In(DrawDelay(world_), [=, this] { Ask(place, secret); });
  }
}

// Before it, things are asked, so that answers are on their way, or have just come, when it happens.
void Schedule::Change() {
  const absl::Duration wait = DrawDelay(world_);
  const size_t secrets = world_.truth.secrets().size();
  for (size_t i = 0; i < 4; ++i) {
    const size_t secret = random().Below(secrets);
    const size_t place = random().Below(places_.size());
    const absl::Duration before = random().Chance(0.5) ? wait : wait * random().Fraction();
    world_.events.In(wait - before, [=, this] { Ask(place, secret); });
  }
  authority_.machine().Later(wait, [this] {
    if (!authority_.is_up()) return;
    changes_.MakeOne();
    const auto& known = world_.truth.secrets();
    size_t probed = 0;
    for (size_t i = known.size(); i > 0 && probed < 4; --i) {
      if (known[i - 1].history.back().from != world_.events.now()) continue;
      ++probed;
      ProbeAfterChange(i - 1);
    }
  });
}

void Schedule::ProbeAfterChange(size_t secret) {
  const size_t probes = 2 + random().Below(5);
  for (size_t i = 0; i < probes; ++i) {
    const size_t place = random().Below(places_.size());
    const absl::Duration bound =
        random().Chance(0.8) ? places_.bound(place) : std::min(places_.ttl(place), places_.negative_ttl(place));
    const double kind = random().Fraction();
    absl::Duration wait = bound * random().Fraction();
    if (kind < 0.25) wait = DrawDelay(world_);
    if (kind > 0.6) wait = bound + absl::Nanoseconds(static_cast<int64_t>(random().Below(3)) - 1);
    if (kind > 0.8) wait = bound * (1 + random().Fraction() * 0.2);
    world_.events.In(std::max(wait, absl::ZeroDuration()), [=, this] { Ask(place, secret); });
  }
}

void Schedule::Sweep() {
  if (authority_.is_up()) authority_.Sweep();
  for (size_t place = 1; place < places_.size(); ++place) {
    if (places_.is_up(place)) places_.sidecar(place).Sweep();
  }
}

void Schedule::Disturb() {
  const double kind = random().Fraction();
  const size_t place = AnySidecar();
  SidecarMachine& sidecar = places_.sidecar(place);
  Machine& machine = places_.machine(random().Below(places_.size()));
  if (kind < 0.2) {
    const absl::Duration duration = random().Scale(absl::Milliseconds(100), 2 * world_.plan.longest_ttl());
    CutOff(sidecar, duration);
  } else if (kind < 0.45) {
    world_.journal.Note("the stream of ", sidecar.machine().name(), " breaks");
    if (sidecar.is_up()) sidecar.BreakStream();
  } else if (kind < 0.55) {
    RestartSidecar(place);
  } else if (kind < 0.65) {
    RestartAuthority(/*restore=*/false);
  } else if (kind < 0.75) {
    ForgetChangesMeanwhile(sidecar);
  } else if (world_.plan.have_clock_steps && kind < 0.95) {
    SetClock(machine);
  } else {
    const absl::Duration duration = random().Scale(absl::Seconds(1), 2 * world_.plan.longest_ttl());
    const bool wall_stands_still = world_.plan.have_clock_steps && random().Chance(0.5);
    world_.journal.Note(machine.name(), " sleeps for ", absl::FormatDuration(duration),
                        wall_stands_still ? ", its wall clock too" : "");
    machine.Sleep(duration, wall_stands_still);
  }
}

// All its ways to what is below it, or one of them; in silence, or so that it is told.
void Schedule::CutOff(SidecarMachine& sidecar, absl::Duration duration) {
  const absl::Time end = world_.events.now() + duration;
  std::vector<Link>& links = sidecar.links();
  const bool is_whole = random().Chance(0.5);
  const size_t only = random().Below(links.size());
  const bool is_silent = random().Chance(0.5);
  for (size_t way = 0; way < links.size(); ++way) {
    if (!is_whole && way != only) continue;
    (is_silent ? links[way].cut_until : links[way].refused_until) = end;
    world_.journal.Note("way ", way + 1, " of ", sidecar.machine().name(),
                        is_silent ? " is cut for " : " is refused for ", absl::FormatDuration(duration));
  }
}

// What a sidecar misses while it is cut off is not there any more when it comes back.
void Schedule::ForgetChangesMeanwhile(SidecarMachine& sidecar) {
  const absl::Duration duration = random().Scale(absl::Seconds(1), absl::Minutes(1));
  for (Link& link : sidecar.links()) link.cut_until = world_.events.now() + duration;
  world_.journal.Note(sidecar.machine().name(), " is cut off for ", absl::FormatDuration(duration));
  Change();
  world_.events.In(duration * random().Fraction(), [this] {
    world_.journal.Note("the authority forgets all changes that watchers may ask for");
    authority_.ForgetAllChanges();
  });
}

void Schedule::RestartSidecar(size_t place) {
  SidecarMachine& sidecar = places_.sidecar(place);
  if (!sidecar.is_up()) return;
  world_.journal.Note(sidecar.machine().name(), " is restarted");
  ++world_.counts.restarts;
  sidecar.Stop();
  sidecar.machine().Later(random().Scale(absl::Milliseconds(1), absl::Seconds(30)), [&sidecar] { sidecar.Start(); });
}

void Schedule::RestartAuthority(bool restore) {
  if (!authority_.is_up()) return;
  world_.journal.Note("the authority is restarted");
  ++world_.counts.restarts;
  authority_.Stop();
  authority_.machine().Later(random().Scale(absl::Milliseconds(1), absl::Seconds(30)), [this, restore] {
    if (restore) changes_.Restore();
    authority_.Start();
  });
}

void Schedule::SetClock(Machine& machine) {
  constexpr std::array<absl::Duration, 4> kScales = {absl::Seconds(1), absl::Minutes(1), absl::Hours(2),
                                                     absl::Hours(24 * 365 * 10)};
  const absl::Duration most = kScales[random().Below(kScales.size())];
  const absl::Duration offset = random().Between(-most, most);
  world_.journal.Note("the wall clock of ", machine.name(), ", which was off by ",
                      absl::FormatDuration(machine.wall_offset()), ", is set to be off by ",
                      absl::FormatDuration(offset));
  ++world_.counts.clock_steps;
  machine.SetWallOffset(offset);
}

}  // namespace

Outcome RunSchedule(uint64_t seed, Fault fault, std::ostream* journal) { return Schedule(seed, fault, journal).Run(); }

}  // namespace pat::simulation
