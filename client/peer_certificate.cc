#include "client/peer_certificate.h"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "grpc/support/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "grpcpp/support/channel_arguments.h"

namespace pat::client {
namespace {

namespace tls = grpc::experimental;

// What was seen. Shared with the verifier, which gRPC may keep after the channel.
struct Seen {
  std::mutex mutex;
  std::optional<PeerCertificate> certificate;
};

// Looks, and trusts nobody.
class Looker final : public tls::ExternalCertificateVerifier {
 public:
  explicit Looker(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}

  bool Verify(tls::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)> /*callback*/,
              grpc::Status* status) override {
    const auto text = [](const grpc::string_ref& ref) { return std::string(ref.data(), ref.size()); };
    PeerCertificate certificate;
    for (const grpc::string_ref& name : request->dns_names()) certificate.names.push_back(text(name));
    for (const grpc::string_ref& address : request->ip_names()) certificate.names.push_back(text(address));
    certificate.dates = ReadCertificateDates(text(request->peer_cert()));
    const std::lock_guard<std::mutex> lock(seen_->mutex);
    seen_->certificate = std::move(certificate);
    *status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "only looked at");
    return true;
  }

  void Cancel(tls::TlsCustomVerificationCheckRequest* /*request*/) override {}

 private:
  const std::shared_ptr<Seen> seen_;
};

}  // namespace

std::optional<PeerCertificate> LookAtPeerCertificate(const ServerAddress& address, absl::Duration timeout) {
  const auto seen = std::make_shared<Seen>();
  tls::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<Looker>(seen));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // As in Connection.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  const auto channel = grpc::CreateCustomChannel(address.target(), tls::TlsCredentials(options), arguments);

  // It cannot become ready. A span of time, not an instant: gRPC adds its own clock to it.
  const gpr_timespec end = gpr_time_from_nanos(absl::ToInt64Nanoseconds(timeout), GPR_TIMESPAN);
  grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_TRANSIENT_FAILURE && channel->WaitForStateChange(state, end)) {
    state = channel->GetState(/*try_to_connect=*/false);
  }
  const std::lock_guard<std::mutex> lock(seen->mutex);
  return seen->certificate;
}

}  // namespace pat::client
