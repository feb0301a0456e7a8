// The durable TokenStore: one process, one directory, RocksDB inside.
//
//   DIR/db/         the database
//   DIR/commit_seq  the number of the last acknowledged mutation
//   DIR/LOCK        held while a process has the store open
//
// commit_seq is outside the database so that a database that lost its end, or was put back to an older state, is
// noticed and refused. store/FORMAT.md describes every byte.
//
// Every mutation that Commit() acknowledged is on disk. Mutations that wait at the same time share one write and its
// two fsyncs. What only CommitWithoutSync() has acknowledged survives the end of the process, but not a power cut; it
// is synced with the next mutation that is, and when the store is closed.
//
// Errors of the open store, beyond those of token_store.h; reads go on in each case:
//
//   kResourceExhausted  The disk is full, or nearly: less is free than all rows in memory (up to memtable_bytes) and
//                       1 MiB. The mutation is not visible and never will be, except that a crash before the next
//                       success may leave all of it.
//
//                       Mutations are taken again as soon as there is space. If RocksDB itself met the full disk, as
//                       with a quota or if others took the space meanwhile, it tries every five seconds, and mutations
//                       are taken once that succeeds.
//
//   kUnavailable        Only commit_seq found no space, as may be where files are copied on write: the mutation is
//                       visible and stays, but is not acknowledged. Later ones are taken.
//
//   kUnavailable        Any other failure of a write or fsync. It is not known whether the mutation will be there after
//                       the next open. Until then every later one is refused too.
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
//
//   kNotFound            there is no store and create_if_missing is not set
//
//   kFailedPrecondition  in use by another process; not a store but not empty either; made for development and opened
//                        without `development` or the other way round; written in a newer format than this program
//                        knows, or in one from before the first release; commit_seq missing or of another store
//
//   kDataLoss            damaged; or behind commit_seq: acknowledged mutations are missing. Nothing was changed on
//                        disk. (A log that is damaged behind all that was acknowledged is cut there, and opened.)
//
//   kResourceExhausted   the disk is full
//
//   kUnavailable         it could not be read or written
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

// Opens the store as above, reads every row, and closes it: OK if each record decodes, the indexes agree with the
// records in both directions, and what is counted is what is there; otherwise kDataLoss that names the first few
// disagreements, without content of records. The work is proportional to what is stored.
absl::Status VerifyRocksDbTokenStore(const RocksDbOptions& options);

}  // namespace pat

#endif  // PAT_STORE_ROCKSDB_ROCKSDB_TOKEN_STORE_H_
