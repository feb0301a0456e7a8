// The lag of a revocation, end to end: until when a token is accepted that was revoked or regenerated or has expired,
// to the nanosecond, through gRPC and a store on disk.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/dev_server.h"

namespace pat {
namespace {

using ::testing::ElementsAreArray;
using v1::Freshness;
using v1::IntrospectResponse;

const absl::Duration kTtl = absl::Seconds(3);
const absl::Duration kInstant = absl::Nanoseconds(1);

Freshness::Source SourceOf(const IntrospectResponse& answer) { return answer.freshness().source(); }
absl::Time ReadTimeOf(const IntrospectResponse& answer) { return ToTime(answer.freshness().read_time()); }
absl::Time FreshUntilOf(const IntrospectResponse& answer) { return ToTime(answer.freshness().fresh_until()); }
absl::Duration FreshForOf(const IntrospectResponse& answer) { return ToAbslDuration(answer.freshness().fresh_for()); }

MATCHER_P(IsActiveFrom, source, "") {
  *result_listener << arg.ShortDebugString();
  return arg.active() && arg.verdict() == IntrospectResponse::VERDICT_ALLOW && SourceOf(arg) == source &&
         arg.sub() == "users/ada" && !arg.scopes().empty() && !arg.jti().empty();
}

MATCHER_P(IsInactiveFrom, source, "") {
  *result_listener << arg.ShortDebugString();
  IntrospectResponse all;
  all.set_active(false);
  all.set_verdict(IntrospectResponse::VERDICT_INACTIVE);
  return WithoutFreshness(arg) == all.SerializeAsString() && SourceOf(arg) == source;
}

TEST(LagTest, RevokedTokenIsActiveFromTheCacheUntilExactlyTheTtlAndNoNanosecondLonger) {
  DevServer server(WithTtl(kTtl));
  const MadeToken made = server.client().Create("ada", "revoked");

  const absl::Time read_at = server.time.wall();
  const IntrospectResponse first = server.client().Introspect(made.secret);
  EXPECT_THAT(first, IsActiveFrom(Freshness::SOURCE_STORE));
  EXPECT_EQ(ReadTimeOf(first), read_at);
  EXPECT_EQ(FreshUntilOf(first), read_at + kTtl);
  EXPECT_EQ(FreshForOf(first), kTtl);

  server.time.Advance(absl::Seconds(1));
  const v1::RevokeTokenResponse revoked = server.client().Revoke(made.token);
  EXPECT_EQ(revoked.token().state(), v1::Token::STATE_REVOKED);
  EXPECT_EQ(ToTime(revoked.token().revoke_time()), server.time.wall());
  EXPECT_EQ(ToTime(revoked.last_accept_time()), server.time.wall() + kTtl);

  const IntrospectResponse lagging = server.client().Introspect(made.secret);
  EXPECT_THAT(lagging, IsActiveFrom(Freshness::SOURCE_CACHE));
  EXPECT_EQ(ReadTimeOf(lagging), read_at);
  EXPECT_EQ(FreshUntilOf(lagging), read_at + kTtl);
  EXPECT_EQ(FreshForOf(lagging), absl::Seconds(2));

  server.time.Advance(absl::Seconds(2));
  const IntrospectResponse last = server.client().Introspect(made.secret);
  EXPECT_THAT(last, IsActiveFrom(Freshness::SOURCE_CACHE));
  EXPECT_EQ(FreshForOf(last), absl::ZeroDuration());

  server.time.Advance(kInstant);
  const IntrospectResponse denied = server.client().Introspect(made.secret);
  EXPECT_THAT(denied, IsInactiveFrom(Freshness::SOURCE_STORE));
  EXPECT_EQ(ReadTimeOf(denied), server.time.wall());

  for (int i = 0; i < 20; ++i) {
    server.time.Advance(kTtl / 2);
    EXPECT_FALSE(server.client().Introspect(made.secret).active());
  }
}

TEST(LagTest, HitsDoNotExtendAnEntry) {
  DevServer server(WithTtl(kTtl));
  const MadeToken made = server.client().Create("ada", "often used");
  int loads = 0;
  for (int i = 0; i < 40; ++i) {
    if (SourceOf(server.client().Introspect(made.secret)) == Freshness::SOURCE_STORE) ++loads;
    server.time.Advance(absl::Milliseconds(250));
  }
  EXPECT_EQ(loads, 4);  // At 0 s, 3.25 s, 6.5 s, 9.75 s.
}

TEST(LagTest, CallerWhoWantsFreshFactsSeesTheRevocationAtOnceAndSoDoesEverybodyAfter) {
  DevServer server(WithTtl(kTtl));
  const MadeToken made = server.client().Create("ada", "asked now");
  EXPECT_THAT(server.client().Introspect(made.secret), IsActiveFrom(Freshness::SOURCE_STORE));
  EXPECT_THAT(server.client().IntrospectNow(made.secret), IsActiveFrom(Freshness::SOURCE_STORE));
  server.client().Revoke(made.token);
  EXPECT_THAT(server.client().Introspect(made.secret), IsActiveFrom(Freshness::SOURCE_CACHE));
  server.time.Advance(kInstant);  // An entry is replaced by a later one only.
  EXPECT_THAT(server.client().IntrospectNow(made.secret), IsInactiveFrom(Freshness::SOURCE_STORE));
  EXPECT_THAT(server.client().Introspect(made.secret), IsInactiveFrom(Freshness::SOURCE_CACHE));
}

TEST(LagTest, CallerMayChooseAShorterLag) {
  DevServer server(WithTtl(kTtl));
  const MadeToken made = server.client().Create("ada", "half fresh");
  server.client().Introspect(made.secret);
  server.client().Revoke(made.token);
  v1::IntrospectRequest question = QuestionFor(made.secret);
  Set(absl::Seconds(1), *question.mutable_max_staleness());
  const auto ask = [&] { return server.client().Call(&IntrospectionStub::Introspect, Nobody(), question).value(); };
  server.time.Advance(absl::Seconds(1));
  EXPECT_THAT(ask(), IsActiveFrom(Freshness::SOURCE_CACHE));
  server.time.Advance(kInstant);
  EXPECT_THAT(ask(), IsInactiveFrom(Freshness::SOURCE_STORE));

  // More than the TTL is the TTL.
  const MadeToken other = server.client().Create("ada", "wants it stale");
  server.client().Introspect(other.secret);
  server.client().Revoke(other.token);
  question = QuestionFor(other.secret);
  Set(absl::Hours(10), *question.mutable_max_staleness());
  server.time.Advance(kTtl);
  EXPECT_THAT(ask(), IsActiveFrom(Freshness::SOURCE_CACHE));
  server.time.Advance(kInstant);
  EXPECT_THAT(ask(), IsInactiveFrom(Freshness::SOURCE_STORE));
}

TEST(LagTest, RegeneratedTokensOldSecretLagsAndTheNewOneWorksAtOnce) {
  DevServer server(WithTtl(kTtl));
  const MadeToken made = server.client().Create("ada", "regenerated");
  const IntrospectResponse before = server.client().Introspect(made.secret);

  server.time.Advance(absl::Seconds(1));
  const v1::RegenerateTokenResponse again = server.client().Regenerate(made.token);
  EXPECT_EQ(ToTime(again.previous_secret_last_accept_time()), server.time.wall() + kTtl);
  EXPECT_EQ(ToTime(again.token().regenerate_time()), server.time.wall());
  EXPECT_EQ(again.token().name(), made.token.name());
  EXPECT_EQ(again.token().uid(), made.token.uid());
  EXPECT_EQ(again.token().state(), v1::Token::STATE_ACTIVE);
  EXPECT_EQ(ToTime(again.token().expire_time()), ToTime(made.token.expire_time()));
  EXPECT_THAT(again.token().scopes(), ElementsAreArray(made.token.scopes()));
  EXPECT_NE(again.token().etag(), made.token.etag());
  EXPECT_NE(again.secret(), made.secret);

  const IntrospectResponse with_new = server.client().Introspect(again.secret());
  EXPECT_THAT(with_new, IsActiveFrom(Freshness::SOURCE_STORE));
  EXPECT_EQ(WithoutFreshness(with_new), WithoutFreshness(before));
  EXPECT_THAT(server.client().Introspect(made.secret), IsActiveFrom(Freshness::SOURCE_CACHE));

  server.time.Advance(absl::Seconds(2));
  EXPECT_THAT(server.client().Introspect(made.secret), IsActiveFrom(Freshness::SOURCE_CACHE));
  server.time.Advance(kInstant);
  EXPECT_THAT(server.client().Introspect(made.secret), IsInactiveFrom(Freshness::SOURCE_STORE));
  EXPECT_THAT(server.client().Introspect(again.secret()), IsActiveFrom(Freshness::SOURCE_CACHE));
}

TEST(LagTest, RegeneratedTokensOldSecretIsDeadInTheStoreAtOnce) {
  DevServer server(WithTtl(kTtl));
  const MadeToken made = server.client().Create("ada", "regenerated");
  server.client().Introspect(made.secret);
  const v1::RegenerateTokenResponse again = server.client().Regenerate(made.token);
  EXPECT_THAT(server.client().IntrospectNow(made.secret), IsInactiveFrom(Freshness::SOURCE_STORE));
  EXPECT_THAT(server.client().IntrospectNow(again.secret()), IsActiveFrom(Freshness::SOURCE_STORE));
}

TEST(LagTest, NoTokenIsActiveAfterItsLastAcceptTime) {
  DevServer server(WithTtl(kTtl));
  std::mt19937 random(7);
  struct Story {
    MadeToken made;
    int revoke_at;
    absl::Time last_accept_time;
  };
  std::vector<Story> stories;
  for (int i = 0; i < 20; ++i) {
    stories.push_back({server.client().Create("ada", absl::StrCat("story ", i)), static_cast<int>(random() % 60), {}});
  }
  int accepted_late = 0;
  for (int step = 0; step < 120; ++step) {
    for (Story& story : stories) {
      if (step == story.revoke_at) {
        story.last_accept_time = ToTime(server.client().Revoke(story.made.token).last_accept_time());
        EXPECT_EQ(story.last_accept_time, server.time.wall() + kTtl);
      }
      const bool active = server.client().Introspect(story.made.secret).active();
      if (step < story.revoke_at) {
        EXPECT_TRUE(active);
      } else if (server.time.wall() > story.last_accept_time) {
        EXPECT_FALSE(active);
      } else if (active) {
        ++accepted_late;
      }
    }
    server.time.Advance(absl::Milliseconds(100));
  }
  EXPECT_GT(accepted_late, 20);  // Otherwise this test shows nothing.
}

TEST(LagTest, TokenExpiresInsideTheTtl) {
  DevServer server(WithTtl(kTtl));
  v1::CreateTokenRequest request = CreationFor("ada", "short-lived");
  request.mutable_ttl()->set_seconds(2);
  const MadeToken made = server.client().Create(request);
  const absl::Time expire_time = ToTime(made.token.expire_time());
  EXPECT_EQ(expire_time, server.time.wall() + absl::Seconds(2));

  const IntrospectResponse first = server.client().Introspect(made.secret);
  EXPECT_THAT(first, IsActiveFrom(Freshness::SOURCE_STORE));
  EXPECT_EQ(FreshUntilOf(first), expire_time);
  EXPECT_EQ(FreshForOf(first), absl::Seconds(2));
  EXPECT_EQ(first.exp(), absl::ToUnixSeconds(expire_time));

  server.time.Advance(absl::Seconds(2) - kInstant);
  const IntrospectResponse last = server.client().Introspect(made.secret);
  EXPECT_THAT(last, IsActiveFrom(Freshness::SOURCE_CACHE));
  EXPECT_EQ(FreshForOf(last), kInstant);

  server.time.Advance(kInstant);
  EXPECT_THAT(server.client().Introspect(made.secret), IsInactiveFrom(Freshness::SOURCE_STORE));
  ASSERT_EQ(server.client().List("ada").size(), 1u);
  EXPECT_EQ(server.client().List("ada").front().state(), v1::Token::STATE_EXPIRED);

  // Not even a wall clock that is set back revives it.
  server.time.SetWall(server.time.wall() - absl::Hours(24));
  EXPECT_FALSE(server.client().Introspect(made.secret).active());
  EXPECT_FALSE(server.client().IntrospectNow(made.secret).active());
}

TEST(LagTest, WallClockThatIsSetBackDoesNotStretchTheLag) {
  DevServer server(WithTtl(kTtl));
  const MadeToken made = server.client().Create("ada", "set back");
  server.client().Introspect(made.secret);
  server.client().Revoke(made.token);
  server.time.SetWall(server.time.wall() - absl::Hours(24));
  server.time.AdvanceBoot(kTtl);
  EXPECT_THAT(server.client().Introspect(made.secret), IsActiveFrom(Freshness::SOURCE_CACHE));
  server.time.AdvanceBoot(kInstant);
  EXPECT_THAT(server.client().Introspect(made.secret), IsInactiveFrom(Freshness::SOURCE_STORE));
}

TEST(LagTest, InactiveAnswerIsRememberedForTheSmallerOfBothTtls) {
  Options options = WithTtl(absl::Hours(1));
  options.negative_cache_ttl = absl::Seconds(10);
  DevServer server(options);
  const MadeToken made = server.client().Create("ada", "revoked");
  server.client().Revoke(made.token);
  const IntrospectResponse first = server.client().Introspect(made.secret);
  EXPECT_THAT(first, IsInactiveFrom(Freshness::SOURCE_STORE));
  EXPECT_EQ(FreshUntilOf(first), ReadTimeOf(first) + absl::Seconds(10));
  server.time.Advance(absl::Seconds(10));
  EXPECT_THAT(server.client().Introspect(made.secret), IsInactiveFrom(Freshness::SOURCE_CACHE));
  server.time.Advance(kInstant);
  EXPECT_THAT(server.client().Introspect(made.secret), IsInactiveFrom(Freshness::SOURCE_STORE));
}

TEST(LagTest, HourIsTheDefault) {
  DevServer server;
  const MadeToken made = server.client().Create("ada", "an hour");
  EXPECT_EQ(FreshForOf(server.client().Introspect(made.secret)), absl::Hours(1));
  const absl::Time last_accept_time = ToTime(server.client().Revoke(made.token).last_accept_time());
  EXPECT_EQ(last_accept_time, server.time.wall() + absl::Seconds(3600));
  server.time.Advance(absl::Seconds(3600));
  EXPECT_THAT(server.client().Introspect(made.secret), IsActiveFrom(Freshness::SOURCE_CACHE));
  server.time.Advance(kInstant);
  EXPECT_THAT(server.client().Introspect(made.secret), IsInactiveFrom(Freshness::SOURCE_STORE));
}

TEST(LagTest, WithoutACacheThereIsNoLag) {
  DevServer server(WithTtl(absl::ZeroDuration()));
  const MadeToken made = server.client().Create("ada", "no lag");
  EXPECT_THAT(server.client().Introspect(made.secret), IsActiveFrom(Freshness::SOURCE_STORE));
  EXPECT_THAT(server.client().Introspect(made.secret), IsActiveFrom(Freshness::SOURCE_STORE));
  EXPECT_EQ(ToTime(server.client().Revoke(made.token).last_accept_time()), server.time.wall());
  EXPECT_THAT(server.client().Introspect(made.secret), IsInactiveFrom(Freshness::SOURCE_STORE));
}

TEST(LagTest, RestartKeepsTokensAndForgetsTheCache) {
  DevServer server(WithTtl(kTtl));
  const MadeToken kept = server.client().Create("ada", "kept");
  const MadeToken revoked = server.client().Create("ada", "revoked");
  const MadeToken regenerated = server.client().Create("ada", "regenerated");
  for (const MadeToken* made : {&kept, &revoked, &regenerated}) server.client().Introspect(made->secret);
  const v1::RevokeTokenResponse revocation = server.client().Revoke(revoked.token);
  const v1::RegenerateTokenResponse again = server.client().Regenerate(regenerated.token);
  const std::vector<v1::Token> before = server.client().List("ada", /*show_revoked=*/true);
  ASSERT_EQ(before.size(), 3u);

  server.Restart();
  const std::vector<v1::Token> after = server.client().List("ada", /*show_revoked=*/true);
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) {
    // Written with the end of the server, if not before.
    EXPECT_TRUE(after[i].has_last_use_time());
    v1::Token expected = before[i];
    *expected.mutable_last_use_time() = after[i].last_use_time();
    EXPECT_EQ(after[i].SerializeAsString(), expected.SerializeAsString());
  }
  EXPECT_THAT(server.client().Introspect(kept.secret), IsActiveFrom(Freshness::SOURCE_STORE));
  EXPECT_THAT(server.client().Introspect(again.secret()), IsActiveFrom(Freshness::SOURCE_STORE));
  EXPECT_THAT(server.client().Introspect(revoked.secret), IsInactiveFrom(Freshness::SOURCE_STORE));
  EXPECT_THAT(server.client().Introspect(regenerated.secret), IsInactiveFrom(Freshness::SOURCE_STORE));

