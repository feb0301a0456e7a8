// C12: what happens to the owner, or to everybody, is seen at the next read of the store, and at the latest when the
// TTL is over. Told with the real rules and a cache in front.
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/server/cache/cache_test.h"
#include "tests/server/core/owner_changes.h"

namespace pat {
namespace {

// Everything that administrators can do to ada's tokens.
struct Rules : CachedAuthority, OwnerChanges {
  Rules() : OwnerChanges(authority, kTtl) {}
};

struct Change {
  std::string name;
  std::function<absl::StatusOr<absl::Time>(Rules&)> make;
  std::function<absl::StatusOr<absl::Time>(Rules&)> undo;  // Null: for ever.
  bool only_folders = false;                               // It ends the use of OR.Folders, not of the token.
};
void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }

std::vector<Change> Changes() {
  return {
      {"OwnerDisabled", [](Rules& at) { return at.UpdateAda({.disabled = true}, "disabled"); },
       [](Rules& at) { return at.UpdateAda({.disabled = false}, "disabled"); }},
      {"OwnerFromADirectory", [](Rules& at) { return at.UpdateAda({.type = UserType::kDirectory}, "type"); },
       [](Rules& at) { return at.UpdateAda({.type = UserType::kLocal}, "type"); }},
      {"OwnerFromSaml", [](Rules& at) { return at.UpdateAda({.type = UserType::kSaml}, "type"); },
       [](Rules& at) { return at.UpdateAda({.type = UserType::kLocal}, "type"); }},
      {"OwnerDeleted",
       [](Rules& at) -> absl::StatusOr<absl::Time> {
         const absl::StatusOr<EndedTokens> ended = at.users.Delete(at.root, {.name = "users/ada"});
         if (!ended.ok()) return ended.status();
         return ended->last_accept_time;
       },
       nullptr},
      {"OwnerDeletedAndMadeAgain",
       [](Rules& at) -> absl::StatusOr<absl::Time> {
         const absl::StatusOr<EndedTokens> ended = at.users.Delete(at.root, {.name = "users/ada"});
         if (!ended.ok()) return ended.status();
         const absl::StatusOr<UserRecord> again =
             at.users.Create(at.root, {.user_id = "ada", .type = UserType::kLocal, .grants = {"*"}});
         if (!again.ok()) return again.status();
         return ended->last_accept_time;
       },
       nullptr},
      {"TokensSwitchedOff", [](Rules& at) { return at.UpdatePolicy({.tokens_disabled = true}, "tokens_disabled"); },
       [](Rules& at) { return at.UpdatePolicy({.tokens_disabled = false}, "tokens_disabled"); }},
      {"LifespanShortened",
       [](Rules& at) { return at.UpdatePolicy({.maximum_lifespan = {.seconds = 1}}, "maximum_lifespan"); },
       [](Rules& at) { return at.UpdatePolicy({.maximum_lifespan = {.seconds = 86'400}}, "maximum_lifespan"); }},
      {"AllOfTheOwnerRevoked",
       [](Rules& at) -> absl::StatusOr<absl::Time> {
         const absl::StatusOr<RevokedTokens> all =
             at.authority.tokens.RevokeAll(AsUser("ada"), {.parent = "users/ada"});
         if (!all.ok()) return all.status();
         return all->last_accept_time;
       },
       nullptr},
      {"EverybodysRevoked",
       [](Rules& at) -> absl::StatusOr<absl::Time> {
         const absl::StatusOr<RevokedTokens> all = at.authority.tokens.RevokeAll(at.root, {.parent = "users/-"});
         if (!all.ok()) return all.status();
         return all->last_accept_time;
       },
       nullptr},
      {"GrantsReduced", [](Rules& at) { return at.UpdateAda({.grants = {"TM.Defects"}}, "grants"); },
       [](Rules& at) { return at.UpdateAda({.grants = {"OR.Folders"}}, "grants"); }, true},
      {"ScopeForbidden",
       [](Rules& at) { return at.UpdatePolicy({.forbidden_scopes = {"OR.Folders"}}, "forbidden_scopes"); },
       [](Rules& at) { return at.UpdatePolicy({.forbidden_scopes = {}}, "forbidden_scopes"); }, true},
  };
}

class ChangeByTheRulesTest : public testing::TestWithParam<Change> {
 protected:
  // Allowed to use OR.Folders, as far as an answer of this age may tell.
  bool IsAllowed(std::optional<absl::Duration> max_staleness = std::nullopt) {
    IntrospectionQuery query = QueryFor(token_.secret, AllOf({{"OR.Folders"}}));
    query.max_staleness = max_staleness;
    const CheckResult result = Check(at_.introspector, query);
    EXPECT_EQ(result.status, absl::OkStatus());
    if (result.verdict == Verdict::kAllow) return true;
    EXPECT_EQ(result.verdict, GetParam().only_folders ? Verdict::kInsufficientScope : Verdict::kInactive);
    return false;
  }

  Rules at_;
  const IssuedToken token_ = at_.Issue();
};

INSTANTIATE_TEST_SUITE_P(Every, ChangeByTheRulesTest, testing::ValuesIn(Changes()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ChangeByTheRulesTest, ItIsSeenWhenTheTtlIsOverAndNotLater) {
  ASSERT_TRUE(IsAllowed());
  const absl::Time loaded_at = at_.Now();
  at_.Advance(absl::Minutes(10));
  const absl::StatusOr<absl::Time> last_accept_time = GetParam().make(at_);
  ASSERT_TRUE(last_accept_time.ok()) << last_accept_time.status();
  EXPECT_EQ(*last_accept_time, at_.Now() + kTtl);
  // The lag, to its last nanosecond.
  at_.Advance(loaded_at + kTtl - at_.Now());
  EXPECT_TRUE(IsAllowed());
  at_.Advance(kTick);
  EXPECT_FALSE(IsAllowed());
  EXPECT_LE(at_.Now(), *last_accept_time);
}

TEST_P(ChangeByTheRulesTest, ItIsSeenAtTheNextReadOfTheStore) {
  ASSERT_TRUE(IsAllowed());
  at_.Advance(absl::Seconds(10));
  ASSERT_TRUE(GetParam().make(at_).ok());
  EXPECT_TRUE(IsAllowed()) << "the cache knows nothing of it";
  EXPECT_FALSE(IsAllowed(absl::ZeroDuration()));
  EXPECT_FALSE(IsAllowed()) << "what was read is what is known";
}

TEST_P(ChangeByTheRulesTest, WhatIsUndoneComesBackAndWhatIsForEverDoesNot) {
  at_.Advance(absl::Seconds(10));
  ASSERT_TRUE(GetParam().make(at_).ok());
  EXPECT_FALSE(IsAllowed());
  at_.Advance(absl::Hours(1));
  EXPECT_FALSE(IsAllowed());
  if (GetParam().undo) {
    ASSERT_TRUE(GetParam().undo(at_).ok());
    EXPECT_TRUE(IsAllowed(absl::ZeroDuration()));
    return;
  }
  at_.Advance(absl::Hours(24));
  EXPECT_FALSE(IsAllowed(absl::ZeroDuration()));
  // Not even for the owner with the right name.
  EXPECT_FALSE(at_.authority.tokens.Regenerate(AsUser("ada"), {.name = token_.name}).ok());
}

}  // namespace
}  // namespace pat
