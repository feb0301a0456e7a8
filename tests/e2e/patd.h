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

// The same for another command.
ProcessSettings PatdCommand(const std::string& command, const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment = {});

// How a `patd` ended that was not to start, and what it said.
struct FailedStart {
  ProcessEnd end;
  std::string standard_output;
  std::string standard_error;
};
FailedStart RunToItsEnd(const ProcessSettings& settings);

// A refusal to start: status 2, and one line with `says` on standard error.
void ExpectRefusedStart(const FailedStart& start, const std::string& says);

// A `patd dev` or `patd authority` that serves.
class Patd {
 public:
  // With a client of the first address. Returns when it listens, or throws with what it said. Without --listen among
  // the arguments it listens at a loopback port that the system chooses.
  explicit Patd(ProcessSettings settings);
  explicit Patd(const std::vector<std::string>& arguments) : Patd(PatdDev(arguments)) {}

  // Where it listens, and the first of these.
  const std::vector<std::string>& addresses() const { return addresses_; }
  const std::string& address() const { return addresses_.front(); }
  Client& client() { return *client_; }
  ChildProcess& process() { return *process_; }

 private:
  std::unique_ptr<ChildProcess> process_;
  std::vector<std::string> addresses_;
  std::unique_ptr<Client> client_;
};

}  // namespace pat

#endif  // PAT_TESTS_E2E_PATD_H_
