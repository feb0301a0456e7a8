#include "server/core/audit_log.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/core/admin_rules.h"
#include "server/core/resource_name.h"
#include "server/core/standing.h"

namespace pat {
namespace {

// What is noted within a minute is written within the next one, at ten rows a second.
constexpr size_t kRowsInASecond = 10;
constexpr size_t kMostNoted = 2 * 60 * kRowsInASecond;

int64_t MinuteOf(absl::Time time) { return absl::ToUnixSeconds(time) / 60; }

// A place in the log as page tokens have it.
std::string EncodePosition(const AuditRecord& row) {
  return absl::StrCat(BigEndian(static_cast<uint64_t>(absl::ToUnixNanos(row.time))), BigEndian(row.sequence));
}

std::optional<AuditPosition> DecodePosition(const std::optional<std::string>& bytes) {
  if (!bytes.has_value() || bytes->size() != 16) return std::nullopt;
  return AuditPosition{.time = absl::FromUnixNanos(static_cast<int64_t>(FromBigEndian(*bytes))),
                       .sequence = FromBigEndian(absl::string_view(*bytes).substr(8))};
}

std::string TextOf(const std::optional<RequestedInstant>& instant) {
  return instant.has_value() ? absl::StrCat(instant->seconds, ".", instant->nanos) : std::string();
}

std::string ListContext(const Principal& principal, const ListAuditQuery& query) {
  return absl::StrCat(principal.ToString(), "\n", query.user, "\n", query.token, "\n", TextOf(query.start_time), "\n",
                      TextOf(query.end_time), "\n", query.newest_first);
}

}  // namespace

AuditLog::AuditLog(TokenStore& store, const Peppers& peppers, const Clock& clock, RowListener on_row)
    : store_(store),
      clock_(clock),
      on_row_(std::move(on_row)),
      page_tokens_(peppers.DeriveKey("page tokens of ListAuditEvents")) {}

AuditRecord AuditLog::RowOf(const Principal& principal, absl::string_view method, absl::string_view target) const {
  AuditRecord row;
  row.time = clock_.Now();
  row.principal = principal.ToString();
  row.user_id = principal.user_id;
  row.method = std::string(method);
  row.peer = principal.peer;
  row.outcome = "OK";
  if (const std::optional<TokenNameParts> token = ParseTokenName(target); token.has_value()) {
    row.target_user_id = token->user_id;
    row.target_token = token->uid;
    // An id that no token can have is not shown: a secret could stand there.
    row.target = token->uid.has_value() ? TokenName(token->user_id, *token->uid)
                                        : absl::StrCat(UserName(token->user_id), "/tokens/?");
  } else if (const std::optional<std::string> user = ParseUserName(target); user.has_value()) {
    row.target = UserName(*user);
    if (*user != kEverybody) row.target_user_id = *user;
  } else if (target == kPolicyTarget) {
    row.target = std::string(target);
  }
  return row;
}

absl::Status AuditLog::Put(TokenTransaction& transaction, AuditRecord& row) const {
  row.time = clock_.Now();
  row.sequence = transaction.Sequence();
  return transaction.PutAudit(row);
}

void AuditLog::Committed(const AuditRecord& row) const {
  if (on_row_) on_row_(row);
}

void AuditLog::Note(const Principal& principal, absl::string_view method, absl::string_view target,
                    absl::string_view outcome) {
  if (principal.kind == PrincipalKind::kNobody) {
    const absl::MutexLock lock(&mutex_);
    ++refused_nobody_;
    return;
  }
  AuditRecord row = RowOf(principal, method, target);
  row.outcome = std::string(outcome);
  // Before the row is moved: arguments are evaluated in any order.
  NoteKey key = {row.principal, row.method, row.outcome, MinuteOf(row.time)};
  Keep(std::move(key), std::move(row));
}

void AuditLog::Keep(NoteKey key, AuditRecord row) {
  const absl::MutexLock lock(&mutex_);
  const auto found = noted_.find(key);
  if (found == noted_.end()) {
    if (noted_.size() >= kMostNoted) {
      dropped_ += row.count;
      return;
    }
    noted_.emplace(std::move(key), std::move(row));
    return;
  }
  AuditRecord& first = found->second;
  if (row.target != first.target) first.detail = "and other targets";
  first.time = std::min(first.time, row.time);
  first.count += row.count;
}

absl::Status AuditLog::Flush(bool all) {
  const absl::Time now = clock_.Now();
  std::vector<std::pair<NoteKey, AuditRecord>> due;
  {
    const absl::MutexLock lock(&mutex_);
    size_t allowed = kMostNoted;
    if (!all) {
      if (now < next_flush_) return absl::OkStatus();
      next_flush_ = now + absl::Seconds(1);
      allowed = kRowsInASecond;
    }
    for (const auto& [key, row] : noted_) {
      if (all || std::get<int64_t>(key) < MinuteOf(now)) due.emplace_back(key, row);
    }
    std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a.second.time < b.second.time; });
    if (due.size() > allowed) due.resize(allowed);
    for (const auto& [key, row] : due) noted_.erase(key);
  }
  for (size_t i = 0; i < due.size(); ++i) {
    AuditRecord& row = due[i].second;
    absl::Status done = store_.CommitWithoutSync([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      row.sequence = transaction.Sequence();
      if (absl::Status status = transaction.PutAudit(row); !status.ok()) return status;
      return Decision::kCommit;
    });
    if (!done.ok()) {
      for (; i < due.size(); ++i) Keep(std::move(due[i].first), std::move(due[i].second));
      return done;
    }
    Committed(row);
  }
  return absl::OkStatus();
}

