#include "server/ops/healthcheck.h"

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace pat {
namespace {

constexpr int kLongestSeconds = 5;

// Where a server that listens everywhere can be reached.
std::string ReachableAt(ListenAddress address) {
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return address.ToString();
}

// Where to ask: at an address that takes no certificate for sure, or else on loopback, where a `patd dev` is plaintext
// without saying so. Null: nowhere.
const ListenAddress* WhereToAsk(const Options& options) {
  if (options.health_listen.has_value()) return &*options.health_listen;
  const auto find = [&options](auto fits) -> const ListenAddress* {
    const auto found = std::find_if(options.listen.begin(), options.listen.end(), fits);
    return found == options.listen.end() ? nullptr : &*found;
  };
  const ListenAddress* const sure =
      find([](const ListenAddress& address) { return address.is_unix || address.plaintext; });
  return sure != nullptr ? sure : find([](const ListenAddress& address) { return address.IsLoopback(); });
}

}  // namespace

absl::Status Healthcheck(const Options& options) {
  const ListenAddress* const address = WhereToAsk(options);
  if (address == nullptr) {
    const std::string given = options.listen.empty() ? "is not given" : options.listen.front().ToString();
    return absl::InvalidArgumentError(
        absl::StrCat(WhereGiven(options, "listen"), ": ", given,
                     options.listen.empty() ? "" : " takes a client certificate, and patd healthcheck has none",
                     "; give --health-listen, which the server has too, or a Unix socket or loopback address of its"));
  }
  if (!address->is_unix && address->port == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(address->ToString(), " is the port that the system chose; give the one that the server printed"));
  }
  const bool may_be_tls = !address->is_unix && !address->plaintext;
  const std::string target = ReachableAt(*address);
  const auto stub = grpc::health::v1::Health::NewStub(grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(
      gpr_convert_clock_type(gpr_time_from_seconds(kLongestSeconds, GPR_TIMESPAN), GPR_CLOCK_MONOTONIC));
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, grpc::health::v1::HealthCheckRequest(), &response);
  if (!status.ok()) {
    return absl::UnavailableError(absl::StrCat(
        target, ": cannot be asked: ", status.error_message(),
        may_be_tls ? "; if it takes a client certificate, give --health-listen or a Unix socket of the server" : ""));
  }
  if (response.status() == grpc::health::v1::HealthCheckResponse::SERVING) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(target, ": ", grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status())));
}

}  // namespace pat
