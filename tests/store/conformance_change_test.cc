// What every engine must tell caches to drop: what makes a change and what does not, in which order, and who cannot go
// on where it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kLong = absl::Seconds(60);

class ConformanceChange : public testing::TestWithParam<Engine> {
 protected:
  TokenStore& store() { return engine_->store(); }

  void SetUp() override {
    ASSERT_EQ(Put(store(), ada_), absl::OkStatus());
    ASSERT_EQ(Put(store(), bob_), absl::OkStatus());
    for (uint64_t number = 1; number <= 3; ++number) {
      TokenRecord token = TokenNumber(number, ada_);
      ASSERT_EQ(Insert(store(), token), absl::OkStatus());
    }
  }
  void TearDown() override { EXPECT_EQ(engine_->Verify(), absl::OkStatus()); }

  absl::Status Do(const std::function<absl::Status(TokenTransaction&)>& work, Decision decision = Decision::kCommit) {
    return store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      if (absl::Status status = work(transaction); !status.ok()) return status;
      return decision;
    });
  }
  void ChangeToken(uint64_t number, const std::function<void(TokenRecord&)>& change) {
    TokenRecord token = store().GetToken(TokenUidNumber(number)).value().value();
    change(token);
    EXPECT_EQ(Put(store(), token), absl::OkStatus());
  }
  void ChangeUser(const UserRecord& user, const std::function<void(UserRecord&)>& change) {
    UserRecord changed = store().GetUser(user.id).value().value();
    change(changed);
    EXPECT_EQ(Put(store(), changed), absl::OkStatus());
  }
  void ChangePolicy(const std::function<void(PolicyRecord&)>& change) {
    EXPECT_EQ(Do([&](TokenTransaction& transaction) {
                PolicyRecord policy = *transaction.GetPolicy();
                change(policy);
                policy.change_sequence = transaction.Sequence();
                return transaction.PutPolicy(policy);
              }),
              absl::OkStatus());
  }
  void Revoke(uint64_t number) {
    ChangeToken(number, [](TokenRecord& token) { token.revoke_time = At(1); });
  }

  static std::string TextOf(const Change& change) {
    switch (change.kind) {
      case Change::Kind::kToken:
        return absl::StrCat("token ", NumberOf(change.token));
      case Change::Kind::kOwner:
        return change.owner_id;
      case Change::Kind::kEverything:
        return "everything";
    }
    return "?";
  }
  static std::vector<std::string> TextsOf(const ChangePage& page) {
    std::vector<std::string> texts;
    for (const Change& change : page.changes) texts.push_back(TextOf(change));
    return texts;
  }
  ChangePage Changes(uint64_t after, size_t limit = 1000) { return store().ListChanges(after, limit).value(); }

  // What has changed since this was asked before.
  std::vector<std::string> News() {
    const ChangePage page = Changes(seen_);
    EXPECT_FALSE(page.truncated);
    EXPECT_EQ(page.up_to, store().CommitSequence());
    seen_ = page.up_to;
    return TextsOf(page);
  }
  size_t DeleteThrough(uint64_t sequence, size_t limit = 1000) {
    size_t count = 0;
    EXPECT_EQ(Do([&](TokenTransaction& transaction) {
                const absl::StatusOr<size_t> deleted = transaction.DeleteChangesThrough(sequence, limit);
                count = deleted.value_or(0);
                return deleted.status();
              }),
              absl::OkStatus());
    return count;
  }

  const std::unique_ptr<EngineUnderTest> engine_ = GetParam().make();
  const UserRecord ada_ = UserNumber(1);
  const UserRecord bob_ = UserNumber(2);
  uint64_t seen_ = 0;
};

TEST_P(ConformanceChange, WhatIsNewIsNoChange) { EXPECT_THAT(News(), IsEmpty()); }

