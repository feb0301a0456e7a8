// Random mutations on both engines at once: after each, they answer alike; now and then RocksDB is opened anew and its
// indexes are compared with its records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "absl/strings/str_cat.h"
#include "store/memory/memory_token_store.h"
#include "store/rocksdb/index_check.h"
#include "store/rocksdb/index_rows.h"
#include "tests/store/rocksdb/rocksdb_fixture.h"

namespace pat {
namespace {

constexpr uint64_t kUsers = 3;
constexpr uint64_t kTokens = 40;
constexpr uint64_t kNames = 6;
constexpr int kSteps = 450;

class ModelTest : public RocksDbFixture {
 protected:
  uint64_t Random(uint64_t below) { return random_() % below; }
  absl::Time RandomTime() { return At(static_cast<int>(Random(100)) - 50); }

  // Draws a mutation as a list of steps, so that it can be run on both engines.
  using Step = std::function<absl::Status(TokenTransaction&)>;
  std::vector<Step> DrawSteps() {
    std::vector<Step> steps;
    for (uint64_t i = Random(3) + 1; i > 0; --i) steps.push_back(DrawStep());
    return steps;
  }

  Step DrawStep() {
    const uint64_t number = Random(kTokens);
    switch (Random(10)) {
      case 0:
        return [number](TokenTransaction& transaction) { return transaction.DeleteToken(TokenUidNumber(number)); };
      case 1: {
        // Another epoch for a user, or a user that was not there.
        const uint64_t user_number = Random(kUsers);
        return [user_number](TokenTransaction& transaction) {
          UserRecord user = UserNumber(user_number);
          const auto known = transaction.GetUser(user.id);
          if (!known.ok()) return known.status();
          if (known->has_value()) {
            user = **known;
            ++user.token_epoch;
          }
          return transaction.PutUser(user);
        };
      }
      case 2: {
        const std::string key = absl::StrCat("request-", Random(10));
        const RequestRecord request{.token_name = key, .forget_time = RandomTime()};
        const bool remove = Random(3) == 0;
        return [key, request, remove](TokenTransaction& transaction) {
          return remove ? transaction.DeleteRequest(key) : transaction.PutRequest(key, request);
        };
      }
      default:
        return DrawPutToken(number);
    }
  }

  Step DrawPutToken(uint64_t number) {
    const UserRecord owner = UserNumber(number % kUsers);
    TokenRecord drawn = TokenNumber(number, owner);
    drawn.display_name = absl::StrCat("name-", Random(kNames));
    drawn.expire_time = RandomTime();
    drawn.hmac = HmacNumber(Random(2 * kTokens));  // Sometimes that of another token.
    if (Random(3) == 0) drawn.revoke_time = RandomTime();
    return [drawn, owner](TokenTransaction& transaction) {
      TokenRecord token = drawn;
      const auto known = transaction.GetToken(token.uid);
      if (!known.ok()) return known.status();
      token.create_sequence = known->has_value() ? (*known)->create_sequence : transaction.Sequence();
      const auto user = transaction.GetUser(owner.id);
      if (!user.ok()) return user.status();
      if (user->has_value()) token.epochs.owner = (*user)->token_epoch;
      const absl::Status put = transaction.PutToken(token);
      return absl::IsAlreadyExists(put) ? absl::OkStatus() : put;
    };
  }

  // What a transaction can be asked, as text.
  static std::string Answers(TokenTransaction& transaction) {
    std::string text;
    for (uint64_t number = 0; number < kUsers; ++number) {
      const auto user = transaction.GetUser(UserNumber(number).id);
      if (!user.ok() || !user->has_value()) continue;
      for (const int now : {-20, 0, 20}) {
        absl::StrAppend(&text, *transaction.CountLive(**user, At(now), 7), " ");
        for (uint64_t name = 0; name < kNames; ++name) {
          const auto live = transaction.FindLiveByDisplayName(**user, absl::StrCat("name-", name), At(now));
          // Names are not unique here, so which one is found may differ; that one is must not.
          absl::StrAppend(&text, live->has_value() ? "+" : "-");
        }
      }
    }
    for (const int cutoff : {-10, 10, 100}) {
      const auto ended = transaction.ListEnded(At(cutoff), 9);
      for (const TokenUid& uid : *ended) absl::StrAppend(&text, " ", NumberOf(uid));
      const auto forgettable = transaction.ListForgettableRequests(At(cutoff), 4);
      for (const std::string& key : *forgettable) absl::StrAppend(&text, " ", key);
    }
    return text;
  }

