#include <string>

#include "client/patctl/time_text.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TokenRegenerateTest : public PatctlTest {
 protected:
  TokenRegenerateTest() {
    server_.tokens = {MakeToken(kCi, "ci")};
    server_.last_accept_time = ToProto(client::ManualClock::Start() + absl::Hours(1));
  }
};

TEST_F(TokenRegenerateTest, PrintsTheNewSecretAloneAndTheRestElsewhere) {
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi, "--yes"}), 0);
  EXPECT_EQ(written(), std::string(client::kFakeSecret) + "\n");
  EXPECT_EQ(
      said(),
      "regenerated \"ci\" (users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3), good until 2026-12-23 15:04:05Z "
      "(in 30d)\n"
      "the old secret: caches may accept it until 2026-11-23 16:04:05Z (in 1h0m)\n"
      "update the scripts, applications and integrations that use the old secret\n"
      "copy the secret now, it is not shown again\n");
}

TEST_F(TokenRegenerateTest, KeepsTheExpiryUnlessOneIsGiven) {
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi, "--yes"}), 0);
  EXPECT_EQ(server_.regenerate_request.expiration_case(), v1::RegenerateTokenRequest::EXPIRATION_NOT_SET);
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi, "--yes", "--expires", "90d", "--request-id", "r-1"}), 0);
  EXPECT_EQ(server_.regenerate_request.ttl().seconds(), 90 * 86'400);
  EXPECT_EQ(server_.regenerate_request.request_id(), "r-1");
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi, "--yes", "--expires", "2027-01-31"}), 0);
  EXPECT_EQ(server_.regenerate_request.expire_time().seconds(), 1'801'440'000);
}

TEST_F(TokenRegenerateTest, WhatWasConfirmedIsTheTokenAsItWasSeen) {
  console_->input_is_terminal = true;
  console_->input = "y\n";
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetToken", "RegenerateToken validate_only", "RegenerateToken"));
  EXPECT_EQ(server_.regenerate_request.etag(), "etag of ci");
  EXPECT_THAT(said(),
              HasSubstr("regenerate \"ci\" (users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3)? Done now, for the "
                        "old secret: caches may accept it until 2026-11-23 16:04:05Z (in 1h0m). [y/N] "));
  EXPECT_THAT(said(), HasSubstr("services that have it in their cache may go on accepting it"));
  // Without a look there is nothing to compare with.
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi, "--yes"}), 0);
  EXPECT_EQ(server_.regenerate_request.etag(), "");
}

TEST_F(TokenRegenerateTest, ShowsTheOldAndTheNewEnd) {
  server_.on_call = [this](grpc::ServerContext&) {
    if (server_.calls.back() != "RegenerateToken validate_only") return;
    *server_.tokens[0].mutable_expire_time() = ToProto(client::ManualClock::Start() + absl::Hours(24 * 90));
  };
  console_->input_is_terminal = true;
  console_->input = "y\n";
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi, "--expires", "90d"}), 0);
  EXPECT_THAT(said(), HasSubstr("CHANGES  EXPIRES  2026-12-23 15:04:05Z (in 30d) -> 2027-02-21 15:04:05Z (in 90d)\n"));
  console_->input_is_terminal = true;
  console_->input = "y\n";
  server_.on_call = nullptr;
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi}), 0);
  EXPECT_THAT(said(), Not(HasSubstr("CHANGES")));
}

TEST_F(TokenRegenerateTest, WhatIsJudgedBeforeTheQuestionIsWhatWillBeDone) {
  v1::RegenerateTokenRequest rehearsal;
  server_.on_call = [&](grpc::ServerContext&) {
    if (server_.calls.back() == "RegenerateToken validate_only") {
      rehearsal = server_.regenerate_request;
    } else {
      server_.last_accept_time = ToProto(client::ManualClock::Start() + absl::Seconds(3610));
    }
  };
  console_->input_is_terminal = true;
  console_->input = "y\n";
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi, "--expires", "90d", "--request-id", "r-1"}), 0);
  rehearsal.set_validate_only(false);
  EXPECT_EQ(rehearsal.SerializeAsString(), server_.regenerate_request.SerializeAsString());
  EXPECT_EQ(rehearsal.request_id(), "r-1");
  EXPECT_THAT(said(), HasSubstr("the old secret: caches may accept it until 2026-11-23 16:04:15Z (in 1h0m)\n"));
}

TEST_F(TokenRegenerateTest, WithoutAClearYesNothingIsDone) {
  console_->input_is_terminal = true;
  console_->input = "n\n";
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi}), 4);
  EXPECT_THAT(server_.calls, ElementsAre("GetToken", "RegenerateToken validate_only"));
  server_.calls.clear();
  console_->input = "y\n";
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi}), 4);
  EXPECT_THAT(server_.calls, IsEmpty());
  EXPECT_EQ(written(), "");
}

TEST_F(TokenRegenerateTest, ValidateOnlyNeedsNoYesAndHasNoSecret) {
  EXPECT_EQ(RunAsAda({"token", "regenerate", "ci", "--validate-only"}), 0);
  EXPECT_TRUE(server_.regenerate_request.validate_only());
  EXPECT_EQ(written(), "");
  EXPECT_EQ(said(), "the request is good; nothing was regenerated\n");
}

TEST_F(TokenRegenerateTest, JsonHasTheWholeResponse) {
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi, "--yes", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr(std::string("\"secret\": \"") + client::kFakeSecret));
  EXPECT_THAT(written(), HasSubstr("\"previousSecretLastAcceptTime\": \"2026-11-23T16:04:05Z\""));
}

TEST_F(TokenRegenerateTest, AnErrorSaysWhy) {
  server_.error = client::ErrorWith(grpc::StatusCode::FAILED_PRECONDITION, "the token has expired", "TOKEN_EXPIRED");
  EXPECT_EQ(RunAsAda({"token", "regenerate", kCi, "--yes"}), 1);
  EXPECT_EQ(said(), "patctl: FAILED_PRECONDITION: the token has expired\n  reason: TOKEN_EXPIRED\n");
  EXPECT_THAT(written(), Not(HasSubstr(client::kFakeSecret)));
}

}  // namespace
}  // namespace pat::patctl
