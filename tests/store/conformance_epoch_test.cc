// What every engine must do when all tokens of somebody, or of everybody, end at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kTick = absl::Nanoseconds(1);

class ConformanceEpoch : public testing::TestWithParam<Engine> {
 protected:
  TokenStore& store() { return engine_->store(); }

  void SetUp() override {
    ASSERT_EQ(Put(store(), ada_), absl::OkStatus());
    ASSERT_EQ(Put(store(), bob_), absl::OkStatus());
  }
  void TearDown() override { EXPECT_EQ(engine_->Verify(), absl::OkStatus()); }

  // A token in the epochs that are current.
  TokenRecord Make(uint64_t number, const UserRecord& owner, int expire = 1000) {
    TokenRecord token = TokenNumber(number, owner);
    token.expire_time = At(expire);
    EXPECT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      token.epochs = {.global = *transaction.GlobalEpoch(), .owner = (*transaction.GetUser(owner.id))->token_epoch};
      token.create_sequence = token.change_sequence = transaction.Sequence();
      if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
      return Decision::kCommit;
    }),
              absl::OkStatus());
    return token;
  }
  absl::Status Revoke(uint64_t number, int at) {
    TokenRecord token = **store().GetToken(TokenUidNumber(number));
    token.revoke_time = At(at);
    return Put(store(), token);
  }

  std::optional<absl::Time> RevokeTimeOf(uint64_t number) {
    return store().GetToken(TokenUidNumber(number)).value().value().revoke_time;
  }
  // As it is inside of a transaction.
  std::optional<absl::Time> RevokeTimeInTransaction(uint64_t number) {
    std::optional<absl::Time> time;
    Ask(store(), [&](TokenTransaction& transaction) {
      time = transaction.GetToken(TokenUidNumber(number)).value().value().revoke_time;
    });
    return time;
  }

  std::vector<uint64_t> Ended(absl::Time cutoff, size_t limit = 100) {
    std::vector<uint64_t> numbers;
    Ask(store(), [&](TokenTransaction& transaction) { numbers = NumbersOf(*transaction.ListEnded(cutoff, limit)); });
    return numbers;
  }
  // Removes what ended before, some at a time; the numbers.
  std::vector<uint64_t> Purge(absl::Time cutoff, size_t at_once) {
    std::vector<uint64_t> all;
    std::vector<uint64_t> some;
    do {
      EXPECT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
        const std::vector<TokenUid> ended = *transaction.ListEnded(cutoff, at_once);
        for (const TokenUid& uid : ended) EXPECT_TRUE(transaction.DeleteToken(uid).ok());
        some = NumbersOf(ended);
        return Decision::kCommit;
      }),
                absl::OkStatus());
      EXPECT_EQ(engine_->Verify(), absl::OkStatus());
      all.insert(all.end(), some.begin(), some.end());
    } while (some.size() == at_once);
    return all;
  }

  // Runs `check`, and again after a reopen where there is one.
  void NowAndAfterReopen(const std::function<void()>& check) {
    check();
    if (!engine_->keeps_data()) return;
    ASSERT_EQ(engine_->Reopen(), absl::OkStatus());
    check();
  }

  const std::unique_ptr<EngineUnderTest> engine_ = GetParam().make();
  const UserRecord ada_ = UserNumber(1);
  const UserRecord bob_ = UserNumber(2);
};

