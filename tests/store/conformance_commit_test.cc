// What every engine must do: mutations, what they leave behind and what they do not, alone and at the same time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ConformanceCommit : public testing::TestWithParam<Engine> {
 protected:
  TokenStore& store() { return engine_->store(); }

  void SetUp() override { ASSERT_EQ(Put(store(), user_), absl::OkStatus()); }
  void TearDown() override { EXPECT_EQ(engine_->Verify(), absl::OkStatus()); }

  const std::unique_ptr<EngineUnderTest> engine_ = GetParam().make();
  UserRecord user_ = UserNumber(1);
};

INSTANTIATE_TEST_SUITE_P(Every, ConformanceCommit, testing::ValuesIn(AllEngines()),
                         [](const auto& info) { return info.param.name; });

void InThreads(int count, absl::FunctionRef<void(int)> work) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

TEST_P(ConformanceCommit, RegeneratedSecretIsNotFoundUnderItsOldHmac) {
  TokenRecord token = TokenNumber(1, user_);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  token.hmac = HmacNumber(11);
  token.expire_time = At(2000);
  ASSERT_EQ(Put(store(), token), absl::OkStatus());
  EXPECT_EQ(FindNumber(store(), 1), std::nullopt);
  EXPECT_EQ(FindNumber(store(), 11)->token, token);
  EXPECT_THAT(ListAll(store(), {}), ElementsAre(1));
}

TEST_P(ConformanceCommit, RenamedTokenGivesItsNameBack) {
  TokenRecord token = TokenNumber(1, user_);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  token.display_name = "new name";
  ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    EXPECT_TRUE(transaction.PutToken(token).ok());
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user_, "token-1", At(0)), std::nullopt);
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user_, "new name", At(0)), token.uid);
    EXPECT_EQ(*transaction.CountLive(user_, At(0), 10), 1u);
    return Decision::kCommit;
  }),
            absl::OkStatus());
}

TEST_P(ConformanceCommit, RevokedTokenGivesItsNameBack) {
  TokenRecord token = TokenNumber(1, user_);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  token.revoke_time = At(1);
  ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    EXPECT_TRUE(transaction.PutToken(token).ok());
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user_, "token-1", At(0)), std::nullopt);
    EXPECT_EQ(*transaction.CountLive(user_, At(0), 10), 0u);
    return Decision::kCommit;
  }),
            absl::OkStatus());
}

TEST_P(ConformanceCommit, DeletedTokenLeavesNothing) {
  TokenRecord token = TokenNumber(1, user_);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  ASSERT_EQ(Delete(store(), token.uid), absl::OkStatus());
  ASSERT_EQ(Delete(store(), token.uid), absl::OkStatus()) << "removing what is not there is not an error";
  EXPECT_EQ(FindNumber(store(), 1), std::nullopt);
  EXPECT_EQ(*store().GetToken(token.uid), std::nullopt);
  EXPECT_THAT(ListAll(store(), {.include_revoked = true}), IsEmpty());
  ASSERT_EQ(Insert(store(), token), absl::OkStatus()) << "the HMAC is free again";
}

TEST_P(ConformanceCommit, HmacOfAnotherTokenIsRefusedAndNothingStaged) {
  TokenRecord first = TokenNumber(1, user_);
  TokenRecord second = TokenNumber(2, user_);
  second.hmac = first.hmac;
  ASSERT_EQ(Insert(store(), first), absl::OkStatus());
  // The function goes on after the refusal and commits: of the token nothing may be there.
  ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    second.create_sequence = transaction.Sequence();
    EXPECT_EQ(transaction.PutToken(second).code(), absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(*transaction.GetToken(second.uid), std::nullopt);
    return Decision::kCommit;
  }),
            absl::OkStatus());
  EXPECT_EQ(FindNumber(store(), 1)->token.uid, first.uid);
  EXPECT_THAT(ListAll(store(), {.include_revoked = true}), ElementsAre(1));
  ASSERT_EQ(Insert(store(), second).code(), absl::StatusCode::kAlreadyExists);
}

