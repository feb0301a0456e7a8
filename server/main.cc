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
#include "server/ops/healthcheck.h"
#include "server/ops/init.h"
#include "server/ops/logging.h"
#include "server/ops/process.h"

namespace {

constexpr int kNotServing = 1;
constexpr int kCannotStart = 2;

int Refuse(const absl::Status& status, int exit_code = kCannotStart) {
  std::cerr << "patd: " << std::string(status.message()) << "\n";
  return exit_code;
}

int RunInit(const pat::Options& options) {
  const absl::StatusOr<std::string> made = pat::InitAuthority(options);
  if (!made.ok()) return Refuse(made.status());
  std::cout << *made;
  return 0;
}

absl::StatusOr<std::unique_ptr<pat::Daemon>> Create(pat::Command command, const pat::Options& options) {
  if (command == pat::Command::kDev) return pat::Daemon::CreateDev(options);
  if (command == pat::Command::kSidecar) return pat::Daemon::CreateSidecar(options);
  return pat::Daemon::CreateAuthority(options);
}

int RunHealthcheck(const pat::Options& options) {
  const absl::Status status = pat::Healthcheck(options);
  if (status.ok()) return 0;
  return Refuse(status, absl::IsInvalidArgument(status) ? kCannotStart : kNotServing);
}

}  // namespace

int main(int argc, char** argv) {
  pat::ForbidCoreDumps();
  pat::IgnoreLockOrder();
  const pat::CommandLine command_line = pat::ParseCommandLine(argc, argv, environ);
  if (command_line.exit_code.has_value()) return *command_line.exit_code;
  const pat::Options& options = command_line.options;
  pat::InitLogging(options.log_format, options.log_level);
  const pat::Clock clock(pat::SystemClockSource());
  if (!options.insecure_debug) {
    pat::ClearGrpcTracing();
    pat::RouteLibraryLogs(clock);
  }
  if (command_line.command == pat::Command::kInit) return RunInit(options);
  if (command_line.command == pat::Command::kHealthcheck) return RunHealthcheck(options);
  pat::TerminationSignals signals(command_line.command == pat::Command::kDev ? pat::HangUp::kEnd
                                                                             : pat::HangUp::kAnnounce);

  const absl::StatusOr<std::unique_ptr<pat::Daemon>> daemon = Create(command_line.command, options);
  if (!daemon.ok()) return Refuse(daemon.status());
  std::cout << (command_line.command == pat::Command::kDev
                    ? pat::DevGuide(options, (*daemon)->data_dir(), (*daemon)->listening(),
                                    (*daemon)->sidecar_listening())
                    : pat::ServingText(**daemon))
            << std::flush;
  spdlog::info("serving");
  const int signal = signals.Wait();
  spdlog::info("ending on signal {}", signal);
  (*daemon)->Drain();
  spdlog::info("ended");
  return 0;
}
