// What every engine must do: reading, lists, and the questions that a mutation may ask.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ConformanceRead : public testing::TestWithParam<Engine> {
 protected:
  TokenStore& store() { return engine_->store(); }

  // Runs `ask` in a mutation that leaves nothing.
  void Ask(absl::FunctionRef<void(TokenTransaction&)> ask) {
    ASSERT_TRUE(store()
                    .Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
                      ask(transaction);
                      return Decision::kDiscard;
                    })
                    .ok());
  }

  void TearDown() override { EXPECT_EQ(engine_->Verify(), absl::OkStatus()); }

  const std::unique_ptr<EngineUnderTest> engine_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(Every, ConformanceRead, testing::ValuesIn(AllEngines()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ConformanceRead, NewStoreIsEmpty) {
  EXPECT_EQ(store().CommitSequence(), 0u);
  EXPECT_THAT(store().Incarnation(), SizeIs(32));
  EXPECT_EQ(FindNumber(store(), 1), std::nullopt);
  EXPECT_EQ(*store().GetToken(TokenUidNumber(1)), std::nullopt);
  EXPECT_EQ(*store().GetUser("user-1"), std::nullopt);
  EXPECT_EQ(*store().GetPassword(UserUidNumber(1)), std::nullopt);
  EXPECT_EQ(*store().GetCacheBound(), CacheBoundRecord{});
  EXPECT_THAT(ListAll(store(), {.include_revoked = true}), IsEmpty());
}

TEST_P(ConformanceRead, PeppersThatTokensAreKeptUnder) {
  EXPECT_THAT(*store().PepperIds(), IsEmpty());
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  PepperId greatest;
  greatest.fill(0xff);
  const PepperId other = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  const PepperId after_it = {1};
  uint64_t number = 0;
  for (const PepperId& id : {greatest, after_it, other, after_it, greatest, other}) {
    TokenRecord token = TokenNumber(++number, user);
    token.hmac.pepper_id = id;
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  }
  EXPECT_THAT(*store().PepperIds(), ElementsAre(other, after_it, greatest));
  ASSERT_EQ(Delete(store(), TokenUidNumber(3)), absl::OkStatus());
  EXPECT_THAT(*store().PepperIds(), ElementsAre(other, after_it, greatest));
  ASSERT_EQ(Delete(store(), TokenUidNumber(6)), absl::OkStatus());
  EXPECT_THAT(*store().PepperIds(), ElementsAre(after_it, greatest));
}

TEST_P(ConformanceRead, TwoStoresHaveTwoIncarnations) {
  const std::unique_ptr<EngineUnderTest> other = GetParam().make();
  EXPECT_NE(store().Incarnation(), other->store().Incarnation());
}

TEST_P(ConformanceRead, RecordsComeBackAsTheyWere) {
  UserRecord user = UserNumber(1);
  user.type = UserType::kSaml;
  user.disabled = user.administrator = true;
  user.change_sequence = 3;
  TokenRecord token = TokenNumber(1, user);
  token.audiences = {"billing", ""};
  token.description = std::string("\0bytes\xff", 7);
  token.revoke_time = At(-5) + absl::Nanoseconds(123456789);
  token.regenerate_time = At(5);
  const PasswordRecord password{.scrypt_n = 1 << 15, .scrypt_r = 8, .scrypt_p = 1, .salt = "salt", .hash = {9}};
  const CacheBoundRecord bound{.granted = absl::Hours(1), .previous = absl::Hours(2), .previous_end = At(50)};
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  ASSERT_TRUE(store()
                  .Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
                    EXPECT_EQ(*transaction.GetPassword(user.uid), std::nullopt);
                    EXPECT_TRUE(transaction.PutPassword(user.uid, password).ok());
                    EXPECT_EQ(*transaction.GetPassword(user.uid), password);
                    EXPECT_TRUE(transaction.PutCacheBound(bound).ok());
                    EXPECT_EQ(*transaction.GetCacheBound(), bound);
                    return Decision::kCommit;
                  })
                  .ok());
  EXPECT_EQ(*store().GetUser("user-1"), user);
  EXPECT_EQ(*store().GetToken(token.uid), token);
  EXPECT_EQ(*store().GetPassword(user.uid), password);
  EXPECT_EQ(*store().GetCacheBound(), bound);
  const std::optional<TokenSnapshot> found = FindNumber(store(), 1);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->token, token);
  EXPECT_EQ(found->owner, user);
  EXPECT_EQ(found->global_epoch, 0u);
}

