// The durable TokenStore: one process, one directory, RocksDB inside.
//
//   DIR/db/         the database
//   DIR/commit_seq  the number of the last acknowledged mutation, kept outside the database so that a database that
//   lost
//                   its end, or was put back to an older state, is noticed and refused
//   DIR/LOCK        held while a process has the store open
//
// Every mutation that Commit() acknowledged is on disk. Mutations that wait at the same time share one write and its
// two fsyncs. store/FORMAT.md describes every byte.
//
// Errors of the open store, beyond those of token_store.h: the disk is full → mutations kResourceExhausted, nothing of
// them is kept, reads go on, and mutations are taken again a few seconds after there is space (with an exception that
// is not mended yet: docs/threat-model.md, known limitation 11). Any other failure of a write or fsync → this and every
// later mutation kUnavailable until the store is opened anew; reads go on.
#ifndef PAT_STORE_ROCKSDB_ROCKSDB_TOKEN_STORE_H_
#define PAT_STORE_ROCKSDB_ROCKSDB_TOKEN_STORE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/token_store.h"

namespace pat {

struct RocksDbOptions {
  // DIR. Its parent must exist. A directory that this makes has mode 0700.
  std::string directory;

  // Make a new store if DIR does not exist or is empty ("lost+found" does not count). Without it, that is kNotFound.
  bool create_if_missing = false;

  // Marks a new store as one for development; an existing one must have been made with the same value. So a store that
  // was filled by a development server, whose secrets are known, never serves as a real one, nor the other way round.
  bool development = false;

  // Blocks of the database kept in memory, with their indexes and filters.
  size_t block_cache_bytes = size_t{64} << 20;

  // Writes collected in memory before they go to a table file; also bounds what is replayed at the next open.
  size_t memtable_bytes = size_t{32} << 20;

  // Table files kept open. Each takes a file descriptor.
  int max_open_files = 512;
};

// Opens the store in `options.directory`. Does not wait. Refuses, naming the directory, with
//   kNotFound            there is no store and create_if_missing is not set
//   kFailedPrecondition  in use by another process; not a store but not empty either; made for development and opened
//                        without `development` or the other way round; written in a newer format than this program
//                        knows; commit_seq missing or of another store
//   kDataLoss            damaged; or behind commit_seq: acknowledged mutations are missing. Nothing was changed on
//   disk. kResourceExhausted   the disk is full kUnavailable         it could not be read or written
//
// The store must outlive no Commit() under way: all have returned before it is destroyed.
absl::StatusOr<std::unique_ptr<TokenStore>> OpenRocksDbTokenStore(const RocksDbOptions& options);

// Whether there is a store in `directory`, or what is left of one: by the names in it, nothing is opened. False also
// for a directory that is missing, has only "lost+found" or the rest of an interrupted creation, or is somebody else's.
// kFailedPrecondition: not a directory. kUnavailable: it cannot be read.
absl::StatusOr<bool> HasRocksDbTokenStore(const std::string& directory);

// For a start that made a store and then failed: removes it, finished or not, with all that is in it. The directory
// itself stays; one that is somebody else's is left as it is. kFailedPrecondition: in use by another process.
absl::Status RemoveRocksDbTokenStore(const std::string& directory);

// Opens the store as above, reads every row, and closes it: OK if each record decodes and the indexes agree with the
// records in both directions; otherwise kDataLoss that names the first few disagreements, without content of records.
// The work is proportional to what is stored.
absl::Status VerifyRocksDbTokenStore(const RocksDbOptions& options);

}  // namespace pat

#endif  // PAT_STORE_ROCKSDB_ROCKSDB_TOKEN_STORE_H_
