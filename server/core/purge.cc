#include "server/core/purge.h"

#include <algorithm>
#include <string>
#include <vector>

namespace pat {
namespace {

constexpr size_t kRowsAtATime = 500;

}  // namespace

absl::StatusOr<Purged> PurgeEnded(TokenStore& store, const Retention& retention, absl::Time now,
                                  absl::FunctionRef<bool()> stop) {
  Purged total;
  Purged round;
  do {
    if (stop()) return total;
    const absl::Status done = store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      const absl::StatusOr<std::vector<TokenUid>> tokens =
          transaction.ListEnded(now - retention.ended_tokens, kRowsAtATime);
      if (!tokens.ok()) return tokens.status();
      const absl::StatusOr<std::vector<std::string>> requests = transaction.ListForgettableRequests(now, kRowsAtATime);
      if (!requests.ok()) return requests.status();
      const absl::StatusOr<size_t> audit_rows = transaction.DeleteAuditBefore(now - retention.audit, kRowsAtATime);
      if (!audit_rows.ok()) return audit_rows.status();
      round = {.tokens = tokens->size(), .requests = requests->size(), .audit_rows = *audit_rows};
      for (const TokenUid& uid : *tokens) {
        if (absl::Status status = transaction.DeleteToken(uid); !status.ok()) return status;
      }
      for (const std::string& key : *requests) {
        if (absl::Status status = transaction.DeleteRequest(key); !status.ok()) return status;
      }
      return round.tokens + round.requests + round.audit_rows == 0 ? Decision::kDiscard : Decision::kCommit;
    });
    if (!done.ok()) return done;
    total.tokens += round.tokens;
    total.requests += round.requests;
    total.audit_rows += round.audit_rows;
  } while (std::max({round.tokens, round.requests, round.audit_rows}) == kRowsAtATime);
  return total;
}

}  // namespace pat