  // Revoked is revoked: the second time changes nothing.
  server.time.Advance(absl::Seconds(1));
  EXPECT_EQ(ToTime(server.client().Revoke(revoked.token).token().revoke_time()),
            ToTime(revocation.token().revoke_time()));
  EXPECT_EQ(
      server.client().Call(&TokenStub::CreateToken, PortalFor("ada"), CreationFor("ada", "kept")).status.error_code(),
      grpc::StatusCode::ALREADY_EXISTS);
}

// Elsewhere entries of the larger TTL may still be alive.
TEST(LagTest, LargerTtlCountsUntilItsEntriesHaveEndedAndASmallerOneNotBefore) {
  DevServer server(WithTtl(absl::Hours(1)));
  const MadeToken first = server.client().Create("ada", "first");
  const MadeToken second = server.client().Create("ada", "second");
  const MadeToken third = server.client().Create("ada", "third");

  server.Restart(kTtl);
  EXPECT_EQ(ToTime(server.client().Revoke(first.token).last_accept_time()), server.time.wall() + absl::Hours(1));
  server.time.Advance(absl::Hours(1));
  EXPECT_EQ(ToTime(server.client().Revoke(second.token).last_accept_time()), server.time.wall() + kTtl);

  server.Restart(absl::Hours(2));
  EXPECT_EQ(ToTime(server.client().Revoke(third.token).last_accept_time()), server.time.wall() + absl::Hours(2));
}

}  // namespace
}  // namespace pat
