// Damaged, shortened and missing files: the store refuses to open, or answers as before. It never forgets a revocation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/store/rocksdb/rocksdb_fixture.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr uint64_t kTokens = 12;

// The log's records begin with a header: 4 bytes checksum, 2 bytes length, 1 byte type. In a log below 32 KiB they
// follow one another without gaps.
std::vector<size_t> RecordOffsets(const std::string& log) {
  std::vector<size_t> offsets;
  for (size_t at = 0; at + 7 <= log.size();) {
    offsets.push_back(at);
    at += 7 + static_cast<uint8_t>(log[at + 4]) + 256 * static_cast<uint8_t>(log[at + 5]);
  }
  return offsets;
}

class DamageTest : public RocksDbFixture {
 protected:
  // A closed store with a revoked token, all of it in the log; `pristine` is a copy.
  void SetUp() override {
    MakeStoreWithRevokedToken(kTokens);
    Close();
    CopyDirectory(directory(), pristine());
    // Logs of earlier opens may still be there; their content is in table files.
    log_ = database() + "/" + NamesIn(database(), ".log").back();
    ASSERT_GT(ReadFile(log_).size(), size_t{1} << 10);
    ASSERT_LT(ReadFile(log_).size(), size_t{32} << 10);
  }

  std::string pristine() const { return scratch_.path() + "/pristine"; }
  // The log file that would follow.
  std::string NextLog() const { return absl::StrCat(log_.substr(0, log_.size() - 5), "9.log"); }

  // True if the store opens. Then it must answer as before the damage.
  bool OpensAndAnswersAsBefore() {
    const absl::Status opened = Open();
    if (!opened.ok()) {
      EXPECT_THAT(std::string(opened.message()), HasSubstr(directory()));
      last_refusal_ = opened;
      return false;
    }
    CheckAnswers();
    Close();
    return true;
  }

  void CheckAnswers() {
    // A damaged block may be found only when it is read: an error is an answer too, a wrong one is not.
    for (uint64_t number = 1; number <= kTokens; ++number) {
      const TokenHmac hmac = HmacNumber(number);
      const absl::StatusOr<FindOutcome> outcome = store().FindByHmac({&hmac, 1}, Blocking::kAllowed);
      if (!outcome.ok()) {
        EXPECT_EQ(outcome.status().code(), absl::StatusCode::kDataLoss) << outcome.status();
        continue;
      }
      ASSERT_TRUE(outcome->found.has_value()) << number;
      EXPECT_EQ(outcome->found->token.revoke_time.has_value(), number == 1) << number;
    }
    const absl::StatusOr<TokenPage> page = store().ListTokens({});
    if (page.ok()) {
      EXPECT_THAT(page->tokens, SizeIs(kTokens - 1));
    } else {
      EXPECT_EQ(page.status().code(), absl::StatusCode::kDataLoss) << page.status();
    }
  }

  std::string log_;
  absl::Status last_refusal_;
};

TEST_F(DamageTest, DeletedLogIsRefused) {
  std::filesystem::remove(log_);
  EXPECT_FALSE(OpensAndAnswersAsBefore());
  EXPECT_EQ(last_refusal_.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(last_refusal_.message()), HasSubstr("acknowledged"));
}

