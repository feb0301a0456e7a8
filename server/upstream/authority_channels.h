// AuthorityChannels: the ways to the authority. One channel for each address; one of them is in use, the others stand
// by until it fails.
//
// What users of a channel see of it is told here, so that all of them leave it together: that it failed, that it was
// silent, that it answered.
#ifndef PAT_SERVER_UPSTREAM_AUTHORITY_CHANNELS_H_
#define PAT_SERVER_UPSTREAM_AUTHORITY_CHANNELS_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "pat/v1/introspection_service.grpc.pb.h"

namespace pat {

// What gRPC calls the address: "ipv4:127.0.0.1:7443", "dns:///authority.example:7443". Takes "127.0.0.1:7443",
// "[::1]:7443", "authority.example:7443" (all addresses that the name has) and "unix:/absolute/path", which is for
// `patd dev` alone: an authority takes digests only from a client's certificate. INVALID_ARGUMENT otherwise, with the
// value and what would be right.
absl::StatusOr<std::string> AuthorityTarget(absl::string_view address);

// Threads: thread-safe.
class AuthorityChannels {
 public:
  // A channel to each address, with these credentials. `name`, unless empty, is what the authority's certificate must
  // be made out to, instead of the host. Nothing is connected yet. INVALID_ARGUMENT: no address, or a wrong one.
  static absl::StatusOr<std::unique_ptr<AuthorityChannels>> Create(
      const std::vector<std::string>& addresses, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
      const std::string& name);

  // How to get to one address.
  struct Connector {
    // Makes a new channel, with a connection of its own.
    std::function<std::shared_ptr<grpc::Channel>()> connect;

    // The address is a name, which gRPC has to look up (Leave()).
    bool is_name = false;

    // For the log.
    std::string address = {};
  };

  // As Create() uses for each address, which is then called by its target. `target`: as AuthorityTarget() gives it, or
  // any other that gRPC knows, so that "dns://10.0.0.53:53/authority.example:7443" asks that DNS server.
  static Connector ConnectorTo(const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                               const std::string& name);

  // At least one.
  explicit AuthorityChannels(std::vector<Connector> connectors);

  size_t size() const { return ways_.size(); }

  // A channel as it was given out. Whoever uses it holds it: it may be replaced meanwhile.
  struct Way {
    std::shared_ptr<v1::IntrospectionService::Stub> stub;
    size_t index = 0;
    uint64_t generation = 0;  // Of the connections to this address.
  };

  // The one in use.
  Way current() const ABSL_LOCKS_EXCLUDED(mutex_);

  // The one after it, in the order of the addresses and round; which one is in use stays as it is. So somebody who goes
  // on from one to the next has been at each address after size() of them, whatever others do meanwhile.
  Way After(const Way& way) const ABSL_LOCKS_EXCLUDED(mutex_);

  // As it was given to Create(), for the log. As long as this object.
  const std::string& AddressOf(const Way& way) const { return addresses_[way.index]; }

  // The authority could not be reached over this one, or is UNAVAILABLE there: if it is still in use, the next one is
  // from now on.
  void MoveOn(const Way& way) ABSL_LOCKS_EXCLUDED(mutex_);

  // The same, and somebody waits for an answer. A name that was not found, or under which nobody is, is looked up anew
  // by a new channel, at most once a second: gRPC waits before it does that, in the end for two minutes, and nothing
  // makes it wait less. (To an address in figures it connects every second or so, by itself.) A channel that has a
  // connection, or is about to get one, stays as it is. `now_boot_nanos`, here and below: Clock::Read().
  void Leave(const Way& way, int64_t now_boot_nanos) ABSL_LOCKS_EXCLUDED(mutex_);

  // Nothing came in a time in which an answer should have: as MoveOn(). After the second time in a row the connection
  // counts as dead, which gRPC may find out only minutes later: the next use makes a new one. If nothing comes over
  // that either, it may be the authority that hangs, and would have a handshake to do after every two questions: the
  // next ones are made 1, 2, 4 ... 32 s after the one before, until there is an answer.
  void NoteSilence(const Way& way, int64_t now_boot_nanos) ABSL_LOCKS_EXCLUDED(mutex_);

  // Nothing came for as long as a connection that lives is never silent: as after the second silence in a row.
  void Renew(const Way& way, int64_t now_boot_nanos) ABSL_LOCKS_EXCLUDED(mutex_);

  void NoteAnswer(const Way& way) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Known {
    Connector connector;
    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<v1::IntrospectionService::Stub> stub;
    uint64_t generation = 0;
    std::optional<int64_t> looked_up_boot_nanos;  // When Leave() last made a new channel.

    int silences = 0;  // In a row, on this connection.
    std::optional<int64_t> renewed_boot_nanos;
    int64_t renewal_wait_nanos = 0;  // From then on. Zero: there was an answer since.
  };

  Way WayTo(size_t index) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Connect(Known& known);
  static void RenewUnlessTooOften(Known& known, int64_t now_boot_nanos);
  void MoveOnLocked(const Way& way) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::vector<std::string> addresses_;  // Constant after construction.

  mutable absl::Mutex mutex_;
  std::vector<Known> ways_;  // As many as at the start; what is in them is protected by mutex_.
  size_t current_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_AUTHORITY_CHANNELS_H_
