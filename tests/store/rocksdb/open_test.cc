// Opening: what is made, what is refused, and with which words.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "store/rocksdb/key_encoding.h"
#include "store/rocksdb/record_codec.h"
#include "tests/store/rocksdb/rocksdb_fixture.h"

namespace pat {
namespace {

absl::Mutex synced_mutex(absl::kConstInit);
std::vector<std::string> synced ABSL_GUARDED_BY(synced_mutex);  // What fsync(2) was called for.

}  // namespace
}  // namespace pat

// In place of the C library's.
extern "C" int fsync(int file) {
  std::error_code ignored;
  const std::filesystem::path name = std::filesystem::read_symlink(absl::StrCat("/proc/self/fd/", file), ignored);
  const absl::MutexLock lock(&pat::synced_mutex);
  pat::synced.push_back(name);
  return static_cast<int>(syscall(SYS_fsync, file));
}

namespace pat {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

mode_t ModeOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

class OpenTest : public RocksDbFixture {
 protected:
  // Opening must fail with this code and words, and leave all files as they are.
  void ExpectRefused(absl::StatusCode code, const std::vector<std::string>& words) {
    Close();
    const std::string before = scratch_.path() + "/before";
    CopyDirectory(directory(), before);
    const absl::Status refused = Open();
    EXPECT_EQ(refused.code(), code) << refused;
    for (const std::string& word : words) EXPECT_THAT(std::string(refused.message()), HasSubstr(word));
    EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr(directory()), testing::Not(HasSubstr("\n"))));
    if (!std::filesystem::exists(database()) || !std::filesystem::exists(before + "/db")) return;
    EXPECT_EQ(NamesIn(database()), NamesIn(before + "/db"));
    for (const std::string& name : NamesIn(database())) {
      EXPECT_EQ(ReadFile(absl::StrCat(database(), "/", name)), ReadFile(absl::StrCat(before, "/db/", name))) << name;
    }
  }

  // Changes a meta row behind the store's back.
  void SetMeta(absl::string_view key, const std::string& value) {
    const auto database = rocks::Database::Open(options_, this->database(), faults_, rocks::OpenMode::kWrite);
    ASSERT_TRUE(database.ok()) << database.status();
    rocksdb::WriteOptions synced;
    synced.sync = true;
    ASSERT_TRUE(
        (*database)->db().Put(synced, (*database)->family(rocks::Family::kMeta), rocks::AsSlice(key), value).ok());
  }
};

TEST_F(OpenTest, MakesAPrivateDirectoryWithTheseFiles) {
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_EQ(ModeOf(directory()), 0700u);
  EXPECT_EQ(ModeOf(database()), 0700u);
  EXPECT_THAT(NamesIn(directory()), ElementsAre("LOCK", "commit_seq", "db"));
  EXPECT_THAT(NamesIn(database(), "LOG"), IsEmpty()) << "RocksDB's own log is off";
}

TEST_F(OpenTest, UsesAnEmptyDirectoryAndAVolumeWithLostAndFound) {
  std::filesystem::create_directories(directory() + "/lost+found");
  EXPECT_EQ(Open(), absl::OkStatus());
  EXPECT_EQ(Reopen(), absl::OkStatus());
}