TEST_P(ConformanceRead, FindTriesEveryCandidateAndNeverBlocksOnWhatWasJustWritten) {
  const UserRecord user = UserNumber(1);
  TokenRecord token = TokenNumber(1, user);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  const std::vector<TokenHmac> candidates = {HmacNumber(8), HmacNumber(1), HmacNumber(9)};
  const absl::StatusOr<FindOutcome> found = store().FindByHmac(candidates, Blocking::kForbidden);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->would_block);
  ASSERT_TRUE(found->found.has_value());
  EXPECT_EQ(found->found->token.uid, token.uid);
  EXPECT_EQ(store().FindByHmac({}, Blocking::kAllowed)->found.has_value(), false);
}

TEST_P(ConformanceRead, ThereIsNoTokenOfNobody) {
  TokenRecord token = TokenNumber(1, UserNumber(1));
  EXPECT_EQ(Insert(store(), token).code(), absl::StatusCode::kInvalidArgument);
  // A former user of this id: the uid tells them apart.
  UserRecord former = UserNumber(1);
  former.uid = UserUidNumber(99);
  token = TokenNumber(1, former);
  ASSERT_EQ(Put(store(), UserNumber(1)), absl::OkStatus());
  EXPECT_EQ(Insert(store(), token).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ListAll(store(), {.include_revoked = true}), IsEmpty());
}

TEST_P(ConformanceRead, ListsAreInOrderOfCreationAndByOwner) {
  const UserRecord first = UserNumber(1);
  const UserRecord second = UserNumber(2);
  ASSERT_EQ(Put(store(), first), absl::OkStatus());
  ASSERT_EQ(Put(store(), second), absl::OkStatus());
  // Uids fall while sequences rise: the order is that of creation.
  for (const uint64_t number : {9, 7, 5, 3, 1}) {
    TokenRecord token = TokenNumber(number, number == 5 ? second : first);
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  }
  for (const bool include_revoked : {false, true}) {
    EXPECT_THAT(ListAll(store(), {.include_revoked = include_revoked}), ElementsAre(9, 7, 5, 3, 1));
    EXPECT_THAT(ListAll(store(), {.owner = first.uid, .include_revoked = include_revoked}), ElementsAre(9, 7, 3, 1));
    EXPECT_THAT(ListAll(store(), {.owner = second.uid, .include_revoked = include_revoked}), ElementsAre(5));
    EXPECT_THAT(ListAll(store(), {.owner = UserUidNumber(3), .include_revoked = include_revoked}), IsEmpty());
  }
}

TEST_P(ConformanceRead, PageEndsExactlyAtItsLimit) {
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  std::vector<TokenRecord> made;
  for (uint64_t number = 1; number <= 4; ++number) {
    made.push_back(TokenNumber(number, user));
    ASSERT_EQ(Insert(store(), made.back()), absl::OkStatus());
  }
  for (const std::optional<UserUid>& owner : {std::optional<UserUid>(), std::optional<UserUid>(user.uid)}) {
    for (const bool include_revoked : {false, true}) {
      TokenQuery query{.owner = owner, .include_revoked = include_revoked};
      query.limit = 3;
      EXPECT_THAT(NumbersOf(store().ListTokens(query)->tokens), ElementsAre(1, 2, 3));
      EXPECT_TRUE(store().ListTokens(query)->more);
      query.limit = 4;
      EXPECT_THAT(store().ListTokens(query)->tokens, SizeIs(4));
      EXPECT_FALSE(store().ListTokens(query)->more);
      query.after_sequence = made[1].create_sequence;
      EXPECT_THAT(NumbersOf(store().ListTokens(query)->tokens), ElementsAre(3, 4));
      query.after_sequence = made[3].create_sequence;
      EXPECT_THAT(store().ListTokens(query)->tokens, IsEmpty());
      query.after_sequence = std::numeric_limits<uint64_t>::max();
      EXPECT_THAT(store().ListTokens(query)->tokens, IsEmpty());
      query.after_sequence = 0;
      query.limit = 0;
      EXPECT_THAT(store().ListTokens(query)->tokens, IsEmpty());
      EXPECT_TRUE(store().ListTokens(query)->more);
      query.limit = std::numeric_limits<size_t>::max();
      EXPECT_THAT(store().ListTokens(query)->tokens, SizeIs(4));
    }
  }
}

