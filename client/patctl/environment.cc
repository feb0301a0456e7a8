#include "client/patctl/environment.h"

#include <stdlib.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace pat::patctl {
namespace {

std::string NameOf(const CLI::Option& option) { return absl::StrCat("--", option.get_lnames().front()); }

// CLI11's texts begin with the option, as in "--timeout: ...": here it is the variable that has to be mended.
std::string TextFor(const std::string& variable, const std::string& name, const std::string& error) {
  absl::string_view rest = error;
  absl::ConsumePrefix(&rest, absl::StrCat(name, ": "));
  return absl::StrCat(variable, ": ", rest);
}

}  // namespace

std::string Environment::VariableOf(const CLI::Option& option) {
  return absl::StrCat("PATCTL_", absl::StrReplaceAll(absl::AsciiStrToUpper(option.get_lnames().front()), {{"-", "_"}}));
}

void Environment::Add(CLI::Option& option) {
  option.description(absl::StrCat(option.get_description(), " [", VariableOf(option), "]"));
  options_.push_back(&option);
}

void Environment::Apply() {
  for (CLI::Option* option : options_) {
    const std::string variable = VariableOf(*option);
    const char* const value = getenv(variable.c_str());
    if (option->count() > 0 || value == nullptr || *value == '\0') continue;
    const std::string name = NameOf(*option);
    option->add_result(value);
    try {
      option->run_callback();
    } catch (const CLI::ParseError& error) {
      throw CLI::ValidationError(TextFor(variable, name, error.what()));
    }
    gave_.insert(name);
  }
}

}  // namespace pat::patctl
