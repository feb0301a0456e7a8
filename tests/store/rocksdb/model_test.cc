// Random mutations on both engines at once: after each, they answer alike; now and then RocksDB is opened anew and its
// indexes are compared with its records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "store/memory/memory_token_store.h"
#include "store/rocksdb/index_check.h"
#include "store/rocksdb/index_rows.h"
#include "store/rocksdb/key_encoding.h"
#include "store/rocksdb/record_codec.h"
#include "store/rocksdb/rocksdb_transaction.h"
#include "tests/store/rocksdb/rocksdb_fixture.h"

namespace pat {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kUsers = 3;
constexpr uint64_t kTokens = 40;
constexpr uint64_t kNames = 6;
constexpr int kSteps = 600;

class ModelTest : public RocksDbFixture {
 protected:
  uint64_t Random(uint64_t below) { return random_() % below; }
  absl::Time RandomTime() { return At(static_cast<int>(Random(100)) - 50); }

  // Draws a mutation as a list of steps, so that it can be run on both engines. A step adds to `answers` what it was
  // told.
  using Step = std::function<absl::Status(TokenTransaction&, std::string& answers)>;
  std::vector<Step> DrawSteps() {
    std::vector<Step> steps;
    for (uint64_t i = Random(3) + 1; i > 0; --i) steps.push_back(DrawStep());
    return steps;
  }

  Step DrawStep() {
    const uint64_t number = Random(kTokens);
    switch (Random(20)) {
      case 0:
        return [number](TokenTransaction& transaction, std::string&) {
          return transaction.DeleteToken(TokenUidNumber(number));
        };
      case 1:
        return DrawPutUser();
      case 2:
        return DrawEnd();
      case 3: {
        const std::string key = absl::StrCat("request-", Random(10));
        const RequestRecord request{.token_name = key, .forget_time = RandomTime()};
        const bool remove = Random(3) == 0;
        return [key, request, remove](TokenTransaction& transaction, std::string&) {
          return remove ? transaction.DeleteRequest(key) : transaction.PutRequest(key, request);
        };
      }
      case 4: {
        const PolicyRecord policy{.maximum_lifespan = absl::Seconds(Random(80) + 1),
                                  .maximum_live_tokens = static_cast<uint32_t>(Random(5)),
                                  .forbidden_scopes = {"x"}};
        return [policy](TokenTransaction& transaction, std::string&) { return transaction.PutPolicy(policy); };
      }
      case 5: {
        const absl::Time time = RandomTime() + absl::Seconds(Random(7) * 60);
        return [number, time](TokenTransaction& transaction, std::string&) {
          return transaction.NoteUse(TokenUidNumber(number), time);
        };
      }
      case 6:
        return DrawPurge();
      case 7:
      case 8:
        return DrawPutAudit(number);
      default:
        return DrawPutToken(number);
    }
  }

  // A change of a user, or another user of that id if the one before was deleted.
  Step DrawPutUser() {
    UserRecord drawn = UserNumber(Random(kUsers));
    drawn.uid = UserUidNumber(Random(kUsers) + 100 * Random(3));
    drawn.administrator = Random(2) == 0;
    drawn.disabled = Random(3) == 0;
    drawn.type = Random(4) == 0 ? UserType::kSaml : UserType::kLocal;
    const bool password = Random(3) == 0;
    return [drawn, password](TokenTransaction& transaction, std::string& answers) {
      UserRecord user = drawn;
      const auto known = transaction.GetUser(user.id);
      if (!known.ok()) return known.status();
      if (known->has_value()) {
        user.uid = (*known)->uid;
        user.token_epoch = (*known)->token_epoch;
      }
      if (password && known->has_value()) {
        if (absl::Status status = transaction.PutPassword(user.uid, {.salt = "salt"}); !status.ok()) return status;
      }
      return Noted("put user", transaction.PutUser(user), answers);
    };
  }

