// Looks at a store on disk and says whether it may be opened, before anything is changed.
//
// RocksDB itself accepts a database whose log was deleted or cut, and on opening it for writing removes files that it
// no longer knows. So the judgement comes first, and reads only.
#ifndef PAT_STORE_ROCKSDB_INSPECTION_H_
#define PAT_STORE_ROCKSDB_INSPECTION_H_

#include <rocksdb/file_system.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/rocksdb/commit_sequence_file.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/epoch_records.h"
#include "store/rocksdb/rocksdb_token_store.h"

namespace pat::rocks {

// What this program writes, and all that it reads: no format before it was released.
inline constexpr uint64_t kFormatVersion = 2;

// What a store says of itself.
struct StoreFacts {
  std::string incarnation;
  StoreState state;
  LogEnd log_end = LogEnd::kStrict;  // How the log has to be read.
};

// Checks, in this order: the database is whole as far as can be told without reading all of it; it is of a format that
// this program knows, and of the kind (development or not) that `options` asks for; `acknowledged` is of the same
// store; no group of mutations is missing in the log; the database is not behind `acknowledged`. A log that is damaged
// is no error if all that was acknowledged is before the damage: what was written without sync may end so. Errors as in
// rocksdb_token_store.h.
absl::StatusOr<StoreFacts> InspectDatabase(const RocksDbOptions& options, const std::string& database_path,
                                           const std::shared_ptr<rocksdb::FileSystem>& file_system,
                                           const CommitSequenceFile::Slot& acknowledged);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_INSPECTION_H_
