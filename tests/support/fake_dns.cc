#include "tests/support/fake_dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

// RFC 1035, as far as a resolver wants it.
constexpr size_t kHeader = 12;
constexpr uint16_t kTypeA = 1;
constexpr char kNoSuchName = 3;

struct Question {
  std::string name;  // In lower case, without a dot at its end.
  uint16_t type = 0;
  size_t end = 0;  // Of its bytes.
};

// The one question of a message. nullopt: it is none that a resolver sends.
std::optional<Question> ReadQuestion(absl::string_view message) {
  Question question;
  size_t at = kHeader;
  while (at < message.size() && message[at] != 0) {
    const size_t length = static_cast<unsigned char>(message[at]);
    if (length > 63 || at + 1 + length >= message.size()) return std::nullopt;
    if (!question.name.empty()) question.name += '.';
    question.name += absl::AsciiStrToLower(message.substr(at + 1, length));
    at += 1 + length;
  }
  question.end = at + 5;  // The last label, which is empty; type and class.
  if (question.end > message.size()) return std::nullopt;
  question.type = static_cast<uint16_t>((static_cast<unsigned char>(message[at + 1]) << 8U) |
                                        static_cast<unsigned char>(message[at + 2]));
  return question;
}

}  // namespace

FakeDns::FakeDns() {
  socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof own;
  EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&own), size), 0);
  EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&own), &size), 0);
  address_ = absl::StrCat("127.0.0.1:", ntohs(own.sin_port));
  thread_ = std::thread([this] { Serve(); });
}

FakeDns::~FakeDns() {
  shutdown(socket_, SHUT_RDWR);  // A read that waits returns nothing then.
  thread_.join();
  close(socket_);
}

std::string FakeDns::TargetOf(absl::string_view name, absl::string_view port) const {
  // With a dot at its end: no domain of this machine's is tried.
  return absl::StrCat("dns://", address_, "/", name, ".:", port);
}

void FakeDns::Set(absl::string_view name, absl::string_view ipv4) {
  in_addr address{};
  EXPECT_EQ(inet_pton(AF_INET, std::string(ipv4).c_str(), &address), 1) << ipv4;
  const absl::MutexLock lock(&mutex_);
  addresses_[std::string(name)] = address.s_addr;
}

void FakeDns::Remove(absl::string_view name) {
  const absl::MutexLock lock(&mutex_);
  addresses_.erase(std::string(name));
}

void FakeDns::SetSilent(bool is_silent) {
  const absl::MutexLock lock(&mutex_);
  is_silent_ = is_silent;
}

size_t FakeDns::lookups() const {
  const absl::MutexLock lock(&mutex_);
  return lookups_;
}

void FakeDns::Serve() {
  std::array<char, 512> buffer;
  while (true) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const ssize_t length =
        recvfrom(socket_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (length <= 0) return;  // Nobody sends an empty one.
    const std::string answer = Answer(absl::string_view(buffer.data(), static_cast<size_t>(length)));
    if (answer.empty()) continue;
    sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&peer), size);
  }
}

std::string FakeDns::Answer(absl::string_view question) {
  const std::optional<Question> asked = ReadQuestion(question);
  if (!asked.has_value()) return {};
  const absl::MutexLock lock(&mutex_);
  if (asked->type == kTypeA) ++lookups_;
  if (is_silent_) return {};
  const auto found = addresses_.find(asked->name);
  const bool has_address = found != addresses_.end() && asked->type == kTypeA;

  std::string answer(question.substr(0, asked->end));
  answer[2] = static_cast<char>(0x85);  // An answer, and with authority; recursion as it was asked for.
  answer[3] = found == addresses_.end() ? kNoSuchName : '\0';
  answer[7] = has_address ? '\1' : '\0';
  for (size_t count = 8; count < kHeader; ++count) answer[count] = '\0';  // No other records.
  if (!has_address) return answer;
  // The name of the question, type A, class IN, to be kept for no time, four bytes of address.
  const absl::string_view record("\xC0\x0C\0\1\0\1\0\0\0\0\0\4", 12);
  absl::StrAppend(&answer, record,
                  absl::string_view(reinterpret_cast<const char*>(&found->second), sizeof found->second));
  return answer;
}

}  // namespace pat