  // The end of many tokens at once.
  Step DrawEnd() {
    const absl::Time time = RandomTime();
    const std::string id = UserNumber(Random(kUsers)).id;
    const uint64_t kind = Random(5);
    return [time, id, kind](TokenTransaction& transaction, std::string& answers) {
      const auto user = transaction.GetUser(id);
      if (!user.ok()) return user.status();
      const UserUid uid = user->has_value() ? (*user)->uid : UserUidNumber(7777);
      const absl::StatusOr<uint64_t> count = kind == 0   ? transaction.RevokeAll(std::nullopt, time)
                                             : kind == 1 ? transaction.DeleteUser(uid, time)
                                                         : transaction.RevokeAll(uid, time);
      if (count.ok()) absl::StrAppend(&answers, "ended ", *count, " ");
      return count.status();
    };
  }

  Step DrawPurge() {
    const absl::Time cutoff = RandomTime() - absl::Seconds(20);
    const absl::Time audit_cutoff = RandomTime() - absl::Seconds(20);
    const uint64_t changes_back = Random(30);
    return [cutoff, audit_cutoff, changes_back](TokenTransaction& transaction, std::string& answers) {
      const auto ended = transaction.ListEnded(cutoff, 1000);
      if (!ended.ok()) return ended.status();
      for (const TokenUid& uid : *ended) {
        if (absl::Status status = transaction.DeleteToken(uid); !status.ok()) return status;
      }
      const auto rows = transaction.DeleteAuditBefore(audit_cutoff, 3);
      if (!rows.ok()) return rows.status();
      const uint64_t sequence = transaction.Sequence();
      const auto changes = transaction.DeleteChangesThrough(sequence - std::min(sequence, changes_back), 3);
      if (changes.ok()) absl::StrAppend(&answers, "purged ", ended->size(), ", ", *rows, " and ", *changes, " ");
      return changes.status();
    };
  }

  Step DrawPutAudit(uint64_t number) {
    AuditRecord row{.time = RandomTime(), .detail = absl::StrCat(number)};
    if (Random(4) != 0) row.user_id = UserNumber(Random(kUsers)).id;
    if (Random(2) != 0) row.target_user_id = UserNumber(Random(kUsers)).id;
    if (Random(2) != 0) row.target_token = TokenUidNumber(number % 4);
    return [row](TokenTransaction& transaction, std::string& answers) {
      AuditRecord numbered = row;
      numbered.sequence = transaction.Sequence();
      return Noted("audit", transaction.PutAudit(numbered), answers);
    };
  }

  Step DrawPutToken(uint64_t number) {
    const std::string owner_id = UserNumber(number % kUsers).id;
    TokenRecord drawn = TokenNumber(number, UserNumber(number % kUsers));
    drawn.display_name = absl::StrCat("name-", Random(kNames));
    drawn.expire_time = RandomTime();
    drawn.hmac = HmacNumber(Random(2 * kTokens));  // Sometimes that of another token.
    if (Random(3) == 0) drawn.revoke_time = RandomTime();
    drawn.create_time = RandomTime();
    if (Random(3) == 0) drawn.regenerate_time = RandomTime();
    return [drawn, owner_id](TokenTransaction& transaction, std::string& answers) {
      TokenRecord token = drawn;
      const auto known = transaction.GetToken(token.uid);
      if (!known.ok()) return known.status();
      const auto user = transaction.GetUser(owner_id);
      if (!user.ok()) return user.status();
      if (user->has_value()) token.owner = (*user)->uid;
      if (user->has_value()) token.epochs = {.global = *transaction.GlobalEpoch(), .owner = (*user)->token_epoch};
      token.create_sequence = transaction.Sequence();
      if (known->has_value()) {
        token.owner = (*known)->owner;
        token.epochs = (*known)->epochs;
        token.create_sequence = (*known)->create_sequence;
      }
      return Noted("put token", transaction.PutToken(token), answers);
    };
  }

  // A refusal is an answer like any other; what follows goes on without it.
  static absl::Status Noted(absl::string_view what, const absl::Status& status, std::string& answers) {
    absl::StrAppend(&answers, what, " ", static_cast<int>(status.code()), " ");
    return absl::IsAlreadyExists(status) || absl::IsInvalidArgument(status) ? absl::OkStatus() : status;
  }

  static std::string TextOf(const std::optional<TokenRecord>& token) {
    if (!token.has_value()) return "-";
    return absl::StrCat(absl::FormatTime(token->revoke_time.value_or(absl::InfinitePast())), "/",
                        absl::FormatTime(token->last_use_time.value_or(absl::InfinitePast())));
  }

