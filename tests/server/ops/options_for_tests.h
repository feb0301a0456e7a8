// One case for each option of patd: how it is written, what it does, and what is no value for it.
#ifndef PAT_TESTS_SERVER_OPS_OPTIONS_FOR_TESTS_H_
#define PAT_TESTS_SERVER_OPS_OPTIONS_FOR_TESTS_H_

#include <ostream>
#include <string>
#include <vector>

#include "server/ops/options.h"

namespace pat {

struct OptionCase {
  std::string key;          // "cache-ttl"
  std::string environment;  // "PATD_CACHE_TTL"
  std::string value;        // A good one that is not the default.
  std::string shown;        // What Show() says of it then.
  std::string (*show)(const Options&);
  std::vector<std::string> bad;  // Values that are none.
  std::string right;             // What the error says would be right.
  std::string other = "7s";      // Another good one, for what must lose or win.
  Command command = Command::kDev;
  std::string flag = "";  // Empty: the key.
};

inline std::ostream& operator<<(std::ostream& out, const OptionCase& option) { return out << option.key; }

// All options there are; a test compares them with OptionDescriptions().
std::vector<OptionCase> AllOptionCases();

// All values of a set of options, for comparing them at a glance.
std::string ShowAll(const Options& options);

}  // namespace pat

#endif  // PAT_TESTS_SERVER_OPS_OPTIONS_FOR_TESTS_H_