TEST_P(ConformanceRead, RevokedLeaveTheListsOfUnrevoked) {
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  for (uint64_t number = 1; number <= 3; ++number) {
    TokenRecord token = TokenNumber(number, user);
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
    if (number != 2) continue;
    token.revoke_time = At(1);
    ASSERT_EQ(Put(store(), token), absl::OkStatus());
  }
  EXPECT_THAT(ListAll(store(), {}), ElementsAre(1, 3));
  EXPECT_THAT(ListAll(store(), {.owner = user.uid}), ElementsAre(1, 3));
  EXPECT_THAT(ListAll(store(), {.include_revoked = true}), ElementsAre(1, 2, 3));
  EXPECT_THAT(ListAll(store(), {.owner = user.uid, .include_revoked = true}), ElementsAre(1, 2, 3));
  EXPECT_EQ(FindNumber(store(), 2)->token.revoke_time, At(1)) << "revoked is found: judging is the caller's part";
}

// However many tokens ended with their owner's epoch: a page has a bound, and the pages together are the whole list.
TEST_P(ConformanceRead, APageOfEverybodysPassesOverABoundedNumber) {
  const UserRecord ada = UserNumber(1);
  const UserRecord bob = UserNumber(2);
  ASSERT_EQ(Put(store(), ada), absl::OkStatus());
  ASSERT_EQ(Put(store(), bob), absl::OkStatus());
  TokenRecord first = TokenNumber(1, bob);
  ASSERT_EQ(Insert(store(), first), absl::OkStatus());
  const uint64_t last = kMostPassedOver + 2;
  uint64_t last_dead = 0;
  for (uint64_t number = 2; number < last; ++number) {
    TokenRecord token = TokenNumber(number, ada);
    ASSERT_EQ(store().CommitWithoutSync([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      token.create_sequence = last_dead = transaction.Sequence();
      if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
      return Decision::kCommit;
    }),
              absl::OkStatus());
  }
  // As many as a page may pass over, and nothing behind them: it is the whole list.
  EXPECT_EQ(RevokeAll(store(), ada.uid, At(10)), kMostPassedOver);
  EXPECT_THAT(NumbersOf(store().ListTokens({})->tokens), ElementsAre(1));
  EXPECT_FALSE(store().ListTokens({})->more);

  // It ends behind them, whatever comes next.
  TokenRecord behind = TokenNumber(last, bob);
  ASSERT_EQ(Insert(store(), behind), absl::OkStatus());
  for (const uint64_t after : {uint64_t{0}, first.create_sequence}) {
    const auto page = store().ListTokens({.after_sequence = after});
    EXPECT_THAT(page->tokens, SizeIs(after == 0 ? 1 : 0));
    EXPECT_TRUE(page->more);
    EXPECT_EQ(page->up_to, last_dead);
  }
  const auto next = store().ListTokens({.after_sequence = last_dead});
  EXPECT_THAT(NumbersOf(next->tokens), ElementsAre(last));
  EXPECT_FALSE(next->more);
  EXPECT_THAT(ListAll(store(), {}), ElementsAre(1, last));
  // Nobody's own list has any that are passed over.
  EXPECT_THAT(ListAll(store(), {.owner = bob.uid}), ElementsAre(1, last));
  EXPECT_THAT(store().ListTokens({.owner = ada.uid})->tokens, IsEmpty());
  EXPECT_FALSE(store().ListTokens({.owner = ada.uid})->more);
}

TEST_P(ConformanceRead, ExpiredStayInTheLists) {
  const UserRecord user = UserNumber(1);
  TokenRecord token = TokenNumber(1, user);
  token.expire_time = At(-1'000'000'000);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  EXPECT_THAT(ListAll(store(), {.owner = user.uid}), ElementsAre(1));
}

TEST_P(ConformanceRead, LiveEndsAtTheExpiryInstant) {
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  TokenRecord token = TokenNumber(1, user);
  token.expire_time = At(10);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  Ask([&](TokenTransaction& transaction) {
    const auto just_before = At(10) - absl::Nanoseconds(1);
    EXPECT_EQ(*transaction.CountLive(user, just_before, 10), 1u);
    EXPECT_EQ(*transaction.CountLive(user, At(10), 10), 0u);
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "token-1", just_before), token.uid);
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "token-1", At(10)), std::nullopt);
  });
}

