#include "server/authn/attempt_limiter.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/clock.h"
#include "server/crypto/digest.h"
#include "tests/support/fake_clock.h"

namespace pat {
namespace {

using ::testing::ElementsAre;

constexpr char kHere[] = "ipv4:10.0.0.7";
constexpr char kThere[] = "ipv4:10.0.0.8";
constexpr absl::Duration kTick = absl::Nanoseconds(1);

HmacSha256Key AnyKey() { return HmacSha256Key(std::array<uint8_t, 32>{}); }

class AttemptLimiterTest : public testing::Test {
 protected:
  // How long this attempt has to wait; if not at all, it is wrong.
  absl::Duration Fail(absl::string_view user, absl::string_view peer = kHere) {
    const absl::Duration wait = limiter_.Begin(user, peer);
    if (wait == absl::ZeroDuration()) limiter_.Wrong(user, peer);
    return wait;
  }
  void FailTimes(int times, absl::string_view user, absl::string_view peer = kHere) {
    for (int i = 0; i < times; ++i) ASSERT_EQ(Fail(user, peer), absl::ZeroDuration()) << i;
  }
  void BeRight(absl::string_view user, absl::string_view peer = kHere) {
    ASSERT_TRUE(MayGoOn(user, peer));
    limiter_.Right(user, peer);
  }
  // A hundred failures of others: the peer has to wait.
  void Guess() {
    for (int i = 0; i < 100; ++i) FailTimes(1, absl::StrCat("user-", i));
    ASSERT_FALSE(MayGoOn("stranger"));
  }
  bool MayGoOn(absl::string_view user, absl::string_view peer = kHere) {
    return limiter_.Begin(user, peer) == absl::ZeroDuration();
  }

