// What is removed, at which instant, and that there may be any number of it.
#include "server/core/purge.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/retention.h"
#include "store/memory/memory_token_store.h"
#include "store/token_store.h"
#include "tests/store/records_for_tests.h"
#include "tests/support/controlled_token_store.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kTick = absl::Nanoseconds(1);

class PurgeEndedTest : public testing::Test {
 protected:
  PurgeEndedTest() { EXPECT_TRUE(Put(*engine_, owner_).ok()); }

  void AddToken(uint64_t number, absl::Time expire_time, std::optional<absl::Time> revoke_time = std::nullopt) {
    TokenRecord token = TokenNumber(number, owner_);
    token.expire_time = expire_time;
    token.revoke_time = revoke_time;
    ASSERT_TRUE(Insert(*engine_, token).ok());
  }

  void AddRequest(const std::string& key, absl::Time forget_time) {
    const absl::Status done = engine_->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      if (absl::Status status = transaction.PutRequest(key, {.forget_time = forget_time}); !status.ok()) return status;
      return Decision::kCommit;
    });
    ASSERT_TRUE(done.ok()) << done;
  }

  bool KnowsRequest(const std::string& key) {
    bool known = false;
    const absl::Status done = engine_->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      known = transaction.GetRequest(key).value().has_value();
      return Decision::kDiscard;
    });
    EXPECT_TRUE(done.ok()) << done;
    return known;
  }

  std::vector<uint64_t> TokensLeft() { return ListAll(*engine_, {.include_revoked = true}); }

  // Purges; an error fails the test. The number of tokens that were removed.
  size_t PurgeTokens(absl::Time now) {
    const absl::StatusOr<Purged> purged = PurgeEnded(store_, retention_, now);
    EXPECT_TRUE(purged.ok()) << purged.status();
    return purged.ok() ? purged->tokens : 0;
  }

  const Retention retention_;
  const absl::Duration kept_ = retention_.ended_tokens;
  const UserRecord owner_ = UserNumber(1);
  const std::unique_ptr<TokenStore> engine_ = NewMemoryTokenStore();
  ControlledTokenStore store_{*engine_};
};

TEST_F(PurgeEndedTest, AnExpiredTokenIsKeptForTheWholeRetentionAndNotATickLonger) {
  AddToken(1, At(100));
  for (const absl::Time now : {At(0), At(100), At(100) + kept_ - kTick, At(100) + kept_}) {
    EXPECT_EQ(PurgeTokens(now), 0) << now;
    EXPECT_THAT(TokensLeft(), ElementsAre(1)) << now;
  }
  EXPECT_EQ(PurgeTokens(At(100) + kept_ + kTick), 1);
  EXPECT_THAT(TokensLeft(), IsEmpty());
}

TEST_F(PurgeEndedTest, ARevokedTokenIsKeptFromItsRevocationOn) {
  AddToken(1, At(1000), At(50));
  EXPECT_EQ(PurgeTokens(At(50) + kept_), 0);
  EXPECT_EQ(PurgeTokens(At(50) + kept_ + kTick), 1);
  EXPECT_THAT(TokensLeft(), IsEmpty());
}

TEST_F(PurgeEndedTest, ARevocationAfterTheExpiryDoesNotProlongAnything) {
  AddToken(1, At(100), At(5000));
  EXPECT_EQ(PurgeTokens(At(100) + kept_), 0);
  EXPECT_EQ(PurgeTokens(At(100) + kept_ + kTick), 1);
}

TEST_F(PurgeEndedTest, ATokenThatEndedWithItsEpochIsKeptFromThatOn) {
  AddToken(1, At(1'000'000'000));
  AddToken(2, At(10));  // Expired before.
  EXPECT_EQ(RevokeAll(*engine_, owner_.uid, At(50)), 2u);
  EXPECT_EQ(PurgeTokens(At(10) + kept_ + kTick), 1);
  EXPECT_EQ(PurgeTokens(At(50) + kept_), 0);
  EXPECT_THAT(TokensLeft(), ElementsAre(1));
  EXPECT_EQ(PurgeTokens(At(50) + kept_ + kTick), 1);
  EXPECT_THAT(TokensLeft(), IsEmpty());
}

TEST_F(PurgeEndedTest, RowsOfTheAuditLogAreKeptForTheirOwnTime) {
  for (const int at : {100, 101}) {
    const absl::Status done = engine_->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      const AuditRecord row{.time = At(at), .sequence = transaction.Sequence()};
      if (absl::Status put = transaction.PutAudit(row); !put.ok()) return put;
      return Decision::kCommit;
    });
    ASSERT_TRUE(done.ok()) << done;
  }
  const auto purge = [&](absl::Time now) { return PurgeEnded(store_, retention_, now).value().audit_rows; };
  EXPECT_EQ(purge(At(100) + retention_.audit), 0u);
  EXPECT_EQ(purge(At(100) + retention_.audit + kTick), 1u);
  EXPECT_EQ(engine_->ListAudit({})->rows.size(), 1u);
  EXPECT_EQ(engine_->ListAudit({})->rows[0].time, At(101));
}

