#include "store/rocksdb/commit_sequence_file.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/store/rocksdb/rocksdb_fixture.h"

namespace pat::rocks {
namespace {

class CommitSequenceFileTest : public testing::Test {
 protected:
  std::unique_ptr<CommitSequenceFile> Open() {
    absl::StatusOr<std::unique_ptr<CommitSequenceFile>> file = CommitSequenceFile::Open(faults_, scratch_.path());
    if (!file.ok()) ADD_FAILURE() << file.status();
    return *std::move(file);
  }
  std::string path() const { return scratch_.path() + "/commit_seq"; }

  const ScratchDirectory scratch_;
  const std::string incarnation_ = "00112233445566778899aabbccddeeff";
  FaultFileSystem faults_;
};

TEST_F(CommitSequenceFileTest, SlotHasTheBytesOfTheFormat) {
  const std::string bytes = EncodeSlot({.incarnation = incarnation_, .sequence = 0x0102030405060708});
  ASSERT_EQ(bytes.size(), kSlotSize);
  EXPECT_EQ(bytes.substr(0, 8), "PATSEQ1\n");
  EXPECT_EQ(bytes.substr(24, 8), "\x01\x02\x03\x04\x05\x06\x07\x08");
  EXPECT_EQ(DecodeSlot(bytes)->sequence, 0x0102030405060708u);
  EXPECT_EQ(DecodeSlot(bytes)->incarnation, incarnation_);
}

TEST_F(CommitSequenceFileTest, EveryFlippedBitOfASlotIsNoticed) {
  const std::string bytes = EncodeSlot({.incarnation = incarnation_, .sequence = 77});
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeSlot(damaged).has_value()) << bit;
  }
  EXPECT_FALSE(DecodeSlot(bytes + "x").has_value());
  EXPECT_FALSE(DecodeSlot(bytes.substr(1)).has_value());
  EXPECT_FALSE(DecodeSlot("").has_value());
}

TEST_F(CommitSequenceFileTest, WritesTheSlotsInTurn) {
  ASSERT_TRUE(CommitSequenceFile::Create(faults_, scratch_.path(), incarnation_, 5).ok());
  std::unique_ptr<CommitSequenceFile> file = Open();
  EXPECT_EQ(file->newest().sequence, 5u);
  std::string before = ReadFile(path());
  EXPECT_EQ(before.size(), 2 * kSlotDistance);
  for (uint64_t sequence = 6; sequence < 12; ++sequence) {
    ASSERT_TRUE(file->Write(sequence).ok());
    // One slot is new, the other is what it was: a torn write always leaves one.
    const std::string after = ReadFile(path());
    const bool first_changed = after.substr(0, kSlotSize) != before.substr(0, kSlotSize);
    const bool second_changed = after.substr(kSlotDistance, kSlotSize) != before.substr(kSlotDistance, kSlotSize);
    EXPECT_NE(first_changed, second_changed) << sequence;
    before = after;
    if (sequence % 2 == 0) file = Open();  // Goes on with the right slot after a restart too.
    EXPECT_EQ(file->newest().sequence, sequence);
  }
}

TEST_F(CommitSequenceFileTest, FailedWriteLeavesTheNewestAlone) {
  ASSERT_TRUE(CommitSequenceFile::Create(faults_, scratch_.path(), incarnation_, 5).ok());
  std::unique_ptr<CommitSequenceFile> file = Open();
  ASSERT_TRUE(file->Write(6).ok());
  for (uint64_t sequence = 7; sequence < 10; ++sequence) {
    faults_.SetSyncError(FaultTarget::kSequence, true);
    EXPECT_EQ(file->Write(sequence).code(), absl::StatusCode::kUnavailable);
    faults_.SetSyncError(FaultTarget::kSequence, false);
    EXPECT_EQ(file->newest().sequence, 6u);
    // Whatever a failed write left in its slot: the other one still says 6.
    std::string content = ReadFile(path());
    EXPECT_TRUE(DecodeSlot(content.substr(0, kSlotSize))->sequence == 6 ||
                DecodeSlot(content.substr(kSlotDistance, kSlotSize))->sequence == 6);
  }
  faults_.SetFull(true);
  EXPECT_EQ(file->Write(10).code(), absl::StatusCode::kResourceExhausted);
  faults_.SetFull(false);
  EXPECT_TRUE(file->Write(10).ok());
  EXPECT_EQ(Open()->newest().sequence, 10u);
}

TEST_F(CommitSequenceFileTest, SlotsOfDifferentStoresAreRefused) {
  ASSERT_TRUE(CommitSequenceFile::Create(faults_, scratch_.path(), incarnation_, 5).ok());
  std::string content = ReadFile(path());
  content.replace(kSlotDistance, kSlotSize, EncodeSlot({.incarnation = std::string(32, 'f'), .sequence = 9}));
  WriteFile(path(), content);
  EXPECT_EQ(CommitSequenceFile::Open(faults_, scratch_.path()).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(CommitSequenceFileTest, MissingIsNotFound) {
  EXPECT_EQ(CommitSequenceFile::Open(faults_, scratch_.path()).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace pat::rocks
