#include "client/patctl/command_line_parts.h"

#include "client/patctl/user_reference.h"

namespace pat::patctl {

CLI::Option* AddNames(CLI::App& app, const std::string& name, std::vector<std::string>& names,
                      const std::string& description) {
  return app.add_option(name, names, description)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->take_all()
      ->type_name("NAME");
}

CLI::Option* AddBool(CLI::App& app, const std::string& name, std::optional<bool>& value,
                     const std::string& description) {
  return app
      .add_option_function<std::string>(
          name, [&value](const std::string& text) { value = text == "true"; }, description)
      ->type_name("BOOL")
      ->check(CLI::IsMember(std::vector<std::string>{"true", "false"}));
}

CLI::Option* AddUser(CLI::App& app, const std::string& name, std::string& user, const std::string& description) {
  return AddParsed<std::string>(
             app, name, ParseUser, [&user](const std::string& id) { user = id; }, description)
      ->type_name("USER");
}

CLI::App& AddCommand(CLI::App& parent, const std::string& name, const std::string& description, Command command,
                     Options& options) {
  CLI::App& app = *parent.add_subcommand(name, description);
  app.callback([&options, command] { options.command = command; });
  return app;
}

void AddOwner(CLI::App& app, std::string& owner) {
  AddUser(app, "--owner", owner, "Whose, as in ada or users/ada; the user who asks, unless given");
}

void AddSelection(CLI::App& app, TokenSelection& selection) {
  AddOwner(app, selection.owner);
  app.add_option("token", selection.reference, "Its name (users/ada/tokens/...), ID or display name")
      ->type_name("TOKEN")
      ->required();
}

void AddValidateOnly(CLI::App& app, bool& validate_only) {
  app.add_flag("--validate-only", validate_only, "Let the server judge the request, and change nothing");
}

}  // namespace pat::patctl
