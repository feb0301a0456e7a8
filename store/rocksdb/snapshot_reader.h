// Reads records as of one snapshot of the database. Made for one question and thrown away; not thread-safe.
#ifndef PAT_STORE_ROCKSDB_SNAPSHOT_READER_H_
#define PAT_STORE_ROCKSDB_SNAPSHOT_READER_H_

#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/epoch_records.h"
#include "store/rocksdb/key_encoding.h"
#include "store/token_store.h"

namespace pat::rocks {

class SnapshotReader {
 public:
  // `state` is that of the snapshot: given, because reading it each time would cost look-ups more. Must outlive this.
  SnapshotReader(const Database& database, const rocksdb::Snapshot* snapshot, const StoreState& state,
                 Blocking blocking = Blocking::kAllowed);

  // True after a read that would have had to wait for a disk, with Blocking::kForbidden. What that read returned, and
  // what was made of it, is then void.
  bool would_block() const { return would_block_; }

  // As the methods of these names in TokenReader. FindByHmac leaves `would_block` of the outcome to the caller.
  absl::StatusOr<std::optional<TokenSnapshot>> FindByHmac(absl::Span<const TokenHmac> candidates);
  absl::StatusOr<TokenPage> ListTokens(const TokenQuery& query);
  absl::StatusOr<UserPage> ListUsers(const UserQuery& query);
  absl::StatusOr<AuditPage> ListAudit(const AuditQuery& query);
  absl::StatusOr<ChangePage> ListChanges(uint64_t after_sequence, size_t limit);
  absl::StatusOr<std::optional<TokenRecord>> GetToken(const TokenUid& uid);
  absl::StatusOr<std::optional<UserRecord>> GetUser(absl::string_view id);
  absl::StatusOr<std::optional<PasswordRecord>> GetPassword(const UserUid& user);
  absl::StatusOr<CacheBoundRecord> GetCacheBound();
  absl::StatusOr<std::vector<PepperId>> PepperIds();

 private:
  absl::StatusOr<std::optional<std::string>> Get(Family family, absl::string_view key);
  template <typename Record>
  absl::StatusOr<std::optional<Record>> GetRecord(Family family, absl::string_view key,
                                                  absl::StatusOr<Record> (*decode)(absl::string_view));
  absl::StatusOr<std::optional<UserRecord>> GetUserByUid(const UserUid& uid);

  // When the tokens of these epochs of this owner ended with them; nullopt: they did not. Remembered, for lists in
  // which the same owners come again and again.
  absl::StatusOr<std::optional<absl::Time>> EndOf(const UserUid& owner, const Epochs& epochs);
  // In front of the first token that can be unrevoked, in the list of everybody's.
  absl::StatusOr<uint64_t> FirstOfGlobalEpoch();
  // The row itself, from a key of any of the three orders.
  absl::StatusOr<AuditRecord> GetAudit(absl::string_view key);

  const Database& database_;
  const StoreState& state_;
  rocksdb::ReadOptions options_;
  bool would_block_ = false;
  std::map<OwnerEpoch, std::optional<absl::Time>> ends_;
};

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_SNAPSHOT_READER_H_
