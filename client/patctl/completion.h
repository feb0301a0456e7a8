// Scripts that complete patctl's command line in a shell.
//
// They are made from the commands and flags that the program itself parses with, so they cannot say anything else.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_COMPLETION_H_
#define PAT_CLIENT_PATCTL_COMPLETION_H_

#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace pat::patctl {

// For: source <(patctl completion bash)
std::string BashCompletion(const CLI::App& app);

// For: source <(patctl completion zsh), or as a file _patctl in a directory of $fpath.
std::string ZshCompletion(const CLI::App& app);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_COMPLETION_H_
