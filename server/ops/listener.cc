#include "server/ops/listener.h"

#include <grpcpp/server_builder.h>

#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/ops/server_limits.h"
#include "server/rpc/reflection_service.h"

namespace pat {
namespace {

std::vector<std::string> ReflectedServices(bool with_management) {
  std::vector<std::string> all = ServedApis(with_management);
  all.insert(all.end(), {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                         "grpc.reflection.v1alpha.ServerReflection"});
  return all;
}

CallGuard GuardOf(const ListenerSettings& settings, const ServingParts& parts) {
  ListenerInfo info = {.role = settings.role,
                       .address = settings.address.ToString(),
                       .confidential = settings.confidential,
                       .tls = settings.tls != nullptr};
  if (!parts.management.has_value()) return {parts.authenticator, std::move(info)};
  return {parts.authenticator, parts.management->audit, std::move(info)};
}

}  // namespace

const std::vector<std::string>& ServedApis(bool with_management) {
  static const auto* const all =
      new std::vector<std::string>{"pat.v1.TokenService", "pat.v1.IntrospectionService", "pat.v1.UserService",
                                   "pat.v1.PolicyService", "pat.v1.AuditService"};
  static const auto* const introspection = new std::vector<std::string>{"pat.v1.IntrospectionService"};
  return with_management ? *all : *introspection;
}

Listener::Listener(const ListenerSettings& settings, const ServingParts& parts)
    : address_(settings.address),
      has_management_(parts.management.has_value()),
      guard_(GuardOf(settings, parts)),
      introspection_(parts.introspector, guard_, parts.credentials, parts.clock,
                     {.issuer = parts.issuer, .incarnation = parts.incarnation}, parts.changes, parts.uses),
      health_(ServedApis(has_management_)) {
  if (!has_management_) return;
  const ManagementParts& management = *parts.management;
  management_.push_back(
      std::make_unique<TokenServiceImpl>(management.tokens, management.catalog, management.scope_page_tokens, guard_));
  management_.push_back(std::make_unique<UserServiceImpl>(management.users, guard_));
  management_.push_back(std::make_unique<PolicyServiceImpl>(management.policy, guard_));
  management_.push_back(std::make_unique<AuditServiceImpl>(management.audit, guard_));
}

Listener::~Listener() { Stop(); }

absl::StatusOr<std::unique_ptr<Listener>> Listener::Create(const ListenerSettings& settings,
                                                           const ServingParts& parts) {
  auto listener = absl::WrapUnique(new Listener(settings, parts));
  if (absl::Status status = listener->Listen(settings); !status.ok()) return status;
  return listener;
}

absl::Status Listener::Listen(const ListenerSettings& settings) {
  std::string bind_to = address_.ToString();
  if (address_.is_unix) {
    absl::StatusOr<std::unique_ptr<UnixSocketPlace>> place = UnixSocketPlace::Take(address_.path);
    if (!place.ok()) return place.status();
    socket_place_ = *std::move(place);
    bind_to = absl::StrCat("unix:", socket_place_->bind_path());
  }

  grpc::ServerBuilder builder;
  int port = 0;
  // Plaintext only where whoever made the settings found that it may be.
  builder.AddListeningPort(bind_to, settings.tls != nullptr ? settings.tls : grpc::InsecureServerCredentials(), &port);
  LimitServer(builder, settings.connection_age);

  for (const std::unique_ptr<grpc::Service>& service : management_) builder.RegisterService(service.get());
  builder.RegisterService(&health_);
  introspection_.Register(builder);
  if (settings.reflection) {
    reflection_.push_back(NewReflectionV1(ReflectedServices(has_management_)));
    reflection_.push_back(NewReflectionV1Alpha(ReflectedServices(has_management_)));
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

void Listener::Stop(absl::Duration drain_time) {
  if (server_ == nullptr) return;
  introspection_.EndStreams();
  StopServer(*server_, drain_time);
  introspection_.Shutdown();
  server_ = nullptr;
  socket_place_ = nullptr;
}

}  // namespace pat
