#include "client/patctl/command_line_parts.h"

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

CLI::App& AddCommand(CLI::App& parent, const std::string& name, const std::string& description, Command command,
                     Options& options) {
  CLI::App& app = *parent.add_subcommand(name, description);
  app.callback([&options, command] { options.command = command; });
  return app;
}

void AddOwner(CLI::App& app, std::string& owner) {
  app.add_option("--owner", owner, "Whose token; the user who asks, unless given")->type_name("USER");
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
