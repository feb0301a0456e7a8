// What every engine must do with users, the policy and the last uses of tokens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConformanceUser : public testing::TestWithParam<Engine> {
 protected:
  TokenStore& store() { return engine_->store(); }
  void TearDown() override { EXPECT_EQ(engine_->Verify(), absl::OkStatus()); }

  absl::Status Run(absl::FunctionRef<absl::Status(TokenTransaction&)> work) {
    return store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      if (absl::Status status = work(transaction); !status.ok()) return status;
      return Decision::kCommit;
    });
  }
  absl::Status NoteUse(const TokenUid& uid, absl::Time time) {
    return Run([&](TokenTransaction& transaction) { return transaction.NoteUse(uid, time); });
  }
  absl::Status PutPassword(const UserUid& uid) {
    return Run([&](TokenTransaction& transaction) { return transaction.PutPassword(uid, {.salt = "salt"}); });
  }
  uint64_t Administrators() {
    uint64_t count = 0;
    Ask(store(), [&](TokenTransaction& transaction) { count = *transaction.CountAdministrators(); });
    return count;
  }
  std::vector<std::string> Ids(const UserQuery& query, bool more) {
    std::vector<std::string> ids;
    const absl::StatusOr<UserPage> page = store().ListUsers(query);
    EXPECT_TRUE(page.ok()) << page.status();
    EXPECT_EQ(page->more, more);
    for (const UserRecord& user : page->users) ids.push_back(user.id);
    return ids;
  }
  void NowAndAfterReopen(const std::function<void()>& check) {
    check();
    if (!engine_->keeps_data()) return;
    ASSERT_EQ(engine_->Reopen(), absl::OkStatus());
    check();
  }

  const std::unique_ptr<EngineUnderTest> engine_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(Every, ConformanceUser, testing::ValuesIn(AllEngines()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ConformanceUser, UsersAreListedByTheBytesOfTheirIds) {
  EXPECT_THAT(Ids({}, false), IsEmpty());
  uint64_t number = 0;
  for (const char* id : {"b", "a.b", "a", "z", "a-b", "a0"}) {
    UserRecord user = UserNumber(++number);
    user.id = id;
    ASSERT_EQ(Put(store(), user), absl::OkStatus());
  }
  NowAndAfterReopen([&] {
    EXPECT_THAT(Ids({}, false), ElementsAre("a", "a-b", "a.b", "a0", "b", "z"));
    EXPECT_THAT(Ids({.limit = 6}, false), ElementsAre("a", "a-b", "a.b", "a0", "b", "z"));
    EXPECT_THAT(Ids({.limit = 2}, true), ElementsAre("a", "a-b"));
    EXPECT_THAT(Ids({.after_id = "a", .limit = 2}, true), ElementsAre("a-b", "a.b"));
    EXPECT_THAT(Ids({.after_id = "a0", .limit = 2}, false), ElementsAre("b", "z"));
    EXPECT_THAT(Ids({.after_id = "aa"}, false), ElementsAre("b", "z")) << "one that is not there";
    EXPECT_THAT(Ids({.after_id = "z"}, false), IsEmpty());
    EXPECT_THAT(Ids({.limit = 0}, true), IsEmpty());
    EXPECT_EQ(store().ListUsers({.limit = 1})->users.at(0), **store().GetUser("a"));
  });
  DeleteUser(store(), (**store().GetUser("a.b")).uid, At(1));
  EXPECT_THAT(Ids({}, false), ElementsAre("a", "a-b", "a0", "b", "z"));
}

TEST_P(ConformanceUser, AdministratorsAreThoseWhoCanLogIn) {
  UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  ASSERT_EQ(PutPassword(user.uid), absl::OkStatus());
  const auto put = [&](UserType type, bool disabled, bool administrator) {
    user.type = type;
    user.disabled = disabled;
    user.administrator = administrator;
    ASSERT_EQ(Put(store(), user), absl::OkStatus());
  };
  EXPECT_EQ(Administrators(), 0u);
  for (const UserType type : {UserType::kLocal, UserType::kDirectory, UserType::kSaml}) {
    for (const bool disabled : {false, true}) {
      for (const bool administrator : {true, false, true}) {
        put(type, disabled, administrator);
        EXPECT_EQ(Administrators(), type == UserType::kLocal && !disabled && administrator ? 1u : 0u);
      }
    }
  }
  put(UserType::kLocal, false, true);
  put(UserType::kLocal, false, true);  // The same again.
  UserRecord second = UserNumber(2);
  second.administrator = true;
  ASSERT_EQ(Put(store(), second), absl::OkStatus());
  NowAndAfterReopen([&] { EXPECT_EQ(Administrators(), 1u) << "without a password"; });
  ASSERT_EQ(PutPassword(second.uid), absl::OkStatus());
  NowAndAfterReopen([&] { EXPECT_EQ(Administrators(), 2u); });
  ASSERT_EQ(PutPassword(second.uid), absl::OkStatus()) << "another one";
  EXPECT_EQ(Administrators(), 2u);
  ASSERT_EQ(Run([&](TokenTransaction& transaction) {
              EXPECT_TRUE(transaction.DeleteUser(second.uid, At(1)).ok());
              EXPECT_EQ(*transaction.CountAdministrators(), 1u);
              EXPECT_TRUE(transaction.RevokeAll(user.uid, At(1)).ok());
              EXPECT_EQ(*transaction.CountAdministrators(), 1u);
              return absl::OkStatus();
            }),
            absl::OkStatus());
  NowAndAfterReopen([&] { EXPECT_EQ(Administrators(), 1u); });
}

// In one mutation each step is counted on top of the one before.
TEST_P(ConformanceUser, AdministratorsAreCountedAsAMutationGoes) {
  UserRecord user = UserNumber(1);
  user.administrator = true;
  const auto expect = [](TokenTransaction& transaction, uint64_t count) {
    EXPECT_EQ(*transaction.CountAdministrators(), count);
  };
  ASSERT_EQ(Run([&](TokenTransaction& transaction) {
              EXPECT_TRUE(transaction.PutUser(user).ok());
              expect(transaction, 0);
              EXPECT_TRUE(transaction.PutPassword(user.uid, {.salt = "salt"}).ok());
              expect(transaction, 1);
              EXPECT_TRUE(transaction.DeleteUser(user.uid, At(1)).ok());
              expect(transaction, 0);
              EXPECT_TRUE(transaction.PutUser(user).ok());
              expect(transaction, 0);
              // The password of a user who is not an administrator yet.
              UserRecord second = UserNumber(2);
              EXPECT_TRUE(transaction.PutUser(second).ok());
              EXPECT_TRUE(transaction.PutPassword(second.uid, {.salt = "salt"}).ok());
              expect(transaction, 0);
              second.administrator = true;
              EXPECT_TRUE(transaction.PutUser(second).ok());
              expect(transaction, 1);
              return absl::OkStatus();
            }),
            absl::OkStatus());
  NowAndAfterReopen([&] { EXPECT_EQ(Administrators(), 1u); });
  // What fails counts nothing.
  EXPECT_FALSE(Run([&](TokenTransaction& transaction) {
                 EXPECT_TRUE(transaction.PutPassword(user.uid, {.salt = "salt"}).ok());
                 expect(transaction, 2);
                 return absl::AbortedError("no");
               }).ok());
  EXPECT_EQ(Administrators(), 1u);
}

TEST_P(ConformanceUser, ThePolicyIsTheDefaultUntilOneIsPut) {
  EXPECT_EQ(*store().GetPolicy(), PolicyRecord{});
  ASSERT_EQ(Put(store(), UserNumber(1)), absl::OkStatus());
  TokenRecord token = TokenNumber(1, UserNumber(1));
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  EXPECT_EQ(FindNumber(store(), 1)->policy, PolicyRecord{});
  const PolicyRecord policy{.tokens_disabled = true,
                            .maximum_lifespan = absl::Hours(3),
                            .maximum_live_tokens = 7,
                            .forbidden_scopes = {"a", "b"},
                            .change_sequence = 9};
  ASSERT_EQ(Run([&](TokenTransaction& transaction) {
              EXPECT_EQ(*transaction.GetPolicy(), PolicyRecord{});
              EXPECT_TRUE(transaction.PutPolicy(policy).ok());
              EXPECT_EQ(*transaction.GetPolicy(), policy);
              return absl::OkStatus();
            }),
            absl::OkStatus());
  NowAndAfterReopen([&] {
    EXPECT_EQ(*store().GetPolicy(), policy);
    EXPECT_EQ(FindNumber(store(), 1)->policy, policy);
    Ask(store(), [&](TokenTransaction& transaction) { EXPECT_EQ(*transaction.GetPolicy(), policy); });
  });
}

TEST_P(ConformanceUser, UsesAreKeptToTheMinuteAndNeverGoBack) {
  ASSERT_EQ(Put(store(), UserNumber(1)), absl::OkStatus());
  TokenRecord token = TokenNumber(1, UserNumber(1));
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  const absl::Time minute = absl::FromUnixSeconds(1'700'000'040);
  ASSERT_EQ(NoteUse(token.uid, minute + absl::Seconds(59)), absl::OkStatus());
  TokenRecord used = token;
  used.last_use_time = minute;
  EXPECT_EQ(*store().GetToken(token.uid), used) << "and nothing else changes";
  for (const absl::Time earlier : {minute - absl::Seconds(1), minute, absl::FromUnixSeconds(-1)}) {
    ASSERT_EQ(NoteUse(token.uid, earlier), absl::OkStatus());
    EXPECT_EQ(*store().GetToken(token.uid), used);
  }
  ASSERT_EQ(NoteUse(token.uid, minute + absl::Minutes(1)), absl::OkStatus());
  used.last_use_time = minute + absl::Minutes(1);
  NowAndAfterReopen([&] {
    EXPECT_EQ(*store().GetToken(token.uid), used);
    EXPECT_THAT(store().ListTokens({})->tokens, ElementsAre(used));
    EXPECT_THAT(store().ListTokens({.owner = token.owner, .include_revoked = true})->tokens, ElementsAre(used));
    EXPECT_EQ(FindNumber(store(), 1)->token, token) << "not on the way of a check";
    Ask(store(), [&](TokenTransaction& transaction) { EXPECT_EQ(*transaction.GetToken(token.uid), used); });
  });
  // Putting the token does not look at it: neither takes it away nor sets it.
  ASSERT_EQ(Put(store(), token), absl::OkStatus());
  TokenRecord invented = token;
  invented.last_use_time = At(1'000'000);
  ASSERT_EQ(Put(store(), invented), absl::OkStatus());
  EXPECT_EQ(*store().GetToken(token.uid), used);
}

TEST_P(ConformanceUser, AUseGoesWithItsToken) {
  ASSERT_EQ(Put(store(), UserNumber(1)), absl::OkStatus());
  TokenRecord token = TokenNumber(1, UserNumber(1));
  ASSERT_EQ(NoteUse(token.uid, At(0)), absl::OkStatus()) << "of a token that is not there";
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  EXPECT_EQ((*store().GetToken(token.uid))->last_use_time, std::nullopt);
  ASSERT_EQ(NoteUse(token.uid, At(0)), absl::OkStatus());
  ASSERT_EQ(Delete(store(), token.uid), absl::OkStatus());
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  EXPECT_EQ((*store().GetToken(token.uid))->last_use_time, std::nullopt);
}

TEST_P(ConformanceUser, WhatIsCommittedWithoutSyncIsVisibleAtOnceAndStays) {
  ASSERT_EQ(Put(store(), UserNumber(1)), absl::OkStatus());
  const uint64_t before = store().CommitSequence();
  uint64_t sequence = 0;
  for (const bool fail : {true, false}) {
    const absl::Status status =
        store().CommitWithoutSync([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
          sequence = transaction.Sequence();
          EXPECT_TRUE(transaction.PutPolicy({.maximum_live_tokens = 3}).ok());
          EXPECT_TRUE(transaction.PutUser(UserNumber(2)).ok());
          if (fail) return absl::AbortedError("no");
          return Decision::kCommit;
        });
    EXPECT_EQ(status.ok(), !fail);
    EXPECT_EQ((*store().GetUser("user-2")).has_value(), !fail);
  }
  EXPECT_GT(sequence, before);
  NowAndAfterReopen([&] {
    EXPECT_EQ(store().CommitSequence(), sequence);
    EXPECT_EQ(store().GetPolicy()->maximum_live_tokens, 3u);
    EXPECT_TRUE((*store().GetUser("user-2")).has_value());
  });
}

}  // namespace
}  // namespace pat