  // Runs the same on one engine.
  static absl::Status Run(TokenStore& store, const std::vector<Step>& steps, int ending, std::string& answers) {
    return store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      for (const Step& step : steps) {
        if (absl::Status status = step(transaction); !status.ok()) return status;
      }
      answers = Answers(transaction);
      if (ending == 0) return absl::AbortedError("drawn");
      return ending == 1 ? Decision::kDiscard : Decision::kCommit;
    });
  }

  void ExpectSameReads(const TokenReader& expected, const TokenReader& actual) {
    for (uint64_t number = 0; number < 2 * kTokens; ++number) {
      const auto one = FindNumber(expected, number);
      const auto other = FindNumber(actual, number);
      ASSERT_EQ(one.has_value(), other.has_value()) << number;
      if (!one.has_value()) continue;
      EXPECT_EQ(one->token, other->token);
      EXPECT_EQ(one->owner, other->owner);
    }
    for (uint64_t owner = 0; owner <= kUsers; ++owner) {
      for (const bool include_revoked : {false, true}) {
        TokenQuery query{.include_revoked = include_revoked};
        if (owner < kUsers) query.owner = UserUidNumber(owner);
        query.limit = Random(5);
        query.after_sequence = Random(20);
        EXPECT_EQ(expected.ListTokens(query)->tokens, actual.ListTokens(query)->tokens);
        EXPECT_EQ(expected.ListTokens(query)->more, actual.ListTokens(query)->more);
      }
    }
    EXPECT_EQ(expected.CommitSequence(), actual.CommitSequence());
  }

  std::mt19937_64 random_;
};

TEST_F(ModelTest, EnginesAnswerAlike) {
  for (int round = 0; round < 2; ++round) {
    const uint64_t seed = std::random_device()();
    std::cout << "seed " << seed << "\n";
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    random_.seed(seed);
    options_.directory = absl::StrCat(scratch_.path(), "/store-", round);
    options_.memtable_bytes = 64 << 10;
    ASSERT_EQ(Reopen(), absl::OkStatus());
    const std::unique_ptr<TokenStore> memory = NewMemoryTokenStore();
    for (int step = 0; step < kSteps; ++step) {
      const std::vector<Step> steps = DrawSteps();
      const int ending = static_cast<int>(Random(8));
      std::string expected;
      std::string actual;
      ASSERT_EQ(Run(*memory, steps, ending, expected), Run(store(), steps, ending, actual)) << "step " << step;
      ASSERT_EQ(expected, actual) << "step " << step;
      if (step % 20 == 0) ExpectSameReads(*memory, store());
      if (HasFailure()) return;
      if (step % 150 != 149) continue;
      // Both engines may hand out numbers again that were drawn and not committed; only RocksDB does, when opened anew.
      // So it is verified and reopened right after a mutation that commits.
      ASSERT_EQ(Run(*memory, {}, 7, expected), absl::OkStatus());
      ASSERT_EQ(Run(store(), {}, 7, actual), absl::OkStatus());
      ASSERT_EQ(store().Verify(), absl::OkStatus());
      ASSERT_EQ(Reopen(), absl::OkStatus());
      ASSERT_EQ(store().Verify(), absl::OkStatus());
      ExpectSameReads(*memory, store());
    }
  }
}

// The check itself must find what it is for.
TEST_F(ModelTest, VerifyFindsRowsTooFewAndTooMany) {
  MakeStoreWithRevokedToken(3);
  ASSERT_EQ(store().Verify(), absl::OkStatus());
  const rocks::Database& database = store().database();
  // Of now, not of the last published mutation: these rows are written behind the store's back.
  const auto verify_now = [&] { return rocks::CheckIndexes(database, nullptr); };
  const auto put = [&](rocks::Family family, const std::string& key, const std::string& value) {
    ASSERT_TRUE(database.db().Put({}, database.family(family), key, value).ok());
  };
  const std::vector<rocks::Row> rows = rocks::IndexRowsOf(*store().GetToken(TokenUidNumber(2)).value());
  for (const rocks::Row& row : rows) {
    ASSERT_TRUE(database.db().Delete({}, database.family(row.family), row.key).ok());
    EXPECT_EQ(verify_now().code(), absl::StatusCode::kDataLoss) << rocks::kFamilyNames[rocks::IndexOf(row.family)];
    put(row.family, row.key, row.value);
    EXPECT_EQ(verify_now(), absl::OkStatus());
    put(row.family, row.key + "x", row.value);
    EXPECT_EQ(verify_now().code(), absl::StatusCode::kDataLoss);
    ASSERT_TRUE(database.db().Delete({}, database.family(row.family), row.key + "x").ok());
  }
  put(rocks::Family::kHmacs, rows[0].key, std::string(16, 'u'));
  EXPECT_EQ(verify_now().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace pat
