// The oracle: whether an answer is allowed, from what was true when (truth.h) and nothing else.
//
// An answer is right if it was true at some moment that is not too long ago. How long that may be is all that a cache
// may decide; so one question covers revocation, regeneration, owners, policy and scopes alike. Judged when the verdict
// was computed, in true time.
#ifndef PAT_TESTS_SIMULATION_ORACLE_H_
#define PAT_TESTS_SIMULATION_ORACLE_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "tests/simulation/truth.h"

namespace pat::simulation {

struct Judged {
  absl::Time now = {};  // True time, when the verdict was computed.
  bool active = false;
  ScopeMask scopes = 0;           // If it is active.
  absl::Duration fresh_for = {};  // As the answer says.

  // An active answer must have been true at some moment since then,
  absl::Time active_since = {};
  // and must not rest on what one of the first so many commits ended: whoever answers was told of those.
  uint64_t told = 0;
  // It must not be used longer than so after its end.
  absl::Duration bound = {};

  // An inactive one must have been true at some moment since then; unless somebody's clock says that it has expired.
  absl::Time inactive_since = {};
  bool may_be_expired = false;
};

// Empty: all is well. Else what is wrong, for people.
std::string Judge(const KnownSecret& secret, const Judged& answer);

// An error that somebody was told who had asked at a sidecar, in true time. (That nobody waits for too long is looked
// after by who asks: it may be that there is no answer at all.)
struct Told {
  absl::Duration left = {};  // Of the time that the caller could wait; negative if it slept.

  // Nobody could be asked in time: it did not come from below.
  bool is_dismissal = false;

  // It came from a question that had begun before the caller came, and that took most of its time.
  bool is_of_another = false;
};

// As above.
std::string Judge(const Told& error);

// For how long the secret had been dead at `now`; negative or zero if it was alive.
absl::Duration DeadFor(const KnownSecret& secret, absl::Time now);

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_ORACLE_H_
