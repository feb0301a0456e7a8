// Caches over caches, each on a machine of its own: two layers or three, still one TTL (C5).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/cache_bound.h"
#include "tests/server/upstream/machines.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

struct Shape {
  const char* name;
  std::vector<absl::Duration> skews;  // Of the layers over the authority, the lowest first.
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

class LayersTest : public testing::TestWithParam<Shape> {};

INSTANTIATE_TEST_SUITE_P(All, LayersTest,
                         testing::Values(Shape{"Two", {absl::ZeroDuration()}},
                                         Shape{"Three", {absl::ZeroDuration(), absl::ZeroDuration()}},
                                         Shape{"TwoSkewed", {absl::Hours(5)}},
                                         Shape{"TwoSkewedBack", {-absl::Hours(5)}},
                                         Shape{"ThreeSkewed", {absl::Hours(7), -absl::Hours(90)}},
                                         Shape{"Four", {absl::Minutes(1), -absl::Minutes(1), absl::Hours(24 * 300)}}),
                         [](const auto& info) { return info.param.name; });

TEST_P(LayersTest, ARevokedTokenIsAcceptedForExactlyTheTtlOfOneLayer) {
  Machines at(GetParam().skews, {});
  CreateTokenQuery creation = at.authority.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 360 * 86400};  // Beyond every skew.
  const IssuedToken token = at.authority.Issue(creation);
  ASSERT_TRUE(at.Ask(token).active());
  at.authority.Revoke(token);
  at.Advance(kTtl);
  EXPECT_EQ(at.Ask(token).source, FactsSource::kCache);
  EXPECT_TRUE(at.Ask(token).active());
  EXPECT_EQ(at.Ask(token).fresh_for, absl::ZeroDuration());
  at.Advance(kTick);
  EXPECT_FALSE(at.Ask(token).active());
}

// Half an hour in the lower layer does not become half an hour and an hour: the upper layer makes it read anew.
TEST_P(LayersTest, WhatALowerLayerHasInItsCacheIsNotPassedOn) {
  Machines at(GetParam().skews, {});
  const IssuedToken token = at.authority.Issue("ada");
  for (const auto& layer : at.layers) ASSERT_TRUE(pat::Ask(layer->cache, token.digest).status.ok());
  at.Advance(absl::Minutes(30));
  at.authority.Revoke(token);
  at.Advance(kTick);
  EXPECT_FALSE(at.Ask(token, absl::ZeroDuration()).active());
  EXPECT_FALSE(at.Ask(token).active());
}

TEST_P(LayersTest, TheShortestTtlOfAllLayersHolds) {
  for (const absl::Duration lowest : {absl::Minutes(1), absl::Hours(1)}) {
    const CacheOptions upper{.ttl = absl::Hours(1) + absl::Minutes(1) - lowest};
    Machines at(GetParam().skews, upper, {.ttl = lowest});
    CreateTokenQuery creation = at.authority.GoodCreation("ada");
    creation.expiration = RequestedDuration{.seconds = 360 * 86400};
    const IssuedToken token = at.authority.Issue(creation);
    ASSERT_TRUE(at.Ask(token).active());
    at.authority.Revoke(token);
    at.Advance(absl::Minutes(1));
    EXPECT_TRUE(at.Ask(token).active());
    at.Advance(kTick);
    EXPECT_FALSE(at.Ask(token).active());
  }
}

TEST_P(LayersTest, WhereTheAuthorityGrantsNothingNothingIsKept) {
  Machines at(GetParam().skews, {}, {.ttl = absl::ZeroDuration()});
  CreateTokenQuery creation = at.authority.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 360 * 86400};
  const IssuedToken token = at.authority.Issue(creation);
  ASSERT_TRUE(at.Ask(token).active());
  at.authority.Revoke(token);
  EXPECT_FALSE(at.Ask(token).active());
}

TEST_P(LayersTest, InactiveIsRememberedOnceAndNotOncePerLayer) {
  Machines at(GetParam().skews, {});
  const IssuedToken unknown{.name = {}, .uid = {}, .secret = {}, .digest = UnknownDigest(1)};
  at.Ask(unknown);
  at.Advance(kNegativeTtl);
  EXPECT_EQ(at.Ask(unknown).source, FactsSource::kCache);
  at.Advance(kTick);
  size_t reads = at.authority.store.finds_in_memory();
  EXPECT_EQ(at.Ask(unknown).source, FactsSource::kStore);
  EXPECT_EQ(at.authority.store.finds_in_memory(), reads + 1);
}

