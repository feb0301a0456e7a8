#include "server/ops/listener.h"

#include <grpc/grpc.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/rpc/reflection_service.h"

namespace pat {
namespace {

constexpr int kLargestMessage = 256 * 1024;
constexpr int kOldestConnectionMs = 10 * 60 * 1000;
constexpr int kGraceMs = 30 * 1000;  // For what is under way on a connection of that age; streams end with it.
constexpr int kMostHandlerThreads = 256;
constexpr int kDrainSeconds = 5;

const std::vector<std::string>& ServedApis() {
  static const auto* const apis = new std::vector<std::string>{"pat.v1.TokenService", "pat.v1.IntrospectionService"};
  return *apis;
}

}  // namespace

Listener::Listener(const ListenAddress& address, ListenerRole role, const ServingParts& parts)
    : address_(address),
      guard_(parts.authenticator, role),
      tokens_(parts.lifecycle, parts.catalog, parts.scope_page_tokens, guard_),
      introspection_(parts.introspector, guard_, parts.credentials, {.issuer = parts.issuer}),
      health_(ServedApis()) {}

Listener::~Listener() { Stop(); }

absl::StatusOr<std::unique_ptr<Listener>> Listener::Create(const ListenAddress& address, ListenerRole role,
                                                           bool reflection, const ServingParts& parts) {
  auto listener = absl::WrapUnique(new Listener(address, role, parts));
  if (absl::Status status = listener->Listen(reflection); !status.ok()) return status;
  return listener;
}

absl::Status Listener::Listen(bool reflection) {
  std::string bind_to = address_.ToString();
  if (address_.is_unix) {
    absl::StatusOr<std::unique_ptr<UnixSocketPlace>> place = UnixSocketPlace::Take(address_.path);
    if (!place.ok()) return place.status();
    socket_place_ = *std::move(place);
    bind_to = absl::StrCat("unix:", socket_place_->bind_path());
  }

  grpc::ServerBuilder builder;
  int port = 0;
  // Plaintext: this is loopback or a Unix socket, checked by whoever reads the options.
  builder.AddListeningPort(bind_to, grpc::InsecureServerCredentials(), &port);
  // Two servers on one port would both start and share the calls between them.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kOldestConnectionMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kGraceMs);
  builder.SetMaxReceiveMessageSize(kLargestMessage);
  // A small message must not become a large one: 61 kB of gzip can be 63 MB.
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  // The synchronous services share the server with the hot queue, whose thread carries their sockets; more pollers than
  // one would only take turns with it.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  builder.SetResourceQuota(grpc::ResourceQuota("patd").SetMaxThreads(kMostHandlerThreads));

  builder.RegisterService(&tokens_);
  builder.RegisterService(&health_);
  introspection_.Register(builder);
  if (reflection) {
    std::vector<std::string> listed = ServedApis();
    listed.insert(listed.end(), {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                 "grpc.reflection.v1alpha.ServerReflection"});
    reflection_.push_back(NewReflectionV1(listed));
    reflection_.push_back(NewReflectionV1Alpha(listed));
    for (const std::unique_ptr<grpc::Service>& service : reflection_) builder.RegisterService(service.get());
  }

  {
    std::optional<NarrowUmask> narrow;
    if (address_.is_unix) narrow.emplace(address_.mode);
    server_ = builder.BuildAndStart();
  }
  if (server_ == nullptr) {
    return absl::UnavailableError(
        absl::StrCat(address_.ToString(), ": cannot be listened on; is it in use, or not this machine's?"));
  }
  introspection_.Start();
  if (!address_.is_unix) {
    address_.port = static_cast<uint16_t>(port);
    return absl::OkStatus();
  }
  return socket_place_->Publish(address_.mode);
}

void Listener::Stop() {
  if (server_ == nullptr) return;
  // A span of time, not an instant: gRPC adds it to its own clock.
  server_->Shutdown(gpr_time_from_seconds(kDrainSeconds, GPR_TIMESPAN));
  introspection_.Shutdown();
  server_ = nullptr;
  socket_place_ = nullptr;
}

}  // namespace pat
