// Patd: the program itself, as it is shipped, in a process of its own.
#ifndef PAT_TESTS_E2E_PATD_H_
#define PAT_TESTS_E2E_PATD_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/child_process.h"
#include "tests/e2e/client.h"

namespace pat {

// Settings for `patd dev` with these arguments and nothing in the environment but what is given.
ProcessSettings PatdDev(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});

// How a `patd` ended that was not to start, and what it said.
struct FailedStart {
  ProcessEnd end;
  std::string standard_output;
  std::string standard_error;
};
FailedStart RunToItsEnd(const ProcessSettings& settings);

// A `patd dev` that serves.
class Patd {
 public:
  // Returns when it listens, or throws with what it said. Without --listen among the arguments it listens at a loopback
  // port that the system chooses.
  explicit Patd(ProcessSettings settings);
  explicit Patd(const std::vector<std::string>& arguments) : Patd(PatdDev(arguments)) {}

  // Of its first address.
  const std::string& address() const { return address_; }
  Client& client() { return *client_; }
  ChildProcess& process() { return *process_; }

 private:
  std::unique_ptr<ChildProcess> process_;
  std::string address_;
  std::unique_ptr<Client> client_;
};

}  // namespace pat

#endif  // PAT_TESTS_E2E_PATD_H_
