// A full disk, failing writes and fsyncs, and what a group of mutations has in common.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/store/rocksdb/rocksdb_fixture.h"

namespace pat {
namespace {

using ::testing::ElementsAre;

class FaultTest : public RocksDbFixture {
 protected:
  void SetUp() override {
    ASSERT_EQ(Open(), absl::OkStatus());
    ASSERT_EQ(Put(store(), user_), absl::OkStatus());
  }

  // Whatever happened: what is on disk opens and agrees with itself.
  void TearDown() override {
    if (store_ == nullptr) return;
    ASSERT_EQ(Reopen(), absl::OkStatus());
    EXPECT_EQ(store().Verify(), absl::OkStatus());
  }

  // Runs `mutations` as one group and returns their results: the first waits inside its function until all others
  // queue.
  std::vector<absl::Status> CommitAsOneGroupAfter(
      const std::function<void()>& before_write,
      const std::vector<std::function<absl::StatusOr<Decision>(TokenTransaction&)>>& mutations) {
    // The blocker is a group of its own, in front.
    absl::Notification inside;
    absl::Notification go;
    std::thread blocker([&] {
      EXPECT_EQ(store().Commit([&](TokenTransaction&) -> absl::StatusOr<Decision> {
        inside.Notify();
        go.WaitForNotification();
        return Decision::kDiscard;
      }),
                absl::OkStatus());
    });
    inside.WaitForNotification();
    std::vector<absl::Status> results(mutations.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < mutations.size(); ++i) {
      threads.emplace_back([&, i] { results[i] = store().Commit(mutations[i]); });
      // In the queue, in this order, before the next one comes.
      while (store().WaitingCommits() < i + 2) std::this_thread::yield();
    }
    before_write();
    go.Notify();
    blocker.join();
    for (std::thread& thread : threads) thread.join();
    return results;
  }

  auto Revoke(uint64_t number) {
    return [number](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      auto token = transaction.GetToken(TokenUidNumber(number));
      if (!token.ok()) return token.status();
      if ((*token)->revoke_time.has_value()) return Decision::kDiscard;  // Done already: still a success.
      (*token)->revoke_time = At(1);
      if (absl::Status put = transaction.PutToken(**token); !put.ok()) return put;
      return Decision::kCommit;
    };
  }

