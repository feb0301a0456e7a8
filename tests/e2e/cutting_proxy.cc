#include "tests/e2e/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace pat {
namespace {

constexpr size_t kFrameHeader = 9;
constexpr uint8_t kHeadersFrame = 1;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

const sockaddr* AsSockaddr(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

// Small pieces go on at once, as they came: Nagle's algorithm would keep them back for tens of milliseconds.
void SendAtOnce(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool SendAll(int socket, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// Knows where frames begin in what a server sends.
class Frames {
 public:
  // True if a HEADERS frame begins in `bytes`, which follow those of the call before.
  bool HasHeaders(absl::string_view bytes) {
    bool found = false;
    while (!bytes.empty()) {
      if (payload_left_ > 0) {
        const size_t passed = std::min(payload_left_, bytes.size());
        payload_left_ -= passed;
        bytes.remove_prefix(passed);
        continue;
      }
      header_[header_size_++] = static_cast<uint8_t>(bytes.front());
      bytes.remove_prefix(1);
      if (header_size_ < kFrameHeader) continue;
      header_size_ = 0;
      payload_left_ = size_t{header_[0]} << 16 | size_t{header_[1]} << 8 | size_t{header_[2]};
      found = found || header_[3] == kHeadersFrame;
    }
    return found;
  }

 private:
  std::array<uint8_t, kFrameHeader> header_{};
  size_t header_size_ = 0;
  size_t payload_left_ = 0;
};

}  // namespace

void CuttingProxy::Record(int from, absl::string_view bytes) {
  if (!record_) return;
  const absl::MutexLock lock(&mutex_);
  absl::StrAppend(&recorded_[from], bytes);
}

std::string CuttingProxy::recorded() const {
  const absl::MutexLock lock(&mutex_);
  std::string all;
  for (const auto& [socket, bytes] : recorded_) absl::StrAppend(&all, bytes);
  return all;
}

CuttingProxy::CuttingProxy(uint16_t port, bool record) : server_port_(port), record_(record) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (listener_ < 0 || bind(listener_, AsSockaddr(address), size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  target_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  accepting_ = std::thread([this] { Accept(); });
}

CuttingProxy::~CuttingProxy() {
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  close(listener_);
  const absl::MutexLock lock(&mutex_);
  for (Pair& pair : pairs_) {
    shutdown(pair.client, SHUT_RDWR);
    shutdown(pair.server, SHUT_RDWR);
    pair.from_client.join();
    pair.from_server.join();
    close(pair.client);
    close(pair.server);
  }
}

void CuttingProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(server_port_);
    if (server < 0 || connect(server, AsSockaddr(address), sizeof(address)) != 0) {
      close(client);
      if (server >= 0) close(server);
      continue;
    }
    SendAtOnce(client);
    SendAtOnce(server);
    const absl::MutexLock lock(&mutex_);
    Pair& pair = pairs_.emplace_back(Pair{.client = client, .server = server, .from_client = {}, .from_server = {}});
    pair.from_client = std::thread([this, &pair] { PumpFromClient(pair); });
    pair.from_server = std::thread([this, &pair] { PumpFromServer(pair); });
  }
}

void CuttingProxy::Cut(const Pair& pair) {
  ++cuts_;
  shutdown(pair.client, SHUT_RDWR);
  shutdown(pair.server, SHUT_RDWR);
}

void CuttingProxy::PumpFromClient(const Pair& pair) {
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t size = recv(pair.client, buffer.data(), buffer.size(), 0);
    if (size > 0) Record(pair.client, {buffer.data(), static_cast<size_t>(size)});
    if (size <= 0 || !SendAll(pair.server, {buffer.data(), static_cast<size_t>(size)})) break;
    if (when_ == When::kAfterRequest) {
      Cut(pair);
      return;
    }
  }
  shutdown(pair.client, SHUT_RDWR);
  shutdown(pair.server, SHUT_RDWR);
}

void CuttingProxy::PumpFromServer(const Pair& pair) {
  std::array<char, 16384> buffer{};
  Frames frames;
  while (true) {
    const ssize_t size = recv(pair.server, buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    const absl::string_view bytes(buffer.data(), static_cast<size_t>(size));
    if (frames.HasHeaders(bytes) && when_ == When::kBeforeAnswer) {
      Cut(pair);
      return;
    }
    Record(pair.server, bytes);
    if (!SendAll(pair.client, bytes)) break;
  }
  shutdown(pair.client, SHUT_RDWR);
  shutdown(pair.server, SHUT_RDWR);
}

}  // namespace pat
