#include "server/cache/entry_index.h"

#include <algorithm>

namespace pat {

void EntryIndex::Add(const TokenFacts& facts, const TokenDigest& digest) {
  const absl::MutexLock lock(&mutex_);
  auto& digests = digests_of_token_[facts.uid];
  if (digests.empty()) tokens_of_owner_[facts.owner_id].insert(facts.uid);
  digests.push_back(digest);
}

void EntryIndex::Remove(const TokenFacts& facts, const TokenDigest& digest) {
  const absl::MutexLock lock(&mutex_);
  const auto token = digests_of_token_.find(facts.uid);
  if (token == digests_of_token_.end()) return;
  auto& digests = token->second;
  const auto found = std::find(digests.begin(), digests.end(), digest);
  if (found != digests.end()) digests.erase(found);
  if (!digests.empty()) return;
  digests_of_token_.erase(token);
  const auto owner = tokens_of_owner_.find(facts.owner_id);
  if (owner == tokens_of_owner_.end()) return;
  owner->second.erase(facts.uid);
  if (owner->second.empty()) tokens_of_owner_.erase(owner);
}

std::vector<TokenDigest> EntryIndex::DigestsOf(const TokenUid& token) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = digests_of_token_.find(token);
  if (found == digests_of_token_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

std::vector<TokenDigest> EntryIndex::DigestsOf(absl::string_view owner_id) const {
  const absl::MutexLock lock(&mutex_);
  std::vector<TokenDigest> digests;
  const auto owner = tokens_of_owner_.find(owner_id);
  if (owner == tokens_of_owner_.end()) return digests;
  for (const TokenUid& token : owner->second) {
    const auto& of_token = digests_of_token_.at(token);
    digests.insert(digests.end(), of_token.begin(), of_token.end());
  }
  return digests;
}

size_t EntryIndex::size() const {
  const absl::MutexLock lock(&mutex_);
  return digests_of_token_.size();
}

}  // namespace pat