  auto Create(uint64_t number, Decision decision = Decision::kCommit) {
    return [this, number, decision](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      TokenRecord token = TokenNumber(number, user_);
      token.create_sequence = transaction.Sequence();
      if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
      return decision;
    };
  }
};

TEST_F(FaultTest, GroupSharesOneWriteAndIsJudgedInOrder) {
  const uint64_t log_syncs = faults_->Syncs(FaultTarget::kLog);
  const uint64_t file_syncs = faults_->Syncs(FaultTarget::kSequence);
  std::vector<uint64_t> sequences(4);
  const auto numbered = [&](size_t i, auto mutation) {
    return [&sequences, i, mutation](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      sequences[i] = transaction.Sequence();
      return mutation(transaction);
    };
  };
  const std::vector<absl::Status> results = CommitAsOneGroupAfter(
      [] {}, {numbered(0, Create(1)), numbered(1, Create(2)),
              numbered(2,
                       [&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
                         EXPECT_EQ(*transaction.CountLive(user_, At(0), 10), 2u) << "sees the ones before it";
                         return absl::AbortedError("no");
                       }),
              numbered(3, Revoke(1))});
  EXPECT_THAT(results, ElementsAre(absl::OkStatus(), absl::OkStatus(), absl::AbortedError("no"), absl::OkStatus()));
  EXPECT_TRUE(std::is_sorted(sequences.begin(), sequences.end()));
  EXPECT_EQ(store().CommitSequence(), sequences[3]);
  EXPECT_EQ(faults_->Syncs(FaultTarget::kLog), log_syncs + 1);
  EXPECT_EQ(faults_->Syncs(FaultTarget::kSequence), file_syncs + 1);
  EXPECT_THAT(ListAll(store(), {}), ElementsAre(2));
}

TEST_F(FaultTest, FailedMembersOfAGroupDoNotDisturbTheOthers) {
  const auto fail_after_staging = [this](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    EXPECT_TRUE(Create(7)(transaction).ok());
    EXPECT_TRUE(Revoke(1)(transaction).ok());
    return absl::AbortedError("no");
  };
  const std::vector<absl::Status> results = CommitAsOneGroupAfter(
      [] {}, {Create(1), fail_after_staging, Create(2), Create(8, Decision::kDiscard), Create(1), Create(3)});
  EXPECT_THAT(results, ElementsAre(absl::OkStatus(), absl::AbortedError("no"), absl::OkStatus(), absl::OkStatus(),
                                   testing::Property(&absl::Status::code, absl::StatusCode::kInvalidArgument),
                                   absl::OkStatus()));
  EXPECT_THAT(ListAll(store(), {}), ElementsAre(1, 2, 3));
  EXPECT_EQ(FindNumber(store(), 7), std::nullopt);
  EXPECT_EQ(FindNumber(store(), 8), std::nullopt);
  EXPECT_EQ(FindNumber(store(), 1)->token.revoke_time, std::nullopt);
}

TEST_F(FaultTest, RepeatedRevokeIsNotAcknowledgedBeforeTheFirstIsDurable) {
  ASSERT_EQ(store().Commit(Create(1)), absl::OkStatus());
  // The second finds the token revoked by the first of its group and discards. Were it told "done", a crash would undo
  // it.
  const std::vector<absl::Status> results = CommitAsOneGroupAfter(
      [&] { faults_->SetSyncError(FaultTarget::kLog, true); },
      {[](TokenTransaction&) -> absl::StatusOr<Decision> { return Decision::kDiscard; }, Revoke(1), Revoke(1)});
  EXPECT_EQ(results[0], absl::OkStatus()) << "saw nothing that is not durable";
  EXPECT_EQ(results[1].code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(results[2].code(), absl::StatusCode::kUnavailable);
  faults_->SetSyncError(FaultTarget::kLog, false);
}

TEST_F(FaultTest, ManyCallersShareFsyncs) {
  constexpr int kThreads = 64;
  constexpr int kCommitsEach = 20;
  faults_->SetSyncDuration(absl::Milliseconds(1));
  const uint64_t log_before = faults_->Syncs(FaultTarget::kLog);
  const uint64_t file_before = faults_->Syncs(FaultTarget::kSequence);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] {
      for (int round = 0; round < kCommitsEach; ++round) {
        EXPECT_EQ(store().Commit(Create(static_cast<uint64_t>(i * kCommitsEach + round + 1))), absl::OkStatus());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double commits = kThreads * kCommitsEach;
  const double log_syncs = static_cast<double>(faults_->Syncs(FaultTarget::kLog) - log_before);
  const double file_syncs = static_cast<double>(faults_->Syncs(FaultTarget::kSequence) - file_before);
  RecordProperty("fsyncs_per_commit", std::to_string((log_syncs + file_syncs) / commits));
  std::cout << "fsyncs per commit: log " << log_syncs / commits << ", commit_seq " << file_syncs / commits << "\n";
  EXPECT_LE(log_syncs + file_syncs, commits / 8);
  faults_->SetSyncDuration(absl::ZeroDuration());
}

TEST_F(FaultTest, FullDiskRefusesMutationsKeepsReadingAndRecovers) {
  ASSERT_EQ(store().Commit(Create(1)), absl::OkStatus());
  faults_->SetFull(true);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(store().Commit(Create(2)).code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(store().Commit(Revoke(1)).code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(FindNumber(store(), 1).has_value());
    EXPECT_EQ(FindNumber(store(), 1)->token.revoke_time, std::nullopt);
    EXPECT_EQ(FindNumber(store(), 2), std::nullopt);
  }
  faults_->SetFull(false);
  // RocksDB looks for space every five seconds.
  absl::Status status;
  for (int i = 0; i < 150; ++i) {
    status = store().Commit(Create(2));
    if (status.ok()) break;
    ASSERT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << "on the way back nothing else may be seen";
    absl::SleepFor(absl::Milliseconds(100));  // Sleeps: RocksDB's own thread looks for space on its own clock.
  }
  ASSERT_EQ(status, absl::OkStatus());
  ASSERT_EQ(store().Commit(Revoke(1)), absl::OkStatus());
  ASSERT_EQ(Reopen(), absl::OkStatus());
  EXPECT_EQ(FindNumber(store(), 1)->token.revoke_time, At(1));
  EXPECT_THAT(ListAll(store(), {}), ElementsAre(2));
}

// Any error but a full disk, in the log or in commit_seq, on write or on fsync, ends mutations until the next open.
class LatchTest : public FaultTest, public testing::WithParamInterface<std::pair<FaultTarget, bool>> {
 protected:
  void Inject(bool fails) {
    const auto [target, on_sync] = GetParam();
    on_sync ? faults_->SetSyncError(target, fails) : faults_->SetWriteError(target, fails);
  }
};

INSTANTIATE_TEST_SUITE_P(Every, LatchTest,
                         testing::Values(std::pair(FaultTarget::kLog, false), std::pair(FaultTarget::kLog, true),
                                         std::pair(FaultTarget::kSequence, false),
                                         std::pair(FaultTarget::kSequence, true)),
                         [](const auto& info) {
                           return std::string(info.param.first == FaultTarget::kLog ? "Log" : "Sequence") +
                                  (info.param.second ? "Sync" : "Write");
                         });

TEST_P(LatchTest, ErrorLatchesUntilReopen) {
  ASSERT_EQ(store().Commit(Create(1)), absl::OkStatus());
  const uint64_t acknowledged = store().CommitSequence();
  Inject(true);
  EXPECT_EQ(store().Commit(Create(2)).code(), absl::StatusCode::kUnavailable);
  Inject(false);
  // The disk works again, but what it did with the last write is not known.
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(store().Commit(Create(3)).code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(store()
                  .Commit([](TokenTransaction&) -> absl::StatusOr<Decision> {
                    ADD_FAILURE() << "must not be judged on what may not be durable";
                    return Decision::kDiscard;
                  })
                  .code(),
              absl::StatusCode::kUnavailable);
  }
  EXPECT_TRUE(FindNumber(store(), 1).has_value()) << "reads go on";
  EXPECT_EQ(FindNumber(store(), 3), std::nullopt);

  ASSERT_EQ(Reopen(), absl::OkStatus());
  EXPECT_GE(store().CommitSequence(), acknowledged);
  EXPECT_TRUE(FindNumber(store(), 1).has_value());
  const std::vector<uint64_t> listed = ListAll(store(), {});
  EXPECT_TRUE(listed == std::vector<uint64_t>({1}) || listed == std::vector<uint64_t>({1, 2})) << listed.size();
  EXPECT_EQ(FindNumber(store(), 2).has_value(), listed.size() == 2) << "wholly there or wholly absent";
  EXPECT_EQ(store().Commit(Create(3)), absl::OkStatus());
}

}  // namespace
}  // namespace pat
