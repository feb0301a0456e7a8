// What a watcher is told, message by message, over each engine.
#include "server/core/change_feed.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"
#include "tests/support/controlled_token_store.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ChangeFeedTest : public testing::TestWithParam<Engine> {
 protected:
  TokenStore& store() { return engine_->store(); }
  const ChangeFeed& feed() { return *feed_; }

  void SetUp() override {
    ASSERT_EQ(Put(store(), ada_), absl::OkStatus());
    Start();
  }
  void Start() { feed_ = std::make_unique<ChangeFeed>(store()); }

  void Insert(uint64_t first, uint64_t count) {
    for (uint64_t number = first; number < first + count; ++number) {
      TokenRecord token = TokenNumber(number, ada_);
      ASSERT_EQ(pat::Insert(store(), token), absl::OkStatus());
    }
  }
  // In one mutation: changes these tokens, and this user if said.
  void Change(uint64_t first, uint64_t count, bool owner = false) {
    ASSERT_EQ(store().Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      for (uint64_t number = first; number < first + count; ++number) {
        TokenRecord token = transaction.GetToken(TokenUidNumber(number)).value().value();
        token.audiences.push_back("another");
        if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
      }
      if (owner) {
        UserRecord user = transaction.GetUser(ada_.id).value().value();
        user.disabled = !user.disabled;
        if (absl::Status put = transaction.PutUser(user); !put.ok()) return put;
      }
      return Decision::kCommit;
    }),
              absl::OkStatus());
  }

  static std::string TextOf(const FeedMessage& message) {
    switch (message.kind) {
      case FeedMessage::Kind::kNothing:
        return "nothing";
      case FeedMessage::Kind::kTokens:
        return message.tokens.size() > 5 ? absl::StrCat(message.tokens.size(), " tokens")
                                         : absl::StrCat("tokens ", absl::StrJoin(NumbersOf(message.tokens), " "));
      case FeedMessage::Kind::kOwner:
        return message.owner_id;
      case FeedMessage::Kind::kEverything:
        return "everything";
      case FeedMessage::Kind::kReset:
        return "reset";
    }
    return "?";
  }

  // All messages from here on, until there is nothing; `position` is where that is.
  std::vector<std::string> Follow(FeedPosition& position) {
    std::vector<std::string> texts;
    for (int i = 0; i < 100; ++i) {
      const absl::StatusOr<FeedMessage> message = feed().Next(position);
      EXPECT_TRUE(message.ok()) << message.status();
      if (!message.ok()) return texts;
      position = message->next;
      if (message->kind == FeedMessage::Kind::kNothing) return texts;
      texts.push_back(TextOf(*message));
      if (!message->more) return texts;
    }
    ADD_FAILURE() << "there is no end";
    return texts;
  }
  std::vector<std::string> FollowFrom(absl::string_view resume_token) {
    FeedPosition position = feed().Begin(resume_token);
    return Follow(position);
  }

  const std::unique_ptr<EngineUnderTest> engine_ = GetParam().make();
  const UserRecord ada_ = UserNumber(1);
  std::unique_ptr<ChangeFeed> feed_;
};

TEST_P(ChangeFeedTest, BeginsHereAndNow) {
  Insert(1, 2);
  Change(1, 1);
  FeedPosition position = feed().Begin("");
  EXPECT_THAT(Follow(position), IsEmpty());
  Change(2, 1);
  EXPECT_THAT(Follow(position), ElementsAre("tokens 2"));
  EXPECT_THAT(Follow(position), IsEmpty());
}

TEST_P(ChangeFeedTest, TellsEachKind) {
  Insert(1, 3);
  FeedPosition position = feed().Begin("");
  Change(1, 2);
  Change(3, 1);
  Change(0, 0, /*owner=*/true);
  Change(2, 1);
  EXPECT_THAT(Follow(position), ElementsAre("tokens 1 2 3", "user-1", "tokens 2"));
  RevokeAll(store(), std::nullopt, At(1));
  EXPECT_THAT(Follow(position), ElementsAre("everything"));
}

TEST_P(ChangeFeedTest, WhatComesBeforeEverythingIsNotTold) {
  Insert(1, 3);
  FeedPosition position = feed().Begin("");
  Change(1, 3, /*owner=*/true);
  RevokeAll(store(), std::nullopt, At(1));
  RevokeAll(store(), std::nullopt, At(2));
  Change(0, 0, /*owner=*/true);
  EXPECT_THAT(Follow(position), ElementsAre("everything", "user-1"));
}

TEST_P(ChangeFeedTest, WhatTheNewestIsNeedNotBeAChange) {
  FeedPosition position = feed().Begin("");
  Insert(1, 1);
  EXPECT_THAT(Follow(position), IsEmpty());
  EXPECT_EQ(position.sequence, store().CommitSequence()) << "so that it is never taken for one that is far behind";
}

TEST_P(ChangeFeedTest, AMessageHasAtMostAThousandTokens) {
  Insert(1, 1500);
  FeedPosition position = feed().Begin("");
  for (uint64_t first = 1; first < 1500; first += 300) Change(first, 300);
  // Whole mutations.
  EXPECT_THAT(Follow(position), ElementsAre("900 tokens", "600 tokens"));
}