  // What a transaction can be asked, as text.
  static std::string Answers(TokenTransaction& transaction) {
    std::string text =
        absl::StrCat("epoch ", *transaction.GlobalEpoch(), " administrators ", *transaction.CountAdministrators(),
                     " policy ", transaction.GetPolicy()->maximum_live_tokens, " ");
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
      // In no particular order, so which of too many it gives may differ; how many must not.
      std::vector<uint64_t> ended = NumbersOf(*transaction.ListEnded(At(cutoff), 1000));
      std::sort(ended.begin(), ended.end());
      absl::StrAppend(&text, "ended ", absl::StrJoin(ended, " "),
                      " of which 3: ", transaction.ListEnded(At(cutoff), 3)->size(), " ");
      const auto forgettable = transaction.ListForgettableRequests(At(cutoff), 4);
      for (const std::string& key : *forgettable) absl::StrAppend(&text, " ", key);
    }
    for (uint64_t number = 0; number < kTokens; number += 5) {
      absl::StrAppend(&text, " ", TextOf(*transaction.GetToken(TokenUidNumber(number))));
    }
    return text;
  }

  // Runs the same on one engine.
  static absl::Status Run(TokenStore& store, const std::vector<Step>& steps, int ending, std::string& answers) {
    const auto mutation = [&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      answers.clear();
      for (const Step& step : steps) {
        if (absl::Status status = step(transaction, answers); !status.ok()) return status;
      }
      answers += Answers(transaction);
      if (ending == 0) return absl::AbortedError("drawn");
      return ending == 1 ? Decision::kDiscard : Decision::kCommit;
    };
    return ending == 2 ? store.CommitWithoutSync(mutation) : store.Commit(mutation);
  }

  void ExpectSameReads(const TokenReader& expected, const TokenReader& actual) {
    for (uint64_t number = 0; number < 2 * kTokens; ++number) {
      EXPECT_EQ(*expected.GetToken(TokenUidNumber(number)), *actual.GetToken(TokenUidNumber(number))) << number;
      const auto one = FindNumber(expected, number);
      const auto other = FindNumber(actual, number);
      ASSERT_EQ(one.has_value(), other.has_value()) << number;
      if (!one.has_value()) continue;
      EXPECT_EQ(one->token, other->token);
      EXPECT_EQ(one->owner, other->owner);
      EXPECT_EQ(one->global_epoch, other->global_epoch);
      EXPECT_EQ(one->policy, other->policy);
    }
    for (uint64_t owner = 0; owner <= kUsers; ++owner) {
      for (const bool include_revoked : {false, true}) {
        TokenQuery query{.include_revoked = include_revoked};
        const auto user = *expected.GetUser(UserNumber(owner).id);
        if (owner < kUsers) query.owner = user.has_value() ? user->uid : UserUidNumber(owner);
        query.limit = Random(5);
        query.after_sequence = Random(2) == 0 ? Random(20) : Random(expected.CommitSequence() + 1);
        EXPECT_EQ(expected.ListTokens(query)->tokens, actual.ListTokens(query)->tokens);
        EXPECT_EQ(expected.ListTokens(query)->more, actual.ListTokens(query)->more);
        if (expected.ListTokens(query)->more) {
          TokenQuery next = query;
          next.after_sequence = actual.ListTokens(query)->up_to;
          EXPECT_EQ(expected.ListTokens(next)->tokens, actual.ListTokens(next)->tokens);
        }
      }
    }
    const UserQuery users{.after_id = Random(2) == 0 ? "" : UserNumber(Random(kUsers)).id, .limit = Random(3)};
    EXPECT_EQ(expected.ListUsers(users)->users, actual.ListUsers(users)->users);
    EXPECT_EQ(expected.ListUsers(users)->more, actual.ListUsers(users)->more);
    for (int i = 0; i < 10; ++i) {
      AuditQuery query{.newest_first = Random(2) == 0};
      if (Random(2) == 0) query.user_id = UserNumber(Random(kUsers)).id;
      if (Random(3) == 0) query.token = TokenUidNumber(Random(4));
      if (Random(2) == 0) query.start = RandomTime();
      if (Random(2) == 0) query.end = RandomTime();
      if (Random(2) == 0) query.after = {.time = RandomTime(), .sequence = Random(expected.CommitSequence() + 1)};
      query.limit = Random(6);
      EXPECT_EQ(expected.ListAudit(query)->rows, actual.ListAudit(query)->rows);
      EXPECT_EQ(expected.ListAudit(query)->more, actual.ListAudit(query)->more);
    }
    EXPECT_EQ(*expected.GetPolicy(), *actual.GetPolicy());
    // The model knows of nothing that is less durable than the rest.
    for (int i = 0; i < 5 && actual.DurableSequence() == expected.CommitSequence(); ++i) {
      const uint64_t after = Random(3) == 0 ? 0 : Random(expected.CommitSequence() + 2);
      const size_t limit = Random(5);
      const ChangePage one = *expected.ListChanges(after, limit);
      const ChangePage other = *actual.ListChanges(after, limit);
      EXPECT_EQ(one.changes, other.changes);
      EXPECT_EQ(one.up_to, other.up_to);
      EXPECT_EQ(one.truncated, other.truncated);
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

// Each row about epochs, the audit log and uses, taken away, changed and doubled: none of it stays unnoticed.
TEST_F(ModelTest, VerifyFindsWrongCountsEndsAndPlaces) {
  MakeStoreWithRevokedToken(3);
  EXPECT_EQ(RevokeAll(store(), user_.uid, At(5)), 2u);
  UserRecord administrator = UserNumber(2);
  administrator.administrator = true;
  ASSERT_EQ(Put(store(), administrator), absl::OkStatus());
  TokenRecord token = TokenNumber(10, administrator);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  EXPECT_EQ(RevokeAll(store(), std::nullopt, At(6)), 1u);
  token = TokenNumber(11, administrator);
  token.epochs.global = 1;
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    EXPECT_TRUE(transaction.NoteUse(token.uid, At(0)).ok());
    EXPECT_TRUE(transaction
                    .PutAudit({.time = At(1),
                               .sequence = transaction.Sequence(),
                               .user_id = "ada",
                               .target_user_id = "bob",
                               .target_token = token.uid})
                    .ok());
    return Decision::kCommit;
  }),
            absl::OkStatus());
  ASSERT_EQ(store().Verify(), absl::OkStatus());

