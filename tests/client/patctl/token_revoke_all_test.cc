#include <string>

#include "client/patctl/time_text.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TokenRevokeAllTest : public PatctlTest {
 protected:
  TokenRevokeAllTest() {
    server_.revoked_count = 3;
    server_.last_accept_time = ToProto(client::ManualClock::Start() + absl::Seconds(3598));
  }
};

TEST_F(TokenRevokeAllTest, OfTheUserWhoAsks) {
  EXPECT_EQ(RunAsAda({"token", "revoke-all", "--yes"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("RevokeAllTokens"));
  EXPECT_EQ(server_.revoke_all_request.parent(), "users/ada");
  EXPECT_EQ(said(),
            "revoked 3 tokens of users/ada\n"
            "caches may accept them until 2026-11-23 16:04:03Z (in 59m58s)\n");
  EXPECT_EQ(written(), "");
}

TEST_F(TokenRevokeAllTest, SpeaksOfAsManyAsThereWere) {
  server_.revoked_count = 1;
  EXPECT_EQ(RunAsAda({"token", "revoke-all", "--yes"}), 0);
  EXPECT_THAT(said(), HasSubstr("revoked 1 token of users/ada\ncaches may accept it until 2026-11-23 16:04:03Z"));
  server_.revoked_count = 0;
  EXPECT_EQ(RunAsAda({"token", "revoke-all", "--yes"}), 0);
  EXPECT_THAT(said(),
              HasSubstr("revoked no token of users/ada\ncaches may accept earlier ones until 2026-11-23 16:04:03Z"));
}

TEST_F(TokenRevokeAllTest, OfSomebodyElse) {
  for (const char* owner : {"bob", "users/bob"}) {
    EXPECT_EQ(RunAsAdmin({"token", "revoke-all", "--owner", owner, "--yes"}), 0);
    EXPECT_EQ(server_.revoke_all_request.parent(), "users/bob");
  }
}

TEST_F(TokenRevokeAllTest, OfEverybody) {
  EXPECT_EQ(RunAsAdmin({"token", "revoke-all", "--all-users", "--yes"}), 0);
  EXPECT_EQ(server_.revoke_all_request.parent(), "users/-");
  EXPECT_THAT(said(), HasSubstr("revoked 3 tokens of all users\n"));
}

TEST_F(TokenRevokeAllTest, OfEverybodyOnlyIfThatWasSaid) {
  for (const char* owner : {"-", "users/-", "users/"}) {
    EXPECT_EQ(RunAsAdmin({"token", "revoke-all", "--owner", owner, "--yes"}), 2);
    EXPECT_THAT(said(), HasSubstr("give one user's name"));
  }
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(TokenRevokeAllTest, AsksWithTheNumberAndTheLag) {
  for (const bool yes : {true, false}) {
    server_.calls.clear();
    console_->input_is_terminal = true;
    console_->input = yes ? "y\n" : "n\n";
    EXPECT_EQ(RunAsAdmin({"token", "revoke-all", "--all-users"}), yes ? 0 : 4);
    EXPECT_THAT(said(), HasSubstr("revoke 3 tokens of all users? Done now, caches may accept them until 2026-11-23 "
                                  "16:04:03Z (in 59m58s). [y/N] "));
    if (yes) {
      EXPECT_THAT(server_.calls, ElementsAre("RevokeAllTokens validate_only", "RevokeAllTokens"));
    } else {
      EXPECT_THAT(server_.calls, ElementsAre("RevokeAllTokens validate_only"));
    }
  }
}

TEST_F(TokenRevokeAllTest, AScriptMustSayYes) {
  console_->input = "y\n";
  EXPECT_EQ(RunAsAda({"token", "revoke-all"}), 4);
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(TokenRevokeAllTest, ValidateOnlyNeedsNoYes) {
  server_.revoked_count = 0;
  EXPECT_EQ(RunAsAda({"token", "revoke-all", "--validate-only"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("RevokeAllTokens validate_only"));
  EXPECT_EQ(said(), "the request is good, and would revoke no token of users/ada; nothing was revoked\n");
}

TEST_F(TokenRevokeAllTest, JsonHasTheWholeResponse) {
  EXPECT_EQ(RunAsAda({"token", "revoke-all", "--yes", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"revokedCount\": \"3\""));
  EXPECT_THAT(written(), HasSubstr("\"lastAcceptTime\": \"2026-11-23T16:04:03Z\""));
}

TEST_F(TokenRevokeAllTest, AnErrorIsNotTakenForDone) {
  server_.error = client::ErrorWith(grpc::StatusCode::PERMISSION_DENIED, "no", "ROLE_REQUIRED");
  EXPECT_EQ(RunAsAda({"token", "revoke-all", "--owner", "bob", "--yes"}), 1);
  EXPECT_THAT(said(), Not(HasSubstr("revoked")));
}

}  // namespace
}  // namespace pat::patctl
