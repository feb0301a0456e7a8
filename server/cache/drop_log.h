// DropLog: which drops have come while loads were under way, so that a load that was overtaken by one is known when it
// ends. Only then does it turn out whose token it was.
//
// Memory is bounded: beyond a number of drops all loads that are under way count as overtaken.
//
// Threads: none of its own; the cache guards it.
#ifndef PAT_SERVER_CACHE_DROP_LOG_H_
#define PAT_SERVER_CACHE_DROP_LOG_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/core/facts_reader.h"
#include "store/uid.h"

namespace pat {

class DropLog {
 public:
  explicit DropLog(size_t most_kept = 65'536) : most_kept_(most_kept) {}

  // How many drops there were. What a load takes down when it begins, before it asks.
  uint64_t position() const { return position_; }

  // While there is none under way, nothing is kept.
  void BeginLoad() { ++loads_; }
  void EndLoad() {
    if (--loads_ == 0) Forget();
  }

  void NoteToken(const TokenUid& token) {
    ++position_;
    if (MayKeep()) tokens_[token] = position_;
  }
  void NoteOwner(absl::string_view owner_id) {
    ++position_;
    if (MayKeep()) owners_[owner_id] = position_;
  }

  // True if a drop of this token or its owner came after `began`.
  bool IsOvertaken(uint64_t began, const TokenFacts& facts) const {
    if (forgotten_through_ > began) return true;
    const auto token = tokens_.find(facts.uid);
    if (token != tokens_.end() && token->second > began) return true;
    const auto owner = owners_.find(facts.owner_id);
    return owner != owners_.end() && owner->second > began;
  }

 private:
  bool MayKeep() {
    if (loads_ == 0) return false;
    if (tokens_.size() + owners_.size() < most_kept_) return true;
    Forget();
    forgotten_through_ = position_;
    return false;
  }
  void Forget() {
    tokens_.clear();
    owners_.clear();
  }

  const size_t most_kept_;
  uint64_t position_ = 0;
  uint64_t forgotten_through_ = 0;
  size_t loads_ = 0;
  absl::flat_hash_map<TokenUid, uint64_t> tokens_;
  absl::flat_hash_map<std::string, uint64_t> owners_;
};

}  // namespace pat

#endif  // PAT_SERVER_CACHE_DROP_LOG_H_
