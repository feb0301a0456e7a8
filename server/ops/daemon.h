// Daemon: everything that a running patd is made of, put together. The only place that names concrete engines.
//
// Start order: what can be wrong without leaving a trace first (catalogue, addresses, certificates, pepper), then the
// data, then what works on it, and the listeners last, because they serve at once. For the end see Drain(). The
// process's limit of open files is raised to the hard one, for as many connections as the system lets it have.
#ifndef PAT_SERVER_OPS_DAEMON_H_
#define PAT_SERVER_OPS_DAEMON_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/core/clock.h"
#include "server/ops/listen_address.h"
#include "server/ops/options.h"

namespace pat {

// Threads: for the thread that made it.
class Daemon {
 public:
  virtual ~Daemon() = default;

  // `patd dev`: an authority, and if --sidecar-listen says where a sidecar in front of it, in one process, plaintext on
  // loopback, with sample users. Serves when this returns. Refuses addresses beyond loopback. Errors are one line that
  // says what is wrong and what would be right; what this start has made is removed again then. (But if an address is
  // taken by somebody else after it was found free, the data stays if another listener has changed something already.)
  //
  // `clock_source` must outlive the daemon; tests give one that they move.
  static absl::StatusOr<std::unique_ptr<Daemon>> CreateDev(const Options& options,
                                                           const ClockSource& clock_source = SystemClockSource());

  // `patd authority`: serves the data that `patd init` made, over mutual TLS and Unix sockets (listener_rules.h). Makes
  // nothing of its own but an --audit-log. Otherwise as above.
  static absl::StatusOr<std::unique_ptr<Daemon>> CreateAuthority(const Options& options,
                                                                 const ClockSource& clock_source = SystemClockSource());

  // `patd sidecar`: introspection in front of an authority, which need not be there yet. Nothing is on disk but the
  // staged TLS files. Otherwise as above.
  static absl::StatusOr<std::unique_ptr<Daemon>> CreateSidecar(const Options& options,
                                                               const ClockSource& clock_source = SystemClockSource());

  // With the ports and roles that are really used; none after Drain().
  virtual std::vector<ListenAddress> listening() const = 0;
  virtual std::optional<ListenAddress> sidecar_listening() const = 0;  // The one that `patd dev` has besides.
  virtual std::optional<ListenAddress> health_listening() const = 0;
  virtual std::string data_dir() const = 0;  // Empty: there is none.

  // First health says NOT_SERVING on all listeners. Then all of them but that for health stop at the same time: no new
  // calls are taken, those under way have 5 s together before they are cancelled. (The sidecar of `patd dev` stops
  // first, within 2 s.) Then a sidecar reports its uses, maintenance ends, after the transaction that it is in, what is
  // queued for the workers is done, and the store is closed. Until all of that is done --health-listen answers probes:
  // "liveness" SERVING, everything else NOT_SERVING; it stops last. A temporary data directory goes with the daemon.
  // Twice does no harm; the destructor does it too.
  virtual void Drain() = 0;
};

// Where it listens, as what, and where its data are, a line each, for standard output. Behind "Listening on " and
// "Health on " the address comes first, then a space: scripts read it.
std::string ServingText(const Daemon& daemon);

}  // namespace pat

#endif  // PAT_SERVER_OPS_DAEMON_H_