INSTANTIATE_TEST_SUITE_P(Every, ConformanceEpoch, testing::ValuesIn(AllEngines()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ConformanceEpoch, AllTokensOfOneOwnerEndAndNobodyElses) {
  for (uint64_t number = 1; number <= 3; ++number) Make(number, ada_);
  Make(4, bob_);
  EXPECT_EQ(RevokeAll(store(), ada_.uid, At(10)), 3u);
  const TokenRecord later = Make(5, ada_);
  EXPECT_EQ(later.epochs.owner, 1u);
  NowAndAfterReopen([&] {
    EXPECT_THAT(ListAll(store(), {.owner = ada_.uid}), ElementsAre(5));
    EXPECT_THAT(ListAll(store(), {.owner = ada_.uid, .include_revoked = true}), ElementsAre(1, 2, 3, 5));
    EXPECT_THAT(ListAll(store(), {}), ElementsAre(4, 5));
    EXPECT_THAT(ListAll(store(), {.include_revoked = true}), ElementsAre(1, 2, 3, 4, 5));
    for (const uint64_t number : {1, 2, 3}) {
      EXPECT_EQ(RevokeTimeOf(number), At(10));
      EXPECT_EQ(RevokeTimeInTransaction(number), At(10));
    }
    for (const uint64_t number : {4, 5}) {
      EXPECT_EQ(RevokeTimeOf(number), std::nullopt);
      EXPECT_EQ(RevokeTimeInTransaction(number), std::nullopt);
    }
    const std::optional<TokenSnapshot> found = FindNumber(store(), 1);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->token.revoke_time, std::nullopt) << "the record's own";
    EXPECT_EQ(found->token.epochs.owner, 0u);
    EXPECT_EQ(found->owner.token_epoch, 1u);
    EXPECT_EQ(found->owner.change_sequence, ada_.change_sequence);
    const UserRecord user = **store().GetUser(ada_.id);
    Ask(store(), [&](TokenTransaction& transaction) {
      EXPECT_EQ(*transaction.CountLive(user, At(0), 10), 1u);
      EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "token-1", At(0)), std::nullopt);
      EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "token-5", At(0)), later.uid);
    });
  });
}

TEST_P(ConformanceEpoch, AllTokensOfEverybodyEnd) {
  for (uint64_t number = 1; number <= 3; ++number) Make(number, number == 2 ? bob_ : ada_);
  EXPECT_EQ(RevokeAll(store(), std::nullopt, At(10)), 3u);
  const TokenRecord later = Make(5, bob_);
  EXPECT_EQ(later.epochs, (Epochs{.global = 1, .owner = 0}));
  NowAndAfterReopen([&] {
    EXPECT_THAT(ListAll(store(), {}), ElementsAre(5));
    EXPECT_THAT(ListAll(store(), {.owner = ada_.uid}), IsEmpty());
    EXPECT_THAT(ListAll(store(), {.owner = bob_.uid}), ElementsAre(5));
    EXPECT_THAT(ListAll(store(), {.owner = ada_.uid, .include_revoked = true}), ElementsAre(1, 3));
    for (const uint64_t number : {1, 2, 3}) {
      EXPECT_EQ(RevokeTimeOf(number), At(10));
      EXPECT_EQ(RevokeTimeInTransaction(number), At(10));
    }
    EXPECT_EQ(FindNumber(store(), 1)->global_epoch, 1u);
    Ask(store(), [&](TokenTransaction& transaction) {
      EXPECT_EQ(*transaction.GlobalEpoch(), 1u);
      EXPECT_EQ(*transaction.CountLive(ada_, At(0), 10), 0u);
      EXPECT_EQ(*transaction.CountLive(bob_, At(0), 10), 1u);
    });
  });
}

TEST_P(ConformanceEpoch, TheCountIsOfWhatWasNotRevokedBefore) {
  Make(1, ada_, -1000);  // Expired counts.
  Make(2, ada_);
  Make(3, ada_);
  Make(4, bob_);
  ASSERT_EQ(Revoke(2, 5), absl::OkStatus());
  ASSERT_EQ(Delete(store(), TokenUidNumber(3)), absl::OkStatus());
  EXPECT_EQ(RevokeAll(store(), ada_.uid, At(10)), 1u);
  EXPECT_EQ(RevokeAll(store(), ada_.uid, At(11)), 0u);
  EXPECT_EQ(RevokeTimeOf(2), At(5)) << "its own";
  EXPECT_EQ(RevokeTimeOf(1), At(10)) << "a later end changes nothing";
  EXPECT_EQ(RevokeAll(store(), UserUidNumber(77), At(12)), 0u) << "nobody";
  Make(5, ada_);
  Make(6, bob_);
  EXPECT_EQ(RevokeAll(store(), std::nullopt, At(20)), 3u);
  EXPECT_EQ(RevokeAll(store(), std::nullopt, At(21)), 0u);
  EXPECT_EQ(RevokeAll(store(), ada_.uid, At(22)), 0u);
  EXPECT_EQ(RevokeTimeOf(1), At(10));
  EXPECT_EQ(RevokeTimeOf(4), At(20));
  NowAndAfterReopen([&] {
    const uint64_t number = 100 + store().CommitSequence();
    Make(number, bob_);
    EXPECT_EQ(RevokeAll(store(), std::nullopt, At(30)), 1u);
  });
}