TEST_P(ConformanceChange, AllOfATokenThatAReadLooksAt) {
  const std::vector<std::function<void(TokenRecord&)>> changes = {
      [](TokenRecord& token) { token.scopes.push_back("Another"); },
      [](TokenRecord& token) { token.audiences.push_back("another"); },
      [](TokenRecord& token) { token.expire_time = At(999); },
      [](TokenRecord& token) { token.regenerate_time = At(2); },
      [](TokenRecord& token) { token.hmac = HmacNumber(77); },
      [](TokenRecord& token) { token.revoke_time = At(1); },
      [](TokenRecord& token) { token.create_time = At(-1); },
  };
  News();
  for (const auto& change : changes) {
    ChangeToken(1, change);
    EXPECT_THAT(News(), ElementsAre("token 1"));
  }
}

TEST_P(ConformanceChange, NothingElseOfAToken) {
  News();
  ChangeToken(1, [](TokenRecord& token) { token.display_name = "Another"; });
  ChangeToken(1, [](TokenRecord& token) { token.description = "Another"; });
  ChangeToken(1, [](TokenRecord& token) { token.change_sequence = 99; });
  ChangeToken(1, [](TokenRecord&) {});
  EXPECT_EQ(Do([](TokenTransaction& transaction) { return transaction.NoteUse(TokenUidNumber(1), At(5)); }),
            absl::OkStatus());
  EXPECT_THAT(News(), IsEmpty());
}

// Purging removes what has ended, and that is told already, or was known from the start.
TEST_P(ConformanceChange, NotThatATokenIsRemoved) {
  News();
  EXPECT_EQ(Delete(store(), TokenUidNumber(1)), absl::OkStatus());
  EXPECT_THAT(News(), IsEmpty());
}

TEST_P(ConformanceChange, OfAUserTypeDisabledAndGrants) {
  News();
  ChangeUser(ada_, [](UserRecord& user) { user.disabled = true; });
  EXPECT_THAT(News(), ElementsAre("user-1"));
  ChangeUser(ada_, [](UserRecord& user) { user.disabled = false; });
  EXPECT_THAT(News(), ElementsAre("user-1"));
  ChangeUser(ada_, [](UserRecord& user) { user.type = UserType::kSaml; });
  EXPECT_THAT(News(), ElementsAre("user-1"));
  ChangeUser(bob_, [](UserRecord& user) { user.grants = {"Only.This"}; });
  EXPECT_THAT(News(), ElementsAre("user-2"));
  ChangeUser(ada_, [](UserRecord& user) { user.administrator = true; });
  ChangeUser(ada_, [](UserRecord& user) { user.change_sequence = 99; });
  EXPECT_EQ(Do([this](TokenTransaction& transaction) { return transaction.PutPassword(ada_.uid, {}); }),
            absl::OkStatus());
  EXPECT_THAT(News(), IsEmpty());
}

TEST_P(ConformanceChange, TheEndOfManyTokensIsOneChange) {
  News();
  RevokeAll(store(), ada_.uid, At(1));
  EXPECT_THAT(News(), ElementsAre("user-1"));
  RevokeAll(store(), bob_.uid, At(1));
  EXPECT_THAT(News(), ElementsAre("user-2")) << "also of nobody's";
  RevokeAll(store(), std::nullopt, At(2));
  EXPECT_THAT(News(), ElementsAre("everything"));
  RevokeAll(store(), UserUidNumber(77), At(3));
  EXPECT_THAT(News(), IsEmpty()) << "there is no such user";
  DeleteUser(store(), ada_.uid, At(4));
  EXPECT_THAT(News(), ElementsAre("user-1"));
  DeleteUser(store(), ada_.uid, At(5));
  EXPECT_THAT(News(), IsEmpty());
}

TEST_P(ConformanceChange, OfThePolicyAllButTheNumberOfTokens) {
  News();
  ChangePolicy([](PolicyRecord& policy) { policy.tokens_disabled = true; });
  EXPECT_THAT(News(), ElementsAre("everything"));
  ChangePolicy([](PolicyRecord& policy) { policy.maximum_lifespan = absl::Hours(1); });
  EXPECT_THAT(News(), ElementsAre("everything"));
  ChangePolicy([](PolicyRecord& policy) { policy.forbidden_scopes = {"Not.This"}; });
  EXPECT_THAT(News(), ElementsAre("everything"));
  ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 7; });
  EXPECT_THAT(News(), IsEmpty());
}

