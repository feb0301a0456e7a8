// ServerAddress: where a server listens.
//
//   127.0.0.1:7443   [::1]:7443   pat.example.com:7443   unix:/run/pat/pat.sock
//
// If the object exists, it is valid. "localhost" means 127.0.0.1 and asks no resolver; IPv6 loopback is [::1].
//
// Threads: immutable after construction.
#ifndef PAT_CLIENT_SERVER_ADDRESS_H_
#define PAT_CLIENT_SERVER_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pat::client {

class ServerAddress {
 public:
  // INVALID_ARGUMENT, with the text and what would be right: no port or one outside 1 to 65535; an IPv6 address without
  // brackets; a host that is neither an address nor a name; a socket path that is empty or longer than a socket's name
  // can be; a URL.
  static absl::StatusOr<ServerAddress> Parse(absl::string_view text);

  // As it was given.
  const std::string& text() const { return text_; }

  // What gRPC calls it.
  const std::string& target() const { return target_; }

  // The name that a server's certificate must be made out to, without the port.
  const std::string& host() const { return host_; }

  bool is_unix() const { return kind_ == Kind::kUnix; }

  // True if nothing that is sent there leaves this machine: a Unix socket or a loopback address. Decided by the text,
  // never by what a resolver says.
  bool is_local() const { return kind_ != Kind::kNetwork; }

 private:
  enum class Kind { kUnix, kLoopback, kNetwork };

  ServerAddress(absl::string_view text, std::string target, std::string host, Kind kind);

  static absl::StatusOr<ServerAddress> ParseUnix(absl::string_view text, absl::string_view path);

  std::string text_;
  std::string target_;
  std::string host_;
  Kind kind_;
};

}  // namespace pat::client

#endif  // PAT_CLIENT_SERVER_ADDRESS_H_
