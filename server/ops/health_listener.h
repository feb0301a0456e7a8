// HealthListener: an address where health, and nothing else, is served in plaintext: for probes that have no
// certificate (--health-listen). The last that stops in a process: until then probes can see that it drains.
#ifndef PAT_SERVER_OPS_HEALTH_LISTENER_H_
#define PAT_SERVER_OPS_HEALTH_LISTENER_H_

#include <grpcpp/server.h>

#include <memory>

#include "absl/status/statusor.h"
#include "server/ops/listen_address.h"
#include "server/rpc/health_service.h"

namespace pat {

// Threads: for the thread that made it.
class HealthListener {
 public:
  // Listens and serves at once, of the services that the listeners have (listener.h). Errors name the address.
  static absl::StatusOr<std::unique_ptr<HealthListener>> Create(const ListenAddress& address, bool with_management);
  ~HealthListener() { Stop(); }

  HealthListener(const HealthListener&) = delete;
  HealthListener& operator=(const HealthListener&) = delete;

  // With the port that the system chose, if it was asked to.
  const ListenAddress& address() const { return address_; }

  // Says NOT_SERVING from now on, but of "liveness".
  void Drain() { health_.Drain(); }

  // Takes no new calls; returns when those under way are answered, within a second. Twice does no harm.
  void Stop();

 private:
  HealthListener(const ListenAddress& address, bool with_management);

  ListenAddress address_;
  HealthService health_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_HEALTH_LISTENER_H_
