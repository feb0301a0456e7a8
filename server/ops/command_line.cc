#include "server/ops/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/core/error.h"

namespace pat {
namespace {

constexpr int kUsageError = 2;
constexpr char kVersion[] = "patd " PAT_VERSION;
constexpr char kFooter[] =
    "Each option is also a key of the YAML file given with --config, and PATD_... in the environment "
    "(--cache-ttl: cache-ttl, PATD_CACHE_TTL). A flag beats the environment, the environment beats the file.\n";

struct CommandText {
  Command command;
  const char* help;
  const char* exit_status;
};

constexpr CommandText kCommands[] = {
    {Command::kDev,
     "Authority and introspection in one process, for trying it out: plaintext on loopback, sample users with known "
     "passwords. No production mode.",
     "Exit status: 0 ended by a signal, 2 an option is wrong or the server cannot start."},
    {Command::kAuthority,
     "Owns the tokens, and serves them: mutual TLS over TCP, Unix sockets with a role. `patd init` makes its data.",
     "Exit status: 0 ended by a signal, 2 an option is wrong or the server cannot start."},
    {Command::kSidecar,
     "Answers introspections beside a service, from a cache in front of the authority: no data, no disk, no users.",
     "Exit status: 0 ended by a signal, 2 an option is wrong or the server cannot start."},
    {Command::kInit,
     "Makes the data directory, the pepper file and the first administrator. All of it, or after an error nothing.",
     "Exit status: 0 made, 2 an option is wrong or something cannot be made."},
    {Command::kHealthcheck,
     "Asks the patd that runs with these options whether it serves: at --health-listen, or the first --listen that "
     "takes no certificate, or the first on loopback.",
     "Exit status: 0 it serves, 1 it does not or cannot be asked, 2 an option is wrong."},
};

std::string CommandNames() {
  return absl::StrJoin(kCommands, ", ", [](std::string* out, const CommandText& text) {
    absl::StrAppend(out, CommandName(text.command));
  });
}

CommandLine Refused(const absl::Status& status) {
  std::cerr << "patd: " << std::string(status.message()) << "\n";
  return {.exit_code = kUsageError, .command = Command::kDev, .options = {}};
}

// The flags of a subcommand, where CLI11 puts what it finds.
class Flags {
 public:
  Flags(Command which, CLI::App& command) : command_(which) {
    command.add_option("--config", config_, "a YAML file with options")->type_name("FILE");
    for (const OptionDescription& description : OptionDescriptions(which)) {
      Flag& flag = flags_.emplace_back(Flag{.description = description, .values = {}, .on = false, .option = nullptr});
      const std::string name = NameOf(description);
      if (description.metavar.empty()) {
        command.add_flag(name, flag.on, description.help);
        continue;
      }
      CLI::Option* const option = command.add_option(name, flag.values, description.help);
      // One value for each flag: what stands behind it is not another one.
      option->type_name(description.metavar)->expected(1)->allow_extra_args(false);
      option->multi_option_policy(description.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                         : CLI::MultiOptionPolicy::Throw);
      flag.option = option;
    }
  }

  const std::string& config() const { return config_; }

  // What is wrong with a flag that has no value (or an empty one, which is the same to CLI11) or too many, said as for
  // any other wrong value. nullopt: it is not about one of these flags.
  std::optional<absl::Status> Explain(const CLI::ArgumentMismatch& error) const {
    for (const Flag& flag : flags_) {
      const std::string name = NameOf(flag.description);
      if (flag.option == nullptr || !absl::StartsWith(error.what(), absl::StrCat(name, ":"))) continue;
      if (flag.option->count() > 1) {
        return absl::InvalidArgumentError(absl::StrCat(name, ": is given twice; give it once"));
      }
      const GivenOptions empty = {{flag.description.key, {.where = name, .values = {""}}}};
      absl::Status status = ResolveOptions(empty, {}, {}, command_).status();
      if (!status.ok()) return status;
    }
    return std::nullopt;
  }

  GivenOptions Given() const {
    GivenOptions given;
    for (const Flag& flag : flags_) {
      GivenOption option{.where = NameOf(flag.description), .values = flag.values};
      if (flag.on) option.values = {"true"};
      if (!option.values.empty()) given.emplace(flag.description.key, std::move(option));
    }
    return given;
  }

 private:
  struct Flag {
    OptionDescription description;
    std::vector<std::string> values;
    bool on;
    const CLI::Option* option;  // Null for a switch.
  };

  static std::string NameOf(const OptionDescription& description) {
    return absl::StrCat("--", description.flag.empty() ? description.key : description.flag);
  }

  const Command command_;
  std::string config_;
  std::deque<Flag> flags_;  // CLI11 keeps references to the values.
};

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv, const char* const* environment) {
  CLI::App app("patd: personal access tokens, issued, revoked and checked.", "patd");
  app.set_version_flag("--version", kVersion);
  // CLI11 would only say that a subcommand is missing.
  const auto is_named = [&](const CommandText& text) { return CommandName(text.command) == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && std::none_of(std::begin(kCommands), std::end(kCommands), is_named)) {
    return Refused(
        absl::InvalidArgumentError(absl::StrCat(Quoted(argv[1]), " is no command; give one of ", CommandNames())));
  }
  const auto* const later = std::find_if(std::begin(kCommands), std::end(kCommands), [&](const CommandText& text) {
    return std::find(argv + std::min(argc, 1), argv + argc, CommandName(text.command)) != argv + argc;
  });
  if (argc > 1 && absl::StartsWith(argv[1], "--") && later != std::end(kCommands)) {
    return Refused(absl::InvalidArgumentError(absl::StrCat(Quoted(argv[1]), " stands before the command; give patd ",
                                                           CommandName(later->command), " first, then the options")));
  }
  app.require_subcommand(1);
  std::map<Command, Flags> all_flags;
  for (const CommandText& text : kCommands) {
    CLI::App& command = *app.add_subcommand(std::string(CommandName(text.command)), text.help);
    command.footer(absl::StrCat(kFooter, text.exit_status));
    all_flags.try_emplace(text.command, text.command, command);
  }
  // Whose flags they are is said by the first argument; without one there are none.
  const auto* const named = argc > 1 ? std::find_if(std::begin(kCommands), std::end(kCommands), is_named) : nullptr;
  const Command command = named != nullptr && named != std::end(kCommands) ? named->command : Command::kDev;
  const Flags& flags = all_flags.at(command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return {.exit_code = app.exit(success), .command = command, .options = {}};
  } catch (const CLI::ArgumentMismatch& error) {
    return Refused(flags.Explain(error).value_or(absl::InvalidArgumentError(error.what())));
  } catch (const CLI::ParseError& error) {
    return Refused(absl::InvalidArgumentError(
        absl::StrCat(error.what(), " (patd ", CommandName(command), " --help lists the options)")));
  }

  GivenOptions from_file;
  if (!flags.config().empty()) {
    absl::StatusOr<GivenOptions> read = OptionsFromFile(flags.config(), command);
    if (!read.ok()) return Refused(read.status());
    from_file = *std::move(read);
  }
  absl::StatusOr<Options> options =
      ResolveOptions(flags.Given(), OptionsFromEnvironment(environment), from_file, command);
  if (!options.ok()) return Refused(options.status());
  return {.exit_code = std::nullopt, .command = command, .options = *std::move(options)};
}

}  // namespace pat
