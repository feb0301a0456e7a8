#include <string>
#include <vector>

#include "client/patctl/time_text.h"
#include "google/rpc/error_details.pb.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PolicyTest : public PatctlTest {
 protected:
  PolicyTest() {
    *server_.policy.mutable_maximum_lifespan() = ToProto(absl::Hours(24 * 365));
    server_.policy.set_maximum_live_tokens(50);
    server_.policy.add_forbidden_scopes("A");
    server_.policy.add_forbidden_scopes("B");
    server_.policy.set_etag("seen");
    server_.last_accept_time = ToProto(client::ManualClock::Start() + absl::Seconds(3598));
  }

  const v1::UpdatePolicyRequest& request() const { return server_.update_policy_request; }
};

TEST_F(PolicyTest, Shows) {
  EXPECT_EQ(RunAsAdmin({"policy", "show"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetPolicy"));
  EXPECT_EQ(written(),
            "TOKENS               ENABLED\n"
            "MAXIMUM LIFESPAN     365d\n"
            "MAXIMUM LIVE TOKENS  50 for each user\n"
            "FORBIDDEN SCOPES     A\n"
            "                     B\n");
  server_.policy.set_tokens_disabled(true);
  server_.policy.clear_forbidden_scopes();
  *server_.policy.mutable_maximum_lifespan() = ToProto(absl::Hours(36));
  EXPECT_EQ(RunAsAdmin({"policy", "show"}), 0);
  EXPECT_THAT(written(), HasSubstr("TOKENS               DISABLED\n"));
  EXPECT_THAT(written(), HasSubstr("MAXIMUM LIFESPAN     36h\n"));
  EXPECT_THAT(written(), HasSubstr("FORBIDDEN SCOPES     none\n"));
}

TEST_F(PolicyTest, ShowsAsJson) {
  EXPECT_EQ(RunAsAdmin({"policy", "show", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"maximumLifespan\": \"31536000s\""));
  // Nobody has to know what is left out when it is false or empty.
  EXPECT_THAT(written(), HasSubstr("\"tokensDisabled\": false"));
  server_.policy.clear_forbidden_scopes();
  EXPECT_EQ(RunAsAdmin({"policy", "show", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"forbiddenScopes\": []"));
}

TEST_F(PolicyTest, ChangesWhatIsNamedInThePolicyAsItWasSeen) {
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--maximum-lifespan", "730d", "--maximum-live-tokens", "10"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetPolicy", "UpdatePolicy"));
  EXPECT_EQ(request().policy().etag(), "seen");
  EXPECT_THAT(request().update_mask().paths(), ElementsAre("maximum_lifespan", "maximum_live_tokens"));
  EXPECT_EQ(request().policy().maximum_lifespan().seconds(), 730 * 86400);
  EXPECT_EQ(request().policy().maximum_live_tokens(), 10);
  EXPECT_EQ(said(),
            "changed the policy\n"
            "caches may answer by what was before until 2026-11-23 16:04:03Z (in 59m58s)\n");
  EXPECT_THAT(written(), HasSubstr("MAXIMUM LIFESPAN     730d\nMAXIMUM LIVE TOKENS  10 for each user\n"));
}

TEST_F(PolicyTest, ForbidsAndAllowsScopes) {
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--forbid", "C,B", "--allow", "A", "--yes"}), 0);
  EXPECT_THAT(request().update_mask().paths(), ElementsAre("forbidden_scopes"));
  EXPECT_THAT(request().policy().forbidden_scopes(), ElementsAre("B", "C"));
  server_.calls.clear();
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--allow", "X"}), 1);
  EXPECT_THAT(said(), HasSubstr("\"X\" is not a scope that is forbidden; nothing was changed"));
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--allow", "A", "--forbid", "A"}), 2);
  EXPECT_THAT(server_.calls, ElementsAre("GetPolicy", "GetPolicy"));
}

TEST_F(PolicyTest, AsksBeforeItSwitchesTokensOff) {
  for (const bool yes : {true, false}) {
    server_.calls.clear();
    console_->input_is_terminal = true;
    console_->input = yes ? "yes\n" : "\n";
    EXPECT_EQ(RunAsAdmin({"policy", "update", "--tokens", "disabled"}), yes ? 0 : 4);
    EXPECT_THAT(said(),
                HasSubstr("CHANGES  TOKENS  ENABLED -> DISABLED\n"
                          "All tokens of all users become inactive, and none can be made. They come back when it "
                          "is undone.\n"
                          "change the policy? Done now, caches may answer by what was before until "
                          "2026-11-23 16:04:03Z (in 59m58s). [y/N] "));
    if (yes) {
      EXPECT_THAT(server_.calls, ElementsAre("GetPolicy", "UpdatePolicy validate_only", "UpdatePolicy"));
      EXPECT_TRUE(request().policy().tokens_disabled());
      EXPECT_FALSE(request().validate_only());
    } else {
      EXPECT_THAT(server_.calls, ElementsAre("GetPolicy", "UpdatePolicy validate_only"));
    }
  }
}

TEST_F(PolicyTest, AScriptMustSayYesToThatOnly) {
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--tokens", "disabled"}), 4);
  EXPECT_THAT(server_.calls, IsEmpty());
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--tokens", "disabled", "--yes"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetPolicy", "UpdatePolicy"));
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--tokens", "enabled"}), 0);
  EXPECT_FALSE(request().policy().tokens_disabled());
  EXPECT_THAT(request().update_mask().paths(), ElementsAre("tokens_disabled"));
}

TEST_F(PolicyTest, AsksBeforeItShortensLives) {
  for (const bool yes : {true, false}) {
    server_.calls.clear();
    console_->input_is_terminal = true;
    console_->input = yes ? "y\n" : "n\n";
    EXPECT_EQ(RunAsAdmin({"policy", "update", "--maximum-lifespan", "90d", "--maximum-live-tokens", "10"}),
              yes ? 0 : 4);
    EXPECT_THAT(said(), HasSubstr("CHANGES  MAXIMUM LIFESPAN     365d -> 90d\n"
                                  "         MAXIMUM LIVE TOKENS  50 -> 10\n"
                                  "Tokens that were made or last regenerated more than 90d ago become inactive; all "
                                  "others end 90d after that at the latest.\n"));
    EXPECT_THAT(said(), HasSubstr("change the policy? Done now, caches may answer by what was before until "));
    if (yes) {
      EXPECT_THAT(server_.calls, ElementsAre("GetPolicy", "UpdatePolicy validate_only", "UpdatePolicy"));
      EXPECT_EQ(request().policy().etag(), "seen");
    } else {
      EXPECT_THAT(server_.calls, ElementsAre("GetPolicy", "UpdatePolicy validate_only"));
    }
  }
}

TEST_F(PolicyTest, AsksBeforeItForbidsAScope) {
  console_->input_is_terminal = true;
  console_->input = "y\n";
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--forbid", "C,B", "--allow", "A"}), 0);
  EXPECT_THAT(said(), HasSubstr("CHANGES  FORBIDDEN SCOPES  - A\n"
                                "                           + C\n"
                                "Tokens that have one of the scopes marked + cannot use it any more."));
  EXPECT_THAT(server_.calls, ElementsAre("GetPolicy", "UpdatePolicy validate_only", "UpdatePolicy"));
}

TEST_F(PolicyTest, AScriptMustSayYesToWhatTokensLose) {
  for (const std::vector<std::string>& change :
       {std::vector<std::string>{"--maximum-lifespan", "364d"}, {"--forbid", "C"}}) {
    server_.calls.clear();
    std::vector<std::string> command = {"policy", "update"};
    command.insert(command.end(), change.begin(), change.end());
    console_->input = "y\n";
    EXPECT_EQ(RunAsAdmin(command), 4);
    EXPECT_THAT(said(), HasSubstr("not confirmed; nothing was changed: standard input is no terminal, so give --yes"));
    EXPECT_THAT(server_.calls, ElementsAre("GetPolicy"));
    command.push_back("--yes");
    EXPECT_EQ(RunAsAdmin(command), 0);
    EXPECT_EQ(server_.calls.back(), "UpdatePolicy");
  }
}

TEST_F(PolicyTest, WhatTokensDoNotMissNeedsNoYes) {
  for (const std::vector<std::string>& change : {std::vector<std::string>{"--maximum-lifespan", "365d"},
                                                 {"--maximum-lifespan", "366d"},
                                                 {"--allow", "A"},
                                                 {"--forbid", "B"},
                                                 {"--maximum-live-tokens", "1"}}) {
    std::vector<std::string> command = {"policy", "update"};
    command.insert(command.end(), change.begin(), change.end());
    EXPECT_EQ(RunAsAdmin(command), 0) << said();
  }
}

TEST_F(PolicyTest, ValidateOnlyNeedsNoYes) {
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--tokens", "disabled", "--validate-only"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetPolicy", "UpdatePolicy validate_only"));
  EXPECT_EQ(said(), "the request is good; nothing was changed\n");
}

TEST_F(PolicyTest, SomethingMustChange) {
  EXPECT_EQ(RunAsAdmin({"policy", "update"}), 2);
  EXPECT_THAT(said(), HasSubstr("missing: --tokens"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(PolicyTest, ARefusalNamesTheField) {
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("policy.forbidden_scopes[2]");
  bad.mutable_field_violations(0)->set_description("\"X\" is not in the catalogue");
  server_.on_call = [this, &bad](grpc::ServerContext&) {
    if (server_.calls.back() != "UpdatePolicy") return;
    server_.error = client::ErrorWith(grpc::StatusCode::INVALID_ARGUMENT, "one is wrong", "INVALID_REQUEST", {&bad});
  };
  EXPECT_EQ(RunAsAdmin({"policy", "update", "--forbid", "X", "--yes"}), 1);
  EXPECT_THAT(said(), HasSubstr("  policy.forbidden_scopes[2]: \"X\" is not in the catalogue\n"));
  EXPECT_THAT(said(), Not(HasSubstr("changed the policy")));
}

}  // namespace
}  // namespace pat::patctl
