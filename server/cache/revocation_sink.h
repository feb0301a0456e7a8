// RevocationSink: who is told that something which was loaded may no longer be true.
#ifndef PAT_SERVER_CACHE_REVOCATION_SINK_H_
#define PAT_SERVER_CACHE_REVOCATION_SINK_H_

#include "absl/strings/string_view.h"
#include "store/uid.h"

namespace pat {

// Each forgets what was loaded until now: of this token; of all tokens of this user; of everybody, also that tokens are
// inactive. When they return, that is done.
//
// Threads: thread-safe.
class RevocationSink {
 public:
  virtual void Drop(const TokenUid& token) = 0;
  virtual void DropOwner(absl::string_view owner_id) = 0;
  virtual void DropAll() = 0;

 protected:
  ~RevocationSink() = default;
};

}  // namespace pat

#endif  // PAT_SERVER_CACHE_REVOCATION_SINK_H_
