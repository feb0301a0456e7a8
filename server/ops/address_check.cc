#include "server/ops/address_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "server/ops/unix_socket.h"

namespace pat {
absl::Status CheckAddressFree(const ListenAddress& address) {
  if (address.is_unix) return UnixSocketPlace::Check(address.path);

  sockaddr_in v4{};
  sockaddr_in6 v6{};
  const bool is_v4 = inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1;
  v4.sin_family = AF_INET;
  v4.sin_port = htons(address.port);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  if (!is_v4) inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr);

  const int probe = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return absl::ErrnoToStatus(errno, absl::StrCat(address.ToString(), ": cannot be used"));
  const absl::Cleanup close_probe = [probe] { close(probe); };
  // As gRPC does: an address in TIME_WAIT is free.
  const int yes = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const int bound = is_v4 ? bind(probe, reinterpret_cast<const sockaddr*>(&v4), sizeof(v4))
                          : bind(probe, reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  if (bound == 0) return absl::OkStatus();
  if (errno == EADDRINUSE) {
    return absl::UnavailableError(absl::StrCat(address.ToString(), ": is in use; give another port, or 0 for any"));
  }
  return absl::ErrnoToStatus(errno, absl::StrCat(address.ToString(), ": cannot be listened on"));
}

}  // namespace pat