TEST_F(OpenTest, MakesNothingUnlessAsked) {
  options_.create_if_missing = false;
  EXPECT_EQ(Open().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(directory()));
  std::filesystem::create_directory(directory());
  EXPECT_EQ(Open().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(NamesIn(directory()), IsEmpty());
}

TEST_F(OpenTest, RefusesADirectoryThatIsNotAStore) {
  std::filesystem::create_directory(directory());
  WriteFile(directory() + "/thesis.txt", "do not touch");
  const absl::Status refused = Open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr(directory()), HasSubstr("not empty")));
  EXPECT_THAT(NamesIn(directory()), ElementsAre("thesis.txt"));
  options_.directory += "/thesis.txt";
  EXPECT_EQ(Open().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(OpenTest, RefusesWhenTheParentIsMissing) {
  options_.directory += "/deeper";
  EXPECT_EQ(Open().code(), absl::StatusCode::kUnavailable);
}

TEST_F(OpenTest, InterruptedCreationIsMadeAnew) {
  // Before the database has its name: an unfinished one, with or without commit_seq.
  ASSERT_EQ(Open(), absl::OkStatus());
  const std::string first = store().Incarnation();
  Close();
  std::filesystem::rename(database(), directory() + "/db.new");
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_NE(store().Incarnation(), first);
  Close();
  std::filesystem::rename(database(), directory() + "/db.new");
  std::filesystem::rename(sequence_file(), sequence_file() + ".new");
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_EQ(Put(store(), user_), absl::OkStatus());
  EXPECT_EQ(Reopen(), absl::OkStatus());
}

TEST_F(OpenTest, NameOfTheDirectoryIsSynced) {
  ASSERT_EQ(Open(), absl::OkStatus());
  const absl::MutexLock lock(&synced_mutex);
  EXPECT_THAT(synced, testing::Contains(scratch_.path())) << "the parent";
  EXPECT_THAT(synced, testing::Contains(directory()));
}

TEST_F(OpenTest, FailedCreationLeavesNothingThatCounts) {
  faults_->SetFull(true);
  EXPECT_EQ(Open().code(), absl::StatusCode::kResourceExhausted);
  faults_->SetFull(false);
  faults_->SetSyncError(FaultTarget::kOther, true);
  EXPECT_FALSE(Open().ok());
  faults_->SetSyncError(FaultTarget::kOther, false);
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_EQ(store().CommitSequence(), 0u);
}

TEST_F(OpenTest, ThereIsAStoreFromItsFirstToItsLastFile) {
  EXPECT_FALSE(*HasRocksDbTokenStore(directory()));
  std::filesystem::create_directories(directory() + "/lost+found");
  std::filesystem::create_directories(directory() + "/db.new");
  EXPECT_FALSE(*HasRocksDbTokenStore(directory()));
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_TRUE(*HasRocksDbTokenStore(directory()));
  Close();
  std::filesystem::remove_all(database());
  EXPECT_TRUE(*HasRocksDbTokenStore(directory()));
  EXPECT_EQ(HasRocksDbTokenStore(sequence_file()).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(OpenTest, RemovesAStoreThatNobodyHasOpenAndNothingElse) {
  EXPECT_EQ(RemoveRocksDbTokenStore(directory()), absl::OkStatus());
  std::filesystem::create_directories(directory() + "/lost+found");
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_EQ(RemoveRocksDbTokenStore(directory()).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Put(store(), user_), absl::OkStatus());
  Close();
  EXPECT_EQ(RemoveRocksDbTokenStore(directory()), absl::OkStatus());
  EXPECT_THAT(NamesIn(directory()), ElementsAre("lost+found"));

  WriteFile(directory() + "/LOCK", "");
  WriteFile(directory() + "/thesis.txt", "do not touch");
  EXPECT_EQ(RemoveRocksDbTokenStore(directory()), absl::OkStatus());
  EXPECT_THAT(NamesIn(directory()), ElementsAre("LOCK", "lost+found", "thesis.txt"));
}

TEST_F(OpenTest, SecondOpenIsRefusedWhileTheFirstLives) {
  ASSERT_EQ(Open(), absl::OkStatus());
  const auto second = rocks::OpenWithFileSystem(options_, faults_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second.status().message(), absl::StrCat(directory(), " is in use by another process"));
  EXPECT_EQ(Put(store(), user_), absl::OkStatus()) << "the first is not disturbed";
  EXPECT_EQ(Reopen(), absl::OkStatus());
}

TEST_F(OpenTest, DatabaseOpenedByAForeignToolIsInUseToo) {
  ASSERT_EQ(Open(), absl::OkStatus());
  Close();
  const auto tool = rocks::Database::Open(options_, database(), faults_, rocks::OpenMode::kWrite);
  ASSERT_TRUE(tool.ok());
  const absl::Status refused = Open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("is in use by another process"));
}

TEST_F(OpenTest, DevelopmentMarkMustMatch) {
  options_.development = true;
  ASSERT_EQ(Open(), absl::OkStatus());
  ASSERT_EQ(Reopen(), absl::OkStatus());
  options_.development = false;
  ExpectRefused(absl::StatusCode::kFailedPrecondition, {"made for development"});
  std::filesystem::remove_all(directory());
  ASSERT_EQ(Open(), absl::OkStatus());
  options_.development = true;
  ExpectRefused(absl::StatusCode::kFailedPrecondition, {"not made for development"});
}

TEST_F(OpenTest, NewerFormatIsRefused) {
  ASSERT_EQ(Open(), absl::OkStatus());
  Close();
  SetMeta(rocks::kFormatKey, rocks::EncodeNumber(3));
  ExpectRefused(absl::StatusCode::kFailedPrecondition, {"newer version", "format 3", "reads format 2"});
}

TEST_F(OpenTest, AFormatThatWasNeverReleasedIsRefused) {
  ASSERT_EQ(Open(), absl::OkStatus());
  Close();
  SetMeta(rocks::kFormatKey, rocks::EncodeNumber(1));
  ExpectRefused(absl::StatusCode::kFailedPrecondition,
                {"before its first release", "format 1", "reads format 2", "make a new store"});
}

TEST_F(OpenTest, UnknownColumnFamilyIsANewerFormat) {
  ASSERT_EQ(Open(), absl::OkStatus());
  rocksdb::ColumnFamilyHandle* family = nullptr;
  ASSERT_TRUE(store().database().db().CreateColumnFamily({}, "audit2", &family).ok());
  ASSERT_TRUE(store().database().db().DestroyColumnFamilyHandle(family).ok());
  ExpectRefused(absl::StatusCode::kFailedPrecondition, {"newer version", "audit2"});
}

TEST_F(OpenTest, MissingCommitSequenceFileIsRefused) {
  MakeStoreWithRevokedToken(2);
  std::filesystem::remove(sequence_file());
  ExpectRefused(absl::StatusCode::kFailedPrecondition, {"commit_seq is missing", "cannot be told"});
}

TEST_F(OpenTest, MissingDatabaseIsRefused) {
  MakeStoreWithRevokedToken(2);
  Close();
  std::filesystem::remove_all(database());
  ExpectRefused(absl::StatusCode::kDataLoss, {"is missing", "was acknowledged"});
  EXPECT_FALSE(std::filesystem::exists(database()));
}

TEST_F(OpenTest, CommitSequenceFileOfAnotherStoreIsRefused) {
  MakeStoreWithRevokedToken(2);
  Close();
  ASSERT_TRUE(rocks::CommitSequenceFile::Create(*faults_, directory(), std::string(32, 'a'), 1).ok());
  ExpectRefused(absl::StatusCode::kFailedPrecondition, {"belongs to another store"});
}

TEST_F(OpenTest, DatabaseBehindTheFileIsRefused) {
  MakeStoreWithRevokedToken(2);
  const std::string incarnation = store().Incarnation();
  const uint64_t sequence = store().CommitSequence();
  Close();
  ASSERT_TRUE(rocks::CommitSequenceFile::Create(*faults_, directory(), incarnation, sequence + 1).ok());
  ExpectRefused(absl::StatusCode::kDataLoss, {absl::StrCat("ends with mutation ", sequence), "acknowledged", "lost"});
}

TEST_F(OpenTest, DatabaseAheadOfTheFileIsNormalAndTheFileFollows) {
  MakeStoreWithRevokedToken(2);
  const std::string incarnation = store().Incarnation();
  const uint64_t sequence = store().CommitSequence();
  Close();
  ASSERT_TRUE(rocks::CommitSequenceFile::Create(*faults_, directory(), incarnation, sequence - 1).ok());
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_EQ(store().CommitSequence(), sequence);
  EXPECT_EQ(FindNumber(store(), 1)->token.revoke_time, At(1));
  Close();
  EXPECT_EQ((*rocks::CommitSequenceFile::Open(*faults_, directory()))->newest().sequence, sequence);
}

TEST_F(OpenTest, OlderCopyOfTheDatabaseIsRefused) {
  MakeStoreWithRevokedToken(2);
  Close();
  CopyDirectory(database(), scratch_.path() + "/older");
  ASSERT_EQ(Open(), absl::OkStatus());
  ASSERT_EQ(Delete(store(), TokenUidNumber(2)), absl::OkStatus());
  Close();
  CopyDirectory(scratch_.path() + "/older", database());
  ExpectRefused(absl::StatusCode::kDataLoss, {"acknowledged"});
}

TEST_F(OpenTest, TornSlotFallsBackToTheOtherAndIsMended) {
  MakeStoreWithRevokedToken(3);
  const uint64_t sequence = store().CommitSequence();
  Close();
  for (const size_t slot : {0, 1}) {
    std::string content = ReadFile(sequence_file());
    content[slot * rocks::kSlotDistance + 30] = static_cast<char>(content[slot * rocks::kSlotDistance + 30] ^ 0x10);
    WriteFile(sequence_file(), content);
    ASSERT_EQ(Open(), absl::OkStatus());
    EXPECT_EQ(store().CommitSequence(), sequence);
    Close();
    const auto file = rocks::CommitSequenceFile::Open(*faults_, directory());
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE((*file)->intact());
    EXPECT_EQ((*file)->newest().sequence, sequence);
  }
}

TEST_F(OpenTest, TwoTornSlotsAreRefused) {
  MakeStoreWithRevokedToken(2);
  Close();
  for (const absl::string_view content : {"", "PATSEQ1\n"}) {
    WriteFile(sequence_file(), content);
    ExpectRefused(absl::StatusCode::kDataLoss, {"commit_seq is damaged"});
  }
}

}  // namespace
}  // namespace pat