TEST_P(ConformanceChange, WhatIsNotKeptIsNoChange) {
  News();
  const auto revoke = [](TokenTransaction& transaction) {
    TokenRecord token = transaction.GetToken(TokenUidNumber(1)).value().value();
    token.revoke_time = At(1);
    return transaction.PutToken(token);
  };
  EXPECT_EQ(Do(revoke, Decision::kDiscard), absl::OkStatus());
  EXPECT_EQ(Do([&](TokenTransaction& transaction) {
              if (absl::Status status = revoke(transaction); !status.ok()) return status;
              return absl::AbortedError("no");
            }).code(),
            absl::StatusCode::kAborted);
  EXPECT_THAT(News(), IsEmpty());
  // Nor does what was not kept take away what is, and the other way round.
  Revoke(2);
  EXPECT_EQ(Do([](TokenTransaction& transaction) { return transaction.DeleteChangesThrough(1'000'000, 9).status(); },
               Decision::kDiscard),
            absl::OkStatus());
  EXPECT_THAT(News(), ElementsAre("token 2"));
}

TEST_P(ConformanceChange, OneMutationTellsEachThingOnce) {
  News();
  EXPECT_EQ(Do([&](TokenTransaction& transaction) {
              for (const uint64_t number : {3, 1, 3}) {
                TokenRecord token = transaction.GetToken(TokenUidNumber(number)).value().value();
                token.audiences.push_back("another");
                if (absl::Status status = transaction.PutToken(token); !status.ok()) return status;
              }
              if (auto ended = transaction.RevokeAll(bob_.uid, At(1)); !ended.ok()) return ended.status();
              return transaction.RevokeAll(std::nullopt, At(1)).status();
            }),
            absl::OkStatus());
  EXPECT_THAT(News(), ElementsAre("token 1", "token 3", "user-2", "everything"));
}

TEST_P(ConformanceChange, PagesAreInOrderAndEndBetweenMutations) {
  Revoke(2);
  const uint64_t first = store().CommitSequence();
  EXPECT_EQ(Do([&](TokenTransaction& transaction) {
              for (const uint64_t number : {1, 3}) {
                TokenRecord token = transaction.GetToken(TokenUidNumber(number)).value().value();
                token.revoke_time = At(1);
                if (absl::Status status = transaction.PutToken(token); !status.ok()) return status;
              }
              return absl::OkStatus();
            }),
            absl::OkStatus());
  const uint64_t second = store().CommitSequence();
  RevokeAll(store(), ada_.uid, At(1));
  const uint64_t third = store().CommitSequence();
  TokenRecord token = TokenNumber(9, bob_);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());

  ChangePage page = Changes(0, 1);
  EXPECT_THAT(TextsOf(page), ElementsAre("token 2"));
  EXPECT_EQ(page.up_to, first);
  EXPECT_EQ(page.changes[0].sequence, first);
  page = Changes(first, 1);
  EXPECT_THAT(TextsOf(page), ElementsAre("token 1", "token 3"));
  EXPECT_EQ(page.up_to, second);
  page = Changes(0, 2);
  EXPECT_THAT(TextsOf(page), ElementsAre("token 2", "token 1", "token 3"));
  EXPECT_EQ(page.up_to, second);
  page = Changes(second, 1);
  EXPECT_THAT(TextsOf(page), ElementsAre("user-1"));
  EXPECT_EQ(page.up_to, store().CommitSequence()) << "nothing follows, so it is complete until now";
  page = Changes(third, 1);
  EXPECT_THAT(TextsOf(page), IsEmpty());
  EXPECT_EQ(page.up_to, store().CommitSequence());
  EXPECT_FALSE(page.truncated);
}

