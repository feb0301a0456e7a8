// Connection: a channel to a server, and who calls through it.
//
// Threads: Call() may be called from any thread, as often at a time as one likes.
#ifndef PAT_CLIENT_CONNECTION_H_
#define PAT_CLIENT_CONNECTION_H_

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/secret_text.h"
#include "client/server_address.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

namespace pat::client {

// PEM files. Without `ca` the server is judged by the certificate authorities of this machine; `cert` and `key` are
// this client's own, both or none.
struct TlsFiles {
  std::string ca;
  std::string cert;
  std::string key;
};

// A user, by name and password.
struct BasicCredentials {
  std::string user;
  SecretText password;
};

// The holder of a token, who may do little: see docs/api.md.
struct BearerCredentials {
  SecretText token;
};

using Credentials = std::variant<BasicCredentials, BearerCredentials>;

// What the calls carry. Public data (is the server healthy?) may cross a network in plaintext, nothing else.
enum class Payload { kConfidential, kPublic };

struct ConnectionOptions {
  ServerAddress address;
  std::optional<TlsFiles> tls;             // Absent: plaintext.
  std::optional<Credentials> credentials;  // Absent: calls say nothing about who makes them.
  Payload payload = Payload::kConfidential;
  absl::Duration timeout = absl::Seconds(10);  // For each call.
  // With TLS, whom the server's certificate must be made out to; empty: the host of `address`.
  std::string tls_server_name = {};
};

// Whether such a connection may be made at all; touches neither files nor network, and does not look at the
// credentials' values. So a person need not type a password first. INVALID_ARGUMENT:
//   - plaintext to an address that is not local, with credentials or a confidential payload;
//   - TLS over a Unix socket; a certificate without its key or the other way round; a server's name without TLS or one
//     that is neither a name nor an address; a timeout of no time.
absl::Status CheckTransport(const ConnectionOptions& options);

class Connection {
 public:
  // Connects nothing yet: that happens with the first call, and a server that cannot be reached is an error of that
  // call. INVALID_ARGUMENT: whatever CheckTransport refuses; a PEM file that cannot be read or has no PEM in it; a user
  // name that is empty or has a colon or a control character in it; an empty password; a token that is empty or has
  // anything but visible ASCII in it.
  static absl::StatusOr<std::unique_ptr<Connection>> Create(ConnectionOptions options);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // One call, with credentials and deadline; for example
  //   connection.Call(*stub, &pat::v1::TokenService::Stub::GetToken, request, &response)
  // A status that is not OK: see call_error.h. Proxies are not used, whatever the environment says.
  template <typename Stub, typename Request, typename Response>
  grpc::Status Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) const {
    grpc::ClientContext context;
    Prepare(context);
    return (stub.*method)(&context, request, response);
  }

 private:
  Connection(std::shared_ptr<grpc::Channel> channel, SecretText authorization, absl::Duration timeout);

  void Prepare(grpc::ClientContext& context) const;

  // Constant after construction.
  std::shared_ptr<grpc::Channel> channel_;
  SecretText authorization_;  // The header's value; empty: none is sent.
  absl::Duration timeout_;
};

}  // namespace pat::client

#endif  // PAT_CLIENT_CONNECTION_H_
