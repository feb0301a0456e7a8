#include "client/patctl/token_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/patctl/time_text.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = client::ManualClock::Start();  // 2026-11-23 15:04:05 UTC

TEST(TokenViewTest, ListHasARowForEachToken) {
  v1::Token expired = MakeToken(kBackup, "nightly backup");
  expired.set_state(v1::Token::STATE_EXPIRED);
  *expired.mutable_expire_time() = ToProto(kNow - absl::Minutes(5));
  for (const char* scope : {"A", "B", "C"}) expired.add_scopes(scope);
  EXPECT_EQ(ShowTokens({MakeToken(kCi, "ci"), expired}, /*with_owner=*/false, kNow),
            "NAME            STATE    SCOPES                                EXPIRES                          ID\n"
            "ci              ACTIVE   OR.Folders.Read,TM.Defects.Read       2026-12-23 15:04:05Z (in 30d)    "
            "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3\n"
            "nightly backup  EXPIRED  OR.Folders.Read,TM.Defects.Read,A +2  2026-11-23 14:59:05Z (5m0s ago)  "
            "11111111-2222-3333-4444-555555555555\n");
}

TEST(TokenViewTest, ListOfEverybodyHasOwnersAndLastUse) {
  v1::Token used = MakeToken(kCi, "ci");
  *used.mutable_last_use_time() = ToProto(kNow - absl::Hours(2));
  const std::string text = ShowTokens({used, MakeToken(kBackup, "backup")}, /*with_owner=*/true, kNow);
  EXPECT_THAT(text, HasSubstr("OWNER  LAST USED\n"));
  EXPECT_THAT(text, HasSubstr("  ada    2026-11-23 13:04:05Z (2h0m ago)\n"));
  EXPECT_THAT(text, HasSubstr("  ada    -\n"));
}

TEST(TokenViewTest, ShowHasAllOfAToken) {
  v1::Token token = MakeToken(kCi, "ci");
  token.set_description("builds");
  token.add_audiences("folders");
  *token.mutable_regenerate_time() = ToProto(kNow - absl::Minutes(1));
  *token.mutable_revoke_time() = ToProto(kNow - absl::Seconds(30));
  *token.mutable_last_use_time() = ToProto(kNow - absl::Minutes(2));
  token.set_state(v1::Token::STATE_REVOKED);
  EXPECT_EQ(ShowToken(token, kNow),
            "NAME         ci\n"
            "DESCRIPTION  builds\n"
            "STATE        REVOKED\n"
            "EXPIRES      2026-12-23 15:04:05Z (in 30d)\n"
            "SCOPES       OR.Folders.Read\n"
            "             TM.Defects.Read\n"
            "AUDIENCES    folders\n"
            "CREATED      2026-11-23 14:04:05Z (1h0m ago)\n"
            "REGENERATED  2026-11-23 15:03:05Z (1m0s ago)\n"
            "REVOKED      2026-11-23 15:03:35Z (30s ago)\n"
            "LAST USED    2026-11-23 15:02:05Z (2m0s ago)\n"
            "OWNER        ada\n"
            "ID           0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3\n"
            "FULL NAME    users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3\n");
}

TEST(TokenViewTest, ShowLeavesOutWhatThereIsNot) {
  const std::string text = ShowToken(MakeToken(kCi, "ci"), kNow);
  EXPECT_THAT(text, HasSubstr("AUDIENCES  everywhere\n"));
  for (const char* absent : {"DESCRIPTION", "REGENERATED", "REVOKED", "LAST USED"}) {
    EXPECT_THAT(text, Not(HasSubstr(absent)));
  }
}

TEST(TokenViewTest, EscapesNames) {
  EXPECT_EQ(Describe(MakeToken("\x1b", "a\nb")), "\"a\\x0ab\" (users/ada/tokens/\\x1b)");
}

TEST(TokenViewTest, StatesOfANewerServerAreNumbers) {
  EXPECT_EQ(StateName(v1::Token::STATE_ACTIVE), "ACTIVE");
  EXPECT_EQ(StateName(static_cast<v1::Token::State>(9)), "9");
}

TEST(TokenViewTest, LastAcceptTimeIsRoundedUp) {
  EXPECT_EQ(ShowLastAccept(kNow + absl::Seconds(3598), kNow),
            "caches may accept it until 2026-11-23 16:04:03Z (in 59m58s)");
  EXPECT_EQ(ShowLastAccept(kNow + absl::Seconds(3597) + absl::Nanoseconds(1), kNow),
            "caches may accept it until 2026-11-23 16:04:03Z (in 59m58s)");
  EXPECT_EQ(ShowLastAccept(kNow + absl::Hours(9), kNow), "caches may accept it until 2026-11-24 00:04:05Z (in 9h0m)");
}

TEST(TokenViewTest, NoCacheAcceptsItOnceThatTimeHasPassed) {
  EXPECT_EQ(ShowLastAccept(kNow, kNow), "no cache accepts it any more");
  EXPECT_EQ(ShowLastAccept(absl::UnixEpoch(), kNow), "no cache accepts it any more");
}

}  // namespace
}  // namespace pat::patctl
