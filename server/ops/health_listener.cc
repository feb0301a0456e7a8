#include "server/ops/health_listener.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/ops/listener.h"
#include "server/ops/server_limits.h"

namespace pat {
namespace {

// Nothing that is asked here takes time, and Watch() has ended with Drain(). It is added to what else an end takes.
const absl::Duration kAnswerTime = absl::Seconds(1);

}  // namespace

HealthListener::HealthListener(const ListenAddress& address, bool with_management)
    : address_(address), health_(ServedApis(with_management)) {}

absl::StatusOr<std::unique_ptr<HealthListener>> HealthListener::Create(const ListenAddress& address,
                                                                       bool with_management) {
  auto listener = absl::WrapUnique(new HealthListener(address, with_management));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address.ToString(), grpc::InsecureServerCredentials(), &port);
  LimitServer(builder, absl::Minutes(10));
  builder.RegisterService(&listener->health_);
  listener->server_ = builder.BuildAndStart();
  if (listener->server_ == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("--health-listen: ", address.ToString(), ": cannot be listened on; is it in use?"));
  }
  listener->address_.port = static_cast<uint16_t>(port);
  return listener;
}

void HealthListener::Stop() {
  if (server_ == nullptr) return;
  StopServer(*server_, kAnswerTime);
  server_ = nullptr;
}

}  // namespace pat
