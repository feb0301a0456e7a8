// patd's command line: subcommand and flags, to options.
#ifndef PAT_SERVER_OPS_COMMAND_LINE_H_
#define PAT_SERVER_OPS_COMMAND_LINE_H_

#include <optional>

#include "server/ops/options.h"

namespace pat {

struct CommandLine {
  // What the process is to end with at once: help was printed (0), or one line said what is wrong (2).
  std::optional<int> exit_code;
  Command command = Command::kDev;
  Options options;
};

// Reads flags, environment and the file named by --config, and prints help, version and errors itself.
CommandLine ParseCommandLine(int argc, const char* const* argv, const char* const* environment);

}  // namespace pat

#endif  // PAT_SERVER_OPS_COMMAND_LINE_H_
