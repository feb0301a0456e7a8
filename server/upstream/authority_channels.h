// AuthorityChannels: the ways to the authority. One channel for each address; one of them is in use, the others stand
// by until it fails.
#ifndef PAT_SERVER_UPSTREAM_AUTHORITY_CHANNELS_H_
#define PAT_SERVER_UPSTREAM_AUTHORITY_CHANNELS_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pat/v1/introspection_service.grpc.pb.h"

namespace pat {

// What gRPC calls the address: "ipv4:127.0.0.1:7443", "dns:///authority.example:7443". Takes "127.0.0.1:7443",
// "[::1]:7443", "authority.example:7443" (all addresses that the name has) and "unix:/absolute/path";
// INVALID_ARGUMENT otherwise, with the value and what would be right.
absl::StatusOr<std::string> AuthorityTarget(absl::string_view address);

// Threads: thread-safe.
class AuthorityChannels {
 public:
  // A channel to each address, with these credentials. `name`, unless empty, is what the authority's certificate must
  // be made out to, instead of the host. Nothing is connected yet. INVALID_ARGUMENT: no address, or a wrong one.
  static absl::StatusOr<std::unique_ptr<AuthorityChannels>> Create(
      const std::vector<std::string>& addresses, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
      const std::string& name);

  // At least one.
  explicit AuthorityChannels(std::vector<std::shared_ptr<grpc::Channel>> channels);

  size_t size() const { return stubs_.size(); }

  // The one in use.
  size_t current() const { return current_.load(std::memory_order_relaxed); }
  v1::IntrospectionService::Stub& stub(size_t index) { return *stubs_[index]; }

  // The authority could not be reached over this one: if it is still in use, the next one is from now on.
  void Leave(size_t index) {
    current_.compare_exchange_strong(index, (index + 1) % stubs_.size(), std::memory_order_relaxed);
  }

 private:
  // Constant after construction.
  std::vector<std::unique_ptr<v1::IntrospectionService::Stub>> stubs_;

  std::atomic<size_t> current_{0};
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_AUTHORITY_CHANNELS_H_