// By what the transaction itself has made of the policy too.
TEST_P(ConformanceRead, LiveEndsWithThePolicysLongestLifeOfASecret) {
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  TokenRecord token = TokenNumber(1, user);
  ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  TokenRecord regenerated = TokenNumber(2, user);
  ASSERT_EQ(Insert(store(), regenerated), absl::OkStatus());
  regenerated.regenerate_time = At(50) + absl::Milliseconds(500);  // The end is cut to the second.
  ASSERT_EQ(Put(store(), regenerated), absl::OkStatus());
  Ask([&](TokenTransaction& transaction) {
    const auto expect_live = [&](absl::Time now, bool first, bool second) {
      SCOPED_TRACE(now);
      EXPECT_EQ(*transaction.CountLive(user, now, 10), static_cast<size_t>(first) + static_cast<size_t>(second));
      EXPECT_EQ(transaction.FindLiveByDisplayName(user, "token-1", now)->has_value(), first);
      EXPECT_EQ(transaction.FindLiveByDisplayName(user, "token-2", now)->has_value(), second);
    };
    expect_live(At(150), true, true);
    ASSERT_EQ(transaction.PutPolicy({.maximum_lifespan = absl::Seconds(100)}), absl::OkStatus());
    expect_live(At(100) - absl::Nanoseconds(1), true, true);
    expect_live(At(100), false, true);
    expect_live(At(150) - absl::Nanoseconds(1), false, true);
    expect_live(At(150), false, false);
    // Its own end stays the end.
    ASSERT_EQ(transaction.PutPolicy({.maximum_lifespan = absl::Seconds(5000)}), absl::OkStatus());
    expect_live(At(1000) - absl::Nanoseconds(1), true, true);
    expect_live(At(1000), false, false);
  });
}

TEST_P(ConformanceRead, WhatThePolicyHasEndedHidesNobodyBehindIt) {
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  TokenRecord ended = TokenNumber(1, user);
  TokenRecord live = TokenNumber(2, user);
  ended.display_name = live.display_name = "deploy";
  live.create_time = At(90);
  live.expire_time = At(150);  // Earlier than that of the one that has ended.
  ASSERT_EQ(Insert(store(), ended), absl::OkStatus());
  ASSERT_EQ(Insert(store(), live), absl::OkStatus());
  Ask([&](TokenTransaction& transaction) {
    ASSERT_EQ(transaction.PutPolicy({.maximum_lifespan = absl::Seconds(100)}), absl::OkStatus());
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "deploy", At(120)), live.uid);
    EXPECT_EQ(*transaction.CountLive(user, At(120), 10), 1u);
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "deploy", At(150)), std::nullopt);
  });
}

TEST_P(ConformanceRead, CountingStopsAtItsLimit) {
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  for (uint64_t number = 1; number <= 5; ++number) {
    TokenRecord token = TokenNumber(number, user);
    token.expire_time = At(static_cast<int>(number));
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  }
  Ask([&](TokenTransaction& transaction) {
    EXPECT_EQ(*transaction.CountLive(user, At(0), 10), 5u);
    EXPECT_EQ(*transaction.CountLive(user, At(0), 3), 3u);
    EXPECT_EQ(*transaction.CountLive(user, At(0), 0), 0u);
    EXPECT_EQ(*transaction.CountLive(user, At(2), 10), 3u);
    EXPECT_EQ(*transaction.CountLive(UserNumber(2), At(0), 10), 0u);
  });
}

TEST_P(ConformanceRead, LiveNameIsTheOneThatExpiresLast) {
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  // The name was used, expired, used again: and the older one is still kept.
  int expiry = 10;
  for (uint64_t number = 1; number <= 3; ++number, expiry += 10) {
    TokenRecord token = TokenNumber(number, user);
    token.display_name = "deploy";
    token.expire_time = At(expiry);
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  }
  Ask([&](TokenTransaction& transaction) {
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "deploy", At(25)), TokenUidNumber(3));
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "deploy", At(30)), std::nullopt);
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "deplo", At(0)), std::nullopt);
    EXPECT_EQ(*transaction.FindLiveByDisplayName(user, "deploy2", At(0)), std::nullopt);
    EXPECT_EQ(*transaction.FindLiveByDisplayName(UserNumber(2), "deploy", At(0)), std::nullopt);
  });
}

