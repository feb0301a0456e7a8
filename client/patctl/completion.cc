#include "client/patctl/completion.h"

#include <set>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace pat::patctl {
namespace {

struct Word {
  std::string text;
  std::string description;
};

// One command with everything that may follow it.
struct Node {
  std::string path;  // "patctl token create".
  std::vector<Word> commands;
  std::vector<Word> flags;
  std::vector<std::string> choices;  // Of its positional argument, if these can be listed.
};

struct Grammar {
  std::vector<Node> nodes;
  std::set<std::string> value_flags;                              // All flags that take a value.
  std::set<std::string> file_flags;                               // Those of which it is a file.
  std::vector<std::pair<std::string, std::string>> choice_flags;  // Those of which it is one of "a b c".
};

// What CLI11 says about the type of an option that is one of a set: "{table,json}".
std::string Choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t begin = type.find('{');
  const size_t end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return "";
  return absl::StrReplaceAll(type.substr(begin + 1, end - begin - 1), {{",", " "}});
}

void AddOption(const CLI::Option& option, Node& node, Grammar& grammar) {
  if (option.get_positional()) {
    const std::string choices = Choices(option);
    if (!choices.empty()) node.choices.push_back(choices);
    return;
  }
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back(absl::StrCat("--", name));
  for (const std::string& name : names) node.flags.push_back({name, option.get_description()});
  for (const std::string& name : option.get_snames()) names.push_back(absl::StrCat("-", name));
  if (option.get_expected_max() == 0) return;  // It takes no value.
  for (const std::string& name : names) {
    if (!grammar.value_flags.insert(name).second) continue;
    if (option.get_type_name() == "FILE") grammar.file_flags.insert(name);
    if (!Choices(option).empty()) grammar.choice_flags.emplace_back(name, Choices(option));
  }
}

void AddNode(const CLI::App& app, const std::string& path, const std::vector<const CLI::App*>& parents,
             Grammar& grammar) {
  Node node{path, {}, {}, {}};
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : commands) {
    node.commands.push_back({command->get_name(), command->get_description()});
  }
  for (const CLI::Option* option : app.get_options()) AddOption(*option, node, grammar);
  // Flags of a parent may stand behind a command, except those that are about the parent itself.
  for (const CLI::App* parent : parents) {
    for (const CLI::Option* option : parent->get_options()) {
      if (option != parent->get_help_ptr() && option != parent->get_version_ptr()) AddOption(*option, node, grammar);
    }
  }
  grammar.nodes.push_back(std::move(node));

  std::vector<const CLI::App*> lineage = parents;
  lineage.push_back(&app);
  for (const CLI::App* command : commands) {
    AddNode(*command, absl::StrCat(path, " ", command->get_name()), lineage, grammar);
  }
}

Grammar GrammarOf(const CLI::App& app) {
  Grammar grammar;
  AddNode(app, app.get_name(), {}, grammar);
  return grammar;
}

// The part that both shells have in common: which command do the words before the cursor name? `words` and `last` are
// how the shell calls the words and the index of the one that is being typed; `first` is the index of the program.
std::string FindCommand(const Grammar& grammar, const std::string& words, const std::string& last, int first) {
  std::vector<std::string> paths;
  for (const Node& node : grammar.nodes) {
    if (absl::StrContains(node.path, " ")) paths.push_back(absl::StrCat("\"", node.path, "\""));
  }
  return absl::StrCat("  local where=", grammar.nodes.front().path, " skip= word i\n",            //
                      "  for ((i = ", first + 1, "; i < ", last, "; i++)); do\n",                 //
                      "    word=\"${", words, "[i]}\"\n",                                         //
                      "    if [[ -n $skip && $word != '=' ]]; then skip=; continue; fi\n",        //
                      "    case \"$word\" in\n",                                                  //
                      "      ", absl::StrJoin(grammar.value_flags, "|"), ") skip=1 ;;\n",         //
                      "      *) case \"$where $word\" in\n",                                      //
                      "           ", absl::StrJoin(paths, "|"), ") where=\"$where $word\" ;;\n",  //
                      "         esac ;;\n",                                                       //
                      "    esac\n",                                                               //
                      "  done\n");
}

