// Clock: the only place of the client that knows what time it is.
//
// Everything that needs the time takes a `const Clock&`; tests give one that stands still until they move it.
//
// Threads: Now() may be called from any thread.
#ifndef PAT_CLIENT_CLOCK_H_
#define PAT_CLIENT_CLOCK_H_

#include "absl/time/time.h"

namespace pat::client {

class Clock {
 public:
  virtual ~Clock() = default;

  // The wall clock. It can be set, so it may run backwards.
  virtual absl::Time Now() const = 0;
};

// The clock of this machine. Never destroyed.
const Clock& SystemClock();

}  // namespace pat::client

#endif  // PAT_CLIENT_CLOCK_H_
