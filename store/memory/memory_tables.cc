#include "store/memory/memory_tables.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "store/record_rules.h"

namespace pat {
namespace {

// Puts `next` under `key`, or removes the row, and returns what was there.
template <typename Map, typename Key, typename Record>
std::optional<Record> Exchange(Map& map, const Key& key, std::optional<Record> next) {
  std::optional<Record> previous;
  if (auto it = map.find(key); it != map.end()) {
    previous = std::move(it->second);
    map.erase(it);
  }
  if (next.has_value()) map.emplace(key, *std::move(next));
  return previous;
}

template <typename Map, typename Key>
auto Find(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
  const auto it = map.find(key);
  if (it == map.end()) return std::nullopt;
  return it->second;
}

}  // namespace

std::optional<TokenRecord> MemoryTables::ReplaceToken(const TokenUid& uid, std::optional<TokenRecord> next) {
  std::optional<TokenRecord> previous = Exchange(tokens_, uid, next);
  if (previous.has_value()) {
    token_by_hmac_.erase(previous->hmac);
    by_creation_.erase({previous->create_sequence, uid});
    by_owner_[previous->owner].erase({previous->create_sequence, uid});
    if (by_owner_[previous->owner].empty()) by_owner_.erase(previous->owner);
  }
  if (next.has_value()) {
    token_by_hmac_.emplace(next->hmac, uid);
    by_creation_.emplace(next->create_sequence, uid);
    by_owner_[next->owner].emplace(next->create_sequence, uid);
  }
  return previous;
}

std::optional<UserRecord> MemoryTables::ReplaceUser(const UserUid& uid, std::optional<UserRecord> next) {
  std::optional<UserRecord> previous = Exchange(users_, uid, next);
  if (previous.has_value()) user_by_id_.erase(previous->id);
  if (next.has_value()) user_by_id_.emplace(next->id, uid);
  return previous;
}

std::optional<PasswordRecord> MemoryTables::ReplacePassword(const UserUid& user, std::optional<PasswordRecord> next) {
  return Exchange(passwords_, user, std::move(next));
}

std::optional<RequestRecord> MemoryTables::ReplaceRequest(const std::string& key, std::optional<RequestRecord> next) {
  std::optional<RequestRecord> previous = Exchange(requests_, key, next);
  if (previous.has_value()) by_forget_time_.erase({previous->forget_time, key});
  if (next.has_value()) by_forget_time_.emplace(next->forget_time, key);
  return previous;
}

std::optional<absl::Time> MemoryTables::ReplaceUse(const TokenUid& uid, std::optional<absl::Time> next) {
  return Exchange(uses_, uid, next);
}

std::optional<AuditRecord> MemoryTables::ReplaceAudit(const AuditPosition& position, std::optional<AuditRecord> next) {
  return Exchange(audit_, position, std::move(next));
}

std::optional<absl::Time> MemoryTables::ReplaceEnd(uint64_t global_epoch, std::optional<absl::Time> next) {
  return Exchange(global_ends_, global_epoch, next);
}

std::optional<absl::Time> MemoryTables::ReplaceEnd(const UserUid& owner, const Epochs& epochs,
                                                   std::optional<absl::Time> next) {
  return Exchange(owner_ends_, std::make_pair(owner, epochs), next);
}

TokenRecord MemoryTables::Whole(TokenRecord token) const {
  token.last_use_time = Find(uses_, token.uid);
  if (token.revoke_time.has_value()) return token;
  const std::optional<absl::Time> global_end = Find(global_ends_, token.epochs.global);
  const std::optional<absl::Time> owner_end = Find(owner_ends_, std::make_pair(token.owner, token.epochs));
  token.revoke_time = global_end.has_value() && owner_end.has_value()
                          ? std::min(global_end, owner_end)
                          : (global_end.has_value() ? global_end : owner_end);
  return token;
}

std::optional<TokenRecord> MemoryTables::GetPlainToken(const TokenUid& uid) const { return Find(tokens_, uid); }

std::optional<TokenRecord> MemoryTables::GetToken(const TokenUid& uid) const {
  std::optional<TokenRecord> token = Find(tokens_, uid);
  if (token.has_value()) token = Whole(*std::move(token));
  return token;
}

uint64_t MemoryTables::CountUnrevoked(const std::optional<UserUid>& owner) const {
  const CreationOrder& order = owner.has_value() ? TokensOf(*owner) : by_creation_;
  return static_cast<uint64_t>(std::count_if(order.begin(), order.end(), [this](const auto& place) {
    return !Whole(tokens_.at(place.second)).revoke_time.has_value();
  }));
}

std::vector<Epochs> MemoryTables::EndedEpochsOf(const UserUid& owner) const {
  std::vector<Epochs> ended;
  for (auto it = owner_ends_.lower_bound({owner, Epochs{}}); it != owner_ends_.end() && it->first.first == owner;
       ++it) {
    ended.push_back(it->first.second);
  }
  return ended;
}

bool MemoryTables::HasTokensToInherit(const UserUid& owner) const {
  const CreationOrder& order = TokensOf(owner);
  return std::any_of(order.begin(), order.end(),
                     [this](const auto& place) { return !tokens_.at(place.second).revoke_time.has_value(); });
}

std::optional<UserRecord> MemoryTables::GetUser(const UserUid& uid) const { return Find(users_, uid); }

std::optional<UserRecord> MemoryTables::GetUserById(absl::string_view id) const {
  const auto it = user_by_id_.find(std::string(id));
  if (it == user_by_id_.end()) return std::nullopt;
  return Find(users_, it->second);
}

std::optional<PasswordRecord> MemoryTables::GetPassword(const UserUid& user) const { return Find(passwords_, user); }

std::optional<RequestRecord> MemoryTables::GetRequest(absl::string_view key) const {
  return Find(requests_, std::string(key));
}

std::optional<TokenUid> MemoryTables::FindByHmac(const TokenHmac& hmac) const { return Find(token_by_hmac_, hmac); }

bool MemoryTables::IsUnrevoked(const TokenRecord& token, const UserRecord& owner) const {
  return !token.revoke_time.has_value() && token.epochs == Epochs{.global = global_epoch_, .owner = owner.token_epoch};
}

bool MemoryTables::IsLive(const TokenRecord& token, const UserRecord& owner, absl::Time now) const {
  return IsUnrevoked(token, owner) && now < EffectiveExpireTime(token, policy_);
}

const MemoryTables::CreationOrder& MemoryTables::TokensOf(const UserUid& owner) const {
  static const CreationOrder* const kNone = new CreationOrder;
  const auto it = by_owner_.find(owner);
  return it == by_owner_.end() ? *kNone : it->second;
}

std::vector<PepperId> MemoryTables::PepperIds() const {
  std::vector<PepperId> ids;
  for (const auto& [hmac, uid] : token_by_hmac_) {
    if (ids.empty() || ids.back() != hmac.pepper_id) ids.push_back(hmac.pepper_id);
  }
  return ids;
}

TokenPage MemoryTables::ListTokens(const TokenQuery& query) const {
  TokenPage page;
  page.up_to = query.after_sequence;
  if (query.after_sequence == std::numeric_limits<uint64_t>::max()) return page;
  size_t passed_over = 0;
  const CreationOrder& order = query.owner.has_value() ? TokensOf(*query.owner) : by_creation_;
  for (auto it = order.lower_bound({query.after_sequence + 1, TokenUid{}}); it != order.end(); ++it) {
    const TokenRecord& plain = tokens_.at(it->second);
    TokenRecord token = Whole(plain);
    const bool dead = !query.include_revoked && token.revoke_time.has_value();
    // Only those that ended with their owner's epoch stand in the way of an engine that has an index.
    const bool in_the_way =
        dead && !query.owner.has_value() && !plain.revoke_time.has_value() && plain.epochs.global == global_epoch_;
    if (dead && !in_the_way) continue;
    if (passed_over == kMostPassedOver || (!dead && page.tokens.size() == query.limit)) {
      page.more = true;
      break;
    }
    page.up_to = token.create_sequence;
    if (dead) {
      ++passed_over;
    } else {
      page.tokens.push_back(std::move(token));
    }
  }
  return page;
}

UserPage MemoryTables::ListUsers(const UserQuery& query) const {
  UserPage page;
  for (auto it = user_by_id_.upper_bound(query.after_id); it != user_by_id_.end(); ++it) {
    if (page.users.size() == query.limit) {
      page.more = true;
      break;
    }
    page.users.push_back(users_.at(it->second));
  }
  return page;
}

AuditPage MemoryTables::ListAudit(const AuditQuery& query) const {
  std::vector<const std::pair<const AuditPosition, AuditRecord>*> rows;
  for (const auto& row : audit_) rows.push_back(&row);
  if (query.newest_first) std::reverse(rows.begin(), rows.end());
  AuditPage page;
  for (const auto* row : rows) {
    const auto& [position, record] = *row;
    if (record.time < query.start || record.time >= query.end) continue;
    if (query.user_id.has_value() &&
        (query.user_id->empty() || (record.user_id != *query.user_id && record.target_user_id != *query.user_id))) {
      continue;
    }
    if (query.token.has_value() && record.target_token != query.token) continue;
    if (query.after.has_value() && (query.newest_first ? position >= *query.after : position <= *query.after)) continue;
    if (page.rows.size() == query.limit) {
      page.more = true;
      break;
    }
    page.rows.push_back(record);
  }
  return page;
}

uint64_t MemoryTables::CountAdministrators() const {
  return static_cast<uint64_t>(std::count_if(users_.begin(), users_.end(), [this](const auto& user) {
    return IsActiveAdministrator(user.second, passwords_.count(user.first) != 0);
  }));
}

std::optional<TokenUid> MemoryTables::FindLiveByDisplayName(const UserRecord& owner, absl::string_view display_name,
                                                            absl::Time now) const {
  for (const auto& [sequence, uid] : TokensOf(owner.uid)) {
    const TokenRecord& token = tokens_.at(uid);
    if (token.display_name == display_name && IsLive(token, owner, now)) return uid;
  }
  return std::nullopt;
}

size_t MemoryTables::CountLive(const UserRecord& owner, absl::Time now, size_t limit) const {
  size_t count = 0;
  for (const auto& [sequence, uid] : TokensOf(owner.uid)) {
    if (count == limit) break;
    if (IsLive(tokens_.at(uid), owner, now)) ++count;
  }
  return count;
}

std::vector<TokenUid> MemoryTables::ListEnded(absl::Time cutoff, size_t limit) const {
  std::vector<TokenUid> ended;
  for (const auto& [uid, token] : tokens_) {
    if (ended.size() == limit) break;
    if (EndOf(Whole(token)) < cutoff) ended.push_back(uid);
  }
  return ended;
}

std::vector<std::string> MemoryTables::ListForgettableRequests(absl::Time cutoff, size_t limit) const {
  std::vector<std::string> keys;
  for (const auto& [forget_time, key] : by_forget_time_) {
    if (forget_time >= cutoff || keys.size() == limit) break;
    keys.push_back(key);
  }
  return keys;
}

std::vector<AuditPosition> MemoryTables::ListAuditBefore(absl::Time cutoff, size_t limit) const {
  std::vector<AuditPosition> positions;
  for (const auto& [position, row] : audit_) {
    if (position.time >= cutoff || positions.size() == limit) break;
    positions.push_back(position);
  }
  return positions;
}

ChangePage MemoryTables::ListChanges(uint64_t after_sequence, size_t limit, uint64_t committed_sequence) const {
  ChangePage page{.changes = {}, .up_to = committed_sequence};
  page.truncated = after_sequence < change_floor_ || after_sequence > committed_sequence;
  if (page.truncated) return page;
  for (const Change& change : changes_) {
    if (change.sequence <= after_sequence) continue;
    const uint64_t last = page.changes.empty() ? after_sequence : page.changes.back().sequence;
    if (page.changes.size() >= limit && change.sequence != last) {
      page.up_to = last;
      break;
    }
    page.changes.push_back(change);
  }
  return page;
}

std::vector<Change> MemoryTables::ListChangesThrough(uint64_t sequence, size_t limit) const {
  std::vector<Change> changes;
  for (const Change& change : changes_) {
    if (change.sequence > sequence || changes.size() == limit) break;
    changes.push_back(change);
  }
  return changes;
}

}  // namespace pat
