#include "tests/e2e/patd.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace pat {
namespace {

constexpr char kListening[] = "Listening on ";

// What the guide that is printed at the start says after the addresses.
constexpr char kAfterAddresses[] = "\nData in ";

}  // namespace

ProcessSettings PatdDev(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  return PatdCommand("dev", arguments, environment);
}

ProcessSettings PatdCommand(const std::string& command, const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment) {
  ProcessSettings settings{.program = PAT_PATD, .arguments = {command}, .environment = environment, .user = {}};
  settings.arguments.insert(settings.arguments.end(), arguments.begin(), arguments.end());
  return settings;
}

FailedStart RunToItsEnd(const ProcessSettings& settings) {
  ChildProcess process(settings);
  FailedStart start;
  start.end = process.Wait();
  start.standard_output = process.standard_output();
  start.standard_error = process.standard_error();
  return start;
}

void ExpectRefusedStart(const FailedStart& start, const std::string& says) {
  EXPECT_EQ(start.end.exit_code, 2);
  EXPECT_THAT(start.standard_output, testing::IsEmpty());
  const std::vector<std::string> lines = absl::StrSplit(start.standard_error, '\n', absl::SkipEmpty());
  EXPECT_THAT(lines, testing::ElementsAre(testing::HasSubstr(says)));
}

Patd::Patd(ProcessSettings settings) {
  std::vector<std::string>& arguments = settings.arguments;
  if (std::find(arguments.begin(), arguments.end(), "--listen") == arguments.end()) {
    arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
  }
  process_ = std::make_unique<ChildProcess>(settings);
  if (!process_->WaitForOutput(kAfterAddresses)) throw std::runtime_error(process_->standard_error());
  const std::string output = process_->standard_output();
  for (absl::string_view line : absl::StrSplit(output, '\n')) {
    // Behind the address it may say what it is: " (mutual TLS)".
    if (absl::ConsumePrefix(&line, kListening)) addresses_.emplace_back(line.substr(0, line.find(" (")));
  }
  client_ = std::make_unique<Client>(address());
}

}  // namespace pat