TEST_P(ConformanceCommit, FieldsThatNeverChangeAreHeld) {
  TokenRecord token = TokenNumber(1, user_);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  TokenRecord changed = token;
  changed.owner = UserUidNumber(2);
  EXPECT_EQ(Put(store(), changed).code(), absl::StatusCode::kInvalidArgument);
  changed = token;
  ++changed.create_sequence;
  EXPECT_EQ(Put(store(), changed).code(), absl::StatusCode::kInvalidArgument);
  changed = token;
  ++changed.epochs.owner;
  EXPECT_EQ(Put(store(), changed).code(), absl::StatusCode::kInvalidArgument);
  TokenRecord never_made = TokenNumber(2, user_);
  EXPECT_EQ(Put(store(), never_made).code(), absl::StatusCode::kInvalidArgument) << "made in no mutation";
  UserRecord epoch_by_hand = user_;
  epoch_by_hand.token_epoch = 1;
  EXPECT_EQ(Put(store(), epoch_by_hand).code(), absl::StatusCode::kInvalidArgument);
  UserRecord new_with_epoch = UserNumber(3);
  new_with_epoch.token_epoch = 1;
  EXPECT_EQ(Put(store(), new_with_epoch).code(), absl::StatusCode::kInvalidArgument);
  UserRecord renamed = user_;
  renamed.id = "somebody-else";
  EXPECT_EQ(Put(store(), renamed).code(), absl::StatusCode::kInvalidArgument);
  UserRecord second_of_that_id = user_;
  second_of_that_id.uid = UserUidNumber(7);
  EXPECT_EQ(Put(store(), second_of_that_id).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*store().GetToken(token.uid), token);
  EXPECT_EQ(*store().GetUser("user-1"), user_);
}

// Everything that a transaction can write, on top of what SetUp and one token made.
void WriteEverything(TokenTransaction& transaction, const UserRecord& user, TokenRecord existing) {
  existing.revoke_time = At(1);
  existing.hmac = HmacNumber(50);
  EXPECT_TRUE(transaction.PutToken(existing).ok());
  TokenRecord added = TokenNumber(2, user);
  added.create_sequence = transaction.Sequence();
  EXPECT_TRUE(transaction.PutToken(added).ok());
  EXPECT_TRUE(transaction.DeleteToken(existing.uid).ok());
  UserRecord changed = user;
  changed.disabled = true;
  EXPECT_TRUE(transaction.PutUser(changed).ok());
  EXPECT_TRUE(transaction.PutUser(UserNumber(2)).ok());
  EXPECT_TRUE(transaction.PutPassword(user.uid, PasswordRecord{}).ok());
  EXPECT_TRUE(transaction.PutRequest("key", RequestRecord{.token_name = "n", .forget_time = At(1)}).ok());
  EXPECT_TRUE(transaction.PutCacheBound({.granted = absl::Hours(5)}).ok());
  EXPECT_TRUE(transaction.PutPolicy({.tokens_disabled = true}).ok());
  EXPECT_TRUE(transaction.PutAudit({.time = At(1), .sequence = transaction.Sequence(), .user_id = "user-1"}).ok());
  EXPECT_TRUE(transaction.NoteUse(added.uid, At(1)).ok());
  EXPECT_TRUE(transaction.RevokeAll(user.uid, At(1)).ok());
  EXPECT_TRUE(transaction.RevokeAll(std::nullopt, At(1)).ok());
  EXPECT_TRUE(transaction.DeleteUser(UserUidNumber(2), At(1)).ok());
}

TEST_P(ConformanceCommit, FailedAndDiscardedMutationsLeaveNothing) {
  TokenRecord token = TokenNumber(1, user_);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  const uint64_t sequence = store().CommitSequence();
  const absl::Status failed = store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    WriteEverything(transaction, user_, token);
    return absl::AbortedError("the rule said no");
  });
  EXPECT_EQ(failed, absl::AbortedError("the rule said no"));
  EXPECT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    WriteEverything(transaction, user_, token);
    return Decision::kDiscard;
  }),
            absl::OkStatus());

  EXPECT_EQ(store().CommitSequence(), sequence);
  EXPECT_EQ(FindNumber(store(), 1)->token, token);
  EXPECT_EQ(FindNumber(store(), 50), std::nullopt);
  EXPECT_THAT(ListAll(store(), {.include_revoked = true}), ElementsAre(1));
  EXPECT_EQ(*store().GetUser("user-1"), user_);
  EXPECT_EQ(*store().GetUser("user-2"), std::nullopt);
  EXPECT_EQ(*store().GetPassword(user_.uid), std::nullopt);
  EXPECT_EQ(*store().GetCacheBound(), CacheBoundRecord{});
  EXPECT_EQ(*store().GetPolicy(), PolicyRecord{});
  EXPECT_THAT(store().ListAudit({})->rows, IsEmpty());
  EXPECT_EQ(FindNumber(store(), 1)->global_epoch, 0u);
  ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    EXPECT_EQ(*transaction.GetRequest("key"), std::nullopt);
    EXPECT_THAT(*transaction.ListForgettableRequests(At(1000), 10), IsEmpty());
    EXPECT_THAT(*transaction.ListEnded(At(100), 10), IsEmpty());
    EXPECT_EQ(*transaction.CountLive(user_, At(0), 10), 1u);
    return Decision::kDiscard;
  }),
            absl::OkStatus());
}

