#include "server/ops/logging_store.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "server/core/error.h"

namespace pat {
namespace {

class LoggingStore final : public TokenStore {
 public:
  LoggingStore(std::unique_ptr<TokenStore> store, const Clock& clock) : store_(std::move(store)), clock_(clock) {}

  absl::StatusOr<FindOutcome> FindByHmac(absl::Span<const TokenHmac> candidates, Blocking blocking) const override {
    return Logged("FindByHmac", store_->FindByHmac(candidates, blocking));
  }
  absl::StatusOr<TokenPage> ListTokens(const TokenQuery& query) const override {
    return Logged("ListTokens", store_->ListTokens(query));
  }
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
  uint64_t CommitSequence() const override { return store_->CommitSequence(); }
  std::string Incarnation() const override { return store_->Incarnation(); }

  absl::Status Commit(Mutation mutation) override {
    absl::Status status = store_->Commit(mutation);
    Log("Commit", status);
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
    const int64_t second = absl::ToUnixSeconds(clock_.Now());
    if (last_line_.exchange(second, std::memory_order_relaxed) == second) {
      suppressed_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const uint64_t suppressed = suppressed_.exchange(0, std::memory_order_relaxed);
    spdlog::error("store: {}: {} (and {} more since the last line)", operation, status.ToString(), suppressed);
  }

  const std::unique_ptr<TokenStore> store_;
  const Clock& clock_;
  mutable std::atomic<int64_t> last_line_{INT64_MIN};
  mutable std::atomic<uint64_t> suppressed_{0};
};

}  // namespace

std::unique_ptr<TokenStore> NewLoggingStore(std::unique_ptr<TokenStore> store, const Clock& clock) {
  return std::make_unique<LoggingStore>(std::move(store), clock);
}

}  // namespace pat
