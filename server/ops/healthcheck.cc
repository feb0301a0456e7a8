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

}  // namespace

absl::Status Healthcheck(const Options& options) {
  std::optional<ListenAddress> address = options.health_listen;
  if (!address.has_value()) {
    const auto found = std::find_if(options.listen.begin(), options.listen.end(), [](const ListenAddress& candidate) {
      return candidate.is_unix || candidate.plaintext;
    });
    if (found == options.listen.end()) {
      return absl::InvalidArgumentError(
          "no address that takes no certificate; give --health-listen, a Unix socket or 127.0.0.1:PORT?plaintext");
    }
    address = *found;
  }
  const std::string target = ReachableAt(*address);
  const auto stub = grpc::health::v1::Health::NewStub(grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(
      gpr_convert_clock_type(gpr_time_from_seconds(kLongestSeconds, GPR_TIMESPAN), GPR_CLOCK_MONOTONIC));
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, grpc::health::v1::HealthCheckRequest(), &response);
  if (!status.ok()) return absl::UnavailableError(absl::StrCat(target, ": cannot be asked: ", status.error_message()));
  if (response.status() == grpc::health::v1::HealthCheckResponse::SERVING) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(target, ": ", grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status())));
}

}  // namespace pat
