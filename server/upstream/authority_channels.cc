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
#include "server/core/scope_catalog.h"

namespace pat {
namespace {

// Any answer about a token: all scopes that a catalogue may have, and some KiB for the rest, which is bounded too
// (introspection_answer.cc).
constexpr int kLargestMessage = static_cast<int>(kMostScopeBytes) + 64 * 1024;

// An authority that comes back is found again within a second or so; each step is drawn at random around these.
constexpr int kFirstReconnectMs = 100;
constexpr int kLongestReconnectMs = 1000;

// A connection on which nothing comes back is given up after this.
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 5'000;

// A name is looked up again after this. gRPC's own 30 s would be how long an authority at a new address is not found.
constexpr int kResolveEveryMs = 1000;

constexpr int64_t kLookUpEveryNanos = 1'000'000'000;

constexpr int kMostSilences = 2;
constexpr int64_t kFirstRenewalWaitNanos = 1'000'000'000;
constexpr int64_t kLongestRenewalWaitNanos = 32'000'000'000;

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
  // Also while nobody asks, so that a connection which died is not found out by the next who does.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, kResolveEveryMs);
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
  std::vector<Connector> connectors;
  connectors.reserve(addresses.size());
  for (const std::string& address : addresses) {
    absl::StatusOr<std::string> target = AuthorityTarget(address);
    if (!target.ok()) return target.status();
    connectors.push_back(ConnectorTo(*target, credentials, name));
    connectors.back().address = address;
  }
  return std::make_unique<AuthorityChannels>(std::move(connectors));
}

AuthorityChannels::Connector AuthorityChannels::ConnectorTo(
    const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials, const std::string& name) {
  const auto connect = [target, credentials, name, generation = 0]() mutable {
    grpc::ChannelArguments arguments = Arguments(name);
    // Channels of the same arguments share their connections, and a new one is to have a new one.
    arguments.SetInt("pat.generation", generation++);
    return grpc::CreateCustomChannel(target, credentials, arguments);
  };
  return {.connect = connect, .is_name = absl::StartsWith(target, "dns:"), .address = target};
}

AuthorityChannels::AuthorityChannels(std::vector<Connector> connectors) {
  for (Connector& connector : connectors) {
    addresses_.push_back(connector.address);
    ways_.emplace_back().connector = std::move(connector);
    Connect(ways_.back());
  }
}

// Calls that are under way hold the stub of the channel before, and end on it.
void AuthorityChannels::Connect(Known& known) {
  known.channel = known.connector.connect();
  known.stub = v1::IntrospectionService::NewStub(known.channel);
  known.silences = 0;
  ++known.generation;
}

AuthorityChannels::Way AuthorityChannels::current() const {
  const absl::MutexLock lock(&mutex_);
  return WayTo(current_);
}

AuthorityChannels::Way AuthorityChannels::After(const Way& way) const {
  const absl::MutexLock lock(&mutex_);
  return WayTo((way.index + 1) % ways_.size());
}

AuthorityChannels::Way AuthorityChannels::WayTo(size_t index) const {
  const Known& known = ways_[index];
  return {.stub = known.stub, .index = index, .generation = known.generation};
}

void AuthorityChannels::MoveOn(const Way& way) {
  const absl::MutexLock lock(&mutex_);
  MoveOnLocked(way);
}

void AuthorityChannels::Leave(const Way& way, int64_t now_boot_nanos) {
  const absl::MutexLock lock(&mutex_);
  MoveOnLocked(way);
  Known& known = ways_[way.index];
  if (!known.connector.is_name || known.generation != way.generation) return;
  if (known.looked_up_boot_nanos.has_value() && now_boot_nanos - *known.looked_up_boot_nanos < kLookUpEveryNanos) {
    return;
  }
  // What has failed may be one call, on a connection that was lost and is there again.
  if (known.channel->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_TRANSIENT_FAILURE) return;
  known.looked_up_boot_nanos = now_boot_nanos;
  Connect(known);
}

void AuthorityChannels::NoteSilence(const Way& way, int64_t now_boot_nanos) {
  const absl::MutexLock lock(&mutex_);
  MoveOnLocked(way);
  Known& known = ways_[way.index];
  if (known.generation == way.generation && ++known.silences >= kMostSilences) {
    RenewUnlessTooOften(known, now_boot_nanos);
  }
}

void AuthorityChannels::Renew(const Way& way, int64_t now_boot_nanos) {
  const absl::MutexLock lock(&mutex_);
  MoveOnLocked(way);
  Known& known = ways_[way.index];
  if (known.generation == way.generation) RenewUnlessTooOften(known, now_boot_nanos);
}

void AuthorityChannels::NoteAnswer(const Way& way) {
  const absl::MutexLock lock(&mutex_);
  Known& known = ways_[way.index];
  if (known.generation != way.generation) return;
  known.silences = 0;
  known.renewal_wait_nanos = 0;
}

void AuthorityChannels::RenewUnlessTooOften(Known& known, int64_t now_boot_nanos) {
  // One that is being made has not been silent: a name whose first DNS server is dead takes gRPC five seconds to find,
  // and would never be found if it began anew every two.
  if (known.channel->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_CONNECTING) return;
  if (known.renewed_boot_nanos.has_value() && now_boot_nanos - *known.renewed_boot_nanos < known.renewal_wait_nanos) {
    return;
  }
  known.renewed_boot_nanos = now_boot_nanos;
  known.renewal_wait_nanos = std::clamp(2 * known.renewal_wait_nanos, kFirstRenewalWaitNanos, kLongestRenewalWaitNanos);
  Connect(known);
}

void AuthorityChannels::MoveOnLocked(const Way& way) {
  if (current_ == way.index) current_ = (current_ + 1) % ways_.size();
}

}  // namespace pat
