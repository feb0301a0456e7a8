#include "store/memory/memory_token_store.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "store/incarnation.h"
#include "store/memory/memory_tables.h"
#include "store/record_rules.h"

namespace pat {
namespace {

// Writes straight into the tables and notes how to take each write back.
class MemoryTransaction final : public TokenTransaction {
 public:
  MemoryTransaction(MemoryTables& tables, uint64_t sequence) : tables_(tables), sequence_(sequence) {}

  void RollBack() {
    for (auto undo = undo_log_.rbegin(); undo != undo_log_.rend(); ++undo) (*undo)();
    undo_log_.clear();
  }

  uint64_t Sequence() const override { return sequence_; }
  absl::StatusOr<uint64_t> GlobalEpoch() override { return tables_.GlobalEpoch(); }

  absl::StatusOr<std::optional<TokenRecord>> GetToken(const TokenUid& uid) override { return tables_.GetToken(uid); }
  absl::StatusOr<std::optional<UserRecord>> GetUser(absl::string_view id) override { return tables_.GetUserById(id); }
  absl::StatusOr<std::optional<RequestRecord>> GetRequest(absl::string_view key) override {
    return tables_.GetRequest(key);
  }
  absl::StatusOr<CacheBoundRecord> GetCacheBound() override { return tables_.GetCacheBound(); }

  absl::StatusOr<std::optional<TokenUid>> FindLiveByDisplayName(const UserRecord& owner, absl::string_view display_name,
                                                                absl::Time now) override {
    return tables_.FindLiveByDisplayName(owner, display_name, now);
  }
  absl::StatusOr<size_t> CountLive(const UserRecord& owner, absl::Time now, size_t limit) override {
    return tables_.CountLive(owner, now, limit);
  }
  absl::StatusOr<std::vector<TokenUid>> ListEnded(absl::Time cutoff, size_t limit) override {
    return tables_.ListEnded(cutoff, limit);
  }
  absl::StatusOr<std::vector<std::string>> ListForgettableRequests(absl::Time cutoff, size_t limit) override {
    return tables_.ListForgettableRequests(cutoff, limit);
  }

  absl::Status PutToken(const TokenRecord& token) override {
    if (const auto previous = tables_.GetToken(token.uid); previous.has_value()) {
      if (absl::Status checked = CheckReplacement(*previous, token); !checked.ok()) return checked;
    }
    if (const auto holder = tables_.FindByHmac(token.hmac); holder.has_value() && *holder != token.uid) {
      return absl::AlreadyExistsError(absl::StrCat("token ", holder->ToString(), " has this HMAC already"));
    }
    undo_log_.push_back([this, uid = token.uid, previous = tables_.ReplaceToken(token.uid, token)] {
      tables_.ReplaceToken(uid, previous);
    });
    return absl::OkStatus();
  }

  absl::Status PutUser(const UserRecord& user) override {
    for (const auto& previous : {tables_.GetUser(user.uid), tables_.GetUserById(user.id)}) {
      if (!previous.has_value()) continue;
      if (absl::Status checked = CheckReplacement(*previous, user); !checked.ok()) return checked;
    }
    undo_log_.push_back(
        [this, uid = user.uid, previous = tables_.ReplaceUser(user.uid, user)] { tables_.ReplaceUser(uid, previous); });
    return absl::OkStatus();
  }

  absl::Status PutPassword(const UserUid& user, const PasswordRecord& password) override {
    undo_log_.push_back(
        [this, user, previous = tables_.ReplacePassword(user, password)] { tables_.ReplacePassword(user, previous); });
    return absl::OkStatus();
  }

  absl::Status PutRequest(absl::string_view key, const RequestRecord& request) override {
    ReplaceRequest(key, request);
    return absl::OkStatus();
  }

  absl::Status PutCacheBound(const CacheBoundRecord& bound) override {
    undo_log_.push_back([this, previous = tables_.ReplaceCacheBound(bound)] { tables_.ReplaceCacheBound(previous); });
    return absl::OkStatus();
  }

  absl::Status DeleteToken(const TokenUid& uid) override {
    undo_log_.push_back(
        [this, uid, previous = tables_.ReplaceToken(uid, std::nullopt)] { tables_.ReplaceToken(uid, previous); });
    return absl::OkStatus();
  }

  absl::Status DeleteRequest(absl::string_view key) override {
    ReplaceRequest(key, std::nullopt);
    return absl::OkStatus();
  }

 private:
  void ReplaceRequest(absl::string_view key, std::optional<RequestRecord> next) {
    std::string owned_key(key);
    std::optional<RequestRecord> previous = tables_.ReplaceRequest(owned_key, std::move(next));
    undo_log_.push_back([this, owned_key = std::move(owned_key), previous = std::move(previous)] {
      tables_.ReplaceRequest(owned_key, previous);
    });
  }

  MemoryTables& tables_;
  const uint64_t sequence_;
  std::vector<std::function<void()>> undo_log_;
};

class MemoryTokenStore final : public TokenStore {
 public:
  absl::StatusOr<FindOutcome> FindByHmac(absl::Span<const TokenHmac> candidates, Blocking) const override {
    const absl::ReaderMutexLock lock(&mutex_);
    for (const TokenHmac& candidate : candidates) {
      const std::optional<TokenUid> uid = tables_.FindByHmac(candidate);
      if (!uid.has_value()) continue;
      TokenRecord token = *tables_.GetToken(*uid);
      std::optional<UserRecord> owner = tables_.GetUser(token.owner);
      if (!owner.has_value()) break;
      return FindOutcome{.found = TokenSnapshot{std::move(token), *std::move(owner), tables_.GlobalEpoch()}};
    }
    return FindOutcome{};
  }

  absl::StatusOr<TokenPage> ListTokens(const TokenQuery& query) const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.ListTokens(query);
  }

  absl::StatusOr<std::optional<TokenRecord>> GetToken(const TokenUid& uid) const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.GetToken(uid);
  }

  absl::StatusOr<std::optional<UserRecord>> GetUser(absl::string_view id) const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.GetUserById(id);
  }

  absl::StatusOr<std::optional<PasswordRecord>> GetPassword(const UserUid& user) const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.GetPassword(user);
  }

  absl::StatusOr<CacheBoundRecord> GetCacheBound() const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.GetCacheBound();
  }

  absl::StatusOr<std::vector<PepperId>> PepperIds() const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.PepperIds();
  }

  uint64_t CommitSequence() const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return committed_sequence_;
  }

  std::string Incarnation() const override { return incarnation_; }

  absl::Status Commit(Mutation mutation) override {
    const absl::MutexLock lock(&mutex_);
    MemoryTransaction transaction(tables_, ++drawn_sequence_);
    const absl::StatusOr<Decision> decision = mutation(transaction);
    if (!decision.ok() || *decision == Decision::kDiscard) {
      transaction.RollBack();
      return decision.status();
    }
    committed_sequence_ = transaction.Sequence();
    return absl::OkStatus();
  }

 private:
  // Constant after construction.
  const std::string incarnation_ = NewIncarnation();

  mutable absl::Mutex mutex_;
  MemoryTables tables_ ABSL_GUARDED_BY(mutex_);
  uint64_t drawn_sequence_ ABSL_GUARDED_BY(mutex_) = 0;      // The last one given to a function.
  uint64_t committed_sequence_ ABSL_GUARDED_BY(mutex_) = 0;  // The last one that committed.
};

}  // namespace

std::unique_ptr<TokenStore> NewMemoryTokenStore() { return std::make_unique<MemoryTokenStore>(); }

}  // namespace pat