  const rocks::Database& database = store().database();
  const auto verify_now = [&] { return rocks::CheckIndexes(database, nullptr).code(); };
  size_t rows = 0;
  for (const rocks::Family family :
       {rocks::Family::kEpochs, rocks::Family::kAudit, rocks::Family::kUses, rocks::Family::kMeta}) {
    rocksdb::ColumnFamilyHandle* handle = database.family(family);
    std::vector<std::pair<std::string, std::string>> there;
    const std::unique_ptr<rocksdb::Iterator> iterator(database.db().NewIterator({}, handle));
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      there.emplace_back(iterator->key().ToString(), iterator->value().ToString());
    }
    for (const auto& [key, value] : there) {
      if (family == rocks::Family::kMeta && key != rocks::kCountersKey && key != rocks::kGlobalEpochKey) continue;
      SCOPED_TRACE(absl::StrCat(rocks::kFamilyNames[rocks::IndexOf(family)], " ", absl::CHexEscape(key)));
      ++rows;
      // The use of a token may be missing; nothing else says that it was used.
      const auto without = family == rocks::Family::kUses ? absl::StatusCode::kOk : absl::StatusCode::kDataLoss;
      ASSERT_TRUE(database.db().Delete({}, handle, key).ok());
      EXPECT_EQ(verify_now(), without);
      if (!value.empty()) {
        std::string other = value;
        other[std::min<size_t>(8, other.size() - 1)] ^= 1;  // The last byte of a u64 in front.
        if (family == rocks::Family::kEpochs) other = value.substr(0, value.size() - 1);
        ASSERT_TRUE(database.db().Put({}, handle, key, other).ok());
        EXPECT_EQ(verify_now(), family == rocks::Family::kUses ? absl::StatusCode::kOk : absl::StatusCode::kDataLoss);
      }
      ASSERT_TRUE(database.db().Put({}, handle, key, value).ok());
      EXPECT_EQ(verify_now(), absl::StatusCode::kOk);
      if (family == rocks::Family::kMeta) continue;
      ASSERT_TRUE(database.db().Put({}, handle, key + "x", value).ok());
      EXPECT_EQ(verify_now(), absl::StatusCode::kDataLoss);
      ASSERT_TRUE(database.db().Delete({}, handle, key + "x").ok());
    }
  }
  // Two pairs of epochs that ended, or with tokens: three and one; one global epoch; the ends of two; the audit row and
  // its three places; the use; two rows of the store itself.
  EXPECT_EQ(rows, 13u);
}