TEST_P(ConformanceEpoch, OfTwoEndsTheEarlierCounts) {
  Make(1, ada_);
  RevokeAll(store(), ada_.uid, At(30));
  RevokeAll(store(), std::nullopt, At(20));  // The clock was set back in between.
  NowAndAfterReopen([&] {
    EXPECT_EQ(RevokeTimeOf(1), At(20));
    EXPECT_EQ(RevokeTimeInTransaction(1), At(20));
    EXPECT_THAT(Ended(At(20)), IsEmpty());
    EXPECT_THAT(Ended(At(20) + kTick), ElementsAre(1));
  });
}

TEST_P(ConformanceEpoch, TheCountIsExactWithinOneMutation) {
  Make(1, ada_);
  ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    TokenRecord before = TokenNumber(2, ada_);
    before.create_sequence = transaction.Sequence();
    EXPECT_TRUE(transaction.PutToken(before).ok());
    EXPECT_EQ(*transaction.RevokeAll(ada_.uid, At(1)), 2u);
    EXPECT_EQ(*transaction.RevokeAll(ada_.uid, At(2)), 0u);
    EXPECT_EQ(transaction.GetToken(before.uid)->value().revoke_time, At(1));
    TokenRecord after = TokenNumber(3, ada_);
    after.create_sequence = transaction.Sequence();
    EXPECT_EQ(transaction.PutToken(after).code(), absl::StatusCode::kInvalidArgument) << "the epoch has ended";
    after.epochs.owner = 2;
    EXPECT_TRUE(transaction.PutToken(after).ok());
    EXPECT_EQ(*transaction.RevokeAll(std::nullopt, At(3)), 1u);
    TokenRecord last = TokenNumber(4, ada_);
    last.create_sequence = transaction.Sequence();
    last.epochs = {.global = 1, .owner = 2};
    EXPECT_TRUE(transaction.PutToken(last).ok());
    return Decision::kCommit;
  }),
            absl::OkStatus());
  NowAndAfterReopen([&] {
    // All four were made in one mutation, in three pairs of epochs.
    EXPECT_THAT(ListAll(store(), {.owner = ada_.uid}), ElementsAre(4));
    EXPECT_THAT(ListAll(store(), {}), ElementsAre(4));
    EXPECT_THAT(Ended(At(4)), UnorderedElementsAre(1, 2, 3));
    EXPECT_THAT(Ended(At(3)), UnorderedElementsAre(1, 2));
    EXPECT_EQ(RevokeTimeOf(3), At(3));
  });
  EXPECT_THAT(Purge(At(4), 2), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(ListAll(store(), {.include_revoked = true}), ElementsAre(4));
  EXPECT_EQ(RevokeAll(store(), ada_.uid, At(5)), 1u);
}

