// When tokens were last used: to the minute, put together, and never more than was seen.
#include "server/core/use_recorder.h"

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/new_uid.h"
#include "tests/support/check_call.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

class UseRecorderTest : public testing::Test {
 protected:
  UseRecorderTest() { authority_.AddUser("ada"); }

  absl::Time Now() const { return authority_.clock.Now(); }
  absl::Time Minute() const { return absl::FromUnixSeconds(absl::ToUnixSeconds(Now()) / 60 * 60); }
  void Advance(absl::Duration duration) { authority_.time.Advance(duration); }

  size_t Flush() {
    const absl::StatusOr<size_t> written = uses_.Flush(authority_.store);
    EXPECT_TRUE(written.ok()) << written.status();
    return written.value_or(0);
  }
  std::optional<absl::Time> LastUse(const TokenUid& uid) {
    return authority_.engine->GetToken(uid).value().value().last_use_time;
  }

  TestAuthority authority_;
  UseRecorder uses_;
};

TEST_F(UseRecorderTest, AUseIsKeptToTheMinute) {
  const IssuedToken token = authority_.Issue("ada");
  EXPECT_EQ(LastUse(token.uid), std::nullopt);
  Advance(absl::Seconds(61));
  uses_.Note(token.uid, Now());
  EXPECT_EQ(LastUse(token.uid), std::nullopt);
  EXPECT_EQ(Flush(), 1);
  EXPECT_EQ(LastUse(token.uid), Minute());
}

TEST_F(UseRecorderTest, UsesOfAMinuteAreOneWriteAndThoseOfTheNextAreAnother) {
  const IssuedToken token = authority_.Issue("ada");
  authority_.time.SetWall(Minute());
  for (int i = 0; i < 1000; ++i) uses_.Note(token.uid, Minute() + absl::Milliseconds(i * 59));
  EXPECT_EQ(Flush(), 1);
  EXPECT_EQ(Flush(), 0);
  uses_.Note(token.uid, Minute() + absl::Minutes(1) - absl::Nanoseconds(1));
  EXPECT_EQ(Flush(), 0);
  uses_.Note(token.uid, Minute() + absl::Minutes(1));
  EXPECT_EQ(Flush(), 1);
  EXPECT_EQ(LastUse(token.uid), Minute() + absl::Minutes(1));
}

TEST_F(UseRecorderTest, NothingUsedIsNothingWritten) {
  const uint64_t before = authority_.engine->CommitSequence();
  EXPECT_EQ(Flush(), 0);
  EXPECT_EQ(authority_.engine->CommitSequence(), before);
}

// One that is seen late does not take back what is known.
TEST_F(UseRecorderTest, LastIsTheLatest) {
  const IssuedToken token = authority_.Issue("ada");
  uses_.Note(token.uid, Now() + absl::Minutes(5));
  uses_.Note(token.uid, Now());
  Flush();
  uses_.Note(token.uid, Now() + absl::Minutes(2));
  Flush();
  EXPECT_EQ(LastUse(token.uid), Minute() + absl::Minutes(5));
}

// More than fit into one transaction, and tokens that share places of the filter: none is lost.
TEST_F(UseRecorderTest, OfManyTokensEachIsWritten) {
  std::vector<TokenUid> uids(20'000);
  for (TokenUid& uid : uids) uid = NewUid<TokenUid>();
  const IssuedToken token = authority_.Issue("ada");
  uids.push_back(token.uid);
  for (int round = 0; round < 2; ++round) {
    for (const TokenUid& uid : uids) uses_.Note(uid, Now());
  }
  EXPECT_EQ(Flush(), uids.size());
  EXPECT_EQ(LastUse(token.uid), Minute());
  EXPECT_EQ(uses_.dropped(), 0);
}

TEST_F(UseRecorderTest, WhatCannotBeWrittenIsWrittenTheNextTime) {
  std::vector<IssuedToken> tokens;
  for (int i = 0; i < 20; ++i) tokens.push_back(authority_.Issue("ada"));
  for (const IssuedToken& token : tokens) uses_.Note(token.uid, Now());
  authority_.store.FailCommitsWith(absl::UnavailableError("the disk is gone"));
  EXPECT_EQ(uses_.Flush(authority_.store).status().code(), absl::StatusCode::kUnavailable);
  authority_.store.FailCommitsWith(absl::OkStatus());
  EXPECT_EQ(Flush(), tokens.size());
  for (const IssuedToken& token : tokens) EXPECT_EQ(LastUse(token.uid), Minute());
}

TEST_F(UseRecorderTest, BeyondItsRoomUsesAreDroppedAndCounted) {
  UseRecorder small(/*most_waiting=*/2);
  const TokenUid first = NewUid<TokenUid>();
  const TokenUid third = NewUid<TokenUid>();
  small.Note(first, Now());
  small.Note(NewUid<TokenUid>(), Now());
  small.Note(third, Now());
  small.Note(first, Now() + absl::Minutes(1));  // It has a place.
  EXPECT_EQ(small.dropped(), 1);
  EXPECT_EQ(small.Flush(authority_.store).value(), 2);
  // What was dropped is not taken for noted.
  small.Note(third, Now());
  EXPECT_EQ(small.Flush(authority_.store).value(), 1);
}

TEST_F(UseRecorderTest, ThreadsNoteWhileAnotherOneWrites) {
  std::vector<IssuedToken> tokens;
  for (int i = 0; i < 8; ++i) tokens.push_back(authority_.Issue("ada"));
  const absl::Time start = Now();
  constexpr int kMinutes = 200;
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) (void)uses_.Flush(authority_.store);
  });
  std::vector<std::thread> callers;
  for (int thread = 0; thread < 4; ++thread) {
    callers.emplace_back([&] {
      for (int minute = 0; minute <= kMinutes; ++minute) {
        for (const IssuedToken& token : tokens) uses_.Note(token.uid, start + absl::Minutes(minute));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  done = true;
  writer.join();
  Flush();
  for (const IssuedToken& token : tokens) EXPECT_EQ(LastUse(token.uid), Minute() + absl::Minutes(kMinutes));
}

// ---- What a use is.

class IntrospectionUseTest : public UseRecorderTest {
 protected:
  Verdict Ask(const std::string& secret, absl::string_view scope = "OR.Folders") {
    return Check(introspector_, QueryFor(secret, AllOf({{scope}}))).verdict;
  }

  Introspector introspector_{authority_.facts, authority_.clock, &uses_};
};

TEST_F(IntrospectionUseTest, ACallThatFoundTheTokenActiveIsAUse) {
  const IssuedToken token = authority_.Issue("ada");
  EXPECT_EQ(Ask(token.secret), Verdict::kAllow);
  EXPECT_EQ(Flush(), 1);
  EXPECT_EQ(LastUse(token.uid), Minute());
  Advance(absl::Minutes(1));
  EXPECT_EQ(Ask(token.secret, "TM.Defects"), Verdict::kInsufficientScope);
  EXPECT_EQ(Flush(), 1);
  EXPECT_EQ(LastUse(token.uid), Minute());
}

TEST_F(IntrospectionUseTest, AnInactiveTokenIsNotUsed) {
  const IssuedToken token = authority_.Issue("ada");
  authority_.Revoke(token);
  EXPECT_EQ(Ask(token.secret), Verdict::kInactive);
  EXPECT_EQ(Ask("pat_of_no_form"), Verdict::kInactive);
  EXPECT_EQ(Flush(), 0);
}

}  // namespace
}  // namespace pat
