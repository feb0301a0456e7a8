// ChangeFeed: what a watcher of the store's changes is told, message by message. Whoever keeps facts of tokens beyond
// the store watches, and drops what changed; the TTL bounds what it keeps all the same.
//
// A watcher is a position, and nothing else: where it is in the store's history. So a slow one costs nothing while it
// does not read. A position leaves the process as a resume token, which is no secret; it is good for the same store,
// also over a restart, until the changes behind it are removed.
//
// No watcher ever misses a change in silence: whatever its position cannot be gone on from, it is told to start over.
//
// Threads: thread-safe. The methods that read the store may wait for a disk.
#ifndef PAT_SERVER_CORE_CHANGE_FEED_H_
#define PAT_SERVER_CORE_CHANGE_FEED_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/token_store.h"
#include "store/uid.h"

namespace pat {

inline constexpr size_t kMaxTokensInMessage = 1000;

struct FeedPosition {
  bool lost = false;      // Must start over; the rest does not matter.
  uint64_t sequence = 0;  // Everything until this mutation was told,
  size_t told = 0;        // and so many changes of the next one that has any.

  friend auto operator<=>(const FeedPosition&, const FeedPosition&) = default;  // NOLINT(modernize-use-nullptr)
};

struct FeedMessage {
  enum class Kind : uint8_t {
    kNothing,     // Nothing has changed.
    kTokens,      // Drop these tokens.
    kOwner,       // Drop every token of this user.
    kEverything,  // Drop every token.
    kReset,       // What was missed cannot be told: drop every token.
  };

  Kind kind = Kind::kNothing;
  std::vector<TokenUid> tokens = {};
  std::string owner_id = {};
  FeedPosition next = {};  // Where a watcher is who has got this.
  bool more = false;       // There is another message at `next` already.
};

class ChangeFeed {
 public:
  // `store` must outlive this object.
  explicit ChangeFeed(const TokenReader& store);

  // Where a watcher begins: here and now, if `resume_token` is empty, else where it was. A token that is none, or of
  // another store, is no error: the first message will be kReset.
  FeedPosition Begin(absl::string_view resume_token) const;

  // The next message for a watcher at `position`: at most kMaxTokensInMessage tokens, and whole mutations if they fit.
  // Errors: the store's.
  absl::StatusOr<FeedMessage> Next(const FeedPosition& position) const;

  // For Begin(). A position inside of a mutation gives the token before that mutation: told twice is no harm.
  std::string ResumeToken(const FeedPosition& position) const;

 private:
  const TokenReader& store_;
  const std::string incarnation_;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_CHANGE_FEED_H_
