// UpstreamObserver: who wants to know how it goes between a sidecar and its authority.
#ifndef PAT_SERVER_UPSTREAM_UPSTREAM_OBSERVER_H_
#define PAT_SERVER_UPSTREAM_UPSTREAM_OBSERVER_H_

#include "absl/strings/string_view.h"

namespace pat {

// Threads: called from any thread of the upstream's; must not block.
class UpstreamObserver {
 public:
  virtual ~UpstreamObserver() = default;

  // The authority answers from another store than before, or from an earlier state of it (a restored backup): what was
  // loaded until now may never have been true in this one. A cache drops everything. Returns after that is done.
  virtual void OnAnotherStore() {}

  // The authority gave an answer that could be used.
  virtual void OnAnswer() {}

  // An attempt failed. For the log only: it has the transport's text. No secret and no digest is in it.
  virtual void OnFailure(absl::string_view /*text*/) {}
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_UPSTREAM_OBSERVER_H_
