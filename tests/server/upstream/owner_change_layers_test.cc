// C12 through layers: what happens to the owner, or to everybody, is seen at the next read of the store, and in every
// layer when one TTL is over, also while hops between them fail and are slow. With one cache, and the rules one by one:
// tests/server/cache/owner_change_test.cc.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/policy_rules.h"
#include "server/core/user_lifecycle.h"
#include "tests/server/core/owner_changes.h"
#include "tests/server/upstream/machines.h"
#include "tests/support/check_call.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

// Machines with the rules by which administrators change things.
struct RuledMachines : Machines, OwnerChanges {
  explicit RuledMachines(const std::vector<absl::Duration>& skews)
      : Machines(skews, {}), OwnerChanges(authority, kTtl) {}
};

struct Change {
  const char* name;
  std::function<absl::StatusOr<absl::Time>(RuledMachines&)> make;
  std::function<absl::StatusOr<absl::Time>(RuledMachines&)> undo;  // Null: for ever.
  bool only_folders = false;                                       // It ends the use of OR.Folders, not of the token.
};

std::vector<Change> Changes() {
  using At = RuledMachines;
  return {
      {"Disabled", [](At& at) { return at.UpdateAda({.disabled = true}, "disabled"); },
       [](At& at) { return at.UpdateAda({.disabled = false}, "disabled"); }},
      {"NotLocal", [](At& at) { return at.UpdateAda({.type = UserType::kDirectory}, "type"); },
       [](At& at) { return at.UpdateAda({.type = UserType::kLocal}, "type"); }},
      {"Deleted",
       [](At& at) -> absl::StatusOr<absl::Time> {
         const absl::StatusOr<EndedTokens> ended = at.users.Delete(at.root, {.name = "users/ada"});
         if (!ended.ok()) return ended.status();
         return ended->last_accept_time;
       },
       nullptr},
      {"GrantsReduced", [](At& at) { return at.UpdateAda({.grants = {"TM.Defects"}}, "grants"); },
       [](At& at) { return at.UpdateAda({.grants = {"OR.Folders"}}, "grants"); }, true},
      {"TokensSwitchedOff", [](At& at) { return at.UpdatePolicy({.tokens_disabled = true}, "tokens_disabled"); },
       [](At& at) { return at.UpdatePolicy({.tokens_disabled = false}, "tokens_disabled"); }},
      {"ScopeForbidden",
       [](At& at) { return at.UpdatePolicy({.forbidden_scopes = {"OR.Folders"}}, "forbidden_scopes"); },
       [](At& at) { return at.UpdatePolicy({.forbidden_scopes = {}}, "forbidden_scopes"); }, true},
  };
}

struct Shape {
  const char* name;
  std::vector<absl::Duration> skews;  // Of the layers over the authority, the lowest first.
};

std::vector<Shape> Shapes() {
  return {{"Two", {absl::ZeroDuration()}},
          {"Three", {absl::ZeroDuration(), absl::ZeroDuration()}},
          {"TwoSkewed", {absl::Hours(5)}},
          {"ThreeSkewed", {absl::Hours(7), -absl::Hours(90)}}};
}

class OwnerChangeInLayersTest : public testing::TestWithParam<std::tuple<size_t, size_t>> {
 protected:
  enum class Says { kAllowed, kDenied, kUndecided };

  const Change& change() const { return changes_[std::get<1>(GetParam())]; }

  static IssuedToken Issue(RuledMachines& at) {
    CreateTokenQuery creation = at.authority.GoodCreation("ada");
    creation.expiration = RequestedDuration{.seconds = 360 * 86400};  // Beyond every skew.
    return at.authority.Issue(creation);
  }

  // May OR.Folders be used, as this layer says?
  Says Ask(RuledMachines& at, size_t layer, const IssuedToken& token,
           std::optional<absl::Duration> max_staleness = std::nullopt) {
    Introspector introspector(at.layers[layer]->cache, at.layers[layer]->clock);
    IntrospectionQuery query = QueryFor(token.digest, AllOf({{"OR.Folders"}}));
    query.max_staleness = max_staleness;
    const CheckResult result = Check(introspector, query);
    if (!result.status.ok()) {
      EXPECT_TRUE(absl::IsUnavailable(result.status)) << result.status;
      return Says::kUndecided;
    }
    if (result.verdict == Verdict::kAllow) return Says::kAllowed;
    EXPECT_EQ(result.verdict, change().only_folders ? Verdict::kInsufficientScope : Verdict::kInactive);
    return Says::kDenied;
  }

  const std::vector<Change> changes_ = Changes();
  const std::vector<absl::Duration> skews_ = Shapes()[std::get<0>(GetParam())].skews;
};

INSTANTIATE_TEST_SUITE_P(Every, OwnerChangeInLayersTest,
                         testing::Combine(testing::Range<size_t>(0, Shapes().size()),
                                          testing::Range<size_t>(0, Changes().size())),
                         [](const auto& info) {
                           return std::string(Changes()[std::get<1>(info.param)].name) +
                                  Shapes()[std::get<0>(info.param)].name;
                         });

