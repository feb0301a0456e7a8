#include "store/rocksdb/commit_sequence_file.h"

#include <zlib.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "store/rocksdb/database.h"
#include "store/rocksdb/ordered_bytes.h"
#include "store/rocksdb/status_mapping.h"

namespace pat::rocks {
namespace {

constexpr absl::string_view kMagic = "PATSEQ1\n";
constexpr size_t kIncarnationSize = 16;
constexpr size_t kSlotCount = 2;

uint32_t Checksum(absl::string_view bytes) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<unsigned int>(bytes.size())));
}

std::string PathIn(const std::string& directory) { return absl::StrCat(directory, "/", kCommitSequenceFileName); }

// The whole file: both slots the same.
std::string FreshContent(const CommitSequenceFile::Slot& slot) {
  std::string content(kSlotCount * kSlotDistance, '\0');
  for (size_t i = 0; i < kSlotCount; ++i) content.replace(i * kSlotDistance, kSlotSize, EncodeSlot(slot));
  return content;
}

}  // namespace

std::string EncodeSlot(const CommitSequenceFile::Slot& slot) {
  std::string bytes(kMagic);
  bytes.append(absl::HexStringToBytes(slot.incarnation));
  AppendUint64(bytes, slot.sequence);
  AppendUint32(bytes, Checksum(bytes));
  return bytes;
}

std::optional<CommitSequenceFile::Slot> DecodeSlot(absl::string_view bytes) {
  if (bytes.size() != kSlotSize || bytes.substr(0, kMagic.size()) != kMagic) return std::nullopt;
  const absl::string_view covered = bytes.substr(0, kSlotSize - sizeof(uint32_t));
  absl::string_view rest = bytes.substr(covered.size());
  uint32_t checksum = 0;
  ConsumeUint32(rest, checksum);
  if (checksum != Checksum(covered)) return std::nullopt;
  CommitSequenceFile::Slot slot;
  slot.incarnation = absl::BytesToHexString(covered.substr(kMagic.size(), kIncarnationSize));
  rest = covered.substr(kMagic.size() + kIncarnationSize);
  ConsumeUint64(rest, slot.sequence);
  return slot;
}

absl::Status CommitSequenceFile::Create(rocksdb::FileSystem& file_system, const std::string& directory,
                                        absl::string_view incarnation, uint64_t sequence) {
  const std::string path = PathIn(directory);
  const std::string unfinished = absl::StrCat(path, ".new");
  const std::string content = FreshContent({.incarnation = std::string(incarnation), .sequence = sequence});
  const rocksdb::IOOptions io;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  rocksdb::IOStatus status = file_system.NewWritableFile(unfinished, rocksdb::FileOptions(), &file, nullptr);
  if (status.ok()) status = file->Append(content, io, nullptr);
  if (status.ok()) status = file->Fsync(io, nullptr);
  if (status.ok()) status = file->Close(io, nullptr);
  if (status.ok()) status = file_system.RenameFile(unfinished, path, io, nullptr);
  std::unique_ptr<rocksdb::FSDirectory> parent;
  if (status.ok()) status = file_system.NewDirectory(directory, io, &parent, nullptr);
  if (status.ok()) status = parent->Fsync(io, nullptr);
  return FromRocksDb(status, absl::StrCat("making ", path));
}

absl::StatusOr<std::unique_ptr<CommitSequenceFile>> CommitSequenceFile::Open(rocksdb::FileSystem& file_system,
                                                                             const std::string& directory) {
  const std::string path = PathIn(directory);
  const rocksdb::IOOptions io;
  const rocksdb::IOStatus exists = file_system.FileExists(path, io, nullptr);
  if (exists.IsNotFound()) return absl::NotFoundError(absl::StrCat(path, " is missing"));
  std::unique_ptr<rocksdb::FSRandomRWFile> file;
  rocksdb::IOStatus status = file_system.NewRandomRWFile(path, rocksdb::FileOptions(), &file, nullptr);
  if (!status.ok()) return FromRocksDb(status, absl::StrCat("opening ", path));

  auto opened = std::unique_ptr<CommitSequenceFile>(new CommitSequenceFile(std::move(file)));
  bool found = false;
  for (size_t i = 0; i < kSlotCount; ++i) {
    std::array<char, kSlotSize> scratch{};
    rocksdb::Slice bytes;
    status = opened->file_->Read(i * kSlotDistance, kSlotSize, io, &bytes, scratch.data(), nullptr);
    if (!status.ok()) return FromRocksDb(status, absl::StrCat("reading ", path));
    std::optional<Slot> slot = DecodeSlot(AsView(bytes));
    if (!slot.has_value()) {
      opened->intact_ = false;
      continue;
    }
    if (found && slot->incarnation != opened->newest_.incarnation) {
      return absl::DataLossError(absl::StrCat(path, " is damaged: its two slots are of different stores"));
    }
    if (!found || slot->sequence > opened->newest_.sequence) {
      opened->newest_ = *std::move(slot);
      opened->next_slot_ = (i + 1) % kSlotCount;
    }
    found = true;
  }
  if (!found) return absl::DataLossError(absl::StrCat(path, " is damaged: neither slot is valid"));
  return opened;
}

absl::Status CommitSequenceFile::Write(uint64_t sequence) {
  const Slot slot{.incarnation = newest_.incarnation, .sequence = sequence};
  const rocksdb::IOOptions io;
  rocksdb::IOStatus status = file_->Write(next_slot_ * kSlotDistance, EncodeSlot(slot), io, nullptr);
  if (status.ok()) status = file_->Sync(io, nullptr);
  if (!status.ok()) return FromRocksDb(status, "writing commit_seq");
  newest_ = slot;
  next_slot_ = (next_slot_ + 1) % kSlotCount;
  intact_ = true;
  return absl::OkStatus();
}

}  // namespace pat::rocks
