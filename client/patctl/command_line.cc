#include "client/patctl/command_line.h"

#include <sstream>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/patctl/admin_command_line.h"
#include "client/patctl/command_line_parts.h"
#include "client/patctl/environment.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/text.h"
#include "client/patctl/user_reference.h"
#include "client/server_address.h"

namespace pat::patctl {
namespace {

constexpr char kExitCodes[] =
    "Exit status:\n"
    "  0  done; introspect: the verdict is ALLOW\n"
    "  1  the call failed; health: the server is not serving\n"
    "  2  the command line is wrong\n"
    "  3  introspect: any other verdict\n"
    "  4  not confirmed; nothing was changed\n"
    "\n"
    "Environment:\n"
    "  What is in brackets above is the variable for that option; the option goes before it.\n";

CLI::Option* AddExpiry(CLI::App& app, std::optional<Expiry>& expiry, const std::string& description) {
  return AddParsed<Expiry>(
             app, "--expires", ParseExpiry, [&expiry](Expiry value) { expiry = value; }, description)
      ->type_name("WHEN");
}

// '' is nobody, against a user in the environment.
absl::StatusOr<std::string> ParseUserOrNobody(absl::string_view text) {
  if (text.empty()) return std::string();
  return ParseUser(text);
}

void AddRequestId(CLI::App& app, std::string& request_id) {
  app.add_option("--request-id", request_id, "The same ID and request is done once only, within 24 hours")
      ->type_name("ID");
}

// --tls alone, or --tls=false against what the environment says.
std::string CheckFlagValue(const std::string& text) {
  if (text == "true" || text == "false" || text == "1" || text == "0") return "";
  return absl::StrCat("\"", text, "\": give true or false");
}

void AddConnection(CLI::App& app, GlobalOptions& global, Environment& environment) {
  const auto add = [&environment](CLI::Option* option) { environment.Add(*option->group("Connection")); };
  add(AddParsed<client::ServerAddress>(
          app, "--server", client::ServerAddress::Parse,
          [&global](const client::ServerAddress& address) { global.server = address.text(); },
          "HOST:PORT or unix:PATH; 127.0.0.1:7443 unless given")
          ->type_name("ADDRESS"));
  add(AddParsed<std::string>(
          app, "--user", ParseUserOrNobody, [&global](const std::string& user) { global.user = user; },
          "Who asks, by name and password")
          ->type_name("USER"));
  add(app.add_option("--password-file", global.password_file, "Where the password is; - is standard input")
          ->type_name("FILE"));
  add(app.add_option("--token-file", global.token_file,
                     "Where a token is that asks instead of a user; - is standard input. It can look at, regenerate "
                     "and revoke itself, list scopes and report leaked tokens")
          ->type_name("FILE"));
  add(app.add_flag_function(
             "--tls", [&global](int64_t count) { global.tls = count > 0; },
             "Use TLS; also if one of what is below is given. --tls=false: do not, whatever the environment says")
          ->check(CheckFlagValue));
  add(app.add_option("--tls-ca", global.tls_ca, "Who may vouch for the server; the system's authorities unless given")
          ->type_name("FILE"));
  add(app.add_option("--tls-cert", global.tls_cert, "This client's certificate")->type_name("FILE"));
  add(app.add_option("--tls-key", global.tls_key, "Its private key")->type_name("FILE"));
  add(app.add_option("--tls-server-name", global.tls_server_name,
                     "Whom the server's certificate must be made out to; the host of --server unless given")
          ->type_name("NAME"));
  add(AddParsed<absl::Duration>(
          app, "--timeout", ParsePositiveDuration, [&global](absl::Duration timeout) { global.timeout = timeout; },
          "For each call, as in 30s or 2m; 10s unless given")
          ->type_name("DURATION"));
}

void AddInteraction(CLI::App& app, GlobalOptions& global, Environment& environment) {
  const char* const interaction = "Interaction";
  environment.Add(*app.add_option_function<std::string>(
                          "--output",
                          [&global](const std::string& format) {
                            global.json = format != "table";
                            global.json_lines = format == "jsonl";
                          },
                          "For people or for programs; table unless given. jsonl: each thing of a list in a line")
                       ->type_name("FORMAT")
                       ->check(CLI::IsMember(std::vector<std::string>{"table", "json", "jsonl"}))
                       ->group(interaction));
  app.add_flag("-y,--yes", global.yes, "Do not ask for confirmation")->group(interaction);
}

void AddTokenCreate(CLI::App& token, Options& options) {
  TokenCreateOptions& create = options.token_create;
  CLI::App& app =
      AddCommand(token, "create", "Make a token and print its secret, once", Command::kTokenCreate, options);
  app.add_option("--name", create.name, "What to call it")->type_name("NAME");
  AddNames(app, "--scopes,--scope", create.scopes,
           "What it may do, as A,B or repeated: the fewest scopes that are enough");
  AddExpiry(app, create.expiry, "When it ends: 30d, 90d, 2027-01-31 (through that day, UTC) or 2027-01-31T18:00:00Z");
  app.add_option("--description", create.description, "What it is for")->type_name("TEXT");
  AddNames(app, "--audiences,--audience", create.audiences,
           "Where it may be used, as A,B or repeated; everywhere unless given");
  AddRequestId(app, create.request_id);
  AddValidateOnly(app, create.validate_only);
  AddOwner(app, create.owner);
  app.footer(absl::StrCat("On a terminal, it asks for what is missing and offers the scopes there are.\n", kSeeGlobal));
}

void AddTokenList(CLI::App& token, Options& options) {
  TokenListOptions& list = options.token_list;
  CLI::App& app = AddCommand(token, "list", "Tokens, oldest first", Command::kTokenList, options);
  AddOwner(app, list.owner);
  app.add_flag("--all-users", list.all_users, "Everybody's tokens (for administrators)")->excludes("--owner");
  app.add_flag("--show-revoked", list.show_revoked, "Revoked tokens too");
}

void AddTokenUpdate(CLI::App& token, Options& options) {
  TokenUpdateOptions& update = options.token_update;
  CLI::App& app = AddCommand(token, "update", "Rename a token or describe it anew", Command::kTokenUpdate, options);
  AddSelection(app, update.token);
  app.add_option_function<std::string>(
         "--name", [&update](const std::string& name) { update.name = name; }, "Its new display name")
      ->type_name("NAME");
  app.add_option_function<std::string>(
         "--description", [&update](const std::string& text) { update.description = text; }, "Its new description")
      ->type_name("TEXT");
}

void AddTokenRegenerate(CLI::App& token, Options& options) {
  TokenRegenerateOptions& regenerate = options.token_regenerate;
  CLI::App& app = AddCommand(token, "regenerate", "Give a token a new secret and print it, once",
                             Command::kTokenRegenerate, options);
  AddSelection(app, regenerate.token);
  AddExpiry(app, regenerate.expiry, "When it ends from now on; unchanged unless given");
  AddRequestId(app, regenerate.request_id);
  AddValidateOnly(app, regenerate.validate_only);
}

void AddTokenRevokeAll(CLI::App& token, Options& options) {
  TokenRevokeAllOptions& revoke_all = options.token_revoke_all;
  CLI::App& app =
      AddCommand(token, "revoke-all", "End all tokens of a user, or everybody's", Command::kTokenRevokeAll, options);
  AddOwner(app, revoke_all.owner);
  app.add_flag("--all-users", revoke_all.all_users, "Everybody's tokens (for administrators)")->excludes("--owner");
  AddValidateOnly(app, revoke_all.validate_only);
}

void AddToken(CLI::App& root, Options& options) {
  CLI::App& token = *root.add_subcommand("token", "Create, look at, revoke and regenerate tokens");
  token.require_subcommand(1);
  AddTokenCreate(token, options);
  AddTokenList(token, options);
  AddSelection(AddCommand(token, "show", "One token", Command::kTokenShow, options), options.token_show);
  AddTokenUpdate(token, options);
  CLI::App& revoke = AddCommand(token, "revoke", "End a token for ever", Command::kTokenRevoke, options);
  AddSelection(revoke, options.token_revoke.token);
  AddValidateOnly(revoke, options.token_revoke.validate_only);
  AddTokenRegenerate(token, options);
  AddTokenRevokeAll(token, options);
  CLI::App& report = AddCommand(token, "report-leaked", "End a token whose secret somebody has who should not",
                                Command::kTokenReportLeaked, options);
  report.add_option("--secret-file", options.leaked_secret_file, "Where the secret is; standard input unless given")
      ->type_name("FILE");
  report.footer(
      absl::StrCat("Anybody who has the secret may do this; nobody is told whether it was one.\n", kSeeGlobal));
}

void AddScopes(CLI::App& root, Options& options) {
  CLI::App& scopes = *root.add_subcommand("scopes", "What tokens can be allowed to do");
  scopes.require_subcommand(1);
  AddCommand(scopes, "list", "All scopes", Command::kScopesList, options);
  CLI::App& search =
      AddCommand(scopes, "search", "Scopes with all these words in name, resource, product or description",
                 Command::kScopesSearch, options);
  search.add_option("words", options.scopes_search, "Words")->take_all()->type_name("WORD")->required();
}

void AddIntrospect(CLI::App& root, Options& options) {
  IntrospectOptions& introspect = options.introspect;
  CLI::App& app = AddCommand(root, "introspect", "May the bearer of a token do this?", Command::kIntrospect, options);
  app.add_option("--token-file", introspect.token_file, "Where the token is; standard input unless given")
      ->type_name("FILE");
  app.add_option_function<std::vector<std::string>>(
         "--require",
         [&introspect](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             auto requirement = ParseRequirement(text);
             if (!requirement.ok())
               throw CLI::ValidationError("--require", std::string(requirement.status().message()));
             introspect.requirements.push_back(*std::move(requirement));
           }
         },
         "One of these scopes is needed; repeated: each time one")
      ->allow_extra_args(false)
      ->take_all()
      ->type_name("SCOPE|SCOPE");
  app.add_option("--audience", introspect.audience, "Where the token is used")->type_name("NAME");
  AddParsed<absl::Duration>(
      app, "--max-staleness", ParseDuration,
      [&introspect](absl::Duration duration) { introspect.max_staleness = duration; },
      "How old the facts may be; 0 asks the store now; the cache's TTL unless given")
      ->type_name("DURATION");
  app.footer(
      absl::StrCat("The token is never an argument: others could see it in the list of processes.\n", kSeeGlobal));
}

std::unique_ptr<CLI::App> MakeApp(Options& options, Environment& environment) {
  auto root = std::make_unique<CLI::App>("Personal access tokens: create, look at, revoke, regenerate and check them.",
                                         "patctl");
  root->fallthrough();  // Inherited: global flags may stand behind a command.
  root->require_subcommand(1);
  // Also inherited: of a flag that is repeated the last one counts, so that those in an alias can be overridden.
  root->option_defaults()->take_last();
  root->set_version_flag("--version", "patctl " PAT_VERSION);
  AddConnection(*root, options.global, environment);
  AddInteraction(*root, options.global, environment);

  root->footer(kSeeGlobal);  // Inherited by what is added from here on.
  AddToken(*root, options);
  AddScopes(*root, options);
  AddIntrospect(*root, options);
  AddAdminCommands(*root, options);
  CLI::App& health = AddCommand(*root, "health", "Is the server ready?", Command::kHealth, options);
  health.add_option("service", options.health_service, "One of its services, for example pat.v1.TokenService")
      ->type_name("SERVICE");
  CLI::App& completion = AddCommand(*root, "completion", "A script that completes patctl's commands and flags",
                                    Command::kCompletion, options);
  completion.add_option("shell", options.completion_shell, "For which shell")
      ->type_name("SHELL")
      ->check(CLI::IsMember(std::vector<std::string>{"bash", "zsh"}))
      ->required();
  root->footer(kExitCodes);
  return root;
}

// "patctl token create", as far as the arguments name a command.
std::string NamedCommand(const CLI::App& root) {
  std::string command = root.get_name();
  for (auto named = root.get_subcommands(); !named.empty(); named = named.front()->get_subcommands()) {
    absl::StrAppend(&command, " ", named.front()->get_name());
  }
  return command;
}

bool TakesNewPassword(const CLI::App& root) {
  const std::string command = NamedCommand(root);
  return command == "patctl user create" || command == "patctl user set-password";
}

// What was wrong, without any value that might be a password or a token.
std::string Explain(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unexpected = app.remaining(/*recurse=*/true);
  const bool unknown =
      dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
      dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;  // Often for a name that is mistyped.
  if (!unknown || unexpected.empty()) return MaskSecrets(Printable(error.what()));
  // The first one only, and of a flag only its name: what follows may be its value.
  std::string name = unexpected.front().substr(0, unexpected.front().find('='));
  if (absl::StartsWith(name, "-") && !absl::StartsWith(name, "--")) name.resize(2);
  if (absl::StartsWith(name, "-p") || absl::StartsWith(name, "--pass")) {
    return "a password is never an argument: use --password-file, or let patctl ask for it";
  }
  // One word too many may well be the new password.
  if (absl::StartsWith(name, "--new-pass") || (TakesNewPassword(app) && !absl::StartsWith(name, "-"))) {
    return "a password is never an argument: use --new-password-file, or let patctl ask for it";
  }
  if (absl::StartsWith(name, "--token") || absl::StartsWith(name, "--secret") || LooksLikeSecret(name)) {
    return "a token's secret is never an argument: give it on standard input or with --token-file";
  }
  return absl::StrCat("not expected: ", MaskSecrets(Printable(name)));
}

// Either a user asks or a token does. What is on the command line goes before the environment.
absl::Status SettleWhoAsks(const Environment& environment, GlobalOptions& global) {
  if (global.token_file.empty() || global.user.empty()) return absl::OkStatus();
  const bool user_is_set = environment.Gave("--user");
  if (user_is_set == environment.Gave("--token-file")) {
    return UsageError(user_is_set ? "who asks? PATCTL_USER and PATCTL_TOKEN_FILE are both set: give --user or "
                                    "--token-file"
                                  : "who asks? give --user or --token-file, not both");
  }
  (user_is_set ? global.user : global.token_file).clear();
  return absl::OkStatus();
}

// What is set for one server need not fit another: a Unix socket takes no TLS, and --tls=false is meant as it stands.
absl::Status SettleTls(const Environment& environment, GlobalOptions& global) {
  const std::pair<const char*, std::string*> values[] = {{"--tls-ca", &global.tls_ca},
                                                         {"--tls-cert", &global.tls_cert},
                                                         {"--tls-key", &global.tls_key},
                                                         {"--tls-server-name", &global.tls_server_name}};
  const bool is_unix = absl::StartsWith(global.server, "unix:");
  if (!is_unix && global.tls.value_or(true)) return absl::OkStatus();
  const char* given = nullptr;
  for (const auto& [name, value] : values) {
    if (environment.Gave(name)) value->clear();
    if (!value->empty()) given = name;
  }
  if (environment.Gave("--tls") && (is_unix || given != nullptr)) global.tls.reset();
  if (given == nullptr || global.tls.value_or(true)) return absl::OkStatus();
  return UsageError(absl::StrCat("--tls=false does not go with ", given, ": leave one of them out"));
}

absl::Status Settle(const Environment& environment, Options& options) {
  // A token cannot ask about tokens: one that is set for the other commands stays out of this.
  if (options.command == Command::kIntrospect && environment.Gave("--token-file")) options.global.token_file.clear();
  if (absl::Status status = SettleTls(environment, options.global); !status.ok()) return status;
  return SettleWhoAsks(environment, options.global);
}

}  // namespace

CommandLine::CommandLine() : environment_(std::make_unique<Environment>()), app_(MakeApp(options_, *environment_)) {}

CommandLine::~CommandLine() = default;

absl::StatusOr<std::optional<std::string>> CommandLine::Parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
    environment_->Apply();
    if (absl::Status status = Settle(*environment_, options_); !status.ok()) return status;
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    if (app_->exit(error, out, err) == 0) return out.str();
    return UsageError(absl::StrCat(Explain(*app_, error), "; see ", NamedCommand(*app_), " --help"));
  }
}

}  // namespace pat::patctl
