// DIR/commit_seq: which mutation was acknowledged last, kept where the database cannot lose it.
//
// Two slots are written in turn, so that a write that is cut off by a crash leaves the other. A slot holds the store's
// incarnation, the number, and a checksum; see store/FORMAT.md.
//
// Threads: no synchronisation of its own; only the committer uses it.
#ifndef PAT_STORE_ROCKSDB_COMMIT_SEQUENCE_FILE_H_
#define PAT_STORE_ROCKSDB_COMMIT_SEQUENCE_FILE_H_

#include <rocksdb/file_system.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pat::rocks {

class CommitSequenceFile {
 public:
  struct Slot {
    std::string incarnation;  // 32 hexadecimal digits.
    uint64_t sequence = 0;

    friend bool operator==(const Slot&, const Slot&) = default;
  };

  // Makes the file with both slots at `sequence`, or replaces it: durably, and wholly or not at all.
  static absl::Status Create(rocksdb::FileSystem& file_system, const std::string& directory,
                             absl::string_view incarnation, uint64_t sequence);

  // Opens an existing file and reads both slots. kNotFound: there is none. kDataLoss: no slot is valid.
  static absl::StatusOr<std::unique_ptr<CommitSequenceFile>> Open(rocksdb::FileSystem& file_system,
                                                                  const std::string& directory);

  // The valid slot with the greater number.
  const Slot& newest() const { return newest_; }

  // False if a slot did not decode: Write() mends it.
  bool intact() const { return intact_; }

  // Writes `sequence` into the slot that does not hold the newest, and waits until it is on disk. After an error
  // newest() is what it was, and the next call writes the same slot again.
  absl::Status Write(uint64_t sequence);

 private:
  explicit CommitSequenceFile(std::unique_ptr<rocksdb::FSRandomRWFile> file) : file_(std::move(file)) {}

  const std::unique_ptr<rocksdb::FSRandomRWFile> file_;
  Slot newest_;
  size_t next_slot_ = 0;
  bool intact_ = true;
};

// A slot as bytes, and back; nullopt for anything that EncodeSlot does not write.
std::string EncodeSlot(const CommitSequenceFile::Slot& slot);
std::optional<CommitSequenceFile::Slot> DecodeSlot(absl::string_view bytes);

inline constexpr size_t kSlotSize = 36;
// Far enough apart to lie in different blocks of the disk: a write of one never touches the other.
inline constexpr size_t kSlotDistance = 4096;
inline constexpr char kCommitSequenceFileName[] = "commit_seq";

}  // namespace pat::rocks

#endif  // PAT_STORE_ROCKSDB_COMMIT_SEQUENCE_FILE_H_
