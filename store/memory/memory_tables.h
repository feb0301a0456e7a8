// The tables of the memory engine: one ordered map per kind of record, and sets for the orders that lists need.
//
// Every change goes through a Replace… method, which takes the new record or nothing, and gives back what was there.
// The opposite of a change is therefore the same call with what it returned: that is how a mutation is undone.
//
// What can be counted is counted, token by token, each time: this engine is the one that is obviously right.
//
// Threads: no synchronisation of its own; the store holds its lock.
#ifndef PAT_STORE_MEMORY_MEMORY_TABLES_H_
#define PAT_STORE_MEMORY_MEMORY_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/records.h"
#include "store/token_store.h"
#include "store/uid.h"

namespace pat {

class MemoryTables {
 public:
  std::optional<TokenRecord> ReplaceToken(const TokenUid& uid, std::optional<TokenRecord> next);
  std::optional<UserRecord> ReplaceUser(const UserUid& uid, std::optional<UserRecord> next);
  std::optional<PasswordRecord> ReplacePassword(const UserUid& user, std::optional<PasswordRecord> next);
  std::optional<RequestRecord> ReplaceRequest(const std::string& key, std::optional<RequestRecord> next);
  std::optional<absl::Time> ReplaceUse(const TokenUid& uid, std::optional<absl::Time> next);
  std::optional<AuditRecord> ReplaceAudit(const AuditPosition& position, std::optional<AuditRecord> next);
  CacheBoundRecord ReplaceCacheBound(const CacheBoundRecord& next) { return std::exchange(cache_bound_, next); }
  PolicyRecord ReplacePolicy(PolicyRecord next) { return std::exchange(policy_, std::move(next)); }
  uint64_t ReplaceGlobalEpoch(uint64_t next) { return std::exchange(global_epoch_, next); }
  uint64_t ReplaceChangeFloor(uint64_t next) { return std::exchange(change_floor_, next); }

  // Each returns whether it did anything.
  bool AddChange(const Change& change) { return changes_.insert(change).second; }
  bool RemoveChange(const Change& change) { return changes_.erase(change) != 0; }

  // When an epoch ended: that of everybody, or one of an owner within one of everybody.
  std::optional<absl::Time> ReplaceEnd(uint64_t global_epoch, std::optional<absl::Time> next);
  std::optional<absl::Time> ReplaceEnd(const UserUid& owner, const Epochs& epochs, std::optional<absl::Time> next);

  // The token as it was put, without what its epochs and its uses add to it.
  std::optional<TokenRecord> GetPlainToken(const TokenUid& uid) const;
  std::optional<TokenRecord> GetToken(const TokenUid& uid) const;
  std::optional<UserRecord> GetUser(const UserUid& uid) const;
  std::optional<UserRecord> GetUserById(absl::string_view id) const;
  std::optional<PasswordRecord> GetPassword(const UserUid& user) const;
  std::optional<RequestRecord> GetRequest(absl::string_view key) const;
  bool HasAudit(const AuditPosition& position) const { return audit_.count(position) != 0; }
  const CacheBoundRecord& GetCacheBound() const { return cache_bound_; }
  const PolicyRecord& GetPolicy() const { return policy_; }
  uint64_t GlobalEpoch() const { return global_epoch_; }

  // Tokens of this owner, or of everybody, that are not revoked in any way.
  uint64_t CountUnrevoked(const std::optional<UserUid>& owner) const;
  // The pairs of epochs of this owner that have ended.
  std::vector<Epochs> EndedEpochsOf(const UserUid& owner) const;
  // Whether there are tokens of this owner without a revoke_time of their own.
  bool HasTokensToInherit(const UserUid& owner) const;

  // As the methods of the same names in TokenReader and TokenTransaction.
  std::optional<TokenUid> FindByHmac(const TokenHmac& hmac) const;
  TokenPage ListTokens(const TokenQuery& query) const;
  UserPage ListUsers(const UserQuery& query) const;
  AuditPage ListAudit(const AuditQuery& query) const;
  std::vector<PepperId> PepperIds() const;
  uint64_t CountAdministrators() const;
  std::optional<TokenUid> FindLiveByDisplayName(const UserRecord& owner, absl::string_view display_name,
                                                absl::Time now) const;
  size_t CountLive(const UserRecord& owner, absl::Time now, size_t limit) const;
  std::vector<TokenUid> ListEnded(absl::Time cutoff, size_t limit) const;
  std::vector<std::string> ListForgettableRequests(absl::Time cutoff, size_t limit) const;
  std::vector<AuditPosition> ListAuditBefore(absl::Time cutoff, size_t limit) const;
  ChangePage ListChanges(uint64_t after_sequence, size_t limit, uint64_t committed_sequence) const;

  // The oldest changes, of those until mutation `sequence`.
  std::vector<Change> ListChangesThrough(uint64_t sequence, size_t limit) const;

 private:
  // Creation order; the uid tells tokens of one mutation apart.
  using CreationOrder = std::set<std::pair<uint64_t, TokenUid>>;

  // Adds what the token's epochs and its uses say of it.
  TokenRecord Whole(TokenRecord token) const;
  // Not revoked, by itself or with its epoch, if its owner is as this one.
  bool IsUnrevoked(const TokenRecord& token, const UserRecord& owner) const;
  bool IsLive(const TokenRecord& token, const UserRecord& owner, absl::Time now) const;
  // The tokens of one owner, in order of creation.
  const CreationOrder& TokensOf(const UserUid& owner) const;

  std::map<TokenUid, TokenRecord> tokens_;
  std::map<UserUid, UserRecord> users_;
  std::map<UserUid, PasswordRecord> passwords_;
  std::map<std::string, RequestRecord, std::less<>> requests_;
  std::map<TokenUid, absl::Time> uses_;
  std::map<AuditPosition, AuditRecord> audit_;
  CacheBoundRecord cache_bound_;
  PolicyRecord policy_;
  uint64_t global_epoch_ = 0;
  std::set<Change> changes_;
  uint64_t change_floor_ = 0;  // The mutation of the last change that was removed.
  std::map<uint64_t, absl::Time> global_ends_;
  std::map<std::pair<UserUid, Epochs>, absl::Time> owner_ends_;

  // Derived from the tables above, by the Replace… methods alone.
  std::map<TokenHmac, TokenUid> token_by_hmac_;
  std::map<std::string, UserUid, std::less<>> user_by_id_;
  CreationOrder by_creation_;
  std::map<UserUid, CreationOrder> by_owner_;
  std::set<std::pair<absl::Time, std::string>> by_forget_time_;
};

}  // namespace pat

#endif  // PAT_STORE_MEMORY_MEMORY_TABLES_H_
