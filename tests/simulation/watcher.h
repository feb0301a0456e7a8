// Watcher: keeps a stream of revocations for a sidecar. What server/upstream/revocation_watcher.cc does, without gRPC
// and threads: the real RevocationFollower, the real waits, on the simulated network.
#ifndef PAT_TESTS_SIMULATION_WATCHER_H_
#define PAT_TESTS_SIMULATION_WATCHER_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "server/cache/revocation_sink.h"
#include "server/upstream/backoff.h"
#include "server/upstream/revocation_follower.h"
#include "tests/simulation/authority_machine.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/network.h"
#include "tests/simulation/ways.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

class Watcher {
 public:
  Watcher(World& world, Machine& machine, Ways& ways, AuthorityMachine& authority, RevocationSink& sink);
  ~Watcher();

  // The sidecar has done what the messages said, until this commit.
  std::function<void(uint64_t told)> on_told = [](uint64_t) {};

  void Connect();

  // The connection breaks. Whether this end learns of it, or only hears nothing any more, is chance.
  void Break();

 private:
  void Hear(const std::shared_ptr<Stream>& stream, const StreamMessage& message);
  void End(const std::shared_ptr<Stream>& stream, bool is_silent);
  void LookForSilence(const std::shared_ptr<Stream>& stream, absl::Duration wait);

  // Of what is told later: does it with this watcher if it is still there, and the stream is still its stream.
  template <typename Action>
  auto IfCurrent(const std::shared_ptr<Stream>& stream, Action action) const;

  World& world_;
  Machine& machine_;
  Ways& ways_;
  AuthorityMachine& authority_;
  RevocationFollower follower_;
  Backoff backoff_;
  std::shared_ptr<Stream> stream_;
  size_t way_ = 0;  // That it goes.
  bool has_told_ = false;
  absl::Time began_at_;
  absl::Time last_heard_;
  const std::shared_ptr<Watcher> alive_{this, [](Watcher*) {}};
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_WATCHER_H_
