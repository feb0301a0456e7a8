#include "tests/e2e/dev_server.h"

#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"

namespace pat {

Options WithTtl(absl::Duration cache_ttl) {
  Options options;
  options.cache_ttl = cache_ttl;
  return options;
}

DevServer::DevServer(Options options) : options_(std::move(options)) {
  if (options_.data_dir.empty()) options_.data_dir = directory_ / "data";
  if (options_.listen.empty()) options_.listen.push_back({.host = "127.0.0.1", .port = 0});
  Start();
}

void DevServer::Restart(std::optional<absl::Duration> cache_ttl, absl::FunctionRef<void()> meanwhile) {
  client_ = nullptr;
  daemon_->Drain();
  daemon_ = nullptr;
  meanwhile();
  if (cache_ttl.has_value()) options_.cache_ttl = *cache_ttl;
  Start();
}

void DevServer::Start() {
  absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::CreateDev(options_, time);
  if (!daemon.ok()) throw std::runtime_error(std::string(daemon.status().message()));
  daemon_ = *std::move(daemon);
  client_ = std::make_unique<Client>(daemon_->listening().front().ToString());
}

}  // namespace pat
