// Places: where callers can ask, and what the oracle has to know of each.
#ifndef PAT_TESTS_SIMULATION_PLACES_H_
#define PAT_TESTS_SIMULATION_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/simulation/authority_machine.h"
#include "tests/simulation/sidecar_machine.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

// Place 0 is the authority, place i is sidecar i.
class Places {
 public:
  Places(World& world, AuthorityMachine& authority);
  ~Places();

  size_t size() const { return sidecars_.size() + 1; }
  SidecarMachine& sidecar(size_t place) { return *sidecars_[place - 1]; }
  AuthorityMachine& authority() { return authority_; }

  bool is_up(size_t place) const { return place == 0 ? authority_.is_up() : sidecars_[place - 1]->is_up(); }
  Machine& machine(size_t place) { return place == 0 ? authority_.machine() : sidecars_[place - 1]->machine(); }

  // What its own cache is set to.
  absl::Duration ttl(size_t place) const;
  absl::Duration negative_ttl(size_t place) const;

  // The bound that holds there.
  absl::Duration bound(size_t place) const;

  // How long who asks there so has to wait at most.
  absl::Duration PatienceOf(size_t place, const FindOptions& options) const;

  // Whether some clock between there and the store may ever have been at `time`, or beyond.
  bool MayHaveReached(size_t place, absl::Time time);

  // The end: all processes stop. Everybody has been answered by then, and judged; so this must have been called.
  void End();

  // Asks whether the secret is active, and with `scope`, and has the answer judged. With the machine as it is then, if
  // it sleeps now.
  void Ask(size_t place, size_t secret, const FindOptions& options);

 private:
  class Asker;

  void AskNow(size_t place, size_t secret, const FindOptions& options);
  void LookAtTheEndOfPatience(const Asker& asker);
  void Judge(const Asker& asker, const absl::StatusOr<IntrospectionResult>& result);
  void JudgeError(const Asker& asker);
  void NoteWrong(const Asker& asker, absl::string_view wrong);
  std::string FindWrong(const Asker& asker, const IntrospectionResult& result);

  World& world_;
  AuthorityMachine& authority_;
  std::vector<std::unique_ptr<SidecarMachine>> sidecars_;
  std::vector<std::unique_ptr<Asker>> askers_;  // Also those who have their answer: a second one would be wrong.
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_PLACES_H_
