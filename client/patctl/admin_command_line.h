// The commands of administrators, for the command line: user, policy and audit.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_ADMIN_COMMAND_LINE_H_
#define PAT_CLIENT_PATCTL_ADMIN_COMMAND_LINE_H_

#include "CLI/CLI.hpp"
#include "client/patctl/options.h"

namespace pat::patctl {

// Adds them to `root`. What they are given goes into `options`, which must outlive it.
void AddAdminCommands(CLI::App& root, Options& options);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_ADMIN_COMMAND_LINE_H_