TEST_P(ConformanceCommit, TransactionSeesItsOwnWrites) {
  EXPECT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    for (uint64_t number = 1; number <= 3; ++number) {
      TokenRecord token = TokenNumber(number, user_);
      token.create_sequence = transaction.Sequence();
      token.expire_time = At(static_cast<int>(number));
      EXPECT_TRUE(transaction.PutToken(token).ok());
      EXPECT_EQ(*transaction.GetToken(token.uid), token);
    }
    EXPECT_TRUE(transaction.DeleteToken(TokenUidNumber(2)).ok());
    EXPECT_EQ(*transaction.CountLive(user_, At(0), 10), 2u);
    EXPECT_THAT(NumbersOf(*transaction.ListEnded(At(100), 10)), UnorderedElementsAre(1, 3));
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user_, "token-2", At(0)), std::nullopt);
    UserRecord user = user_;
    user.disabled = true;
    EXPECT_TRUE(transaction.PutUser(user).ok());
    EXPECT_TRUE(transaction.GetUser("user-1")->value().disabled);
    return Decision::kCommit;
  }),
            absl::OkStatus());
  EXPECT_THAT(ListAll(store(), {.include_revoked = true}), ElementsAre(1, 3));
}

TEST_P(ConformanceCommit, SequencesRiseAndTheStoreTellsTheLast) {
  uint64_t last = store().CommitSequence();
  for (int i = 0; i < 5; ++i) {
    uint64_t mine = 0;
    const bool keep = i != 2;
    ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      mine = transaction.Sequence();
      return keep ? Decision::kCommit : Decision::kDiscard;
    }),
              absl::OkStatus());
    EXPECT_GT(mine, last);
    if (!keep) continue;
    EXPECT_EQ(store().CommitSequence(), mine);
    last = mine;
  }
}

TEST_P(ConformanceCommit, OfManyCreatorsOfOneNameOneWins) {
  constexpr int kThreads = 64;
  std::atomic<int> winners = 0;
  InThreads(kThreads, [&](int i) {
    const absl::Status status = store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      const auto taken = transaction.FindLiveByDisplayName(user_, "deploy", At(0));
      if (!taken.ok()) return taken.status();
      if (taken->has_value()) return absl::AlreadyExistsError("taken");
      TokenRecord token = TokenNumber(static_cast<uint64_t>(i) + 1, user_);
      token.display_name = "deploy";
      token.create_sequence = transaction.Sequence();
      if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
      return Decision::kCommit;
    });
    if (status.ok()) ++winners;
    EXPECT_TRUE(status.ok() || absl::IsAlreadyExists(status)) << status;
  });
  EXPECT_EQ(winners, 1);
  EXPECT_THAT(ListAll(store(), {}), SizeIs(1));
}

TEST_P(ConformanceCommit, OfManyCreatorsUnderALimitExactlyThatManyWin) {
  constexpr int kThreads = 64;
  constexpr size_t kLimit = 10;
  std::atomic<size_t> winners = 0;
  absl::Mutex mutex;
  std::set<uint64_t> sequences;
  InThreads(kThreads, [&](int i) {
    uint64_t mine = 0;
    const absl::Status status = store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      mine = transaction.Sequence();
      const auto live = transaction.CountLive(user_, At(0), kLimit);
      if (!live.ok()) return live.status();
      // Staged before the rule is looked at: those that lose must take it back.
      TokenRecord token = TokenNumber(static_cast<uint64_t>(i) + 1, user_);
      token.create_sequence = mine;
      if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
      if (*live >= kLimit) return absl::FailedPreconditionError("too many");
      return Decision::kCommit;
    });
    if (!status.ok()) return;
    ++winners;
    const absl::MutexLock lock(&mutex);
    EXPECT_TRUE(sequences.insert(mine).second) << "one number for two mutations";
  });
  EXPECT_EQ(winners, kLimit);
  EXPECT_THAT(ListAll(store(), {}), SizeIs(kLimit));
  EXPECT_EQ(store().CommitSequence(), *sequences.rbegin());
}

