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

Watcher::Watcher(World& world, Machine& machine, Link& link, AuthorityMachine& authority, RevocationSink& sink)
    : world_(world),
      machine_(machine),
      link_(link),
      authority_(authority),
      follower_(sink),
      backoff_(kOptions.first_backoff, kOptions.longest_backoff) {}

Watcher::~Watcher() {
  if (stream_ != nullptr) stream_->is_over = true;
}

void Watcher::Connect() {
  stream_ = std::make_shared<Stream>();
  began_at_ = last_heard_ = world_.events.now();
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
                                           watcher.End(held);
                                         })] { machine.Later(absl::ZeroDuration(), end); };
  LookForSilence(stream, kOptions.silence);
  authority_.machine().Later(DrawDelay(world_),
                             [&link = link_, &world = world_, &authority = authority_, stream, resume_token] {
                               if (stream->is_over || link.is_cut()) return;
                               if (authority.is_up()) return authority.OpenStream(stream, resume_token);
                               world.events.In(DrawDelay(world), [stream] { stream->on_end(); });
                             });
}

void Watcher::Hear(const std::shared_ptr<Stream>& stream, const StreamMessage& message) {
  if (stream->is_over) return;
  if (link_.is_cut()) {
    stream->is_over = true;  // What is lost is lost, and the rest too. The silence will tell.
    return;
  }
  last_heard_ = world_.events.now();
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

void Watcher::End(const std::shared_ptr<Stream>& stream) {
  world_.journal.Note(machine_.name(), " has lost its stream");
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
                   if (silent > kOptions.silence) return watcher.End(held);
                   watcher.LookForSilence(held, kOptions.silence - silent);
                 }));
}

}  // namespace pat::simulation
