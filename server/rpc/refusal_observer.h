// RefusalObserver: who wants to know which calls were refused before they reached a rule.
#ifndef PAT_SERVER_RPC_REFUSAL_OBSERVER_H_
#define PAT_SERVER_RPC_REFUSAL_OBSERVER_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/authn/call_info.h"

namespace pat {

// Threads: called from any thread. May block only if the call has a header that is judged (Authenticator::MayBlock()).
class RefusalObserver {
 public:
  virtual ~RefusalObserver() = default;

  // Nobody was recognised as its caller, or that caller may not call this method. `call` still has the credentials.
  // `peer`: from where, "ipv4:10.0.0.7:47110" or the address of a Unix socket.
  virtual void OnRefused(const CallInfo& call, absl::string_view peer, const absl::Status& refusal) = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_REFUSAL_OBSERVER_H_
