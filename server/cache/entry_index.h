// EntryIndex: which digests the cache has entries of, by token and by owner. Only a cache that is told of revocations
// keeps one.
//
// Threads: thread-safe.
#ifndef PAT_SERVER_CACHE_ENTRY_INDEX_H_
#define PAT_SERVER_CACHE_ENTRY_INDEX_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/core/facts_reader.h"
#include "server/core/token_secret.h"
#include "store/uid.h"

namespace pat {

class EntryIndex {
 public:
  // An entry of this digest came, or went. Of each digest there is one at a time.
  void Add(const TokenFacts& facts, const TokenDigest& digest);
  void Remove(const TokenFacts& facts, const TokenDigest& digest);

  // A token has more than one while an earlier secret of it is still remembered.
  std::vector<TokenDigest> DigestsOf(const TokenUid& token) const;
  std::vector<TokenDigest> DigestsOf(absl::string_view owner_id) const;

  // How many tokens are in it.
  size_t size() const;

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<TokenUid, absl::InlinedVector<TokenDigest, 1>> digests_of_token_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, absl::flat_hash_set<TokenUid>> tokens_of_owner_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_SERVER_CACHE_ENTRY_INDEX_H_