TEST_P(ConformanceCommit, RevokeAgainstRegenerateEndsInOneOrder) {
  for (uint64_t round = 1; round <= 20; ++round) {
    TokenRecord token = TokenNumber(round, user_);
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
    const uint64_t new_number = 1000 + round;
    absl::Status regenerated;
    absl::Status revoked;
    InThreads(2, [&](int i) {
      const absl::Status status = store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
        absl::StatusOr<std::optional<TokenRecord>> current = transaction.GetToken(token.uid);
        if (!current.ok()) return current.status();
        if (i == 0) {
          if ((*current)->revoke_time.has_value()) return absl::FailedPreconditionError("revoked");
          (*current)->hmac = HmacNumber(new_number);
        } else {
          (*current)->revoke_time = At(1);
        }
        if (absl::Status put = transaction.PutToken(**current); !put.ok()) return put;
        return Decision::kCommit;
      });
      (i == 0 ? regenerated : revoked) = status;
    });
    ASSERT_EQ(revoked, absl::OkStatus());
    // Whoever came first: it is revoked, and there is one HMAC, the new one exactly if regenerating succeeded.
    const uint64_t there = regenerated.ok() ? new_number : round;
    const uint64_t gone = regenerated.ok() ? round : new_number;
    EXPECT_EQ(FindNumber(store(), there)->token.revoke_time, At(1));
    EXPECT_EQ(FindNumber(store(), gone), std::nullopt);
  }
}

TEST_P(ConformanceCommit, ReadersNeverSeeHalfAMutation) {
  // Each mutation changes the user and the token together, and gives the token another HMAC.
  TokenRecord token = TokenNumber(1, user_);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  user_.change_sequence = token.change_sequence;
  ASSERT_EQ(Put(store(), user_), absl::OkStatus());
  const std::vector<TokenHmac> either = {HmacNumber(1), HmacNumber(2)};
  std::atomic<bool> done = false;
  std::atomic<int> read = 0;
  std::thread reader([&] {
    while (!done || read == 0) {
      const absl::StatusOr<FindOutcome> outcome = store().FindByHmac(either, Blocking::kAllowed);
      ASSERT_TRUE(outcome.ok()) << outcome.status();
      ASSERT_TRUE(outcome->found.has_value()) << "between two mutations there is no moment without a token";
      EXPECT_EQ(outcome->found->token.change_sequence, outcome->found->owner.change_sequence);
      ++read;
    }
  });
  UserRecord user = user_;
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      token.hmac = either[static_cast<size_t>(i % 2)];
      token.change_sequence = user.change_sequence = transaction.Sequence();
      if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
      if (absl::Status put = transaction.PutUser(user); !put.ok()) return put;
      return Decision::kCommit;
    }),
              absl::OkStatus());
  }
  done = true;
  reader.join();
}

TEST_P(ConformanceCommit, AcknowledgedIsVisibleToTheNextRead) {
  InThreads(8, [&](int i) {
    for (int round = 0; round < 5; ++round) {
      const uint64_t number = static_cast<uint64_t>(i) * 100 + static_cast<uint64_t>(round) + 1;
      TokenRecord token = TokenNumber(number, user_);
      ASSERT_EQ(Insert(store(), token), absl::OkStatus());
      EXPECT_GE(store().CommitSequence(), token.create_sequence);
      const std::optional<TokenSnapshot> found = FindNumber(store(), number);
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->token, token);
    }
  });
}

TEST_P(ConformanceCommit, ReopenKeepsAll) {
  if (!engine_->keeps_data()) GTEST_SKIP() << "named exception, argued in engines.h";
  TokenRecord kept = TokenNumber(1, user_);
  TokenRecord revoked = TokenNumber(2, user_);
  ASSERT_EQ(Insert(store(), kept), absl::OkStatus());
  ASSERT_EQ(Insert(store(), revoked), absl::OkStatus());
  revoked.revoke_time = At(1);
  ASSERT_EQ(Put(store(), revoked), absl::OkStatus());
  const std::string incarnation = store().Incarnation();
  const uint64_t sequence = store().CommitSequence();
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(engine_->Reopen(), absl::OkStatus());
    EXPECT_EQ(store().Incarnation(), incarnation);
    EXPECT_EQ(store().CommitSequence(), sequence);
    EXPECT_EQ(FindNumber(store(), 1)->token, kept);
    EXPECT_EQ(FindNumber(store(), 2)->token, revoked);
    EXPECT_THAT(ListAll(store(), {}), ElementsAre(1));
    EXPECT_THAT(ListAll(store(), {.include_revoked = true}), ElementsAre(1, 2));
  }
  TokenRecord later = TokenNumber(3, user_);
  ASSERT_EQ(Insert(store(), later), absl::OkStatus());
  EXPECT_GT(later.create_sequence, sequence);
}

}  // namespace
}  // namespace pat
