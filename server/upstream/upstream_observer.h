// UpstreamObserver: who wants to know how it goes between a sidecar and its authority.
#ifndef PAT_SERVER_UPSTREAM_UPSTREAM_OBSERVER_H_
#define PAT_SERVER_UPSTREAM_UPSTREAM_OBSERVER_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace pat {

// What an authority is asked for.
enum class UpstreamCall : uint8_t {
  kFacts,        // About a token, for somebody who waits.
  kRevocations,  // The stream of them.
  kUses,         // To take a report of uses.
};

// How it goes with the stream of revocations.
enum class PushState : uint8_t {
  kUp,         // Something came: revocations are told from now on. (Not again when a connection was merely renewed.)
  kLost,       // It could not be had again at once; the TTL is the bound until it is up.
  kNotYet,     // It could not be had at the start; the same. Said once.
  kReset,      // The authority could not go on from where it ended: everything loaded before was dropped.
  kNotServed,  // The authority has none; push has no effect.
};

// Threads: called from any thread of the upstream's; must not block.
class UpstreamObserver {
 public:
  virtual ~UpstreamObserver() = default;

  // The authority answers from another store than before, or from an earlier state of it (a restored backup): what was
  // loaded until now may never have been true in this one. A cache drops everything. Returns after that is done.
  virtual void OnAnotherStore() {}

  // The authority gave an answer of this kind that could be used. (Of the stream OnPush() tells.)
  virtual void OnAnswer(UpstreamCall /*call*/) {}

  virtual void OnPush(PushState /*state*/) {}

  // An attempt failed. For the log only: it has the address and the transport's text. No secret and no digest is in it.
  virtual void OnFailure(UpstreamCall /*call*/, absl::string_view /*text*/) {}
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_UPSTREAM_OBSERVER_H_
