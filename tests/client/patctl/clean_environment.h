// What the person who runs the tests has set for patctl is not for the tests.
#ifndef PAT_TESTS_CLIENT_PATCTL_CLEAN_ENVIRONMENT_H_
#define PAT_TESTS_CLIENT_PATCTL_CLEAN_ENVIRONMENT_H_

#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"

namespace pat::patctl {

// Removes every PATCTL_... from the environment of this process.
inline void CleanEnvironment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (absl::StartsWith(text, "PATCTL_")) names.push_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

// Cleans at its beginning and at its end.
class CleanEnvironmentScope {
 public:
  CleanEnvironmentScope() { CleanEnvironment(); }
  ~CleanEnvironmentScope() { CleanEnvironment(); }
  CleanEnvironmentScope(const CleanEnvironmentScope&) = delete;
  CleanEnvironmentScope& operator=(const CleanEnvironmentScope&) = delete;
};

}  // namespace pat::patctl

#endif  // PAT_TESTS_CLIENT_PATCTL_CLEAN_ENVIRONMENT_H_
