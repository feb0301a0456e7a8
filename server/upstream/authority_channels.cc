#include "server/upstream/authority_channels.h"

#include <arpa/inet.h>
#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/core/error.h"

namespace pat {
namespace {

constexpr int kLargestMessage = 256 * 1024;

// An authority that comes back is found again within a second or so; each step is drawn at random around these.
constexpr int kFirstReconnectMs = 100;
constexpr int kLongestReconnectMs = 1000;

// A connection on which nothing comes back is given up after this.
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 5'000;

absl::Status WrongAddress(absl::string_view address) {
  return absl::InvalidArgumentError(absl::StrCat(
      Quoted(address),
      " is no address of an authority; give for example authority.example:7443, 10.0.0.7:7443 or [fd00::7]:7443"));
}

bool IsHostName(absl::string_view host) {
  return !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
         std::all_of(host.begin(), host.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_'; });
}

grpc::ChannelArguments Arguments(const std::string& name) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kLargestMessage);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kLongestReconnectMs);  // How long one attempt may take.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // Retries are ours: gRPC's own would go on after a deadline of ours is planned to end them.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);  // None.
  // A proxy named in the environment has no business here, nor has a text record in the DNS.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetLoadBalancingPolicyName("round_robin");
  if (!name.empty()) arguments.SetSslTargetNameOverride(name);
  return arguments;
}

}  // namespace

absl::StatusOr<std::string> AuthorityTarget(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) {
    const absl::string_view path = absl::StripPrefix(address, "unix:");
    if (path.size() < 2 || path.front() != '/') return WrongAddress(address);
    return std::string(address);
  }
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return WrongAddress(address);
  const absl::string_view port = address.substr(colon + 1);
  uint32_t number = 0;
  const bool is_port = !port.empty() && std::all_of(port.begin(), port.end(), absl::ascii_isdigit) &&
                       absl::SimpleAtoi(port, &number) && number >= 1 && number <= 65535;
  if (!is_port) return WrongAddress(address);
  absl::string_view host = address.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) {
    in6_addr unused{};
    if (!absl::ConsumeSuffix(&host, "]") || inet_pton(AF_INET6, std::string(host).c_str(), &unused) != 1) {
      return WrongAddress(address);
    }
    return absl::StrCat("ipv6:[", host, "]:", number);
  }
  in_addr unused{};
  if (inet_pton(AF_INET, std::string(host).c_str(), &unused) == 1) return absl::StrCat("ipv4:", host, ":", number);
  const bool has_letter = std::any_of(host.begin(), host.end(), absl::ascii_isalpha);
  if (!IsHostName(host) || !has_letter) return WrongAddress(address);
  return absl::StrCat("dns:///", host, ":", number);
}

absl::StatusOr<std::unique_ptr<AuthorityChannels>> AuthorityChannels::Create(
    const std::vector<std::string>& addresses, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    const std::string& name) {
  if (addresses.empty()) return absl::InvalidArgumentError("no authority is named; give its address");
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  channels.reserve(addresses.size());
  for (const std::string& address : addresses) {
    absl::StatusOr<std::string> target = AuthorityTarget(address);
    if (!target.ok()) return target.status();
    channels.push_back(grpc::CreateCustomChannel(*target, credentials, Arguments(name)));
  }
  return std::make_unique<AuthorityChannels>(std::move(channels));
}

AuthorityChannels::AuthorityChannels(std::vector<std::shared_ptr<grpc::Channel>> channels) {
  for (std::shared_ptr<grpc::Channel>& channel : channels) {
    stubs_.push_back(v1::IntrospectionService::NewStub(std::move(channel)));
  }
}

}  // namespace pat