TEST_P(OwnerChangeInLayersTest, IsSeenAtTheTopWhenOneTtlIsOverAndNotLater) {
  RuledMachines at(skews_);
  const IssuedToken token = Issue(at);
  const size_t top = at.layers.size() - 1;
  ASSERT_EQ(Ask(at, top, token), Says::kAllowed);
  const absl::Duration loaded_at = at.elapsed;
  at.Advance(absl::Minutes(10));
  const absl::StatusOr<absl::Time> last_accept_time = change().make(at);
  ASSERT_TRUE(last_accept_time.ok()) << last_accept_time.status();
  at.Advance(loaded_at + kTtl - at.elapsed);
  for (size_t layer = 0; layer <= top; ++layer) EXPECT_EQ(Ask(at, layer, token), Says::kAllowed) << layer;
  at.Advance(kTick);
  EXPECT_LE(at.authority.clock.Now(), *last_accept_time);
  for (size_t layer = top + 1; layer-- > 0;) EXPECT_EQ(Ask(at, layer, token), Says::kDenied) << layer;
}

TEST_P(OwnerChangeInLayersTest, IsSeenAtTheNextReadOfTheStoreInEveryLayerThatItGoesThrough) {
  RuledMachines at(skews_);
  const IssuedToken token = Issue(at);
  const size_t top = at.layers.size() - 1;
  for (size_t layer = 0; layer <= top; ++layer) ASSERT_EQ(Ask(at, layer, token), Says::kAllowed);
  at.Advance(absl::Seconds(10));
  ASSERT_TRUE(change().make(at).ok());
  EXPECT_EQ(Ask(at, top, token), Says::kAllowed) << "no cache knows of it";
  EXPECT_EQ(Ask(at, top, token, absl::ZeroDuration()), Says::kDenied);
  for (size_t layer = 0; layer <= top; ++layer) EXPECT_EQ(Ask(at, layer, token), Says::kDenied) << layer;
}

TEST_P(OwnerChangeInLayersTest, WhatIsUndoneComesBackAndWhatIsForEverDoesNot) {
  RuledMachines at(skews_);
  const IssuedToken token = Issue(at);
  const size_t top = at.layers.size() - 1;
  ASSERT_TRUE(change().make(at).ok());
  ASSERT_EQ(Ask(at, top, token), Says::kDenied);
  at.Advance(absl::Minutes(1));
  if (!change().undo) {
    at.Advance(absl::Hours(24));
    EXPECT_EQ(Ask(at, top, token, absl::ZeroDuration()), Says::kDenied);
    return;
  }
  ASSERT_TRUE(change().undo(at).ok());
  EXPECT_EQ(Ask(at, top, token, absl::ZeroDuration()), Says::kAllowed);
  for (size_t layer = 0; layer <= top; ++layer) EXPECT_EQ(Ask(at, layer, token), Says::kAllowed) << layer;
}

// Hops fail for minutes and are slow by seconds, the change is made at a random time or on the way of an answer, and
// everybody is asked all the time, now and then by the store.
TEST_P(OwnerChangeInLayersTest, FaultsBetweenTheLayersMakeItNoLater) {
  absl::Duration longest_lag;
  size_t undecided = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    RuledMachines at(skews_);
    const IssuedToken token = Issue(at);
    const absl::Duration change_at = RandomBelow(kTtl, random);
    absl::Duration changed_at = absl::InfiniteDuration();
    absl::Time last_accept_time = absl::InfiniteFuture();
    const auto change_if_due = [&] {
      if (at.elapsed < change_at || changed_at < absl::InfiniteDuration()) return;
      const absl::StatusOr<absl::Time> made = change().make(at);
      ASSERT_TRUE(made.ok()) << made.status();
      last_accept_time = *made;
      changed_at = at.elapsed;
    };
    const auto on_the_way = [&] {
      at.Advance(RandomBelow(absl::Seconds(2), random));
      change_if_due();
    };
    for (const auto& layer : at.layers) layer->hop.on_request = layer->hop.on_answer = on_the_way;
    while (at.elapsed < 3 * kTtl) {
      at.Advance(RandomBelow(absl::Seconds(60), random));
      change_if_due();
      WireHop& hop = at.layers[random() % at.layers.size()]->hop;
      if (random() % 4 == 0) hop.is_down = !hop.is_down;
      for (size_t layer = 0; layer < at.layers.size(); ++layer) {
        std::optional<absl::Duration> staleness;
        if (seed % 2 == 1 && random() % 20 == 0) staleness = RandomBelow(kTtl, random);
        switch (Ask(at, layer, token, staleness)) {
          case Says::kUndecided:
            ++undecided;
            break;
          case Says::kAllowed:
            ASSERT_LE(at.elapsed, changed_at + kTtl) << "seed " << seed;
            ASSERT_LE(at.authority.clock.Now(), last_accept_time) << "seed " << seed;
            if (changed_at < absl::InfiniteDuration()) longest_lag = std::max(longest_lag, at.elapsed - changed_at);
            break;
          case Says::kDenied:
            ASSERT_LT(changed_at, absl::InfiniteDuration()) << "seed " << seed;
        }
      }
    }
    for (const auto& layer : at.layers) layer->hop.is_down = false;
    for (size_t layer = 0; layer < at.layers.size(); ++layer) EXPECT_EQ(Ask(at, layer, token), Says::kDenied);
  }
  EXPECT_GT(longest_lag, kTtl / 2);  // The lag is really there,
  EXPECT_GT(undecided, 100);         // and so are the faults.
}

}  // namespace
}  // namespace pat