TEST_F(ModelTest, VerifyFindsWrongChanges) {
  MakeStoreWithRevokedToken(3);
  ASSERT_EQ(store().Commit([](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    EXPECT_EQ(*transaction.DeleteChangesThrough(transaction.Sequence(), 1), 1u);
    return Decision::kCommit;
  }),
            absl::OkStatus());
  EXPECT_EQ(RevokeAll(store(), user_.uid, At(5)), 2u);
  ASSERT_EQ(store().Verify(), absl::OkStatus());
  const rocks::Database& database = store().database();
  const auto verify_now = [&] { return rocks::CheckIndexes(database, nullptr).code(); };
  const uint64_t last = store().CommitSequence();
  const auto key_of = [](uint64_t sequence) { return rocks::ChangeKey({.sequence = sequence}); };
  for (const std::string& key : {key_of(1), key_of(last + 1), key_of(last) + "x", std::string("x")}) {
    rocksdb::ColumnFamilyHandle* handle = database.family(rocks::Family::kChanges);
    ASSERT_TRUE(database.db().Put({}, handle, key, "").ok());
    EXPECT_EQ(verify_now(), absl::StatusCode::kDataLoss) << absl::CHexEscape(key);
    ASSERT_TRUE(database.db().Delete({}, handle, key).ok());
    EXPECT_EQ(verify_now(), absl::StatusCode::kOk);
  }
  rocksdb::ColumnFamilyHandle* meta = database.family(rocks::Family::kMeta);
  for (const std::string& floor : {rocks::EncodeNumber(last + 1), std::string("x")}) {
    ASSERT_TRUE(database.db().Put({}, meta, std::string(rocks::kChangeFloorKey), floor).ok());
    EXPECT_EQ(verify_now(), absl::StatusCode::kDataLoss);
  }
}

// However many tokens there are: the same few rows, and the same few bytes.
TEST_F(ModelTest, EndingAllTokensWritesAHandfulOfRows) {
  std::vector<size_t> bytes;
  std::vector<uint32_t> keys;
  for (const uint64_t tokens : {2, 600}) {
    options_.directory = absl::StrCat(scratch_.path(), "/store-of-", tokens);
    MakeStoreWithRevokedToken(tokens);
    const rocks::Database& database = store().database();
    const uint64_t global_epoch = 0;
    for (const int whose : {0, 1, 2}) {
      rocksdb::WriteBatchWithIndex batch(rocksdb::BytewiseComparator(), 0, /*overwrite_key=*/true);
      const rocks::StoreState state{
          .sequence = store().CommitSequence(),
          .global_epoch = global_epoch,
          .counters = {.unrevoked = tokens - 1, .unrevoked_in_epoch = tokens - 1, .administrators = 0},
          .policy = std::make_shared<const PolicyRecord>()};
      rocks::RocksDbTransaction transaction(database, batch, state, state.sequence + 1);
      const absl::StatusOr<uint64_t> count = whose == 0   ? transaction.RevokeAll(user_.uid, At(1))
                                             : whose == 1 ? transaction.RevokeAll(std::nullopt, At(1))
                                                          : transaction.DeleteUser(user_.uid, At(1));
      EXPECT_EQ(*count, tokens - 1);
      EXPECT_EQ(transaction.state().counters.unrevoked, 0u);
      keys.push_back(batch.GetWriteBatch()->Count());
      bytes.push_back(batch.GetDataSize());
    }
  }
  EXPECT_THAT(keys, ElementsAre(4, 3, 6, 4, 3, 6));
  EXPECT_THAT(std::vector<size_t>(bytes.begin(), bytes.begin() + 3),
              testing::ElementsAreArray(bytes.begin() + 3, bytes.end()));
}

}  // namespace
}  // namespace pat
