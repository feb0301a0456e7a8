// Truth: what is so, and since when. A model of the authority's rules that is small enough to be obviously right, and
// the history that follows from it: for each secret, when it was alive and with which scopes, in true time. It knows
// nothing of caches, streams and clocks; expiry is not in it, because that is a matter of somebody's clock.
//
// Commits are numbered from 1, over all stores that the authority ever had.
#ifndef PAT_TESTS_SIMULATION_TRUTH_H_
#define PAT_TESTS_SIMULATION_TRUTH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/core/token_secret.h"
#include "store/uid.h"

namespace pat::simulation {

// A set of scopes: bit i is kScopes[i]. The first one covers the next two.
using ScopeMask = uint8_t;
inline constexpr std::array<absl::string_view, 4> kScopes = {"Box", "Box.Read", "Box.Write", "Till"};
inline constexpr ScopeMask kAllScopes = 15;

ScopeMask CoveredBy(ScopeMask scopes);
std::vector<std::string> NamesOf(ScopeMask scopes);

struct User {
  std::string id = {};
  bool exists = false;
  int life = 0;  // Another one after the user was deleted, and made again.
  bool disabled = false;
  bool local = true;
  ScopeMask grants = kAllScopes;
};

struct Token {
  size_t user = 0;
  int life = 0;  // The user's.
  std::string name = {};
  bool revoked = false;
  ScopeMask scopes = 0;
  size_t secret = 0;  // The living one.
};

struct State {
  std::vector<User> users;
  std::vector<Token> tokens;
  bool tokens_disabled = false;
  ScopeMask forbidden = 0;
};

// From one change of a secret to the next.
struct Span {
  absl::Time from = {};
  absl::Time to = absl::InfiniteFuture();
  uint64_t ended_by = UINT64_MAX;  // The number of the commit.
  bool alive = false;
  ScopeMask scopes = 0;
};

struct KnownSecret {
  TokenDigest digest = {};
  absl::Time made_at = {};  // True time.

  // Of the token that it was made for, if there is one.
  TokenUid uid = {};
  std::string owner_id = {};
  absl::Time expire_time = absl::InfiniteFuture();

  std::vector<Span> history = {};  // Without gaps, from the infinite past to the infinite future.
};

class Truth {
 public:
  // As the store says. Whoever changes it calls Commit().
  State state;

  // A secret that is dead until a token in `state` has it. Without a history yet.
  size_t AddSecret(KnownSecret secret);

  // `state` became true, by mutation `sequence` of the store there is now. Returns the commit's number.
  uint64_t Commit(absl::Time now, uint64_t sequence);

  // The commits from now on are of another store.
  void BeginStore() { ++store_; }
  int store() const { return store_; }

  // The last commit that is known to whoever knows all of `store` until mutation `sequence`.
  uint64_t LastCommit(int store, uint64_t sequence) const;

  const std::vector<KnownSecret>& secrets() const { return secrets_; }

 private:
  int store_ = 0;
  std::vector<std::pair<int, uint64_t>> commits_;  // Store and sequence, of each.
  std::vector<KnownSecret> secrets_;
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_TRUTH_H_
