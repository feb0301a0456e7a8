// AuditLog: who did, or was refused, what.
//
// A change writes its row in its own transaction (Put): no change without its row, no row without its change. What
// changes nothing (a refused management call, an introspection by an administrator) is noted (Note) and written soon
// after, put together by (principal, method, outcome, minute), without waiting for the disk, and at most 10 rows a
// second; what is beyond that waits, and beyond a bound is dropped and counted. A crash may lose what was noted in the
// last seconds.
//
// Never a secret, a digest or a password in a row: targets are resource names, details are written by the rules.
//
// Threads: thread-safe.
#ifndef PAT_SERVER_CORE_AUDIT_LOG_H_
#define PAT_SERVER_CORE_AUDIT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/core/page_token.h"
#include "server/core/peppers.h"
#include "server/core/principal.h"
#include "server/core/token_requests.h"
#include "store/token_store.h"

namespace pat {

struct ListAuditQuery {
  std::string user = {};   // "users/ada"; empty: any.
  std::string token = {};  // "users/ada/tokens/…"; empty: any.
  std::optional<RequestedInstant> start_time = {};
  std::optional<RequestedInstant> end_time = {};
  bool newest_first = false;
  int64_t page_size = 0;
  std::string page_token = {};
};

struct AuditViewPage {
  std::vector<AuditRecord> rows;
  std::string next_page_token;
};

// The target of what is done to the policy, which has no name of its own.
inline constexpr absl::string_view kPolicyTarget = "policy";

class AuditLog {
 public:
  // Told of each row after it is in the store; from any thread, must not block for long. Null: nobody.
  using RowListener = std::function<void(const AuditRecord&)>;

  // What is given must outlive this object.
  AuditLog(TokenStore& store, const Peppers& peppers, const Clock& clock, RowListener on_row = nullptr);

  // A row about `principal` and what it did ("pat.v1.TokenService/RevokeToken") to `target` (the name of a user or a
  // token, or kPolicyTarget), with the outcome "OK". The target's user and token are taken from its name; what is no
  // such name is left out, because anything could stand there. Fill in `detail` if it helps.
  AuditRecord RowOf(const Principal& principal, absl::string_view method, absl::string_view target) const;

  // Stages the row, with the time now and the number of the transaction, which it gets as its own. Give the same row to
  // Committed() after the transaction has committed.
  absl::Status Put(TokenTransaction& transaction, AuditRecord& row) const;
  void Committed(const AuditRecord& row) const;

  // Notes something that changed nothing. Returns at once. Without a principal (kNobody) it is only counted.
  void Note(const Principal& principal, absl::string_view method, absl::string_view target, absl::string_view outcome);

  // Writes what was noted in minutes that are over, oldest first, and at most 10 rows; within a second of the last time
  // nothing. With `all`, at the end of the program: everything. Called by maintenance every second. An error of the
  // store is returned, and what could not be written is kept, up to a bound.
  absl::Status Flush(bool all = false);

  // Refusals of callers without a principal, and notes that were dropped, since the start.
  uint64_t refused_nobody() const;
  uint64_t dropped() const;

  // For administrators, who still are some when it was read. INVALID_REQUEST, ROLE_REQUIRED, CREDENTIALS_INVALID.
  absl::StatusOr<AuditViewPage> List(const Principal& principal, const ListAuditQuery& query) const;

 private:
  // principal, method, outcome, minute.
  using NoteKey = std::tuple<std::string, std::string, std::string, int64_t>;

  // Adds to what is noted under this key.
  void Keep(NoteKey key, AuditRecord row) ABSL_LOCKS_EXCLUDED(mutex_);

  TokenStore& store_;
  const Clock& clock_;
  const RowListener on_row_;
  const PageTokens page_tokens_;

  mutable absl::Mutex mutex_;
  std::map<NoteKey, AuditRecord> noted_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_flush_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  uint64_t refused_nobody_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_AUDIT_LOG_H_
