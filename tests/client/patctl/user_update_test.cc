#include <string>

#include "client/patctl/time_text.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class UserUpdateTest : public PatctlTest {
 protected:
  UserUpdateTest() {
    server_.users = {MakeUser("bob", {"A", "B"})};
    server_.last_accept_time = ToProto(client::ManualClock::Start() + absl::Seconds(3598));
  }

  const v1::UpdateUserRequest& request() const { return server_.update_user_request; }
};

TEST_F(UserUpdateTest, ChangesWhatIsNamedInTheUserAsItWasSeen) {
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--administrator", "true"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetUser", "UpdateUser"));
  EXPECT_EQ(request().user().name(), "users/bob");
  EXPECT_EQ(request().user().etag(), "etag of bob");
  EXPECT_TRUE(request().user().administrator());
  EXPECT_THAT(request().update_mask().paths(), ElementsAre("administrator"));
  EXPECT_EQ(said(),
            "changed users/bob\n"
            "caches may answer by what was before until 2026-11-23 16:04:03Z (in 59m58s)\n");
  EXPECT_THAT(written(), HasSubstr("ADMINISTRATOR  yes\n"));
}

TEST_F(UserUpdateTest, SaysThatTheLagIsOver) {
  server_.last_accept_time = ToProto(client::ManualClock::Start());
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--administrator", "false"}), 0);
  EXPECT_THAT(said(), HasSubstr("no cache answers by what was before any more\n"));
}

TEST_F(UserUpdateTest, ReplacesGrants) {
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--grants", "C,*"}), 0);
  EXPECT_THAT(request().user().grants(), ElementsAre("C", "*"));
  EXPECT_THAT(request().update_mask().paths(), ElementsAre("grants"));
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--grants", "", "--yes"}), 0);
  EXPECT_THAT(request().user().grants(), IsEmpty());
  EXPECT_THAT(request().update_mask().paths(), ElementsAre("grants"));
}

TEST_F(UserUpdateTest, AddsAndRemovesGrants) {
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--grant", "C,A", "--remove-grant", "B", "--yes"}), 0);
  EXPECT_THAT(request().user().grants(), ElementsAre("A", "C"));
  EXPECT_EQ(request().user().etag(), "etag of bob");
  EXPECT_THAT(written(), HasSubstr("GRANTS         A\n               C\n"));
}

TEST_F(UserUpdateTest, AGrantThatIsNotThereIsNotTakenForRemoved) {
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--remove-grant", "X", "--yes"}), 1);
  EXPECT_THAT(said(), HasSubstr("\"X\" is not a grant of users/bob; nothing was changed"));
  EXPECT_THAT(server_.calls, ElementsAre("GetUser"));
}

TEST_F(UserUpdateTest, WhatSomebodyElseHasChangedIsNotOverwritten) {
  server_.on_call = [this](grpc::ServerContext&) {
    if (server_.calls.back() == "UpdateUser") {
      server_.error = client::ErrorWith(grpc::StatusCode::ABORTED, "it has changed", "ETAG_MISMATCH");
    }
  };
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--grant", "C"}), 1);
  EXPECT_THAT(said(), HasSubstr("reason: ETAG_MISMATCH"));
  EXPECT_THAT(said(), HasSubstr("hint: somebody changed it meanwhile"));
  EXPECT_THAT(said(), Not(HasSubstr("changed users/bob")));
}

TEST_F(UserUpdateTest, AsksBeforeItDisablesOrChangesTheType) {
  for (const std::vector<std::string>& change :
       {std::vector<std::string>{"--disabled", "true"}, {"--type", "directory"}}) {
    for (const bool yes : {true, false}) {
      server_.calls.clear();
      console_->input_is_terminal = true;
      console_->input = yes ? "y\n" : "n\n";
      std::vector<std::string> command = {"user", "update", "bob"};
      command.insert(command.end(), change.begin(), change.end());
      EXPECT_EQ(RunAsAdmin(command), yes ? 0 : 4);
      EXPECT_THAT(said(), HasSubstr("NAME           bob\n"));
      EXPECT_THAT(said(), HasSubstr(change.front() == "--type" ? "CHANGES  TYPE  LOCAL -> DIRECTORY\n"
                                                               : "CHANGES  DISABLED  no -> yes\n"));
      EXPECT_THAT(said(), HasSubstr("inactive; they come back when that is undone.\n"));
      EXPECT_THAT(said(), HasSubstr("change users/bob? Done now, caches may answer by what was before until 2026-11-23 "
                                    "16:04:03Z (in 59m58s). [y/N] "));
      if (yes) {
        EXPECT_THAT(server_.calls, ElementsAre("GetUser", "UpdateUser validate_only", "UpdateUser"));
      } else {
        EXPECT_THAT(server_.calls, ElementsAre("GetUser", "UpdateUser validate_only"));
      }
    }
  }
}