// C3 between machines: the answer is on its way when the token is revoked.
TEST_P(LayersTest, AnAnswerThatIsSlowOnItsWayEndsOneTtlAfterItWasAskedFor) {
  for (const absl::Duration slow : {absl::Milliseconds(1), absl::Seconds(30)}) {
    Machines at(GetParam().skews, {});
    CreateTokenQuery creation = at.authority.GoodCreation("ada");
    creation.expiration = RequestedDuration{.seconds = 360 * 86400};
    const IssuedToken token = at.authority.Issue(creation);
    absl::Duration revoked_at;
    at.layers.front()->hop.on_answer = [&] {
      at.authority.Revoke(token);
      revoked_at = at.elapsed;
      at.Advance(slow);
      at.layers.front()->hop.on_answer = [] {};
    };
    ASSERT_TRUE(at.Ask(token).active());
    // Every further layer counts what was slow below it once more: earlier, never later.
    const absl::Duration counted_again = slow * static_cast<double>(at.layers.size() - 1);
    at.Advance(revoked_at + kTtl - counted_again - at.elapsed);
    EXPECT_TRUE(at.Ask(token).active());
    at.Advance(kTick);
    EXPECT_FALSE(at.Ask(token).active());
  }
}

TEST_P(LayersTest, ATokenEndsAtItsExpiryByTheAuthoritysClock) {
  // A clock that is ahead ends it earlier.
  const absl::Duration most_ahead = *std::max_element(GetParam().skews.begin(), GetParam().skews.end());
  Machines at(GetParam().skews, {});
  CreateTokenQuery creation = at.authority.GoodCreation("ada");
  creation.expiration = RequestedDuration{.seconds = 600};
  const IssuedToken token = at.authority.Issue(creation);
  EXPECT_EQ(at.Ask(token).active(), most_ahead < absl::Seconds(600));
  at.Advance(absl::Seconds(600) - kTick);
  EXPECT_EQ(at.Ask(token).active(), most_ahead <= absl::ZeroDuration());
  at.Advance(kTick);
  // fresh_for has ended just now: the last instant of the entry. A tick more, and the authority is asked.
  at.Advance(kTick);
  EXPECT_FALSE(at.Ask(token).active());
}

// ---- C1, through all layers: a hundred stories with random delays, staleness, skews and revocations.

TEST_P(LayersTest, AHundredRevocationsAtRandomTimesAreNeverAcceptedLaterThanTheTtl) {
  absl::Duration longest_lag = -absl::InfiniteDuration();
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::mt19937_64 random(seed);
    Machines at(GetParam().skews, {});
    ASSERT_TRUE(CommitCacheTtl(at.authority.store, kTtl, at.authority.clock.Now()).ok());
    CreateTokenQuery creation = at.authority.GoodCreation("ada");
    creation.expiration = RequestedDuration{.seconds = 360 * 86400};
    const IssuedToken token = at.authority.Issue(creation);
    const absl::Duration revoke_at = RandomBelow(kTtl, random);
    absl::Duration revoked_at = absl::InfiniteDuration();
    absl::Time last_accept_time = absl::InfiniteFuture();
    const auto revoke_if_due = [&] {
      if (at.elapsed < revoke_at || revoked_at < absl::InfiniteDuration()) return;
      last_accept_time = at.authority.Revoke(token);
      revoked_at = at.elapsed;
    };
    const auto on_the_way = [&] {
      at.Advance(RandomBelow(absl::Seconds(2), random));
      revoke_if_due();
    };
    for (const auto& layer : at.layers) layer->hop.on_request = layer->hop.on_answer = on_the_way;
    while (at.elapsed < 3 * kTtl) {
      at.Advance(RandomBelow(absl::Seconds(20), random));
      revoke_if_due();
      for (const auto& layer : at.layers) {
        std::optional<absl::Duration> staleness;
        if (seed % 2 == 1 && random() % 100 == 0) staleness = RandomBelow(kTtl, random);
        const ReceivedFacts answer = pat::Ask(layer->cache, token.digest, staleness);
        ASSERT_TRUE(answer.status.ok()) << answer.status;
        // The verdict is computed now. (The authority's clock is true time here.)
        if (answer.active()) {
          ASSERT_LE(at.elapsed, revoked_at + kTtl) << "seed " << seed;
          ASSERT_LE(at.authority.clock.Now(), last_accept_time) << "seed " << seed;
          if (revoked_at < absl::InfiniteDuration()) longest_lag = std::max(longest_lag, at.elapsed - revoked_at);
        } else {
          ASSERT_LT(revoked_at, absl::InfiniteDuration()) << "seed " << seed;
        }
      }
    }
  }
  EXPECT_GT(longest_lag, kTtl - absl::Minutes(5));  // The hour is really there.
}

