// RefusalLog: a line in the log for calls that were refused to whoever made them, at most one of a kind in a second: a
// certificate without a role, a wrong password or token, no credential, too many attempts, a role that may not.
//
// A line has the method, the peer, the names in the certificate and the reason. No credential is ever in it, and of a
// user name only one that a user has: people type passwords into the wrong field.
#ifndef PAT_SERVER_OPS_REFUSAL_LOG_H_
#define PAT_SERVER_OPS_REFUSAL_LOG_H_

#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/authn/call_info.h"
#include "server/core/clock.h"
#include "server/ops/line_limiter.h"
#include "server/rpc/refusal_observer.h"
#include "store/token_store.h"

namespace pat {

// Threads: thread-safe.
class RefusalLog final : public RefusalObserver {
 public:
  // `users`: null where none are known (a sidecar). What is given must outlive this object.
  RefusalLog(const Clock& clock, const TokenReader* users);

  void OnRefused(const CallInfo& call, absl::string_view peer, const absl::Status& refusal) override;

  // The line for such a call, without what LineLimiter adds.
  std::string LineOf(const CallInfo& call, absl::string_view peer, const absl::Status& refusal) const;

 private:
  std::string UserOf(const CallInfo& call) const;

  const TokenReader* const users_;
  std::array<LineLimiter, 5> lines_;  // One for each kind, so that many of one do not hide another.
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_REFUSAL_LOG_H_