TEST_P(ConformanceChange, APositionThatNeverWasCannotBeGoneOnFrom) {
  EXPECT_FALSE(Changes(store().CommitSequence()).truncated);
  for (const uint64_t position : {store().CommitSequence() + 1, std::numeric_limits<uint64_t>::max()}) {
    const ChangePage page = Changes(position);
    EXPECT_TRUE(page.truncated);
    EXPECT_EQ(page.up_to, store().CommitSequence());
  }
}

TEST_P(ConformanceChange, WhoMissedWhatIsRemovedHasToStartOver) {
  std::vector<uint64_t> sequences;
  for (const uint64_t number : {1, 2, 3}) {
    Revoke(number);
    sequences.push_back(store().CommitSequence());
  }
  EXPECT_EQ(DeleteThrough(sequences[0] - 1), 0u);
  EXPECT_FALSE(Changes(0).truncated) << "nothing was removed";
  EXPECT_EQ(DeleteThrough(sequences[2], 2), 2u);
  const ChangePage page = Changes(sequences[1] - 1);
  EXPECT_TRUE(page.truncated);
  EXPECT_THAT(page.changes, IsEmpty());
  EXPECT_EQ(page.up_to, store().CommitSequence());
  EXPECT_FALSE(Changes(sequences[1]).truncated);
  EXPECT_THAT(TextsOf(Changes(sequences[1])), ElementsAre("token 3"));
  EXPECT_EQ(DeleteThrough(sequences[1]), 0u);
  EXPECT_EQ(DeleteThrough(std::numeric_limits<uint64_t>::max()), 1u);
  EXPECT_TRUE(Changes(sequences[1]).truncated);
  EXPECT_FALSE(Changes(sequences[2]).truncated);
  EXPECT_EQ(DeleteThrough(std::numeric_limits<uint64_t>::max()), 0u);
  Revoke(1);  // Is revoked already: no change.
  ChangeToken(1, [](TokenRecord& token) { token.revoke_time = At(9); });
  EXPECT_THAT(TextsOf(Changes(sequences[2])), ElementsAre("token 1"));
}

// Some of a mutation's changes may be gone and others not: whoever was before it has missed some.
TEST_P(ConformanceChange, RemovingMayEndInTheMiddleOfAMutation) {
  EXPECT_EQ(Do([&](TokenTransaction& transaction) {
              if (auto ended = transaction.RevokeAll(ada_.uid, At(1)); !ended.ok()) return ended.status();
              return transaction.RevokeAll(bob_.uid, At(1)).status();
            }),
            absl::OkStatus());
  const uint64_t sequence = store().CommitSequence();
  EXPECT_EQ(DeleteThrough(sequence, 0), 0u);
  EXPECT_EQ(DeleteThrough(sequence, 1), 1u);
  EXPECT_TRUE(Changes(sequence - 1).truncated);
  EXPECT_FALSE(Changes(sequence).truncated);
  EXPECT_EQ(engine_->Verify(), absl::OkStatus());
  EXPECT_EQ(DeleteThrough(sequence, 5), 1u);
}

TEST_P(ConformanceChange, OutliveTheStoreObject) {
  if (!engine_->keeps_data()) GTEST_SKIP() << "keeps nothing";
  Revoke(1);
  const uint64_t first = store().CommitSequence();
  Revoke(2);
  EXPECT_EQ(DeleteThrough(first), 1u);
  const uint64_t last = store().CommitSequence();
  const std::string incarnation = store().Incarnation();
  ASSERT_EQ(engine_->Reopen(), absl::OkStatus());
  EXPECT_EQ(store().Incarnation(), incarnation);
  EXPECT_EQ(store().DurableSequence(), last);
  EXPECT_TRUE(Changes(first - 1).truncated);
  EXPECT_THAT(TextsOf(Changes(first)), ElementsAre("token 2"));
  EXPECT_EQ(engine_->Verify(), absl::OkStatus());
}

