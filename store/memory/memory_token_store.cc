#include "store/memory/memory_token_store.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "store/commit_signal.h"
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
  absl::StatusOr<std::optional<PasswordRecord>> GetPassword(const UserUid& user) override {
    return tables_.GetPassword(user);
  }
  absl::StatusOr<std::optional<RequestRecord>> GetRequest(absl::string_view key) override {
    return tables_.GetRequest(key);
  }
  absl::StatusOr<CacheBoundRecord> GetCacheBound() override { return tables_.GetCacheBound(); }
  absl::StatusOr<PolicyRecord> GetPolicy() override { return tables_.GetPolicy(); }
  absl::StatusOr<uint64_t> CountAdministrators() override { return tables_.CountAdministrators(); }

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
    const std::optional<TokenRecord> kept = tables_.GetPlainToken(token.uid);
    absl::Status checked = kept.has_value() ? CheckReplacement(*kept, token) : CheckInsertion(token, sequence_);
    if (checked.ok()) checked = CheckEpochs(token, tables_.GlobalEpoch(), tables_.GetUser(token.owner));
    if (!checked.ok()) return checked;
    if (const auto holder = tables_.FindByHmac(token.hmac); holder.has_value() && *holder != token.uid) {
      return absl::AlreadyExistsError(absl::StrCat("token ", holder->ToString(), " has this HMAC already"));
    }
    TokenRecord next = token;
    next.last_use_time.reset();
    if (kept.has_value() && IsChange(*kept, next)) NoteChange({.kind = Change::Kind::kToken, .token = token.uid});
    ReplaceToken(token.uid, std::move(next));
    return absl::OkStatus();
  }

  absl::Status PutUser(const UserRecord& user) override {
    const std::optional<UserRecord> kept = tables_.GetUser(user.uid);
    absl::Status checked =
        kept.has_value() ? CheckReplacement(*kept, user) : CheckInsertion(user, tables_.HasTokensToInherit(user.uid));
    if (const std::optional<UserRecord> holder = tables_.GetUserById(user.id); checked.ok() && holder.has_value()) {
      checked = CheckReplacement(*holder, user);
    }
    if (!checked.ok()) return checked;
    if (!kept.has_value()) {
      // Nothing is left of a former user of this uid, so nothing of it may matter.
      for (const Epochs& epochs : tables_.EndedEpochsOf(user.uid)) ReplaceEnd(user.uid, epochs, std::nullopt);
    }
    if (kept.has_value() && IsChange(*kept, user)) NoteChangeOf(user);
    ReplaceUser(user.uid, user);
    return absl::OkStatus();
  }

  absl::Status PutPassword(const UserUid& user, const PasswordRecord& password) override {
    ReplacePassword(user, password);
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

  absl::Status PutPolicy(const PolicyRecord& policy) override {
    if (IsChange(tables_.GetPolicy(), policy)) NoteChange({.kind = Change::Kind::kEverything});
    undo_log_.push_back([this, previous = tables_.ReplacePolicy(policy)] { tables_.ReplacePolicy(previous); });
    return absl::OkStatus();
  }

  absl::Status PutAudit(const AuditRecord& row) override {
    const AuditPosition position{.time = row.time, .sequence = row.sequence};
    if (absl::Status checked = CheckInsertion(row, sequence_); !checked.ok()) return checked;
    if (tables_.HasAudit(position)) return absl::AlreadyExistsError("this mutation has an audit row of that time");
    ReplaceAudit(position, row);
    return absl::OkStatus();
  }

  absl::Status NoteUse(const TokenUid& uid, absl::Time time) override {
    const std::optional<TokenRecord> token = tables_.GetToken(uid);
    const absl::Time minute = CutToMinute(time);
    if (!token.has_value() || minute <= token->last_use_time.value_or(absl::InfinitePast())) return absl::OkStatus();
    ReplaceUse(uid, minute);
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> RevokeAll(const std::optional<UserUid>& owner, absl::Time time) override {
    const uint64_t count = tables_.CountUnrevoked(owner);
    const uint64_t epoch = tables_.GlobalEpoch();
    if (owner.has_value()) {
      std::optional<UserRecord> user = tables_.GetUser(*owner);
      if (!user.has_value()) return 0;
      EndEpochOf(*user, time);
      ++user->token_epoch;
      NoteChangeOf(*user);
      ReplaceUser(*owner, std::move(user));
      return count;
    }
    NoteChange({.kind = Change::Kind::kEverything});
    undo_log_.push_back(
        [this, epoch, previous = tables_.ReplaceEnd(epoch, time)] { tables_.ReplaceEnd(epoch, previous); });
    undo_log_.push_back(
        [this, previous = tables_.ReplaceGlobalEpoch(epoch + 1)] { tables_.ReplaceGlobalEpoch(previous); });
    return count;
  }

  absl::StatusOr<uint64_t> DeleteUser(const UserUid& uid, absl::Time time) override {
    const std::optional<UserRecord> user = tables_.GetUser(uid);
    if (!user.has_value()) return 0;
    const uint64_t count = tables_.CountUnrevoked(uid);
    EndEpochOf(*user, time);
    NoteChangeOf(*user);
    ReplaceUser(uid, std::nullopt);
    ReplacePassword(uid, std::nullopt);
    return count;
  }

  absl::Status DeleteToken(const TokenUid& uid) override {
    ReplaceToken(uid, std::nullopt);
    ReplaceUse(uid, std::nullopt);
    return absl::OkStatus();
  }

  absl::Status DeleteRequest(absl::string_view key) override {
    ReplaceRequest(key, std::nullopt);
    return absl::OkStatus();
  }

  absl::StatusOr<size_t> DeleteAuditBefore(absl::Time cutoff, size_t limit) override {
    const std::vector<AuditPosition> positions = tables_.ListAuditBefore(cutoff, limit);
    for (const AuditPosition& position : positions) ReplaceAudit(position, std::nullopt);
    return positions.size();
  }

  absl::StatusOr<size_t> DeleteChangesThrough(uint64_t sequence, size_t limit) override {
    const std::vector<Change> changes = tables_.ListChangesThrough(sequence, limit);
    for (const Change& change : changes) {
      tables_.RemoveChange(change);
      undo_log_.push_back([this, change] { tables_.AddChange(change); });
    }
    if (changes.empty()) return 0;
    undo_log_.push_back([this, previous = tables_.ReplaceChangeFloor(changes.back().sequence)] {
      tables_.ReplaceChangeFloor(previous);
    });
    return changes.size();
  }

 private:
  void NoteChange(Change change) {
    change.sequence = sequence_;
    if (!tables_.AddChange(change)) return;
    undo_log_.push_back([this, change] { tables_.RemoveChange(change); });
  }
  void NoteChangeOf(const UserRecord& owner) { NoteChange({.kind = Change::Kind::kOwner, .owner_id = owner.id}); }

  void EndEpochOf(const UserRecord& user, absl::Time time) {
    ReplaceEnd(user.uid, {.global = tables_.GlobalEpoch(), .owner = user.token_epoch}, time);
  }

  void ReplaceEnd(const UserUid& owner, const Epochs& epochs, std::optional<absl::Time> next) {
    undo_log_.push_back([this, owner, epochs, previous = tables_.ReplaceEnd(owner, epochs, next)] {
      tables_.ReplaceEnd(owner, epochs, previous);
    });
  }

  void ReplaceToken(const TokenUid& uid, std::optional<TokenRecord> next) {
    undo_log_.push_back(
        [this, uid, previous = tables_.ReplaceToken(uid, std::move(next))] { tables_.ReplaceToken(uid, previous); });
  }

  void ReplaceUser(const UserUid& uid, std::optional<UserRecord> next) {
    undo_log_.push_back(
        [this, uid, previous = tables_.ReplaceUser(uid, std::move(next))] { tables_.ReplaceUser(uid, previous); });
  }

  void ReplacePassword(const UserUid& user, std::optional<PasswordRecord> next) {
    undo_log_.push_back([this, user, previous = tables_.ReplacePassword(user, std::move(next))] {
      tables_.ReplacePassword(user, previous);
    });
  }

  void ReplaceUse(const TokenUid& uid, std::optional<absl::Time> next) {
    undo_log_.push_back([this, uid, previous = tables_.ReplaceUse(uid, next)] { tables_.ReplaceUse(uid, previous); });
  }

  void ReplaceAudit(const AuditPosition& position, std::optional<AuditRecord> next) {
    undo_log_.push_back([this, position, previous = tables_.ReplaceAudit(position, std::move(next))] {
      tables_.ReplaceAudit(position, previous);
    });
  }

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
      TokenRecord token = *tables_.GetPlainToken(*uid);
      std::optional<UserRecord> owner = tables_.GetUser(token.owner);
      if (!owner.has_value()) break;
      return FindOutcome{
          .found = TokenSnapshot{std::move(token), *std::move(owner), tables_.GlobalEpoch(), tables_.GetPolicy()}};
    }
    return FindOutcome{};
  }

  absl::StatusOr<TokenPage> ListTokens(const TokenQuery& query) const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.ListTokens(query);
  }

  absl::StatusOr<UserPage> ListUsers(const UserQuery& query) const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.ListUsers(query);
  }

  absl::StatusOr<AuditPage> ListAudit(const AuditQuery& query) const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.ListAudit(query);
  }

  absl::StatusOr<PolicyRecord> GetPolicy() const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.GetPolicy();
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

  // Nothing here outlives the process, so nothing is less durable than the rest.
  uint64_t DurableSequence() const override { return CommitSequence(); }

  absl::StatusOr<ChangePage> ListChanges(uint64_t after_sequence, size_t limit) const override {
    const absl::ReaderMutexLock lock(&mutex_);
    return tables_.ListChanges(after_sequence, limit, committed_sequence_);
  }

  bool WaitForCommit(uint64_t after_sequence, absl::Duration timeout) const override {
    return signal_.Wait(after_sequence, timeout);
  }

  void EndWaiting() override { signal_.End(); }

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
    signal_.Raise(committed_sequence_);
    return absl::OkStatus();
  }

  absl::Status CommitWithoutSync(Mutation mutation) override { return Commit(mutation); }

 private:
  // Constant after construction.
  const std::string incarnation_ = NewIncarnation();

  CommitSignal signal_{0};
  mutable absl::Mutex mutex_;
  MemoryTables tables_ ABSL_GUARDED_BY(mutex_);
  uint64_t drawn_sequence_ ABSL_GUARDED_BY(mutex_) = 0;      // The last one given to a function.
  uint64_t committed_sequence_ ABSL_GUARDED_BY(mutex_) = 0;  // The last one that committed.
};

}  // namespace

std::unique_ptr<TokenStore> NewMemoryTokenStore() { return std::make_unique<MemoryTokenStore>(); }

}  // namespace pat
