// Mutations that are not synced: what they cost, and what a power cut leaves of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/store/rocksdb/rocksdb_fixture.h"

namespace pat {
namespace {

class UnsyncedTest : public RocksDbFixture {
 protected:
  void SetUp() override {
    ASSERT_EQ(Open(), absl::OkStatus());
    ASSERT_EQ(Put(store(), user_), absl::OkStatus());
    TokenRecord token = TokenNumber(1, user_);
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  }

  // An audit row, synced or not; they are numbered in order.
  absl::Status Note(bool synced, size_t bytes = 100) {
    const auto note = [&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      absl::Status put = transaction.PutAudit({.time = At(noted_),
                                               .sequence = transaction.Sequence(),
                                               .target = std::string(bytes, 'x'),
                                               .detail = absl::StrCat(noted_)});
      if (!put.ok()) return put;
      return Decision::kCommit;
    };
    absl::Status status = synced ? store().Commit(note) : store().CommitWithoutSync(note);
    if (status.ok()) ++noted_;
    return status;
  }

  // How many rows there are: the first ones, without a gap.
  int RowsFromTheFirstOn() {
    const absl::StatusOr<AuditPage> page = store().ListAudit({.limit = 1'000'000});
    EXPECT_TRUE(page.ok()) << page.status();
    int count = 0;
    for (const AuditRecord& row : page->rows) EXPECT_EQ(row.detail, absl::StrCat(count++));
    return count;
  }

  std::string cut() const { return scratch_.path() + "/cut"; }
  std::vector<std::string> Logs() const { return NamesIn(database(), ".log"); }

  // Opens what a power cut left in cut(). The number of rows there.
  int RowsAfterPowerCut() {
    Close();
    options_.directory = cut();
    const absl::Status opened = Open();
    EXPECT_EQ(opened, absl::OkStatus());
    if (!opened.ok()) return -1;
    EXPECT_EQ(store().Verify(), absl::OkStatus());
    EXPECT_TRUE(FindNumber(store(), 1).has_value());
    const int rows = RowsFromTheFirstOn();
    // And it goes on from there, also after another open.
    noted_ = rows;
    EXPECT_EQ(Note(true), absl::OkStatus());
    EXPECT_EQ(Reopen(), absl::OkStatus());
    EXPECT_EQ(RowsFromTheFirstOn(), rows + 1);
    Close();
    return rows;
  }

  int noted_ = 0;
};

TEST_F(UnsyncedTest, NothingIsSyncedAndCommitSeqStaysBehind) {
  const std::string file = ReadFile(sequence_file());
  const uint64_t log_syncs = faults_->Syncs(FaultTarget::kLog);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Note(false), absl::OkStatus());
  EXPECT_EQ(faults_->Syncs(FaultTarget::kLog), log_syncs);
  EXPECT_EQ(ReadFile(sequence_file()), file) << "it never tells of more than is on disk";
  EXPECT_EQ(RowsFromTheFirstOn(), 10);
  ASSERT_EQ(Note(true), absl::OkStatus());
  EXPECT_EQ(faults_->Syncs(FaultTarget::kLog), log_syncs + 1) << "and with it all that was before";
  EXPECT_NE(ReadFile(sequence_file()), file);
}

TEST_F(UnsyncedTest, ClosingSyncs) {
  ASSERT_EQ(Note(false), absl::OkStatus());
  const std::string log = database() + "/" + Logs().back();
  EXPECT_LT(faults_->SyncedBytes(log), std::filesystem::file_size(log));
  Close();
  EXPECT_EQ(faults_->SyncedBytes(log), ReadFile(log).size());
}

// Whatever is lost of the end, and whatever is there in place of it: what was acknowledged before it is there, and of
// the rest the first ones.
TEST_F(UnsyncedTest, APowerCutTakesTheLastOnesBack) {
  ASSERT_EQ(Note(false), absl::OkStatus());
  ASSERT_EQ(Note(true), absl::OkStatus());
  for (int i = 0; i < 20; ++i) ASSERT_EQ(Note(false), absl::OkStatus());
  const std::string log_name = Logs().back();
  const std::string log = ReadFile(database() + "/" + log_name);
  const uint64_t synced = faults_->SyncedBytes(database() + "/" + log_name);
  ASSERT_LT(synced, log.size());
  CopyAtOneMoment(directory(), scratch_.path() + "/copy");
  int least = 1000;
  int most = 0;
  for (uint64_t at = synced; at <= log.size(); at += 293) {
    for (const bool hole : {false, true}) {
      SCOPED_TRACE(absl::StrCat(at, hole ? " hole" : " end"));
      CopyDirectory(scratch_.path() + "/copy", cut());
      std::string left = log.substr(0, at);
      // Of two blocks the second may have been written and the first not.
      if (hole)
        left = absl::StrCat(left, std::string(std::min<size_t>(200, log.size() - at), '\0'),
                            log.substr(std::min<size_t>(at + 200, log.size())));
      WriteFile(cut() + "/db/" + log_name, left);
      const int rows = RowsAfterPowerCut();
      least = std::min(least, rows);
      most = std::max(most, rows);
      if (HasFailure()) return;
    }
  }
  EXPECT_EQ(least, 2);
  EXPECT_GE(most, 20);
}

// The log goes on in another file when memtables are switched, and the older one may be cut while the newer one is
// whole: then there must be nothing missing in the older one.
TEST_F(UnsyncedTest, NoHoleBetweenTwoLogs) {
  for (const bool last_is_synced : {false, true}) {
    options_.directory = absl::StrCat(scratch_.path(), "/store-", last_is_synced);
    options_.memtable_bytes = 64 << 10;
    noted_ = 0;
    Close();
    SetUp();
    // Nothing is flushed, so the first log stays.
    ASSERT_TRUE(store().database().db().PauseBackgroundWork().ok());
    const size_t logs = Logs().size();
    while (Logs().size() == logs) ASSERT_EQ(Note(last_is_synced && Logs().size() > logs, 2000), absl::OkStatus());
    std::filesystem::remove_all(cut());
    CopyAtOneMoment(directory(), cut());
    ASSERT_TRUE(store().database().db().ContinueBackgroundWork().ok());
    std::vector<std::string> names = NamesIn(cut() + "/db", ".log");
    names.pop_back();
    for (const std::string& name : names) {
      const std::string path = absl::StrCat("/db/", name);
      const uint64_t synced = faults_->SyncedBytes(directory() + path);
      // Logs of earlier opens have been flushed; they do not matter.
      if (synced > 0) WriteFile(cut() + path, ReadFile(cut() + path).substr(0, synced));
    }
    const int noted = noted_;
    EXPECT_EQ(RowsAfterPowerCut(), noted);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace pat
