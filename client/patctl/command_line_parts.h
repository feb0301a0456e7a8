// What the definitions of patctl's commands have in common; see command_line.h.
//
// The references must outlive the app: flags write into them when it parses.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_COMMAND_LINE_PARTS_H_
#define PAT_CLIENT_PATCTL_COMMAND_LINE_PARTS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/patctl/options.h"

namespace pat::patctl {

inline constexpr char kSeeGlobal[] = "Flags for server, user and output: see patctl --help. They may stand here too.\n";

// Hands what `parse` makes of the text to `take`; its error becomes one of the command line.
template <typename T, typename Take>
CLI::Option* AddParsed(CLI::App& app, const std::string& name, absl::StatusOr<T> (*parse)(absl::string_view), Take take,
                       const std::string& description) {
  return app.add_option_function<std::string>(
      name,
      [name, parse, take](const std::string& text) {
        auto value = parse(text);
        if (!value.ok()) throw CLI::ValidationError(name, std::string(value.status().message()));
        take(*std::move(value));
      },
      description);
}

// Values separated by commas; the flag may be repeated.
CLI::Option* AddNames(CLI::App& app, const std::string& name, std::vector<std::string>& names,
                      const std::string& description);

// A flag with the value "true" or "false".
CLI::Option* AddBool(CLI::App& app, const std::string& name, std::optional<bool>& value,
                     const std::string& description);

// A user, as in user_reference.h; `user` gets the name without "users/".
CLI::Option* AddUser(CLI::App& app, const std::string& name, std::string& user, const std::string& description);

// A command that sets options.command to `command`.
CLI::App& AddCommand(CLI::App& parent, const std::string& name, const std::string& description, Command command,
                     Options& options);

void AddOwner(CLI::App& app, std::string& owner);

void AddSelection(CLI::App& app, TokenSelection& selection);

void AddValidateOnly(CLI::App& app, bool& validate_only);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_COMMAND_LINE_PARTS_H_