// What a crash may take back is told when it is certain.
TEST_P(ConformanceChange, OnlyWhatIsDurableIsTold) {
  const uint64_t before = store().CommitSequence();
  ASSERT_EQ(store().CommitWithoutSync([](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    TokenRecord token = transaction.GetToken(TokenUidNumber(1)).value().value();
    token.revoke_time = At(1);
    if (absl::Status status = transaction.PutToken(token); !status.ok()) return status;
    return Decision::kCommit;
  }),
            absl::OkStatus());
  EXPECT_GT(store().CommitSequence(), before);
  const ChangePage page = Changes(before);
  EXPECT_FALSE(page.truncated);
  EXPECT_EQ(page.up_to, store().DurableSequence());
  if (engine_->keeps_data()) {
    EXPECT_EQ(store().DurableSequence(), before);
    EXPECT_THAT(page.changes, IsEmpty());
    EXPECT_FALSE(store().WaitForCommit(before, absl::ZeroDuration()));
    EXPECT_TRUE(Changes(before + 1).truncated);
  }
  Revoke(2);
  EXPECT_EQ(store().DurableSequence(), store().CommitSequence());
  EXPECT_THAT(TextsOf(Changes(before)), ElementsAre("token 1", "token 2"));
}

TEST_P(ConformanceChange, WaitsForTheNextMutation) {
  const uint64_t sequence = store().CommitSequence();
  EXPECT_TRUE(store().WaitForCommit(sequence - 1, kLong));
  EXPECT_FALSE(store().WaitForCommit(sequence, absl::ZeroDuration()));
  EXPECT_FALSE(store().WaitForCommit(sequence, absl::Milliseconds(1)));
  bool came = false;
  std::thread waiting([&] { came = store().WaitForCommit(sequence, kLong); });
  Revoke(1);
  waiting.join();
  EXPECT_TRUE(came);
}

TEST_P(ConformanceChange, WaitingCanBeEnded) {
  const uint64_t sequence = store().CommitSequence();
  bool came = true;
  std::thread waiting([&] { came = store().WaitForCommit(sequence, absl::InfiniteDuration()); });
  store().EndWaiting();
  waiting.join();
  EXPECT_FALSE(came);
  EXPECT_FALSE(store().WaitForCommit(sequence, absl::InfiniteDuration()));
  Revoke(1);
  EXPECT_FALSE(store().WaitForCommit(sequence, absl::InfiniteDuration()));
}

// A watcher that goes from page to page while others write misses nothing, and is told nothing twice.
TEST_P(ConformanceChange, NothingIsMissedBesideWriters) {
  constexpr uint64_t kWriters = 4;
  constexpr uint64_t kEach = 40;
  for (uint64_t number = 100; number < 100 + kWriters * kEach; ++number) {
    TokenRecord token = TokenNumber(number, bob_);
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  }
  uint64_t position = store().DurableSequence();
  std::vector<std::thread> writers;
  for (uint64_t writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([this, writer] {
      for (uint64_t i = 0; i < kEach; ++i) Revoke(100 + writer * kEach + i);
    });
  }
  std::vector<uint64_t> told;
  while (told.size() < kWriters * kEach) {
    if (!store().WaitForCommit(position, kLong)) break;
    const ChangePage page = Changes(position, 3);
    ASSERT_FALSE(page.truncated);
    EXPECT_GT(page.up_to, position);
    for (const Change& change : page.changes) {
      EXPECT_GT(change.sequence, position);
      EXPECT_LE(change.sequence, page.up_to);
      told.push_back(NumberOf(change.token));
    }
    position = page.up_to;
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_THAT(told, SizeIs(kWriters * kEach));
  std::sort(told.begin(), told.end());
  for (size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], 100 + i);
}

INSTANTIATE_TEST_SUITE_P(Every, ConformanceChange, testing::ValuesIn(AllEngines()),
                         [](const testing::TestParamInfo<Engine>& info) { return info.param.name; });

}  // namespace
}  // namespace pat