TEST_F(PurgeEndedTest, OnlyWhatEndedLongAgoGoes) {
  AddToken(1, At(100));
  AddToken(2, At(1'000'000'000));
  AddToken(3, At(1'000'000'000), At(100));
  AddToken(4, At(101));
  EXPECT_EQ(PurgeTokens(At(100) + kept_ + kTick), 2);
  EXPECT_THAT(TokensLeft(), ElementsAre(2, 4));
}

TEST_F(PurgeEndedTest, APurgedTokenIsGoneForGood) {
  AddToken(1, At(100));
  ASSERT_EQ(PurgeTokens(At(200) + kept_), 1);
  EXPECT_EQ(engine_->GetToken(TokenUidNumber(1)).value(), std::nullopt);
  EXPECT_FALSE(FindNumber(*engine_, 1).has_value());
}

TEST_F(PurgeEndedTest, TheRetentionIsAMatterOfConfiguration) {
  AddToken(1, At(100));
  const absl::StatusOr<Purged> purged = PurgeEnded(store_, {.ended_tokens = absl::ZeroDuration()}, At(100) + kTick);
  ASSERT_TRUE(purged.ok());
  EXPECT_EQ(purged->tokens, 1);
}

TEST_F(PurgeEndedTest, ARequestIdIsForgottenAfterItsTimeAndNotBefore) {
  AddRequest("early", At(100));
  AddRequest("late", At(101));
  for (const absl::Time now : {At(0), At(100)}) {
    const absl::StatusOr<Purged> purged = PurgeEnded(store_, retention_, now);
    ASSERT_TRUE(purged.ok());
    EXPECT_EQ(purged->requests, 0) << now;
  }
  const absl::StatusOr<Purged> purged = PurgeEnded(store_, retention_, At(100) + kTick);
  ASSERT_TRUE(purged.ok());
  EXPECT_EQ(purged->requests, 1);
  EXPECT_FALSE(KnowsRequest("early"));
  EXPECT_TRUE(KnowsRequest("late"));
}

TEST_F(PurgeEndedTest, WithNothingToDoNothingIsWritten) {
  AddToken(1, At(100));
  AddRequest("request", At(100));
  const uint64_t before = engine_->CommitSequence();
  EXPECT_EQ(PurgeTokens(At(50)), 0);
  EXPECT_EQ(engine_->CommitSequence(), before);
}

TEST_F(PurgeEndedTest, AnErrorOfTheStoreIsReturnedAndNothingIsLost) {
  AddToken(1, At(100));
  store_.FailCommitsWith(absl::UnavailableError("no disk"));
  const absl::Time later = At(200) + kept_;
  EXPECT_EQ(PurgeEnded(store_, retention_, later).status(), absl::UnavailableError("no disk"));
  EXPECT_THAT(TokensLeft(), ElementsAre(1));
  store_.FailCommitsWith(absl::OkStatus());
  EXPECT_EQ(PurgeTokens(later), 1);
}

TEST_F(PurgeEndedTest, StopsBetweenTransactionsAndTheNextOneGoesOn) {
  constexpr size_t kTokens = 1201;
  for (uint64_t i = 1; i <= kTokens; ++i) AddToken(i, At(100));
  int transactions = 0;
  store_.AfterCommit([&transactions] { ++transactions; });
  const absl::Time later = At(200) + kept_;

  absl::StatusOr<Purged> purged = PurgeEnded(store_, retention_, later, [] { return true; });
  ASSERT_TRUE(purged.ok()) << purged.status();
  EXPECT_EQ(purged->tokens, 0u);
  EXPECT_EQ(transactions, 0);

  purged = PurgeEnded(store_, retention_, later, [&transactions] { return transactions == 1; });
  ASSERT_TRUE(purged.ok()) << purged.status();
  EXPECT_EQ(purged->tokens, 500u);
  EXPECT_EQ(transactions, 1);
  EXPECT_EQ(PurgeTokens(later), kTokens - 500);
}

// More than fits into one transaction of 500, on both sides of each multiple.
struct Amount {
  size_t tokens;
  size_t requests;
  int transactions;
};

class PurgeManyTest : public PurgeEndedTest, public testing::WithParamInterface<Amount> {};

TEST_P(PurgeManyTest, EverythingGoesInSeveralTransactions) {
  const Amount& amount = GetParam();
  for (uint64_t i = 1; i <= amount.tokens; ++i) AddToken(i, At(100));
  for (size_t i = 0; i < amount.requests; ++i) AddRequest(absl::StrCat("request ", i), At(100));
  AddToken(1'000'000, At(1'000'000'000));
  AddRequest("alive", At(1'000'000'000));
  int transactions = 0;
  store_.AfterCommit([&transactions] { ++transactions; });

  const absl::StatusOr<Purged> purged = PurgeEnded(store_, retention_, At(200) + kept_);
  ASSERT_TRUE(purged.ok()) << purged.status();
  EXPECT_EQ(purged->tokens, amount.tokens);
  EXPECT_EQ(purged->requests, amount.requests);
  EXPECT_EQ(transactions, amount.transactions);
  EXPECT_THAT(TokensLeft(), ElementsAre(1'000'000));
  EXPECT_TRUE(KnowsRequest("alive"));
}

INSTANTIATE_TEST_SUITE_P(Amounts, PurgeManyTest,
                         testing::Values(Amount{0, 0, 1}, Amount{499, 0, 1}, Amount{500, 0, 2}, Amount{501, 0, 2},
                                         Amount{1201, 3, 3}, Amount{3, 1001, 3}, Amount{500, 500, 2}),
                         [](const testing::TestParamInfo<Amount>& amount) {
                           return absl::StrCat(amount.param.tokens, "Tokens", amount.param.requests, "Requests");
                         });

}  // namespace
}  // namespace pat
