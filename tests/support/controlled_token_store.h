// ControlledTokenStore: a store whose reads a test can count, spoil, and make wait for a disk.
#ifndef PAT_TESTS_SUPPORT_CONTROLLED_TOKEN_STORE_H_
#define PAT_TESTS_SUPPORT_CONTROLLED_TOKEN_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "store/token_store.h"

namespace pat {

// Passes everything on to `store`, unless told otherwise.
//
// Threads: thread-safe.
class ControlledTokenStore final : public TokenStore {
 public:
  explicit ControlledTokenStore(TokenStore& store) : store_(store) {}

  absl::StatusOr<FindOutcome> FindByHmac(absl::Span<const TokenHmac> candidates, Blocking blocking) const override {
    bool on_disk = false;
    {
      const absl::MutexLock lock(&mutex_);
      ++(blocking == Blocking::kForbidden ? finds_in_memory_ : finds_that_may_wait_);
      if (!read_failure_.ok()) return read_failure_;
      on_disk = on_disk_;
    }
    if (on_disk && blocking == Blocking::kForbidden) return FindOutcome{.would_block = true};
    return store_.FindByHmac(candidates, blocking);
  }
  absl::StatusOr<TokenPage> ListTokens(const TokenQuery& query) const override {
    if (absl::Status failure = read_failure(); !failure.ok()) return failure;
    return store_.ListTokens(query);
  }
  absl::StatusOr<UserPage> ListUsers(const UserQuery& query) const override {
    if (absl::Status failure = read_failure(); !failure.ok()) return failure;
    return store_.ListUsers(query);
  }
  absl::StatusOr<AuditPage> ListAudit(const AuditQuery& query) const override {
    if (absl::Status failure = read_failure(); !failure.ok()) return failure;
    return store_.ListAudit(query);
  }
  absl::StatusOr<PolicyRecord> GetPolicy() const override {
    if (absl::Status failure = read_failure(); !failure.ok()) return failure;
    return store_.GetPolicy();
  }
  absl::StatusOr<std::optional<TokenRecord>> GetToken(const TokenUid& uid) const override {
    if (absl::Status failure = read_failure(); !failure.ok()) return failure;
    return store_.GetToken(uid);
  }
  absl::StatusOr<std::optional<UserRecord>> GetUser(absl::string_view id) const override {
    if (absl::Status failure = read_failure(); !failure.ok()) return failure;
    return store_.GetUser(id);
  }
  absl::StatusOr<std::optional<PasswordRecord>> GetPassword(const UserUid& user) const override {
    absl::StatusOr<std::optional<PasswordRecord>> password = store_.GetPassword(user);
    std::function<void()> after;
    {
      const absl::MutexLock lock(&mutex_);
      after = std::exchange(after_password_, nullptr);
    }
    if (after) after();
    return password;
  }
  absl::StatusOr<CacheBoundRecord> GetCacheBound() const override { return store_.GetCacheBound(); }
  absl::StatusOr<std::vector<PepperId>> PepperIds() const override { return store_.PepperIds(); }
  uint64_t CommitSequence() const override { return store_.CommitSequence(); }
  uint64_t DurableSequence() const override { return store_.DurableSequence(); }
  absl::StatusOr<ChangePage> ListChanges(uint64_t after_sequence, size_t limit) const override {
    if (absl::Status failure = read_failure(); !failure.ok()) return failure;
    return store_.ListChanges(after_sequence, limit);
  }
  bool WaitForCommit(uint64_t after_sequence, absl::Duration timeout) const override {
    return store_.WaitForCommit(after_sequence, timeout);
  }
  void EndWaiting() override { store_.EndWaiting(); }
  std::string Incarnation() const override { return store_.Incarnation(); }

  absl::Status Commit(Mutation mutation) override {
    if (before_commit_) before_commit_();
    if (absl::Status failure = commit_failure(); !failure.ok()) return failure;
    absl::Status status = store_.Commit(mutation);
    if (after_commit_) after_commit_();
    return status;
  }

  absl::Status CommitWithoutSync(Mutation mutation) override {
    if (absl::Status failure = commit_failure(); !failure.ok()) return failure;
    absl::Status status = store_.CommitWithoutSync(mutation);
    if (after_commit_) after_commit_();
    return status;
  }

  // From now on what is looked for is not in memory: a read that may not wait says so.
  void PutOnDisk() {
    const absl::MutexLock lock(&mutex_);
    on_disk_ = true;
  }

  // From now on reads, or mutations, fail so. OkStatus ends it.
  void FailReadsWith(const absl::Status& status) {
    const absl::MutexLock lock(&mutex_);
    read_failure_ = status;
  }
  void FailCommitsWith(const absl::Status& status) {
    const absl::MutexLock lock(&mutex_);
    commit_failure_ = status;
  }

  // Called once, when the next password has been read and its reader does not know yet.
  void AfterNextPassword(std::function<void()> after_password) {
    const absl::MutexLock lock(&mutex_);
    after_password_ = std::move(after_password);
  }

  // Called before each Commit(). Set it before there are other threads.
  void BeforeCommit(std::function<void()> before_commit) { before_commit_ = std::move(before_commit); }

  // Called when a mutation is done and its caller does not know yet. Set it before there are other threads.
  void AfterCommit(std::function<void()> after_commit) { after_commit_ = std::move(after_commit); }

  size_t finds_in_memory() const {
    const absl::MutexLock lock(&mutex_);
    return finds_in_memory_;
  }
  size_t finds_that_may_wait() const {
    const absl::MutexLock lock(&mutex_);
    return finds_that_may_wait_;
  }

 private:
  absl::Status read_failure() const {
    const absl::MutexLock lock(&mutex_);
    return read_failure_;
  }
  absl::Status commit_failure() const {
    const absl::MutexLock lock(&mutex_);
    return commit_failure_;
  }

  TokenStore& store_;
  std::function<void()> before_commit_;
  std::function<void()> after_commit_;

  mutable absl::Mutex mutex_;
  mutable size_t finds_in_memory_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable size_t finds_that_may_wait_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable std::function<void()> after_password_ ABSL_GUARDED_BY(mutex_);
  bool on_disk_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status read_failure_ ABSL_GUARDED_BY(mutex_);
  absl::Status commit_failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_CONTROLLED_TOKEN_STORE_H_
