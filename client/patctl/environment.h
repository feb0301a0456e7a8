// Environment: options of the command line that may also stand in the environment.
//
// --tls-ca is PATCTL_TLS_CA, and so on: the name follows from the option's. What is on the command line goes before the
// environment. A variable that is empty counts as absent.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_ENVIRONMENT_H_
#define PAT_CLIENT_PATCTL_ENVIRONMENT_H_

#include <set>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace pat::patctl {

class Environment {
 public:
  // "PATCTL_TLS_CA", of --tls-ca.
  static std::string VariableOf(const CLI::Option& option);

  // This option may; its help says so. It must outlive this object.
  void Add(CLI::Option& option);

  // Fills in what the command line has left out. To be called once, when that is parsed. Throws what CLI11 throws for a
  // bad value, with the name of the variable.
  void Apply();

  // After Apply: whether the value of the option of this name, as in "--tls-ca", is from the environment.
  bool Gave(const std::string& name) const { return gave_.count(name) > 0; }

 private:
  std::vector<CLI::Option*> options_;
  std::set<std::string> gave_;
};

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_ENVIRONMENT_H_
