#include "tests/simulation/watcher.h"

#include <string>
#include <utility>

#include "server/upstream/revocation_watcher.h"

namespace pat::simulation {
namespace {

const WatcherOptions kOptions;

}  // namespace

template <typename Action>
auto Watcher::IfCurrent(const std::shared_ptr<Stream>& stream, Action action) const {
  return [alive = std::weak_ptr(alive_), stream = std::weak_ptr(stream), action = std::move(action)] {
    const std::shared_ptr<Watcher> watcher = alive.lock();
    const std::shared_ptr<Stream> held = stream.lock();
    if (watcher != nullptr && held != nullptr && watcher->stream_ == held) action(*watcher, held);
  };
}

Watcher::Watcher(World& world, Machine& machine, Ways& ways, AuthorityMachine& authority, RevocationSink& sink)
    : world_(world),
      machine_(machine),
      ways_(ways),
      authority_(authority),
      follower_(sink),
      backoff_(kOptions.first_backoff, kOptions.longest_backoff) {}

Watcher::~Watcher() {
  if (stream_ != nullptr) stream_->is_over = true;
}

void Watcher::Connect() {
  stream_ = std::make_shared<Stream>();
  began_at_ = last_heard_ = world_.events.now();
  way_ = ways_.current();
  has_told_ = false;
  std::string resume_token = follower_.resume_token();
  follower_.BeginStream();
  if (world_.fault == Fault::kResumesWithGap) resume_token.clear();

  const auto stream = stream_;
  // In the order in which they arrive, also over a sleep of the machine.
  stream->on_message = [alive = std::weak_ptr(alive_), weak = std::weak_ptr(stream),
                        &machine = machine_](const StreamMessage& message) {
    machine.Later(absl::ZeroDuration(), [alive, weak, message] {
      const std::shared_ptr<Watcher> watcher = alive.lock();
      const std::shared_ptr<Stream> held = weak.lock();
      if (watcher != nullptr && held != nullptr && watcher->stream_ == held) watcher->Hear(held, message);
    });
  };
  stream->on_end = [&machine = machine_, end = IfCurrent(stream, [](Watcher& watcher, const auto& held) {
                                           watcher.End(held, /*is_silent=*/false);
                                         })] { machine.Later(absl::ZeroDuration(), end); };
  LookForSilence(stream, kOptions.silence);
  Link& link = ways_.link(way_);
  const auto refuse = [&world = world_, stream] { world.events.In(DrawDelay(world), [stream] { stream->on_end(); }); };
  if (world_.events.now() < link.refused_until) return refuse();
  authority_.machine().Later(DrawDelay(world_),
                             [&link, &world = world_, &authority = authority_, stream, resume_token, refuse] {
                               if (stream->is_over || world.events.now() < link.cut_until) return;
                               if (!authority.is_up()) return refuse();
                               authority.OpenStream(stream, resume_token);
                             });
}

void Watcher::Hear(const std::shared_ptr<Stream>& stream, const StreamMessage& message) {
  if (stream->is_over) return;
  if (world_.events.now() < ways_.link(way_).cut_until) {
    stream->is_over = true;  // What is lost is lost, and the rest too. The silence will tell.
    return;
  }
  last_heard_ = world_.events.now();
  has_told_ = true;
  if (world_.fault == Fault::kIgnoresReset && message.message.has_reset()) {
    v1::WatchRevocationsResponse misheard = message.message;
    misheard.mutable_heartbeat();
    follower_.Apply(misheard);
  } else {
    follower_.Apply(message.message);
  }
  if (world_.journal.is_on()) {
    world_.journal.Note(machine_.name(), " is told: ", message.message.ShortDebugString(), " (all until commit ",
                        message.told, ")");
  }
  on_told(message.told);
}

void Watcher::End(const std::shared_ptr<Stream>& stream, bool is_silent) {
  world_.journal.Note(machine_.name(), " has lost its stream");
  // One that has told something is as it should be, also when it ends.
  if (is_silent || !has_told_) ways_.MoveOn(way_);
  stream->is_over = true;
  stream_ = nullptr;
  if (world_.events.now() - began_at_ > kOptions.longest_backoff) backoff_.Reset();
  machine_.Later(backoff_.Next(world_.random.Bits()), [alive = std::weak_ptr(alive_)] {
    if (const std::shared_ptr<Watcher> watcher = alive.lock(); watcher != nullptr) watcher->Connect();
  });
}

void Watcher::Break() {
  if (stream_ == nullptr || stream_->is_over) return;
  stream_->is_over = true;
  if (world_.random.Chance(0.5)) world_.events.In(DrawDelay(world_), [stream = stream_] { stream->on_end(); });
}

void Watcher::LookForSilence(const std::shared_ptr<Stream>& stream, absl::Duration wait) {
  const absl::Duration late = kOptions.check_every * world_.random.Fraction();
  machine_.Later(wait + late, IfCurrent(stream, [](Watcher& watcher, const std::shared_ptr<Stream>& held) {
                   const absl::Duration silent = watcher.world_.events.now() - watcher.last_heard_;
                   if (silent > kOptions.silence) return watcher.End(held, /*is_silent=*/true);
                   watcher.LookForSilence(held, kOptions.silence - silent);
                 }));
}

}  // namespace pat::simulation