TEST_P(ConformanceEpoch, ATokenOfAnEndedEpochIsNotChangedAgain) {
  TokenRecord of_ada = Make(1, ada_);
  TokenRecord of_bob = Make(2, bob_);
  TokenRecord revoked = Make(3, bob_);
  revoked.revoke_time = At(1);
  ASSERT_EQ(Put(store(), revoked), absl::OkStatus());
  RevokeAll(store(), ada_.uid, At(10));
  RevokeAll(store(), std::nullopt, At(20));
  for (TokenRecord token : {of_ada, of_bob, revoked}) {
    token.hmac = HmacNumber(NumberOf(token.uid) + 100);
    EXPECT_EQ(Put(store(), token).code(), absl::StatusCode::kInvalidArgument);
    token.epochs = {.global = 1, .owner = token.owner == ada_.uid ? uint64_t{1} : uint64_t{0}};
    EXPECT_EQ(Put(store(), token).code(), absl::StatusCode::kInvalidArgument) << "nobody stamps it anew";
    EXPECT_EQ(FindNumber(store(), NumberOf(token.uid) + 100), std::nullopt);
  }
}

TEST_P(ConformanceEpoch, AMutationThatFailsEndsNothing) {
  Make(1, ada_);
  for (const bool discard : {false, true}) {
    const absl::Status status = store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      EXPECT_EQ(*transaction.RevokeAll(ada_.uid, At(1)), 1u);
      EXPECT_EQ(*transaction.RevokeAll(std::nullopt, At(1)), 0u);
      EXPECT_EQ(*transaction.GlobalEpoch(), 1u);
      if (discard) return Decision::kDiscard;
      return absl::AbortedError("no");
    });
    EXPECT_EQ(status.ok(), discard);
  }
  EXPECT_EQ(RevokeTimeOf(1), std::nullopt);
  EXPECT_THAT(ListAll(store(), {}), ElementsAre(1));
  Ask(store(), [](TokenTransaction& transaction) { EXPECT_EQ(*transaction.GlobalEpoch(), 0u); });
  EXPECT_EQ(RevokeAll(store(), std::nullopt, At(2)), 1u);
}

// ---- Who is deleted.

TEST_P(ConformanceEpoch, TheTokensOfADeletedUserAreRevokedAndStay) {
  Make(1, ada_);
  Make(2, ada_);
  Make(3, bob_);
  ASSERT_EQ(Revoke(2, 5), absl::OkStatus());
  ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    EXPECT_TRUE(transaction.PutPassword(ada_.uid, {.salt = "salt"}).ok());
    return Decision::kCommit;
  }),
            absl::OkStatus());
  EXPECT_EQ(DeleteUser(store(), ada_.uid, At(10)), 1u);
  EXPECT_EQ(DeleteUser(store(), ada_.uid, At(11)), 0u);
  NowAndAfterReopen([&] {
    EXPECT_EQ(*store().GetUser(ada_.id), std::nullopt);
    EXPECT_EQ(*store().GetPassword(ada_.uid), std::nullopt);
    EXPECT_EQ(FindNumber(store(), 1), std::nullopt);
    EXPECT_EQ(RevokeTimeOf(1), At(10));
    EXPECT_EQ(RevokeTimeOf(2), At(5));
    EXPECT_THAT(ListAll(store(), {}), ElementsAre(3));
    EXPECT_THAT(ListAll(store(), {.owner = ada_.uid}), IsEmpty());
    EXPECT_THAT(ListAll(store(), {.owner = ada_.uid, .include_revoked = true}), ElementsAre(1, 2));
    EXPECT_THAT(Ended(At(10) + kTick), UnorderedElementsAre(1, 2));
  });
  TokenRecord orphan = TokenNumber(4, ada_);
  EXPECT_EQ(Insert(store(), orphan).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RevokeAll(store(), std::nullopt, At(20)), 1u);
  EXPECT_EQ(RevokeTimeOf(1), At(10));
}

TEST_P(ConformanceEpoch, ALaterUserOfTheSameIdInheritsNothing) {
  Make(1, ada_);
  DeleteUser(store(), ada_.uid, At(10));
  UserRecord second = ada_;
  EXPECT_EQ(Put(store(), second).code(), absl::StatusCode::kInvalidArgument) << "a uid is not given again";
  second.uid = UserUidNumber(99);
  ASSERT_EQ(Put(store(), second), absl::OkStatus());
  Make(2, second);
  EXPECT_EQ(FindNumber(store(), 1), std::nullopt);
  EXPECT_THAT(ListAll(store(), {.owner = second.uid, .include_revoked = true}), ElementsAre(2));
  EXPECT_THAT(ListAll(store(), {}), ElementsAre(2));
  EXPECT_EQ(RevokeAll(store(), second.uid, At(20)), 1u);
  EXPECT_EQ(RevokeTimeOf(1), At(10));
}

