// RocksDB's errors as the store's (see token_store.h): a full disk is kResourceExhausted, damage is kDataLoss,
// everything else kUnavailable. The text keeps what RocksDB said: it is for the log.
#ifndef PAT_STORE_ROCKSDB_STATUS_MAPPING_H_
#define PAT_STORE_ROCKSDB_STATUS_MAPPING_H_

#include <rocksdb/status.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pat::rocks {

// `doing` says in a few words what was tried: "reading a token". OK stays OK.
absl::Status FromRocksDb(const rocksdb::Status& status, absl::string_view doing);

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_STATUS_MAPPING_H_
