// Whether records, indexes and counters agree, in both directions.
#ifndef PAT_STORE_ROCKSDB_INDEX_CHECK_H_
#define PAT_STORE_ROCKSDB_INDEX_CHECK_H_

#include <rocksdb/snapshot.h>

#include "absl/status/status.h"
#include "store/rocksdb/database.h"

namespace pat::rocks {

// Reads every row as of `snapshot`. OK if every record decodes, stands under its own key, has all the index rows that
// it should have, there is no other index row, and what is counted is what is there. Otherwise kDataLoss with the first
// few disagreements: family and kind, no content. Needs memory for one record at a time and a number for each global
// epoch; the work is proportional to what is stored.
absl::Status CheckIndexes(const Database& database, const rocksdb::Snapshot* snapshot);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_INDEX_CHECK_H_
