// C4: clocks that are set, and machines that stop or sleep. An entry ends at the earlier of its ends on the two clocks,
// and what has expired stays so.
#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/server/cache/cache_test.h"

namespace pat {
namespace {

struct Jump {
  const char* name;
  std::function<void(FakeClockSource&)> apply;
};
void PrintTo(const Jump& jump, std::ostream* out) { *out << jump.name; }

class ClockJumpTest : public CacheTest, public testing::WithParamInterface<Jump> {
 protected:
  absl::Time Boot() const { return absl::FromUnixNanos(authority.time.BootNanos()); }
};

TEST_P(ClockJumpTest, ARevokedTokenIsNeverAcceptedLaterThanTheTtlOnAnyClock) {
  // The jump comes before, with and after the revocation, and near the end.
  for (const absl::Duration jump_at : {absl::ZeroDuration(), absl::Minutes(10), absl::Minutes(50)}) {
    CachedAuthority at;
    const auto boot = [&at] { return absl::FromUnixNanos(at.authority.time.BootNanos()); };
    const IssuedToken token = at.Issue();
    ASSERT_TRUE(at.IsActive(token));
    at.Advance(absl::Minutes(5));
    const absl::Time begin = boot();
    at.authority.Revoke(token);
    const absl::Time revoked_boot = boot();
    const absl::Time revoked_wall = at.authority.time.wall();
    bool jumped = false;
    while (boot() < begin + 3 * kTtl) {
      if (!jumped && boot() >= begin + jump_at) {
        GetParam().apply(at.authority.time);
        jumped = true;
      }
      if (at.IsActive(token)) {
        ASSERT_LE(boot() - revoked_boot, kTtl) << jump_at;
        ASSERT_LE(at.authority.time.wall() - revoked_wall, kTtl) << jump_at;
      }
      at.Advance(absl::Seconds(1));
    }
    EXPECT_FALSE(at.IsActive(token));
  }
}

TEST_P(ClockJumpTest, AnExpiredTokenNeverComesBack) {
  CreateTokenQuery creation = authority.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 600};
  const IssuedToken token = authority.Issue(creation);
  ASSERT_TRUE(IsActive(token));
  Advance(absl::Seconds(600));
  EXPECT_FALSE(IsActive(token));
  GetParam().apply(authority.time);
  for (int second = 0; second < 1200; ++second) {
    ASSERT_FALSE(IsActive(token)) << second;
    ASSERT_FALSE(Ask(token, absl::ZeroDuration()).active()) << second;
    Advance(absl::Seconds(1));
  }
}

TEST_P(ClockJumpTest, ATokenExpiresNoLaterThanItWouldHave) {
  CreateTokenQuery creation = authority.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 600};
  const IssuedToken token = authority.Issue(creation);
  ASSERT_TRUE(IsActive(token));
  const absl::Time expires_boot = Boot() + absl::Seconds(600);
  Advance(absl::Seconds(300));
  GetParam().apply(authority.time);
  while (Boot() < expires_boot) Advance(absl::Seconds(1));
  EXPECT_FALSE(IsActive(token));
  EXPECT_FALSE(Ask(token, absl::ZeroDuration()).active());
}

INSTANTIATE_TEST_SUITE_P(
    All, ClockJumpTest,
    testing::Values(
        Jump{"NoJump", [](FakeClockSource&) {}},
        Jump{"WallADayBack", [](FakeClockSource& time) { time.SetWall(time.wall() - absl::Hours(24)); }},
        Jump{"WallADayForward", [](FakeClockSource& time) { time.SetWall(time.wall() + absl::Hours(24)); }},
        Jump{"WallTenYearsBack", [](FakeClockSource& time) { time.SetWall(time.wall() - absl::Hours(24 * 3652)); }},
        Jump{"WallToTheEpoch", [](FakeClockSource& time) { time.SetWall(absl::UnixEpoch()); }},
        Jump{"Stopped70Minutes", [](FakeClockSource& time) { time.Advance(absl::Minutes(70)); }},
        Jump{"AsleepWhileTheWallClockStood", [](FakeClockSource& time) { time.AdvanceBoot(absl::Minutes(70)); }},
        Jump{"BootClockStoodWhileTheWallClockRan",
             [](FakeClockSource& time) { time.SetWall(time.wall() + absl::Minutes(70)); }}),
    [](const auto& info) { return info.param.name; });

using ClockWalkTest = CacheTest;

TEST_F(ClockWalkTest, SettingTheWallClockBackDoesNotLengthenAnEntryAndDoesNotEndIt) {
  const IssuedToken token = Issue();
  ASSERT_TRUE(IsActive(token));
  authority.time.SetWall(authority.time.wall() - absl::Hours(24));
  Advance(kTtl);
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
  Advance(kTick);
  EXPECT_EQ(Ask(token).source, FactsSource::kStore);
}

TEST_F(ClockWalkTest, SettingTheWallClockForwardEndsEntriesByAsMuch) {
  const IssuedToken token = Issue();
  ASSERT_TRUE(IsActive(token));
  authority.time.SetWall(authority.time.wall() + kTtl);
  EXPECT_EQ(Ask(token).source, FactsSource::kCache);
  authority.time.SetWall(authority.time.wall() + kTick);
  EXPECT_EQ(Ask(token).source, FactsSource::kStore);
}

// Clocks that are moved at random: on the boot clock the bound holds whatever is done to the wall clock, and nothing
// that was seen to be expired comes back.
TEST(ClockRandomWalkTest, TheBoundHoldsOnTheBootClockAndExpiryIsForEver) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::mt19937_64 random(seed);
    const auto up_to = [&random](absl::Duration most) {
      return absl::Nanoseconds(static_cast<int64_t>(random() % absl::ToInt64Nanoseconds(most)));
    };
    CachedAuthority at;
    FakeClockSource& time = at.authority.time;
    const IssuedToken revoked = at.Issue();
    CreateTokenQuery creation = at.authority.GoodCreation("ada");
    creation.expiration = RequestedDuration{.seconds = 3600};
    const IssuedToken expiring = at.authority.Issue(creation);
    const absl::Time expire_time = at.Now() + absl::Hours(1);
    ASSERT_TRUE(at.IsActive(revoked));
    at.authority.Revoke(revoked);
    const int64_t revoked_boot = time.BootNanos();
    bool seen_expired = false;
    for (int step = 0; step < 500; ++step) {
      switch (random() % 8) {
        case 0:
          time.SetWall(time.wall() - up_to(absl::Hours(48)));
          break;
        case 1:
          time.SetWall(time.wall() + up_to(absl::Minutes(10)));
          break;
        case 2:
          time.AdvanceBoot(up_to(absl::Minutes(10)));
          break;
        default:
          time.Advance(up_to(absl::Minutes(1)));
      }
      if (at.IsActive(revoked)) {
        ASSERT_LE(absl::Nanoseconds(time.BootNanos() - revoked_boot), kTtl) << seed;
      }
      const ReceivedFacts answer = at.Ask(expiring);
      if (time.wall() >= expire_time) {
        ASSERT_FALSE(answer.active()) << seed;
        seen_expired = true;
      }
      ASSERT_FALSE(seen_expired && answer.active()) << seed;
    }
  }
}

}  // namespace
}  // namespace pat
