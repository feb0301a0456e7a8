// FakeDns: a DNS server of a test's own, on a UDP port of loopback. It knows no name until it is told an address, and
// counts what it is asked.
#ifndef PAT_TESTS_SUPPORT_FAKE_DNS_H_
#define PAT_TESTS_SUPPORT_FAKE_DNS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace pat {

// Threads: one of its own. Methods are thread-safe.
class FakeDns {
 public:
  FakeDns();
  ~FakeDns();

  FakeDns(const FakeDns&) = delete;
  FakeDns& operator=(const FakeDns&) = delete;

  // "127.0.0.1:40053".
  const std::string& address() const { return address_; }

  // What gRPC calls a name that this server is to be asked for: "dns://127.0.0.1:40053/authority.example.:7443".
  std::string TargetOf(absl::string_view name, absl::string_view port) const;

  // From now on the name (without a dot at its end) has this one IPv4 address, and no IPv6 address.
  void Set(absl::string_view name, absl::string_view ipv4);

  // As in the beginning: there is no such name.
  void Remove(absl::string_view name);

  // No answer to anybody, until it is taken back.
  void SetSilent(bool is_silent);

  // Questions for IPv4 addresses, so one for each time that a name is looked up.
  size_t lookups() const;

 private:
  void Serve();
  std::string Answer(absl::string_view question);

  // Constant after construction.
  int socket_ = -1;
  std::string address_;

  // Protected by mutex_.
  mutable absl::Mutex mutex_;
  std::map<std::string, uint32_t> addresses_ ABSL_GUARDED_BY(mutex_);  // In the network's order.
  bool is_silent_ ABSL_GUARDED_BY(mutex_) = false;
  size_t lookups_ ABSL_GUARDED_BY(mutex_) = 0;

  std::thread thread_;
};

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_FAKE_DNS_H_
