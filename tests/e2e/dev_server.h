// DevServer: the whole of `patd dev` in this process, with real gRPC and a real store, on clocks that are moved by
// hand.
#ifndef PAT_TESTS_E2E_DEV_SERVER_H_
#define PAT_TESTS_E2E_DEV_SERVER_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "server/ops/daemon.h"
#include "server/ops/options.h"
#include "tests/e2e/client.h"
#include "tests/e2e/test_directory.h"
#include "tests/support/fake_clock.h"

namespace pat {

// Options with this TTL and nothing else given.
Options WithTtl(absl::Duration cache_ttl);

class DevServer {
 public:
  // Starts and serves, or throws. Where `options` do not say: a loopback port that the system chooses, and a data
  // directory that is removed at the end.
  explicit DevServer(Options options = {});

  FakeClockSource time;

  // Of the first address.
  Client& client() { return *client_; }

  const Options& options() const { return options_; }
  Daemon& daemon() { return *daemon_; }

  // Ends it and starts it again on the same data, with the options as they are or with another TTL. `meanwhile` runs
  // when nobody has the data open.
  void Restart(
      std::optional<absl::Duration> cache_ttl = std::nullopt, absl::FunctionRef<void()> meanwhile = [] {});

 private:
  void Start();

  TestDirectory directory_;
  Options options_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<Client> client_;
};

}  // namespace pat

#endif  // PAT_TESTS_E2E_DEV_SERVER_H_