uint64_t AuditLog::refused_nobody() const {
  const absl::MutexLock lock(&mutex_);
  return refused_nobody_;
}

uint64_t AuditLog::dropped() const {
  const absl::MutexLock lock(&mutex_);
  return dropped_;
}

absl::StatusOr<AuditViewPage> AuditLog::List(const Principal& principal, const ListAuditQuery& query) const {
  if (absl::Status status = CheckAdministrator(principal); !status.ok()) return status;
  Violations violations;
  AuditQuery store_query{.newest_first = query.newest_first};
  bool nothing = false;
  if (!query.token.empty()) {
    const std::optional<TokenNameParts> token = ParseTokenName(query.token);
    if (!token.has_value()) {
      violations.push_back({"token", absl::StrCat(Quoted(query.token),
                                                  " is not the name of a token; give users/{user}/tokens/{token}")});
    } else {
      store_query.user_id = token->user_id;
      store_query.token = token->uid;
      nothing = !token->uid.has_value();
    }
  }
  if (!query.user.empty()) {
    const std::optional<std::string> user_id = CheckUserName(query.user, "user", violations);
    if (user_id.has_value()) store_query.user_id = user_id;
  }
  const auto read_instant = [&](const std::optional<RequestedInstant>& instant, absl::string_view field,
                                absl::Time& time) {
    if (!instant.has_value()) return;
    const std::optional<absl::Time> read = ReadInstant(*instant, field, violations);
    if (read.has_value()) time = *read;
  };
  read_instant(query.start_time, "start_time", store_query.start);
  read_instant(query.end_time, "end_time", store_query.end);
  if (store_query.end <= store_query.start) {
    violations.push_back(
        {"end_time", "is not after start_time; the events are those from start_time to before end_time"});
  }
  const std::optional<size_t> page_size = CheckPageSize(query.page_size, violations);
  const std::string context = ListContext(principal, query);
  if (!query.page_token.empty()) {
    store_query.after = DecodePosition(page_tokens_.DecodeText(query.page_token, context));
    if (!store_query.after.has_value()) {
      violations.push_back({"page_token", "is not from an answer to this caller with these conditions; start over"});
    }
  }
  if (!violations.empty()) return InvalidRequest(std::move(violations));
  if (nothing) {
    if (absl::Status status = CheckStillAdministrator(principal, store_); !status.ok()) return status;
    return AuditViewPage{};
  }
  store_query.limit = *page_size;
  absl::StatusOr<AuditPage> page = store_.ListAudit(store_query);
  if (absl::Status status = CheckStillAdministrator(principal, store_); !status.ok()) return status;
  if (!page.ok()) return page.status();
  AuditViewPage view;
  if (page->more) view.next_page_token = page_tokens_.EncodeText(EncodePosition(page->rows.back()), context);
  view.rows = std::move(page->rows);
  return view;
}

}  // namespace pat
