#include "tests/simulation/truth.h"

#include <algorithm>

namespace pat::simulation {

ScopeMask CoveredBy(ScopeMask scopes) { return (scopes & 1) != 0 ? scopes | 6 : scopes; }

std::vector<std::string> NamesOf(ScopeMask scopes) {
  std::vector<std::string> names;
  for (size_t i = 0; i < kScopes.size(); ++i) {
    if (((scopes >> i) & 1) != 0) names.emplace_back(kScopes[i]);
  }
  return names;
}

size_t Truth::AddSecret(KnownSecret secret) {
  secret.history = {{.from = absl::InfinitePast()}};
  secrets_.push_back(std::move(secret));
  return secrets_.size() - 1;
}

uint64_t Truth::Commit(absl::Time now, uint64_t sequence) {
  commits_.emplace_back(store_, sequence);
  std::vector<Span> current(secrets_.size());
  for (const Token& token : state.tokens) {
    const User& owner = state.users[token.user];
    const bool owner_may = owner.exists && owner.life == token.life && owner.local && !owner.disabled;
    if (token.revoked || !owner_may || state.tokens_disabled) continue;
    const ScopeMask scopes =
        CoveredBy(token.scopes) & CoveredBy(owner.grants) & static_cast<ScopeMask>(~state.forbidden);
    current[token.secret] = {.alive = true, .scopes = scopes};
  }
  for (size_t i = 0; i < secrets_.size(); ++i) {
    Span& last = secrets_[i].history.back();
    if (last.alive == current[i].alive && last.scopes == current[i].scopes) continue;
    last.to = now;
    last.ended_by = commits_.size();
    current[i].from = now;
    secrets_[i].history.push_back(current[i]);
  }
  return commits_.size();
}

uint64_t Truth::LastCommit(int store, uint64_t sequence) const {
  const auto after = std::upper_bound(commits_.begin(), commits_.end(), std::make_pair(store, sequence));
  return static_cast<uint64_t>(after - commits_.begin());
}

}  // namespace pat::simulation
