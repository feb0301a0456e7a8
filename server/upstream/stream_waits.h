// StreamWaits: how long to wait before the stream of revocations is asked for again, by how the last one ended. Each
// wait is drawn at random, so that sidecars do not come back in a crowd.
//
// Threads: none of its own.
#ifndef PAT_SERVER_UPSTREAM_STREAM_WAITS_H_
#define PAT_SERVER_UPSTREAM_STREAM_WAITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "server/upstream/backoff.h"

namespace pat {

enum class StreamEnding : uint8_t {
  kLost,         // It ended, was silent, or the connection failed.
  kUnavailable,  // Refused by an authority that cannot serve anybody just now: another address may do.
  kRefused,      // Refused otherwise: too many streams, or this sidecar may not have one.
  kNotServed,    // The authority has none.
};

struct StreamEnd {
  StreamEnding how = StreamEnding::kLost;

  // It had told something and had been there for longer than StreamWaitOptions::longest: only then is the authority
  // known to be well. One that takes streams and ends them at once is not to be called twenty times a second.
  bool has_lasted = false;

  absl::Duration retry_delay = absl::ZeroDuration();  // As the authority wants it.
};

struct StreamWaitOptions {
  absl::Duration first;            // At most, after the first of any kind; doubles.
  absl::Duration longest;          // At most, as long as the authority is not there.
  absl::Duration longest_refused;  // At most, as long as it is there and refuses.
  absl::Duration not_served;
};

class StreamWaits {
 public:
  // `addresses`: of the authority, at least one.
  StreamWaits(const StreamWaitOptions& options, size_t addresses)
      : options_(options),
        addresses_(addresses),
        lost_(options.first, options.longest),
        refused_(options.first, options.longest_refused) {}

  // What the authority wants is added to what is drawn. Where it is UNAVAILABLE, the other addresses come first: what
  // it wants counts when all have been asked.
  absl::Duration Next(const StreamEnd& end, uint64_t random) {
    if (end.has_lasted) {
      lost_.Reset();
      refused_.Reset();
    }
    if (end.how != StreamEnding::kUnavailable) unavailable_ = 0;
    switch (end.how) {
      case StreamEnding::kLost:
        return lost_.Next(random);
      case StreamEnding::kUnavailable:
        if (++unavailable_ < addresses_) return lost_.Next(random);
        unavailable_ = 0;
        return lost_.Next(random) + end.retry_delay;
      case StreamEnding::kRefused:
        return refused_.Next(random) + end.retry_delay;
      case StreamEnding::kNotServed:
        return options_.not_served;
    }
    return options_.longest;
  }

 private:
  const StreamWaitOptions options_;
  const size_t addresses_;
  Backoff lost_;
  Backoff refused_;
  size_t unavailable_ = 0;  // In a row.
};

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_STREAM_WAITS_H_
