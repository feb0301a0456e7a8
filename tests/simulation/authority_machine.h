// AuthorityMachine: an authority. Its store is the disk: it outlives the process, which can be restarted, and can be
// replaced by another one, as after a restore. In the process is what `patd authority` puts together, without threads
// and sockets; the streams of WatchRevocations are driven here as server/rpc/watch_streams.cc drives them.
#ifndef PAT_TESTS_SIMULATION_AUTHORITY_MACHINE_H_
#define PAT_TESTS_SIMULATION_AUTHORITY_MACHINE_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "server/core/introspection.h"
#include "server/core/policy_rules.h"
#include "server/core/token_lifecycle.h"
#include "server/core/user_lifecycle.h"
#include "store/token_store.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/network.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

class AuthorityMachine final : public Endpoint {
 public:
  explicit AuthorityMachine(World& world);
  ~AuthorityMachine() override;

  Machine& machine() override { return machine_; }
  void Introspect(const v1::IntrospectRequest& request, absl::Duration given, ReplyReceiver reply) override;

  bool is_up() const { return process_ != nullptr; }
  absl::Time started_at() const { return started_at_; }
  TokenStore& store() { return *store_; }

  // Of the process there is.
  TokenLifecycle& tokens();
  UserLifecycle& users();
  PolicyRules& policy();
  Introspector& introspector();
  const Clock& clock() const;

  // Something was committed.
  void WakeStreams();

  // A sidecar asks for a stream.
  void OpenStream(const std::shared_ptr<Stream>& stream, const std::string& resume_token);

  void Stop();
  void Start();
  void ReplaceStore(std::unique_ptr<TokenStore> store);  // While it is stopped.

  // What Maintenance does now and then; or far too early, all at once.
  void Sweep();
  void ForgetAllChanges();

 private:
  struct Process;
  struct Feeding;

  void Feed(const std::shared_ptr<Feeding>& feeding);
  void FeedLater(const std::shared_ptr<Feeding>& feeding, absl::Duration wait);
  void Tick(const std::shared_ptr<Feeding>& feeding);

  World& world_;
  Machine machine_;
  std::unique_ptr<TokenStore> store_;
  absl::Time started_at_;
  std::unique_ptr<Process> process_;
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_AUTHORITY_MACHINE_H_
