// CommandLine: what patctl can be asked for, and what it was asked for.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_COMMAND_LINE_H_
#define PAT_CLIENT_PATCTL_COMMAND_LINE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/patctl/options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace pat::patctl {

class Environment;

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Parses once; `argv[0]` is the program. What it leaves out may be in the environment: see environment.h. nullopt: do
  // what options() says. A text: print it, and that was all (help or version). INVALID_ARGUMENT: what is wrong and what
  // would be right; the text never repeats a value that might be a password or a token.
  absl::StatusOr<std::optional<std::string>> Parse(int argc, const char* const* argv);

  const Options& options() const { return options_; }

  // All commands and flags, for the completion scripts.
  const CLI::App& app() const { return *app_; }

 private:
  Options options_;
  std::unique_ptr<Environment> environment_;
  std::unique_ptr<CLI::App> app_;  // Has pointers into options_.
};

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_COMMAND_LINE_H_