// Such a mutation is told in parts. Where it is told in part the resume token is that before it.
TEST_P(ChangeFeedTest, AMutationThatDoesNotFitIsSplit) {
  Insert(1, 2500);
  Change(7, 1);
  const FeedPosition start = feed().Begin("");
  Change(5, 1);
  const uint64_t before = store().CommitSequence();
  Change(1, 2500, /*owner=*/true);
  Change(6, 1);
  FeedPosition position = start;
  std::vector<std::string> texts;
  std::vector<std::string> tokens;
  std::vector<uint64_t> numbers;
  while (true) {
    const FeedMessage message = feed().Next(position).value();
    position = message.next;
    texts.push_back(TextOf(message));
    tokens.push_back(feed().ResumeToken(position));
    for (const uint64_t number : NumbersOf(message.tokens)) numbers.push_back(number);
    if (!message.more) break;
  }
  EXPECT_THAT(texts, ElementsAre("tokens 5", "1000 tokens", "1000 tokens", "500 tokens", "user-1", "tokens 6"));
  const std::string whole_before = feed().ResumeToken({.sequence = before});
  EXPECT_THAT(tokens,
              ElementsAre(whole_before, whole_before, whole_before, whole_before,
                          feed().ResumeToken({.sequence = before + 1}), feed().ResumeToken({.sequence = before + 2})));
  ASSERT_THAT(numbers, SizeIs(2502));
  for (uint64_t i = 1; i <= 2500; ++i) EXPECT_EQ(numbers[i], i);
  EXPECT_THAT(FollowFrom(whole_before), ElementsAre("1000 tokens", "1000 tokens", "500 tokens", "user-1", "tokens 6"));
}

TEST_P(ChangeFeedTest, GoesOnFromAResumeToken) {
  Insert(1, 3);
  FeedPosition position = feed().Begin("");
  Change(1, 1);
  EXPECT_THAT(Follow(position), ElementsAre("tokens 1"));
  const std::string token = feed().ResumeToken(position);
  Change(2, 1);
  Change(0, 0, /*owner=*/true);
  EXPECT_THAT(FollowFrom(token), ElementsAre("tokens 2", "user-1"));
  EXPECT_THAT(FollowFrom(token), ElementsAre("tokens 2", "user-1")) << "as often as one likes";
  EXPECT_LE(token.size(), 60u);
}

TEST_P(ChangeFeedTest, GoesOnAfterAReopen) {
  if (!engine_->keeps_data()) GTEST_SKIP() << "keeps nothing";
  Insert(1, 3);
  const std::string token = feed().ResumeToken(feed().Begin(""));
  Change(1, 1);
  feed_.reset();
  ASSERT_EQ(engine_->Reopen(), absl::OkStatus());
  Start();
  Change(2, 1);
  EXPECT_THAT(FollowFrom(token), ElementsAre("tokens 1 2"));
}

TEST_P(ChangeFeedTest, ATokenThatCannotBeGoneOnFromIsAReset) {
  Insert(1, 2);
  const std::string good = feed().ResumeToken(feed().Begin(""));
  const std::string incarnation = store().Incarnation();
  const uint64_t now = store().CommitSequence();
  for (const std::string& token :
       {std::string("garbage"), std::string(1000, 'x'), good + "0000000000000000000000", good + "x", " " + good,
        good.substr(1), std::string("v1."), absl::StrCat("v1.", incarnation), absl::StrCat("v1.", incarnation, "."),
        absl::StrCat("v1.", incarnation, ".-1"), absl::StrCat("v1.", incarnation, ".+1"),
        absl::StrCat("v1.", incarnation, ".01"), absl::StrCat("v1.", incarnation, ". 1"),
        absl::StrCat("v2.", incarnation, ".", now), absl::StrCat("v1.", std::string(32, '0'), ".", now),
        absl::StrCat("v1.", incarnation, ".", now + 1), absl::StrCat("v1.", incarnation, ".18446744073709551616"),
        absl::StrCat("v1.", incarnation, ".18446744073709551615"), std::string("\0", 1)}) {
    FeedPosition position = feed().Begin(token);
    EXPECT_THAT(Follow(position), ElementsAre("reset")) << token;
    // And from there on as everybody.
    EXPECT_THAT(Follow(position), IsEmpty());
    EXPECT_THAT(FollowFrom(feed().ResumeToken(position)), IsEmpty());
  }
  EXPECT_THAT(FollowFrom(good), IsEmpty());
}

TEST_P(ChangeFeedTest, WhoMissedWhatIsRemovedStartsOver) {
  Insert(1, 2);
  FeedPosition slow = feed().Begin("");
  const std::string token = feed().ResumeToken(slow);
  Change(1, 1);
  FeedPosition position = slow;
  EXPECT_THAT(Follow(position), ElementsAre("tokens 1"));
  ASSERT_EQ(store().Commit([](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    EXPECT_EQ(*transaction.DeleteChangesThrough(transaction.Sequence(), 10), 1u);
    return Decision::kCommit;
  }),
            absl::OkStatus());
  Change(2, 1);
  EXPECT_THAT(Follow(position), ElementsAre("tokens 2"));
  EXPECT_THAT(Follow(slow), ElementsAre("reset")) << "also on a stream that is open";
  EXPECT_THAT(FollowFrom(token), ElementsAre("reset"));
  Change(1, 1);
  EXPECT_THAT(Follow(slow), ElementsAre("tokens 1"));
}

TEST_P(ChangeFeedTest, AStoreThatCannotBeReadIsAnError) {
  ControlledTokenStore controlled(store());
  const ChangeFeed feed(controlled);
  const FeedPosition position = feed.Begin("");
  controlled.FailReadsWith(absl::UnavailableError("a disk"));
  EXPECT_EQ(feed.Next(position).status().code(), absl::StatusCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(Every, ChangeFeedTest, testing::ValuesIn(AllEngines()),
                         [](const testing::TestParamInfo<Engine>& info) { return info.param.name; });

}  // namespace
}  // namespace pat