TEST_P(ConformanceRead, NamesOfAnyBytesAreKeptApart) {
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  const std::vector<std::string> names = {"",
                                          "a",
                                          "ab",
                                          std::string("a\0", 2),
                                          std::string("a\0b", 3),
                                          std::string("\0", 1),
                                          "a\xff",
                                          "\xff\xff",
                                          std::string("a\0\xff", 3),
                                          std::string("a\0\x01", 3)};
  for (uint64_t number = 0; number < names.size(); ++number) {
    TokenRecord token = TokenNumber(number, user);
    token.display_name = names[number];
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  }
  Ask([&](TokenTransaction& transaction) {
    for (uint64_t number = 0; number < names.size(); ++number) {
      EXPECT_EQ(*transaction.FindLiveByDisplayName(user, names[number], At(0)), TokenUidNumber(number)) << number;
    }
  });
}

TEST_P(ConformanceRead, EndedAreThoseThatEndedBeforeTheCutoff) {
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(store(), user), absl::OkStatus());
  const auto insert = [&](uint64_t number, int expire, std::optional<absl::Time> revoke) {
    TokenRecord token = TokenNumber(number, user);
    token.expire_time = At(expire);
    token.revoke_time = revoke;
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  };
  insert(1, 40, std::nullopt);
  insert(2, 100, At(30));  // Revoked before it would have expired.
  insert(3, 20, At(90));   // Expired first, revoked later.
  insert(4, 50, std::nullopt);
  Ask([&](TokenTransaction& transaction) {
    EXPECT_THAT(NumbersOf(*transaction.ListEnded(At(50), 10)), UnorderedElementsAre(3, 2, 1))
        << "the cutoff itself is not before";
    EXPECT_THAT(NumbersOf(*transaction.ListEnded(At(50) + absl::Nanoseconds(1), 10)), UnorderedElementsAre(3, 2, 1, 4));
    EXPECT_THAT(*transaction.ListEnded(At(1000), 2), SizeIs(2));
    EXPECT_THAT(*transaction.ListEnded(At(20), 10), IsEmpty());
    EXPECT_THAT(*transaction.ListEnded(At(1000), 0), IsEmpty());
    EXPECT_THAT(*transaction.ListEnded(absl::InfinitePast(), 10), IsEmpty());
    EXPECT_THAT(*transaction.ListEnded(absl::InfiniteFuture(), 10), SizeIs(4));
  });
}

TEST_P(ConformanceRead, RequestsAreKeptUntilForgotten) {
  const auto put = [&](const std::string& key, int forget) {
    ASSERT_TRUE(store()
                    .Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
                      const RequestRecord request{
                          .body_hash = {1, 2}, .token_name = "users/a/tokens/b", .forget_time = At(forget)};
                      EXPECT_TRUE(transaction.PutRequest(key, request).ok());
                      EXPECT_EQ(*transaction.GetRequest(key), request);
                      return Decision::kCommit;
                    })
                    .ok());
  };
  put("b", 10);
  put("a", 20);
  put(std::string("\0c", 2), 30);
  put("", 40);
  put("b", 50);  // Put again: its old place in the order of forgetting is gone.
  Ask([&](TokenTransaction& transaction) {
    EXPECT_EQ(transaction.GetRequest("b")->value().forget_time, At(50));
    EXPECT_EQ(*transaction.GetRequest("c"), std::nullopt);
    EXPECT_THAT(*transaction.ListForgettableRequests(At(30), 10), ElementsAre("a"));
    EXPECT_THAT(*transaction.ListForgettableRequests(At(1000), 10), ElementsAre("a", std::string("\0c", 2), "", "b"));
    EXPECT_THAT(*transaction.ListForgettableRequests(At(1000), 1), ElementsAre("a"));
  });
  ASSERT_TRUE(store()
                  .Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
                    EXPECT_TRUE(transaction.DeleteRequest("a").ok());
                    EXPECT_TRUE(transaction.DeleteRequest("unknown").ok());
                    EXPECT_EQ(*transaction.GetRequest("a"), std::nullopt);
                    return Decision::kCommit;
                  })
                  .ok());
  Ask([&](TokenTransaction& transaction) {
    EXPECT_THAT(*transaction.ListForgettableRequests(At(1000), 10), ElementsAre(std::string("\0c", 2), "", "b"));
  });
}

}  // namespace
}  // namespace pat