TEST_F(DamageTest, LogCutAtAnyRecordIsRefused) {
  const std::string log = ReadFile(log_);
  for (const size_t offset : RecordOffsets(log)) {
    if (offset == log.size()) continue;
    WriteFile(log_, log.substr(0, offset));
    EXPECT_FALSE(OpensAndAnswersAsBefore()) << offset;
    EXPECT_EQ(last_refusal_.code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(DamageTest, UnfinishedRecordAtTheEndIsNormal) {
  const std::string log = ReadFile(log_);
  for (const std::string& tail : {std::string("\x12\x34", 2), std::string(7, '\x01'), log.substr(0, 20)}) {
    WriteFile(log_, log + tail);
    EXPECT_TRUE(OpensAndAnswersAsBefore()) << last_refusal_;
    CopyDirectory(pristine(), directory());
  }
}

TEST_F(DamageTest, NoFlippedBitOfTheLogUndoesTheRevocation) {
  const std::string log = ReadFile(log_);
  std::vector<std::pair<size_t, int>> flips;
  // Every bit of the length and type of the last record (the revocation), and of one in the middle.
  const std::vector<size_t> records = RecordOffsets(log);
  for (const size_t record : {records[records.size() - 1], records[records.size() / 2]}) {
    for (size_t byte = 4; byte < 7; ++byte) {
      for (int bit = 0; bit < 8; ++bit) flips.emplace_back(record + byte, bit);
    }
  }
  std::mt19937_64 random(20260101);
  for (int i = 0; i < 60; ++i) flips.emplace_back(random() % log.size(), static_cast<int>(random() % 8));
  int refused = 0;
  for (const auto& [offset, bit] : flips) {
    std::string damaged = log;
    damaged[offset] = static_cast<char>(damaged[offset] ^ (1 << bit));
    WriteFile(log_, damaged);
    if (!OpensAndAnswersAsBefore()) {
      ++refused;
    } else {
      ADD_FAILURE() << "opened with bit " << bit << " of byte " << offset << " flipped";
      CopyDirectory(pristine(), directory());
    }
  }
  EXPECT_EQ(refused, static_cast<int>(flips.size()));
}

// Two log files live at once while a memtable is being flushed. RocksDB takes a first one that ends early for one whose
// writer died, and goes on with the second; the number of the last mutation is then right, and what is between is lost.
TEST_F(DamageTest, HoleBetweenTwoLogsIsRefused) {
  const std::string log = ReadFile(log_);
  const std::vector<size_t> records = RecordOffsets(log);
  const size_t split = records[records.size() / 2];
  const size_t earlier = records[records.size() / 2 - 1];

  WriteFile(log_, log.substr(0, split));
  WriteFile(NextLog(), log.substr(split));
  EXPECT_TRUE(OpensAndAnswersAsBefore()) << "two logs without a hole: " << last_refusal_;

  CopyDirectory(pristine(), directory());
  WriteFile(log_, log.substr(0, earlier));
  WriteFile(NextLog(), log.substr(split));
  EXPECT_FALSE(OpensAndAnswersAsBefore());
  EXPECT_EQ(last_refusal_.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(last_refusal_.message()), HasSubstr("hole"));

  CopyDirectory(pristine(), directory());
  std::filesystem::remove(log_);
  WriteFile(NextLog(), log.substr(split));
  EXPECT_FALSE(OpensAndAnswersAsBefore());
  EXPECT_THAT(std::string(last_refusal_.message()), HasSubstr("hole"));
}

TEST_F(DamageTest, FlippedBitsInAnyFileNeverGiveAWrongAnswer) {
  // In table files now, with a log behind them.
  ASSERT_EQ(Reopen(), absl::OkStatus());
  ASSERT_EQ(Put(store(), UserNumber(2)), absl::OkStatus());
  Close();
  ASSERT_FALSE(NamesIn(database(), ".sst").empty());
  CopyDirectory(directory(), pristine());
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  int opened = 0;
  int refused = 0;
  std::vector<std::string> files = {sequence_file()};
  for (const std::string& name : NamesIn(database())) files.push_back(database() + "/" + name);
  for (const std::string& file : files) {
    for (int round = 0; round < 4; ++round) {
      CopyDirectory(pristine(), directory());
      std::string content = ReadFile(file);
      if (content.empty()) break;
      const size_t offset = random() % content.size();
      content[offset] = static_cast<char>(content[offset] ^ (1 << (random() % 8)));
      WriteFile(file, content);
      SCOPED_TRACE(absl::StrCat(file, " byte ", offset));
      OpensAndAnswersAsBefore() ? ++opened : ++refused;
    }
  }
  std::cout << opened << " opened, " << refused << " refused\n";
}

TEST_F(DamageTest, MissingFileOfTheDatabaseIsRefused) {
  ASSERT_EQ(Reopen(), absl::OkStatus());
  Close();
  CopyDirectory(directory(), pristine());
  for (const std::string& name : NamesIn(database())) {
    CopyDirectory(pristine(), directory());
    std::filesystem::remove(database() + "/" + name);
    SCOPED_TRACE(name);
    const bool matters = absl::EndsWith(name, ".sst") || absl::StartsWith(name, "MANIFEST") || name == "CURRENT";
    EXPECT_EQ(OpensAndAnswersAsBefore(), !matters);
  }
}

// The log is only deleted when all families have reached table files: losing it can never leave tokens older than the
// number of the last mutation.
TEST_F(DamageTest, DeletedLogIsRefusedAfterFlushesToo) {
  options_.memtable_bytes = 64 << 10;
  ASSERT_EQ(Open(), absl::OkStatus());
  for (uint64_t number = 100; number < 400; ++number) {
    TokenRecord token = TokenNumber(number, user_);
    token.description = std::string(1000, 'x');
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  }
  TokenRecord last = TokenNumber(1000, user_);
  ASSERT_EQ(Insert(store(), last), absl::OkStatus());
  Close();
  ASSERT_GT(NamesIn(database(), ".sst").size(), size_t{9}) << "nothing was flushed while writing";
  for (const std::string& name : NamesIn(database(), ".log")) std::filesystem::remove(database() + "/" + name);
  EXPECT_EQ(Open().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace pat