// All that may be typed next, separated by blanks.
std::string Candidates(const Node& node) {
  std::vector<std::string> candidates = node.choices;
  for (const Word& word : node.commands) candidates.push_back(word.text);
  for (const Word& word : node.flags) candidates.push_back(word.text);
  return absl::StrJoin(candidates, " ");
}

// For _describe: 'name:description', each in single quotes.
std::string Described(const std::vector<Word>& words) {
  return absl::StrJoin(words, " ", [](std::string* out, const Word& word) {
    absl::StrAppend(out, "'", word.text, ":", absl::StrReplaceAll(word.description, {{"'", "'\\''"}, {":", "\\:"}}),
                    "'");
  });
}

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  const Grammar grammar = GrammarOf(app);
  std::string script = absl::StrCat(
      "# Completes patctl in bash: source <(patctl completion bash)\n"
      "_patctl() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  if [[ $current == '=' ]]; then current=; fi\n"
      "  if [[ $previous == '=' ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
      "  case \"$previous\" in\n",
      "    ", absl::StrJoin(grammar.file_flags, "|"),
      ") local IFS=$'\\n'; COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n");
  for (const auto& [flag, choices] : grammar.choice_flags) {
    absl::StrAppend(&script, "    ", flag, ") COMPREPLY=($(compgen -W '", choices, "' -- \"$current\")); return ;;\n");
  }
  absl::StrAppend(&script, "    ", absl::StrJoin(grammar.value_flags, "|"), ") COMPREPLY=(); return ;;\n", "  esac\n",
                  FindCommand(grammar, "COMP_WORDS", "COMP_CWORD", 0), "  local candidates=\n",
                  "  case \"$where\" in\n");
  for (const Node& node : grammar.nodes) {
    absl::StrAppend(&script, "    \"", node.path, "\") candidates='", Candidates(node), "' ;;\n");
  }
  absl::StrAppend(&script,
                  "  esac\n"
                  "  COMPREPLY=($(compgen -W \"$candidates\" -- \"$current\"))\n"
                  "}\n"
                  "complete -F _patctl patctl\n");
  return script;
}

std::string ZshCompletion(const CLI::App& app) {
  const Grammar grammar = GrammarOf(app);
  std::string script = absl::StrCat(
      "#compdef patctl\n"
      "# Completes patctl in zsh: source <(patctl completion zsh)\n"
      "_patctl() {\n"
      "  case \"${words[CURRENT-1]}\" in\n",
      "    ", absl::StrJoin(grammar.file_flags, "|"), ") _files; return ;;\n");
  for (const auto& [flag, choices] : grammar.choice_flags) {
    absl::StrAppend(&script, "    ", flag, ") compadd -- ", choices, "; return ;;\n");
  }
  absl::StrAppend(&script, "    ", absl::StrJoin(grammar.value_flags, "|"), ") return ;;\n", "  esac\n",
                  FindCommand(grammar, "words", "CURRENT", 1), "  local -a commands flags\n", "  case \"$where\" in\n");
  for (const Node& node : grammar.nodes) {
    absl::StrAppend(&script, "    \"", node.path, "\")\n", "      commands=(",
                    node.choices.empty() ? Described(node.commands) : absl::StrJoin(node.choices, " "), ")\n",
                    "      flags=(", Described(node.flags), ") ;;\n");
  }
  absl::StrAppend(
      &script,
      "  esac\n"
      "  if [[ ${words[CURRENT]} != -* && ${#commands} -gt 0 ]]; then\n"
      "    _describe 'command' commands\n"
      "  else\n"
      "    _describe -o 'flag' flags\n"
      "  fi\n"
      "}\n"
      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _patctl \"$@\"; else compdef _patctl patctl; fi\n");
  return script;
}

}  // namespace pat::patctl
