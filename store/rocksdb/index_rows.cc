#include "store/rocksdb/index_rows.h"

#include <utility>

#include "store/record_rules.h"
#include "store/rocksdb/key_encoding.h"

namespace pat::rocks {

std::vector<Row> IndexRowsOf(const TokenRecord& token) {
  const TokenUid& uid = token.uid;
  const uint64_t made = token.create_sequence;
  std::vector<Row> rows = {
      {Family::kHmacs, HmacKey(token.hmac), UidBytes(uid)},
      {Family::kLists, ListKey(AllPrefix(), made, uid), ""},
      {Family::kLists, ListKey(OwnerAllPrefix(token.owner), made, uid), ""},
      {Family::kEnded, EndedKey(EndOf(token), uid), ""},
  };
  if (token.revoke_time.has_value()) return rows;
  rows.push_back({Family::kLists, ListKey(UnrevokedPrefix(), made, uid), ""});
  rows.push_back({Family::kLists, ListKey(OwnerUnrevokedPrefix(token.owner, token.epochs), made, uid), ""});
  const LiveTimes times{.expire_time = token.expire_time, .secret_time = SecretTimeOf(token)};
  rows.push_back(
      {Family::kLive, LiveNameKey(LiveNamePrefix(token.owner, token.epochs, token.display_name), times, uid), ""});
  rows.push_back({Family::kLive, LiveExpiryKey(LiveExpiryPrefix(token.owner, token.epochs), times, uid), ""});
  return rows;
}

std::vector<Row> IndexRowsOf(const UserRecord& user) {
  return {{Family::kUsers, UserIdKey(user.id), UidBytes(user.uid)}};
}

std::vector<Row> IndexRowsOf(const AuditRecord& row) {
  std::vector<Row> rows;
  const auto add = [&](std::string prefix) {
    rows.push_back({Family::kAudit, AuditKey(std::move(prefix), row.time, row.sequence), ""});
  };
  if (!row.user_id.empty()) add(AuditUserPrefix(row.user_id));
  if (!row.target_user_id.empty() && row.target_user_id != row.user_id) add(AuditUserPrefix(row.target_user_id));
  if (row.target_token.has_value()) add(AuditTokenPrefix(*row.target_token));
  return rows;
}

std::vector<Row> IndexRowsOf(absl::string_view key, const RequestRecord& request) {
  return {{Family::kRequests, ForgetKey(request.forget_time, key), ""}};
}

}  // namespace pat::rocks