TEST_P(ConformanceEpoch, AUserIsMadeUsedAndDeletedInOneMutation) {
  ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    const UserRecord user = UserNumber(3);
    EXPECT_TRUE(transaction.PutUser(user).ok());
    TokenRecord token = TokenNumber(1, user);
    token.create_sequence = transaction.Sequence();
    EXPECT_TRUE(transaction.PutToken(token).ok());
    EXPECT_EQ(*transaction.DeleteUser(user.uid, At(1)), 1u);
    EXPECT_EQ(*transaction.GetUser(user.id), std::nullopt);
    return Decision::kCommit;
  }),
            absl::OkStatus());
  EXPECT_EQ(RevokeTimeOf(1), At(1));
  EXPECT_EQ(RevokeAll(store(), std::nullopt, At(2)), 0u);
}

// ---- What is to be purged.

TEST_P(ConformanceEpoch, TokensEndWithTheirEpochUnlessTheyExpiredBefore) {
  Make(1, ada_, 5);
  Make(2, ada_, 1000);
  Make(3, bob_, 1000);
  RevokeAll(store(), ada_.uid, At(10));
  Make(4, ada_, 1000);
  RevokeAll(store(), std::nullopt, At(20));
  Make(5, ada_, 1000);
  NowAndAfterReopen([&] {
    EXPECT_THAT(Ended(At(5)), IsEmpty());
    EXPECT_THAT(Ended(At(10)), ElementsAre(1));
    EXPECT_THAT(Ended(At(10) + kTick), UnorderedElementsAre(1, 2));
    EXPECT_THAT(Ended(At(20)), UnorderedElementsAre(1, 2));
    EXPECT_THAT(Ended(At(20) + kTick), UnorderedElementsAre(1, 2, 3, 4));
    EXPECT_THAT(Ended(At(1000)), UnorderedElementsAre(1, 2, 3, 4));
    EXPECT_THAT(Ended(At(1000) + kTick), UnorderedElementsAre(1, 2, 3, 4, 5));
    for (size_t limit = 0; limit < 4; ++limit) EXPECT_THAT(Ended(At(20) + kTick, limit), SizeIs(limit));
  });
}

TEST_P(ConformanceEpoch, PurgingGoesOnUntilNothingIsLeft) {
  uint64_t number = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 5; ++i) Make(++number, i % 2 == 0 ? ada_ : bob_);
    RevokeAll(store(), round % 2 == 0 ? std::optional<UserUid>(ada_.uid) : std::nullopt, At(round));
  }
  Make(100, ada_);
  for (const size_t at_once : {1, 3}) {
    // The first two rounds, and then the rest.
    EXPECT_THAT(Purge(at_once == 1 ? At(1) + kTick : At(10), at_once), SizeIs(10));
  }
  EXPECT_THAT(ListAll(store(), {.include_revoked = true}), ElementsAre(100));
  EXPECT_THAT(Ended(At(10)), IsEmpty());
  EXPECT_EQ(RevokeAll(store(), std::nullopt, At(11)), 1u);
  EXPECT_THAT(Purge(At(12), 10), ElementsAre(100));
}

// Whoever looks must not make anything escape: what was listed and not deleted is listed again.
TEST_P(ConformanceEpoch, WhatWasListedAndNotDeletedIsListedAgain) {
  for (uint64_t number = 1; number <= 6; ++number) Make(number, number <= 3 ? ada_ : bob_);
  RevokeAll(store(), ada_.uid, At(1));
  RevokeAll(store(), std::nullopt, At(2));
  ASSERT_EQ(Delete(store(), TokenUidNumber(1)), absl::OkStatus());
  ASSERT_EQ(Delete(store(), TokenUidNumber(4)), absl::OkStatus());
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      EXPECT_THAT(NumbersOf(*transaction.ListEnded(At(3), 100)), UnorderedElementsAre(2, 3, 5, 6));
      return Decision::kCommit;
    }),
              absl::OkStatus());
  }
}