  FakeClockSource time_;
  const Clock clock_{time_};
  AttemptLimiter limiter_{{}, AnyKey(), clock_};
};

TEST_F(AttemptLimiterTest, TenFailuresAreFreeThenOneWaitsTwiceAsLongEachTime) {
  FailTimes(10, "ada");
  std::vector<absl::Duration> waits;
  for (int i = 0; i < 8; ++i) {
    waits.push_back(Fail("ada"));
    time_.Advance(waits.back() - kTick);
    EXPECT_EQ(Fail("ada"), kTick);
    time_.Advance(kTick);
    ASSERT_EQ(Fail("ada"), absl::ZeroDuration());
  }
  EXPECT_THAT(waits, ElementsAre(absl::Seconds(1), absl::Seconds(2), absl::Seconds(4), absl::Seconds(8),
                                 absl::Seconds(16), absl::Seconds(32), absl::Seconds(60), absl::Seconds(60)));
}

TEST_F(AttemptLimiterTest, AnAttemptThatComesTooEarlyDoesNotProlongTheWait) {
  FailTimes(10, "ada");
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Fail("ada"), absl::Seconds(1));
  time_.Advance(absl::Seconds(1));
  EXPECT_TRUE(MayGoOn("ada"));
}

TEST_F(AttemptLimiterTest, WithinTheWindowNothingIsForgottenAndAfterItAllIs) {
  FailTimes(10, "ada");
  time_.Advance(absl::Minutes(15) - kTick);
  FailTimes(1, "ada");
  EXPECT_EQ(Fail("ada"), absl::Seconds(2));
  time_.Advance(kTick);
  FailTimes(10, "ada");
  EXPECT_EQ(Fail("ada"), absl::Seconds(1));
}

TEST_F(AttemptLimiterTest, AWallClockThatIsSetBackForgivesNothing) {
  FailTimes(10, "ada");
  time_.SetWall(time_.wall() - absl::Hours(24));
  EXPECT_EQ(Fail("ada"), absl::Seconds(1));
}

TEST_F(AttemptLimiterTest, ARightPasswordForgetsTheFailures) {
  FailTimes(9, "ada");
  ASSERT_TRUE(MayGoOn("ada"));
  limiter_.Right("ada", kHere);
  FailTimes(10, "ada");
  EXPECT_EQ(Fail("ada"), absl::Seconds(1));
  time_.Advance(absl::Seconds(1));
  ASSERT_TRUE(MayGoOn("ada"));
  limiter_.Right("ada", kHere);
  EXPECT_TRUE(MayGoOn("ada"));
}

TEST_F(AttemptLimiterTest, FailuresOfOtherPeersAndUsersDoNotCount) {
  FailTimes(10, "ada");
  ASSERT_FALSE(MayGoOn("ada"));
  EXPECT_TRUE(MayGoOn("ada", kThere));
  EXPECT_TRUE(MayGoOn("bob"));
  // Where one name ends and the other begins is not to be guessed.
  FailTimes(10, "bc", "a");
  EXPECT_TRUE(MayGoOn("c", "ab"));
}

// The turn: attempts that begin together are one.
TEST_F(AttemptLimiterTest, WhileOneIsBeingLookedAtTheOthersWait) {
  FailTimes(10, "ada");
  time_.Advance(absl::Seconds(1));
  EXPECT_TRUE(MayGoOn("ada"));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(MayGoOn("ada"));
  limiter_.Wrong("ada", kHere);
  EXPECT_EQ(Fail("ada"), absl::Seconds(2));
}

// It ended without an answer, for example because the store could not be read.
TEST_F(AttemptLimiterTest, ATurnThatNobodyGivesBackEnds) {
  FailTimes(10, "ada");
  time_.Advance(absl::Seconds(1));
  ASSERT_TRUE(MayGoOn("ada"));
  time_.Advance(absl::Seconds(1));
  EXPECT_TRUE(MayGoOn("ada"));
}

TEST_F(AttemptLimiterTest, BeforeThereWereTooManyAttemptsMayBeginTogether) {
  FailTimes(9, "ada");
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(MayGoOn("ada"));
}

// ---- Over all users.

TEST_F(AttemptLimiterTest, WhoTriesManyNamesWaitsAfterAHundredFailures) {
  for (int i = 0; i < 100; ++i) FailTimes(1, absl::StrCat("user-", i));
  EXPECT_EQ(Fail("ada"), absl::Seconds(1));
  EXPECT_TRUE(MayGoOn("ada", kThere));
  std::vector<absl::Duration> waits;
  for (int i = 100; i < 106; ++i) {
    waits.push_back(Fail(absl::StrCat("user-", i)));
    time_.Advance(waits.back());
    FailTimes(1, absl::StrCat("user-", i));
  }
  EXPECT_THAT(waits, ElementsAre(absl::Seconds(1), absl::Seconds(2), absl::Seconds(4), absl::Seconds(8),
                                 absl::Seconds(10), absl::Seconds(10)));
}

// Or somebody with a password of his own could guess those of others for ever.
TEST_F(AttemptLimiterTest, ARightPasswordDoesNotForgetThePeersFailures) {
  for (int i = 0; i < 100; ++i) FailTimes(1, absl::StrCat("user-", i));
  time_.Advance(absl::Seconds(1));
  ASSERT_TRUE(MayGoOn("mallory"));
  EXPECT_FALSE(MayGoOn("bob"));
  limiter_.Right("mallory", kHere);
  EXPECT_EQ(Fail("bob"), absl::ZeroDuration());  // The turn was given back.
  EXPECT_EQ(Fail("bob"), absl::Seconds(2));      // And the count went on.
}

TEST_F(AttemptLimiterTest, ARightPasswordDoesNotEndTheWaitForAFailure) {
  for (int i = 0; i < 99; ++i) FailTimes(1, absl::StrCat("user-", i));
  ASSERT_TRUE(MayGoOn("mallory"));
  FailTimes(1, "bob");
  limiter_.Right("mallory", kHere);
  EXPECT_EQ(Fail("bob"), absl::Seconds(1));
}

// Nor if that attempt began before there were too many, and the turn was another one's.
TEST_F(AttemptLimiterTest, ARightPasswordDoesNotEndTheWaitForAnothersTurn) {
  ASSERT_TRUE(MayGoOn("mallory"));
  for (int i = 0; i < 100; ++i) FailTimes(1, absl::StrCat("user-", i));
  time_.Advance(absl::Seconds(1));
  FailTimes(1, "bob");
  limiter_.Right("mallory", kHere);
  EXPECT_EQ(Fail("bob"), absl::Seconds(2));
}

TEST_F(AttemptLimiterTest, WhoHasToWaitForOneReasonDoesNotTakeTheTurnOfTheOther) {
  FailTimes(10, "ada");
  for (int i = 0; i < 89; ++i) FailTimes(1, absl::StrCat("user-", i));
  time_.Advance(absl::Seconds(1));
  FailTimes(1, "ada");  // Her eleventh: two seconds. The peer's hundredth: one.
  time_.Advance(absl::Seconds(1));
  EXPECT_FALSE(MayGoOn("ada"));
  EXPECT_TRUE(MayGoOn("bob"));
}

// ---- Users who are known at a peer.

// Many stand behind one address (NAT), and one of them guesses.
TEST_F(AttemptLimiterTest, WhoWasRightHereWithinADayIsNotKeptOutByOthers) {
  BeRight("ada");
  time_.Advance(absl::Hours(24) - kTick);
  Guess();
  EXPECT_TRUE(MayGoOn("ada"));
  EXPECT_FALSE(MayGoOn("bob")) << "who was not right here waits like a stranger";
  limiter_.Right("ada", kHere);
  time_.Advance(absl::Hours(24) - kTick);
  Guess();
  EXPECT_TRUE(MayGoOn("ada")) << "the day begins anew each time";
}

TEST_F(AttemptLimiterTest, AfterADayOneIsAStrangerAgain) {
  BeRight("ada");
  time_.Advance(absl::Hours(24));
  Guess();
  EXPECT_FALSE(MayGoOn("ada"));
}

TEST_F(AttemptLimiterTest, WhoWasRightElsewhereIsAStrangerHere) {
  BeRight("ada", kThere);
  Guess();
  EXPECT_FALSE(MayGoOn("ada"));
}

// Or whoever stands beside somebody could guess that one's password without a limit.
TEST_F(AttemptLimiterTest, WhoIsKnownHasTheOwnLimit) {
  BeRight("ada");
  Guess();
  FailTimes(10, "ada");
  EXPECT_EQ(Fail("ada"), absl::Seconds(1));
  for (int i = 0; i < 10; ++i) {
    time_.Advance(absl::Minutes(1));
    FailTimes(1, "ada");
  }
  EXPECT_EQ(Fail("ada"), absl::Seconds(60));
}

TEST_F(AttemptLimiterTest, FailuresOfWhoIsKnownCountAgainstThePeerAllTheSame) {
  BeRight("ada");
  FailTimes(10, "ada");
  for (int i = 0; i < 90; ++i) FailTimes(1, absl::StrCat("user-", i));
  EXPECT_FALSE(MayGoOn("bob"));
}

// The turn is for those who wait. Else whoever has an account could end, by using it, the wait for a guess under way.
TEST_F(AttemptLimiterTest, WhoIsKnownNeitherTakesNorEndsTheTurnOfOthers) {
  BeRight("mallory");
  Guess();
  time_.Advance(absl::Seconds(1));
  ASSERT_TRUE(MayGoOn("mallory"));
  ASSERT_TRUE(MayGoOn("bob")) << "nobody else has it";
  limiter_.Right("mallory", kHere);
  EXPECT_FALSE(MayGoOn("eve")) << "bob has it";
  ASSERT_TRUE(MayGoOn("mallory"));
  limiter_.Neither("mallory", kHere);
  EXPECT_FALSE(MayGoOn("eve")) << "bob has it";
  limiter_.Neither("bob", kHere);
  EXPECT_TRUE(MayGoOn("eve"));
}

// ---- Memory.

TEST_F(AttemptLimiterTest, RemembersABoundedNumberAndForgetsTheOldest) {
  AttemptLimiter small({.most_remembered = 100}, AnyKey(), clock_);
  const auto fail = [&small](absl::string_view user, absl::string_view peer) {
    if (small.Begin(user, peer) == absl::ZeroDuration()) small.Wrong(user, peer);
  };
  for (int i = 0; i < 10; ++i) fail("old", "old");
  for (int i = 0; i < 10; ++i) fail("ada", kHere);
  for (int i = 0; i < 99; ++i) fail(std::string(1000, 'x') + absl::StrCat(i), absl::StrCat("peer-", i));
  EXPECT_LE(small.remembered(), 200u);
  EXPECT_GT(small.Begin("ada", kHere), absl::ZeroDuration());
  EXPECT_EQ(small.Begin("old", "old"), absl::ZeroDuration());
  for (int i = 0; i < 10'000; ++i) fail(absl::StrCat(i), absl::StrCat("peer-", i));
  EXPECT_EQ(small.remembered(), 200u);
}

TEST_F(AttemptLimiterTest, OfThoseWhoWereRightToo) {
  AttemptLimiter small({.peer = {.free_failures = 1, .longest_delay = absl::Seconds(10)}, .most_remembered = 100},
                       AnyKey(), clock_);
  small.Right("old", kHere);
  small.Right("ada", kHere);
  for (int i = 0; i < 98; ++i) small.Right(absl::StrCat("user-", i), kHere);
  small.Right("ada", kHere);  // Again: the latest.
  small.Right("new", kHere);
  EXPECT_EQ(small.remembered(), 100u);
  small.Wrong("stranger", kHere);
  EXPECT_EQ(small.Begin("ada", kHere), absl::ZeroDuration());
  EXPECT_EQ(small.Begin("new", kHere), absl::ZeroDuration());
  EXPECT_EQ(small.Begin("user-0", kHere), absl::ZeroDuration());
  EXPECT_GT(small.Begin("old", kHere), absl::ZeroDuration());
  for (int i = 0; i < 10'000; ++i) small.Right(absl::StrCat(i), absl::StrCat("peer-", i));
  EXPECT_EQ(small.remembered(), 102u) << "and the stranger's failure, twice";
}

// ---- Who is a peer.

TEST(AttemptPeerOfTest, IsAnAddressWithoutThePort) {
  EXPECT_EQ(AttemptPeerOf("ipv4:10.0.0.7:47110"), "ipv4:10.0.0.7");
  EXPECT_EQ(AttemptPeerOf("ipv4:10.0.0.7"), "ipv4:10.0.0.7");
  EXPECT_EQ(AttemptPeerOf("unix:/run/pat/pat.sock"), "unix:/run/pat/pat.sock");
  EXPECT_EQ(AttemptPeerOf("unix:"), "unix:");
  EXPECT_EQ(AttemptPeerOf(""), "");
}

TEST(AttemptPeerOfTest, IsANetworkOfIpv6) {
  const std::string network = "ipv6:20010db800010002/64";
  EXPECT_EQ(AttemptPeerOf("ipv6:[2001:db8:1:2::1]:47110"), network);
  EXPECT_EQ(AttemptPeerOf("ipv6:[2001:db8:1:2:ffff:1:2:3]:1"), network);
  EXPECT_EQ(AttemptPeerOf("ipv6:%5B2001:db8:1:2::1%5D:47110"), network);
  EXPECT_NE(AttemptPeerOf("ipv6:[2001:db8:1:3::1]:47110"), network);
  EXPECT_EQ(AttemptPeerOf("ipv6:[fe80::1%25eth0]:1"), AttemptPeerOf("ipv6:[fe80::2]:1"));
  EXPECT_EQ(AttemptPeerOf("ipv6:[::ffff:10.0.0.7]:1"), "ipv4:10.0.0.7");
  EXPECT_EQ(AttemptPeerOf("ipv6:[::1]:1"), AttemptPeerOf("ipv6:[::1]:2"));
  EXPECT_EQ(AttemptPeerOf("ipv6:[nonsense]:1"), "ipv6:nonsense");
  EXPECT_EQ(AttemptPeerOf("ipv6:["), "ipv6:");
}

}  // namespace
}  // namespace pat
