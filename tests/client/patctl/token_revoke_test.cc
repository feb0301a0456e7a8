#include <string>

#include "client/patctl/time_text.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TokenRevokeTest : public PatctlTest {
 protected:
  TokenRevokeTest() {
    server_.tokens = {MakeToken(kCi, "ci")};
    server_.last_accept_time = ToProto(client::ManualClock::Start() + absl::Seconds(3598));
  }
};

TEST_F(TokenRevokeTest, SaysUntilWhenCachesMayAcceptIt) {
  EXPECT_EQ(RunAsAda({"token", "revoke", kCi, "--yes"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("RevokeToken"));
  EXPECT_EQ(server_.revoke_request.name(), std::string("users/ada/tokens/") + kCi);
  EXPECT_EQ(server_.revoke_request.etag(), "");
  EXPECT_FALSE(server_.revoke_request.validate_only());
  EXPECT_EQ(written(), "");
  EXPECT_EQ(said(),
            "revoked \"ci\" (users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3)\n"
            "caches may accept it until 2026-11-23 16:04:03Z (in 59m58s)\n");
}

TEST_F(TokenRevokeTest, SaysThatTheLagIsOver) {
  server_.last_accept_time = ToProto(client::ManualClock::Start());
  EXPECT_EQ(RunAsAda({"token", "revoke", kCi, "--yes"}), 0);
  EXPECT_THAT(said(), HasSubstr("no cache accepts it any more\n"));
}

TEST_F(TokenRevokeTest, AsksAtATerminalAndSaysWhatTheLagMeans) {
  for (const char* yes : {"y\n", "Y\n", "yes\n", " YES \n"}) {
    server_.calls.clear();
    console_->input_is_terminal = true;
    console_->input = yes;
    EXPECT_EQ(RunAsAda({"token", "revoke", "ci"}), 0) << yes;
    EXPECT_THAT(server_.calls, ElementsAre("ListTokens", "RevokeToken validate_only", "RevokeToken"));
    EXPECT_THAT(said(), HasSubstr("NAME       ci\n"));
    EXPECT_THAT(said(), HasSubstr("services that have it in their cache may go on\naccepting it until"));
    EXPECT_THAT(said(),
                HasSubstr("revoke \"ci\" (users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3)? Done now, caches "
                          "may accept it until 2026-11-23 16:04:03Z (in 59m58s). [y/N] "));
  }
}

TEST_F(TokenRevokeTest, TheInstantThatCountsIsThatOfTheRealCall) {
  server_.on_call = [this](grpc::ServerContext&) {
    if (server_.calls.back() == "RevokeToken") {
      server_.last_accept_time = ToProto(client::ManualClock::Start() + absl::Seconds(3610));
    }
  };
  console_->input_is_terminal = true;
  console_->input = "y\n";
  EXPECT_EQ(RunAsAda({"token", "revoke", kCi}), 0);
  EXPECT_THAT(said(), HasSubstr("Done now, caches may accept it until 2026-11-23 16:04:03Z (in 59m58s). [y/N] "));
  EXPECT_THAT(said(), EndsWith("caches may accept it until 2026-11-23 16:04:15Z (in 1h0m)\n"));
}

TEST_F(TokenRevokeTest, WithoutALagTheQuestionSaysSo) {
  server_.last_accept_time = ToProto(client::ManualClock::Start());
  console_->input_is_terminal = true;
  console_->input = "n\n";
  EXPECT_EQ(RunAsAda({"token", "revoke", kCi}), 4);
  EXPECT_THAT(said(), HasSubstr("5f2a8c417be3)? Done now, no cache accepts it any more. [y/N] "));
}

TEST_F(TokenRevokeTest, WhatIsRefusedIsNotAskedFor) {
  server_.on_call = [this](grpc::ServerContext&) {
    if (server_.calls.back() != "RevokeToken validate_only") return;
    server_.error = client::ErrorWith(grpc::StatusCode::UNAVAILABLE, "the store is failing", "STORE_UNAVAILABLE");
  };
  console_->input_is_terminal = true;
  console_->input = "y\n";
  EXPECT_EQ(RunAsAda({"token", "revoke", kCi}), 1);
  EXPECT_THAT(server_.calls, ElementsAre("GetToken", "RevokeToken validate_only"));
  EXPECT_THAT(said(), Not(HasSubstr("[y/N]")));
}

TEST_F(TokenRevokeTest, WithoutAClearYesNothingIsDone) {
  for (const char* answer : {"n\n", "\n", "no\n", "yess\n", "ja\n", ""}) {
    server_.calls.clear();
    console_->input_is_terminal = true;
    console_->input = answer;
    EXPECT_EQ(RunAsAda({"token", "revoke", kCi}), 4) << answer;
    EXPECT_THAT(server_.calls, ElementsAre("GetToken", "RevokeToken validate_only"));
    EXPECT_THAT(said(), HasSubstr("nothing was changed"));
  }
}

TEST_F(TokenRevokeTest, AScriptMustSayYes) {
  console_->input = "y\n";  // Piped in: that is nobody's answer.
  EXPECT_EQ(RunAsAda({"token", "revoke", kCi}), 4);
  EXPECT_THAT(said(), HasSubstr("give --yes"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(TokenRevokeTest, ValidateOnlyNeedsNoYes) {
  EXPECT_EQ(RunAsAda({"token", "revoke", kCi, "--validate-only"}), 0);
  EXPECT_TRUE(server_.revoke_request.validate_only());
  EXPECT_EQ(
      said(),
      "the request is good; nothing was revoked: \"ci\" (users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3)\n");
}

TEST_F(TokenRevokeTest, JsonHasTheWholeResponse) {
  EXPECT_EQ(RunAsAda({"token", "revoke", kCi, "--yes", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"lastAcceptTime\": \"2026-11-23T16:04:03Z\""));
  EXPECT_THAT(said(), HasSubstr("caches may accept it until 2026-11-23 16:04:03Z"));
}

TEST_F(TokenRevokeTest, AnErrorIsNotTakenForDone) {
  server_.error = client::ErrorWith(grpc::StatusCode::UNAVAILABLE, "the store is failing", "STORE_UNAVAILABLE");
  EXPECT_EQ(RunAsAda({"token", "revoke", kCi, "--yes"}), 1);
  EXPECT_THAT(said(), Not(HasSubstr("revoked")));
}

}  // namespace
}  // namespace pat::patctl