// ---- At the same time.

void InThreads(int count, absl::FunctionRef<void(int)> work) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

// Creators, regenerators, revokers and removers against those who end everything: what is counted is what was ended.
TEST_P(ConformanceEpoch, CountsAreExactUnderConcurrentMutations) {
  constexpr int kRounds = 60;
  std::atomic<uint64_t> made = 0;
  std::atomic<uint64_t> gone = 0;  // Revoked or removed one by one while they were not revoked.
  std::atomic<uint64_t> ended = 0;
  InThreads(8, [&](int worker) {
    const UserRecord& owner = worker % 2 == 0 ? ada_ : bob_;
    for (int round = 0; round < kRounds; ++round) {
      if (worker >= 6) {
        if (round % 4 != 0) continue;
        const std::optional<UserUid> whose = round % 8 == 0 ? std::nullopt : std::optional<UserUid>(owner.uid);
        ended += RevokeAll(store(), whose, At(round));
        continue;
      }
      const uint64_t number = static_cast<uint64_t>(worker) * kRounds + static_cast<uint64_t>(round) + 1;
      Make(number, owner);
      ++made;
      if (round % 3 == 0) continue;
      bool was_unrevoked = false;
      EXPECT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
        TokenRecord token = transaction.GetToken(TokenUidNumber(number)).value().value();
        was_unrevoked = !token.revoke_time.has_value();
        if (round % 3 == 1) {
          EXPECT_TRUE(transaction.DeleteToken(token.uid).ok());
          return Decision::kCommit;
        }
        if (!was_unrevoked) return Decision::kDiscard;
        token.hmac = HmacNumber(number + 100'000);
        token.revoke_time = At(round);
        if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
        return Decision::kCommit;
      }),
                absl::OkStatus());
      if (was_unrevoked) ++gone;
    }
  });
  EXPECT_EQ(ListAll(store(), {}).size() + gone + ended, made);
  ended += RevokeAll(store(), std::nullopt, At(1));
  EXPECT_EQ(gone + ended, made);
}

// A creation that was judged before an epoch ended and comes after it is judged anew, not stamped with the new epoch by
// somebody else: its function reads the epochs in the transaction.
TEST_P(ConformanceEpoch, ACreationThatRacesWithAnEndIsOnOneSideOfIt) {
  for (int round = 0; round < 30; ++round) {
    const uint64_t number = static_cast<uint64_t>(round) + 1;
    uint64_t count = 0;
    InThreads(2, [&](int i) {
      if (i == 0) Make(number, ada_);
      if (i == 1)
        count = RevokeAll(store(), round % 2 == 0 ? std::optional<UserUid>(ada_.uid) : std::nullopt, At(round));
    });
    const bool alive = !RevokeTimeOf(number).has_value();
    EXPECT_EQ(count, alive ? 0u : 1u);
    EXPECT_THAT(ListAll(store(), {}), SizeIs(alive ? 1 : 0));
    RevokeAll(store(), ada_.uid, At(round));
  }
}

TEST_P(ConformanceEpoch, ACreationWithAnEpochThatWasReadBeforeIsRefused) {
  TokenRecord judged = TokenNumber(1, ada_);  // With the epochs of now.
  RevokeAll(store(), ada_.uid, At(1));
  EXPECT_EQ(Insert(store(), judged).code(), absl::StatusCode::kInvalidArgument);
  judged.epochs.owner = 1;
  RevokeAll(store(), std::nullopt, At(2));
  EXPECT_EQ(Insert(store(), judged).code(), absl::StatusCode::kInvalidArgument);
  judged.epochs.global = 1;
  EXPECT_EQ(Insert(store(), judged), absl::OkStatus());
}

}  // namespace
}  // namespace pat
