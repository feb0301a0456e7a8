#include "server/ops/logging_store.h"

#include <spdlog/spdlog.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/core/error.h"
#include "server/ops/line_limiter.h"

namespace pat {
namespace {

class LoggingStore final : public TokenStore {
 public:
  LoggingStore(std::unique_ptr<TokenStore> store, const Clock& clock) : store_(std::move(store)), lines_(clock) {}

  absl::StatusOr<FindOutcome> FindByHmac(absl::Span<const TokenHmac> candidates, Blocking blocking) const override {
    return Logged("FindByHmac", store_->FindByHmac(candidates, blocking));
  }
  absl::StatusOr<TokenPage> ListTokens(const TokenQuery& query) const override {
    return Logged("ListTokens", store_->ListTokens(query));
  }
  absl::StatusOr<UserPage> ListUsers(const UserQuery& query) const override {
    return Logged("ListUsers", store_->ListUsers(query));
  }
  absl::StatusOr<AuditPage> ListAudit(const AuditQuery& query) const override {
    return Logged("ListAudit", store_->ListAudit(query));
  }
  absl::StatusOr<PolicyRecord> GetPolicy() const override { return Logged("GetPolicy", store_->GetPolicy()); }
  absl::StatusOr<std::optional<TokenRecord>> GetToken(const TokenUid& uid) const override {
    return Logged("GetToken", store_->GetToken(uid));
  }
  absl::StatusOr<std::optional<UserRecord>> GetUser(absl::string_view id) const override {
    return Logged("GetUser", store_->GetUser(id));
  }
  absl::StatusOr<std::optional<PasswordRecord>> GetPassword(const UserUid& user) const override {
    return Logged("GetPassword", store_->GetPassword(user));
  }
  absl::StatusOr<CacheBoundRecord> GetCacheBound() const override {
    return Logged("GetCacheBound", store_->GetCacheBound());
  }
  absl::StatusOr<std::vector<PepperId>> PepperIds() const override { return Logged("PepperIds", store_->PepperIds()); }
  uint64_t CommitSequence() const override { return store_->CommitSequence(); }
  uint64_t DurableSequence() const override { return store_->DurableSequence(); }
  absl::StatusOr<ChangePage> ListChanges(uint64_t after_sequence, size_t limit) const override {
    return Logged("ListChanges", store_->ListChanges(after_sequence, limit));
  }
  bool WaitForCommit(uint64_t after_sequence, absl::Duration timeout) const override {
    return store_->WaitForCommit(after_sequence, timeout);
  }
  void EndWaiting() override { store_->EndWaiting(); }
  std::string Incarnation() const override { return store_->Incarnation(); }

  absl::Status Commit(Mutation mutation) override {
    absl::Status status = store_->Commit(mutation);
    Log("Commit", status);
    return status;
  }

  absl::Status CommitWithoutSync(Mutation mutation) override {
    absl::Status status = store_->CommitWithoutSync(mutation);
    Log("CommitWithoutSync", status);
    return status;
  }

 private:
  template <typename T>
  absl::StatusOr<T> Logged(const char* operation, absl::StatusOr<T> result) const {
    Log(operation, result.status());
    return result;
  }

  void Log(const char* operation, const absl::Status& status) const {
    if (status.ok() || DetailsOf(status).has_value()) return;
    const std::optional<uint64_t> kept_back = lines_.Admit();
    if (!kept_back.has_value()) return;
    spdlog::error("store: {}: {} (and {} more since the last line)", operation, status.ToString(), *kept_back);
  }

  const std::unique_ptr<TokenStore> store_;
  mutable LineLimiter lines_;
};

}  // namespace

std::unique_ptr<TokenStore> NewLoggingStore(std::unique_ptr<TokenStore> store, const Clock& clock) {
  return std::make_unique<LoggingStore>(std::move(store), clock);
}

}  // namespace pat
