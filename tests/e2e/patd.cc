#include "tests/e2e/patd.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace pat {
namespace {

constexpr char kListening[] = "Listening on ";

// What the guide that is printed at the start says after the addresses.
constexpr char kAfterAddresses[] = "\nData in ";

}  // namespace

ProcessSettings PatdDev(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  ProcessSettings settings{.program = PAT_PATD, .arguments = {"dev"}, .environment = environment, .user = {}};
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

Patd::Patd(ProcessSettings settings) {
  std::vector<std::string>& arguments = settings.arguments;
  if (std::find(arguments.begin(), arguments.end(), "--listen") == arguments.end()) {
    arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
  }
  process_ = std::make_unique<ChildProcess>(settings);
  if (!process_->WaitForOutput(kAfterAddresses)) throw std::runtime_error(process_->standard_error());
  const std::string output = process_->standard_output();
  const size_t begin = output.find(kListening) + sizeof(kListening) - 1;
  address_ = output.substr(begin, output.find('\n', begin) - begin);
  client_ = std::make_unique<Client>(address_);
}

}  // namespace pat
