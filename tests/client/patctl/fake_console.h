// FakeConsole: standard streams and a terminal that a test plays.
#ifndef PAT_TESTS_CLIENT_PATCTL_FAKE_CONSOLE_H_
#define PAT_TESTS_CLIENT_PATCTL_FAKE_CONSOLE_H_

#include <deque>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "client/patctl/console.h"
#include "client/patctl/exit_code.h"

namespace pat::patctl {

// Used by one thread.
class FakeConsole final : public Console {
 public:
  // What is on standard input.
  std::string input;
  bool input_is_terminal = false;

  // What a person types when asked for something hidden. None left: there is no terminal.
  std::deque<std::string> hidden_answers;
  std::vector<std::string> hidden_prompts;

  std::string written() const { return out_.str(); }
  std::string said() const { return err_.str(); }

  // Standard output takes nothing any more, like a full disk.
  void BreakOutput() { out_.setstate(std::ios::badbit); }

  std::ostream& out() override { return out_; }
  std::ostream& err() override { return err_; }
  bool InputIsTerminal() const override { return input_is_terminal; }

  std::optional<std::string> ReadLine() override {
    if (input.empty()) return std::nullopt;
    const size_t end = input.find('\n');
    std::string line = input.substr(0, end);
    input.erase(0, end == std::string::npos ? end : end + 1);
    return line;
  }

  absl::StatusOr<client::SecretText> ReadAll(size_t limit) override {
    if (input.size() > limit) return UsageError("too long");
    return client::SecretText(std::move(input));
  }

  absl::StatusOr<client::SecretText> ReadHidden(absl::string_view prompt) override {
    hidden_prompts.emplace_back(prompt);
    if (hidden_answers.empty()) return UsageError("there is no terminal to ask at");
    client::SecretText answer(std::move(hidden_answers.front()));
    hidden_answers.pop_front();
    return answer;
  }

 private:
  std::ostringstream out_;
  std::ostringstream err_;
};

}  // namespace pat::patctl

#endif  // PAT_TESTS_CLIENT_PATCTL_FAKE_CONSOLE_H_
