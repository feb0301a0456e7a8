// All of patctl, but for the real streams and the real clock.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_RUN_H_
#define PAT_CLIENT_PATCTL_RUN_H_

#include "client/clock.h"
#include "client/patctl/console.h"

namespace pat::patctl {

// Does what the command line says and returns the exit status (see exit_code.h). Of the environment it
// reads what environment.h says, and nothing else.
int Run(int argc, const char* const* argv, Console& console, const client::Clock& clock);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_RUN_H_
