// Which index rows a record has. A pure function of the record: what was written for a record can always be found and
// removed again, and whether indexes and records agree can be checked by looking.
#ifndef PAT_STORE_ROCKSDB_INDEX_ROWS_H_
#define PAT_STORE_ROCKSDB_INDEX_ROWS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "store/records.h"
#include "store/rocksdb/families.h"

namespace pat::rocks {

struct Row {
  Family family = Family::kMeta;
  std::string key;
  std::string value;

  friend auto operator<=>(const Row&, const Row&) = default;
};

// All rows of a token but that of the record itself: its HMAC, its places in the lists, its end, and, without a
// revoke_time, its places among its owner's live tokens. The rows do not depend on the policy.
std::vector<Row> IndexRowsOf(const TokenRecord& token);

// The uid under the user's id.
std::vector<Row> IndexRowsOf(const UserRecord& user);

// The row's places among those about its user and its target's user (one if they are the same), and about its token.
std::vector<Row> IndexRowsOf(const AuditRecord& row);

// The request's place in the order of forgetting.
std::vector<Row> IndexRowsOf(absl::string_view key, const RequestRecord& request);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_INDEX_ROWS_H_
