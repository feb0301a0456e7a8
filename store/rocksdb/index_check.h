// Whether records and indexes agree, in both directions.
#ifndef PAT_STORE_ROCKSDB_INDEX_CHECK_H_
#define PAT_STORE_ROCKSDB_INDEX_CHECK_H_

#include <rocksdb/snapshot.h>

#include "absl/status/status.h"
#include "store/rocksdb/database.h"

namespace pat::rocks {

// Reads every row as of `snapshot`. OK if every record decodes, stands under its own key, has all the index rows that
// it should have, and there is no other index row. Otherwise kDataLoss with the first few disagreements: family and
// kind, no content. Needs memory for nothing but one record at a time; the work is proportional to what is stored.
absl::Status CheckIndexes(const Database& database, const rocksdb::Snapshot* snapshot);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_INDEX_CHECK_H_
