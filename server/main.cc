// patd: options, a daemon, and the wait for the end.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "server/core/clock.h"
#include "server/ops/command_line.h"
#include "server/ops/daemon.h"
#include "server/ops/dev_guide.h"
#include "server/ops/logging.h"
#include "server/ops/process.h"

namespace {

constexpr int kCannotStart = 2;

}  // namespace

int main(int argc, char** argv) {
  pat::ForbidCoreDumps();
  const pat::CommandLine command_line = pat::ParseCommandLine(argc, argv, environ);
  if (command_line.exit_code.has_value()) return *command_line.exit_code;
  const pat::Options& options = command_line.options;
  pat::InitLogging(options.log_format, options.log_level);
  const pat::Clock clock(pat::SystemClockSource());
  if (!options.insecure_debug) {
    pat::ClearGrpcTracing();
    pat::RouteLibraryLogs(clock);
  }
  pat::TerminationSignals signals;

  const absl::StatusOr<std::unique_ptr<pat::Daemon>> daemon = pat::Daemon::CreateDev(options);
  if (!daemon.ok()) {
    std::cerr << "patd: " << std::string(daemon.status().message()) << "\n";
    return kCannotStart;
  }
  std::cout << pat::DevGuide(options, (*daemon)->data_dir(), (*daemon)->listening()) << std::flush;
  spdlog::info("serving");
  const int signal = signals.Wait();
  spdlog::info("ending on signal {}", signal);
  (*daemon)->Drain();
  spdlog::info("ended");
  return 0;
}