TEST_F(UserUpdateTest, AScriptMustSayYes) {
  console_->input = "y\n";
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--disabled", "true"}), 4);
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--type", "saml"}), 4);
  EXPECT_THAT(server_.calls, IsEmpty());
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--disabled", "true", "--type", "saml", "--yes"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetUser", "UpdateUser"));
  EXPECT_THAT(request().update_mask().paths(), ElementsAre("type", "disabled"));
  EXPECT_EQ(request().user().type(), v1::User::TYPE_SAML);
  EXPECT_TRUE(request().user().disabled());
}

TEST_F(UserUpdateTest, AsksBeforeItTakesGrants) {
  for (const std::vector<std::string>& change :
       {std::vector<std::string>{"--remove-grant", "B", "--grant", "C"}, {"--grants", "A,C"}}) {
    for (const bool yes : {true, false}) {
      server_.calls.clear();
      console_->input_is_terminal = true;
      console_->input = yes ? "y\n" : "n\n";
      std::vector<std::string> command = {"user", "update", "bob"};
      command.insert(command.end(), change.begin(), change.end());
      EXPECT_EQ(RunAsAdmin(command), yes ? 0 : 4);
      EXPECT_THAT(said(), HasSubstr("CHANGES  GRANTS  - B\n"
                                    "                 + C\n"
                                    "The user's tokens can no longer do what needs one of the grants marked -"));
      EXPECT_THAT(said(), Not(HasSubstr("disabled or not local")));
      EXPECT_EQ(server_.calls.size(), yes ? 3 : 2);
      EXPECT_EQ(server_.calls.back(), yes ? "UpdateUser" : "UpdateUser validate_only");
    }
  }
}

TEST_F(UserUpdateTest, AScriptMustSayYesToTakingGrants) {
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--remove-grant", "B"}), 4);
  EXPECT_THAT(said(), HasSubstr("give --yes"));
  EXPECT_THAT(server_.calls, IsEmpty());
  // Whether this takes any shows only when the user is looked at.
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--grants", "A"}), 4);
  EXPECT_THAT(said(), HasSubstr("give --yes"));
  EXPECT_THAT(server_.calls, ElementsAre("GetUser"));
  for (const char* grants : {"A,B,C", "B,A", "*"}) {
    EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--grants", grants}), 0) << said();
  }
  server_.users = {MakeUser("bob", {"*"})};
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--grants", "A"}), 4);
}

TEST_F(UserUpdateTest, EnablingNeedsNoYes) {
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--disabled", "false"}), 0);
  EXPECT_THAT(request().update_mask().paths(), ElementsAre("disabled"));
}

TEST_F(UserUpdateTest, ValidateOnlyNeedsNoYes) {
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--disabled", "true", "--validate-only"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetUser", "UpdateUser validate_only"));
  EXPECT_EQ(said(), "the request is good; nothing was changed\n");
}

TEST_F(UserUpdateTest, SomethingMustChange) {
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob"}), 2);
  EXPECT_THAT(said(), HasSubstr("missing: --type, --disabled"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserUpdateTest, JsonHasTheWholeResponse) {
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--administrator", "true", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"lastAcceptTime\": \"2026-11-23T16:04:03Z\""));
  EXPECT_THAT(written(), HasSubstr("\"administrator\": true"));
}

TEST_F(UserUpdateTest, SaysWhyTheLastAdministratorStays) {
  server_.on_call = [this](grpc::ServerContext&) {
    if (server_.calls.back() != "UpdateUser validate_only") return;
    server_.error = client::ErrorWith(grpc::StatusCode::FAILED_PRECONDITION, "the last one", "LAST_ADMINISTRATOR");
  };
  console_->input_is_terminal = true;
  console_->input = "y\n";
  EXPECT_EQ(RunAsAdmin({"user", "update", "bob", "--disabled", "true"}), 1);
  EXPECT_THAT(said(), HasSubstr("reason: LAST_ADMINISTRATOR"));
  EXPECT_THAT(said(), Not(HasSubstr("[y/N]")));
}

}  // namespace
}  // namespace pat::patctl
