// Running a program, with files for its streams or at a terminal.
#ifndef PAT_TESTS_CLIENT_PATCTL_PROCESS_H_
#define PAT_TESTS_CLIENT_PATCTL_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace pat::patctl {

struct ProcessResult {
  int status = -1;  // The exit status, or minus the signal that ended it.
  std::string out;
  std::string err;
};

// Runs a program to its end, in a session of its own, so without a terminal.
ProcessResult RunProcess(const std::vector<std::string>& argv, const std::string& input);

// A program in a session of its own whose terminal the test plays.
class TerminalProcess {
 public:
  explicit TerminalProcess(const std::vector<std::string>& argv);
  ~TerminalProcess();
  TerminalProcess(const TerminalProcess&) = delete;
  TerminalProcess& operator=(const TerminalProcess&) = delete;

  // Waits until the terminal shows this text behind what was waited for before. False: the program ended without.
  bool WaitFor(const std::string& text);

  void Type(const std::string& text);

  // Waits for the end of the program; as ProcessResult::status.
  int Wait();

  // All that the terminal has shown.
  const std::string& screen() const { return screen_; }

  // Does the terminal show what is typed?
  bool Echoes() const;

 private:
  // False: there is nothing more to come.
  bool Read();

  int master_;
  int slave_;  // Kept open, so that the terminal's settings outlive the program.
  pid_t pid_;
  std::string screen_;
  size_t seen_ = 0;
};

}  // namespace pat::patctl

#endif  // PAT_TESTS_CLIENT_PATCTL_PROCESS_H_
