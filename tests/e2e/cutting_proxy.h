// CuttingProxy: a TCP proxy between a client and a server that cuts connections at a chosen moment.
//
// It looks only at the frames of HTTP/2 (RFC 9113, 4.1) that come from the server, and only at their types.
#ifndef PAT_TESTS_E2E_CUTTING_PROXY_H_
#define PAT_TESTS_E2E_CUTTING_PROXY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace pat {

class CuttingProxy {
 public:
  enum class When : uint8_t {
    kNever,
    // When the server begins to answer, which it does after it has done what was asked: nothing of the answer is passed
    // on.
    kBeforeAnswer,
    // When the client has sent something, which then has been passed on: the server may or may not have begun.
    kAfterRequest,
  };

  // Passes connections on to 127.0.0.1:`port`. Throws if it cannot listen.
  // `record`: keeps all that passes.
  explicit CuttingProxy(uint16_t port, bool record = false);

  // Cuts what is left.
  ~CuttingProxy();

  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  // "127.0.0.1:4711"
  const std::string& target() const { return target_; }

  // From now on: for connections that are there, too.
  void CutWhen(When when) { when_ = when; }

  // What was sent until now, by clients and by the server, connection after connection. Only if asked for at the start.
  std::string recorded() const;

  // How many connections were cut.
  size_t cuts() const { return cuts_; }

 private:
  struct Pair {
    int client;
    int server;
    std::thread from_client;
    std::thread from_server;
  };

  void Accept();
  void PumpFromClient(const Pair& pair);
  void PumpFromServer(const Pair& pair);
  void Cut(const Pair& pair);

  const uint16_t server_port_;
  int listener_ = -1;
  std::string target_;
  std::atomic<When> when_ = When::kNever;
  std::atomic<size_t> cuts_ = 0;

  void Record(int from, absl::string_view bytes);

  const bool record_;
  mutable absl::Mutex mutex_;
  std::map<int, std::string> recorded_ ABSL_GUARDED_BY(mutex_);  // By the socket it came from.
  std::list<Pair> pairs_ ABSL_GUARDED_BY(mutex_);

  std::thread accepting_;
};

}  // namespace pat

#endif  // PAT_TESTS_E2E_CUTTING_PROXY_H_
