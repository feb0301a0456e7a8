// Reads records as of one snapshot of the database. Made for one question and thrown away; not thread-safe.
#ifndef PAT_STORE_ROCKSDB_SNAPSHOT_READER_H_
#define PAT_STORE_ROCKSDB_SNAPSHOT_READER_H_

#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/rocksdb/database.h"
#include "store/token_store.h"

namespace pat::rocks {

class SnapshotReader {
 public:
  // `global_epoch` is the one of that snapshot: given, because reading it each time would cost a look-up more.
  SnapshotReader(const Database& database, const rocksdb::Snapshot* snapshot, uint64_t global_epoch,
                 Blocking blocking = Blocking::kAllowed);

  // True after a read that would have had to wait for a disk, with Blocking::kForbidden. What that read returned, and
  // what was made of it, is then void.
  bool would_block() const { return would_block_; }

  // As the methods of these names in TokenReader. FindByHmac leaves `would_block` of the outcome to the caller.
  absl::StatusOr<std::optional<TokenSnapshot>> FindByHmac(absl::Span<const TokenHmac> candidates);
  absl::StatusOr<TokenPage> ListTokens(const TokenQuery& query);
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

  // The epochs in which a token of this owner must have been made to be alive; nullopt if the owner is gone.
  // Remembered, for lists in which the same owners come again and again.
  absl::StatusOr<std::optional<Epochs>> CurrentEpochs(const UserUid& owner);

  const Database& database_;
  const uint64_t global_epoch_;
  rocksdb::ReadOptions options_;
  bool would_block_ = false;
  absl::flat_hash_map<UserUid, std::optional<Epochs>> epochs_;
};

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_SNAPSHOT_READER_H_
