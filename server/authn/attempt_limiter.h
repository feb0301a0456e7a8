// AttemptLimiter: how often somebody may be wrong about a password.
//
// Failures are counted for each (user, peer) and, with a higher limit, for each peer over all users, in a window of
// time that begins with the first of them. From the limit on an attempt has to wait after each failure, twice as long
// as after the one before. An attempt that comes too early is refused without a look at it, right or wrong. Failures of
// other peers never count.
//
// Nor do failures of other users, to a user who was right at this peer within the last day: many people may stand
// behind one address, and one who guesses there must not lock the others out. The limit of that user at that peer still
// holds.
//
// Users who do not exist are counted like those who do. Memory is bounded, although names are of the attacker's choice:
// they are kept as keyed hashes, and of too many the one that failed (or was right) longest ago is forgotten. (A
// failure costs a scrypt: pushing one's own failures out that way takes longer than waiting. To push out who was right
// takes as many users and peers of which one knows the password.)
//
// Threads: thread-safe.
#ifndef PAT_SERVER_AUTHN_ATTEMPT_LIMITER_H_
#define PAT_SERVER_AUTHN_ATTEMPT_LIMITER_H_

#include <cstddef>
#include <list>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/crypto/digest.h"

namespace pat {

struct AttemptLimit {
  int free_failures = 0;  // After so many: waiting.
  absl::Duration first_delay = absl::Seconds(1);
  absl::Duration longest_delay = {};
};

struct AttemptLimits {
  AttemptLimit user_and_peer{.free_failures = 10, .longest_delay = absl::Seconds(60)};

  // Many people may stand behind one address, so it waits less.
  AttemptLimit peer{.free_failures = 100, .longest_delay = absl::Seconds(10)};

  absl::Duration window = absl::Minutes(15);

  // So long after a right password the failures of others at its peer do not keep that user waiting there.
  absl::Duration known_for = absl::Hours(24);

  size_t most_remembered = 10'000;  // Of each kind.
};

// Against whom a failure counts, from the name that the transport has for the other side: "ipv4:10.0.0.7:47110" without
// the port; of an IPv6 address the first 64 bits, because whoever has one has all of those. Anything else ("unix:/p")
// as it is.
std::string AttemptPeerOf(absl::string_view transport_peer);

class AttemptLimiter {
 public:
  // `clock` must outlive this object.
  AttemptLimiter(const AttemptLimits& limits, HmacSha256Key key, const Clock& clock);

  // How long an attempt has to wait yet; zero: it may go on. After too many failures it then has the turn: until it is
  // told to have been right or wrong, or as long as the delay lasts, no other goes on. So a hundred attempts at the
  // same time are one.
  absl::Duration Begin(absl::string_view user, absl::string_view peer) ABSL_LOCKS_EXCLUDED(mutex_);

  void Wrong(absl::string_view user, absl::string_view peer) ABSL_LOCKS_EXCLUDED(mutex_);

  // It could not be told whether it was right: gives the turn back, and nothing counts.
  void Neither(absl::string_view user, absl::string_view peer) ABSL_LOCKS_EXCLUDED(mutex_);

  // Forgets the failures of this user and peer, and remembers that this user belongs there. Those of the peer stay, or
  // an attacker with a password could guess on.
  void Right(absl::string_view user, absl::string_view peer) ABSL_LOCKS_EXCLUDED(mutex_);

  // For tests and metrics.
  size_t remembered() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // The failures of one kind. For one thread at a time.
  class Failures {
   public:
    Failures(const AttemptLimit& limit, const AttemptLimits& limits) : limit_(limit), limits_(limits) {}

    absl::Duration Wait(const Sha256Digest& whose, absl::Time now);
    // `attempt`: the user and peer of it. Nobody else gives its turn back.
    void TakeTurn(const Sha256Digest& whose, const Sha256Digest& attempt, absl::Time now);
    void GiveTurnBack(const Sha256Digest& whose, const Sha256Digest& attempt, absl::Time now);
    void Add(const Sha256Digest& whose, absl::Time now);
    void Forget(const Sha256Digest& whose);
    size_t size() const { return by_whose_.size(); }

   private:
    struct Entry {
      Sha256Digest whose{};
      absl::Time window_start;
      int failures = 0;
      absl::Time not_before = absl::InfinitePast();
      // Set: not_before is set because this attempt is under way.
      std::optional<Sha256Digest> turn_of = std::nullopt;
    };

    // Null: none, or its window is over.
    Entry* Find(const Sha256Digest& whose, absl::Time now);
    absl::Duration DelayAfter(int failures) const;

    const AttemptLimit limit_;
    const AttemptLimits& limits_;
    std::list<Entry> entries_;  // Who failed last is first.
    absl::flat_hash_map<Sha256Digest, std::list<Entry>::iterator> by_whose_;
  };

  // Which users were right at which peers. For one thread at a time.
  class Known {
   public:
    explicit Known(const AttemptLimits& limits) : limits_(limits) {}

    bool Has(const Sha256Digest& user_and_peer, absl::Time now) const;
    void Add(const Sha256Digest& user_and_peer, absl::Time now);
    size_t size() const { return by_key_.size(); }

   private:
    struct Entry {
      Sha256Digest user_and_peer{};
      absl::Time right_at;
    };

    const AttemptLimits& limits_;
    std::list<Entry> entries_;  // Who was right last is first.
    absl::flat_hash_map<Sha256Digest, std::list<Entry>::iterator> by_key_;
  };

  struct Keys {
    Sha256Digest user_and_peer;
    Sha256Digest peer;
  };
  Keys KeysOf(absl::string_view user, absl::string_view peer) const;

  const AttemptLimits limits_;
  const HmacSha256Key key_;
  const Clock& clock_;

  mutable absl::Mutex mutex_;
  Failures of_user_and_peer_ ABSL_GUARDED_BY(mutex_);
  Failures of_peer_ ABSL_GUARDED_BY(mutex_);
  Known known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_SERVER_AUTHN_ATTEMPT_LIMITER_H_