// ---- C4: clocks that are set while entries are there.

TEST_P(LayersTest, ClocksThatAreSetNeverStretchAnything) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::mt19937_64 random(seed);
    Machines at(GetParam().skews, {});
    CreateTokenQuery creation = at.authority.GoodCreation("ada");
    creation.expiration = RequestedDuration{.seconds = 3 * 3600};
    const IssuedToken token = at.authority.Issue(creation);
    const absl::Duration revoke_at = RandomBelow(2 * kTtl, random);
    absl::Duration revoked_at = absl::InfiniteDuration();
    while (at.elapsed < 4 * kTtl) {
      at.Advance(RandomBelow(absl::Seconds(60), random));
      if (at.elapsed >= revoke_at && revoked_at == absl::InfiniteDuration()) {
        at.authority.Revoke(token);
        revoked_at = at.elapsed;
      }
      if (random() % 10 == 0) {  // Somebody sets a wall clock: back by years, or anywhere within two days.
        FakeClockSource& time = at.layers[random() % at.layers.size()]->time;
        time.SetWall(random() % 4 == 0 ? time.wall() - absl::Hours(24 * 365)
                                       : time.wall() + RandomBelow(absl::Hours(48), random) - absl::Hours(24));
      }
      const ReceivedFacts answer = at.Ask(token);
      if (!answer.active()) continue;
      ASSERT_LE(at.elapsed, revoked_at + kTtl) << "seed " << seed;
      ASSERT_LE(at.elapsed, absl::Hours(3)) << "seed " << seed;
    }
  }
}

TEST_P(LayersTest, AMachineThatSleptOrWasStoppedServesNothingOld) {
  for (const bool wall_stands_still : {false, true}) {
    Machines at(GetParam().skews, {});
    CreateTokenQuery creation = at.authority.GoodCreation("ada");
    creation.expiration = RequestedDuration{.seconds = 360 * 86400};
    const IssuedToken token = at.authority.Issue(creation);
    ASSERT_TRUE(at.Ask(token).active());
    at.authority.Revoke(token);
    // Seventy minutes, of which the machine's wall clock may have seen nothing.
    at.authority.time.Advance(absl::Minutes(70));
    for (const auto& layer : at.layers) {
      wall_stands_still ? layer->time.AdvanceBoot(absl::Minutes(70)) : layer->time.Advance(absl::Minutes(70));
    }
    EXPECT_FALSE(at.Ask(token).active());
  }
}

// ---- C11

TEST_P(LayersTest, WhereAHopIsDownFreshEntriesAreServedToTheirEndAndNothingElse) {
  for (size_t broken = 0; broken < GetParam().skews.size(); ++broken) {
    Machines at(GetParam().skews, {});
    CreateTokenQuery creation = at.authority.GoodCreation("ada");
    creation.expiration = RequestedDuration{.seconds = 360 * 86400};
    const IssuedToken token = at.authority.Issue(creation);
    const IssuedToken not_cached = at.authority.Issue("ada");
    ASSERT_TRUE(at.Ask(token).active());
    at.layers[broken]->hop.is_down = true;
    EXPECT_TRUE(absl::IsUnavailable(at.Ask(not_cached).status));
    EXPECT_TRUE(absl::IsUnavailable(at.Ask(token, absl::ZeroDuration()).status));
    at.Advance(kTtl);
    EXPECT_TRUE(at.Ask(token).active());
    for (int i = 0; i < 5; ++i) {
      at.Advance(kTick);
      EXPECT_TRUE(absl::IsUnavailable(at.Ask(token).status));
    }
    at.layers[broken]->hop.is_down = false;
    EXPECT_TRUE(at.Ask(token).active());
  }
}

}  // namespace
}  // namespace pat
