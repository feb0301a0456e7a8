#include <string>

#include "client/patctl/time_text.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class UserDeleteTest : public PatctlTest {
 protected:
  UserDeleteTest() {
    server_.users = {MakeUser("bob", {"A"})};
    server_.revoked_count = 3;
    server_.last_accept_time = ToProto(client::ManualClock::Start() + absl::Seconds(3598));
  }
};

TEST_F(UserDeleteTest, SaysWhatEndedWithTheUser) {
  EXPECT_EQ(RunAsAdmin({"user", "delete", "bob", "--yes"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("DeleteUser"));
  EXPECT_EQ(server_.delete_user_request.name(), "users/bob");
  EXPECT_EQ(server_.delete_user_request.etag(), "");
  EXPECT_EQ(said(),
            "deleted users/bob and ended 3 tokens\n"
            "caches may accept them until 2026-11-23 16:04:03Z (in 59m58s)\n");
  EXPECT_EQ(written(), "");
}

TEST_F(UserDeleteTest, AsksAndDeletesOnlyTheUserThatWasSeen) {
  console_->input_is_terminal = true;
  console_->input = "y\n";
  EXPECT_EQ(RunAsAdmin({"user", "delete", "bob"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("GetUser", "DeleteUser validate_only", "DeleteUser"));
  EXPECT_EQ(server_.delete_user_request.etag(), "etag of bob");
  EXPECT_FALSE(server_.delete_user_request.validate_only());
  EXPECT_THAT(said(), HasSubstr("NAME           bob\n"));
  EXPECT_THAT(said(), HasSubstr("delete users/bob and end 3 tokens? Done now, caches may accept them until 2026-11-23 "
                                "16:04:03Z (in 59m58s). [y/N] "));
}

TEST_F(UserDeleteTest, WithoutAClearYesNothingIsDone) {
  for (const char* answer : {"n\n", "\n", "bob\n", ""}) {
    server_.calls.clear();
    console_->input_is_terminal = true;
    console_->input = answer;
    EXPECT_EQ(RunAsAdmin({"user", "delete", "bob"}), 4);
    EXPECT_THAT(server_.calls, ElementsAre("GetUser", "DeleteUser validate_only"));
  }
}

TEST_F(UserDeleteTest, AScriptMustSayYes) {
  EXPECT_EQ(RunAsAdmin({"user", "delete", "bob"}), 4);
  EXPECT_THAT(said(), HasSubstr("give --yes"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserDeleteTest, ValidateOnlyNeedsNoYes) {
  server_.revoked_count = 1;
  EXPECT_EQ(RunAsAdmin({"user", "delete", "bob", "--validate-only"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("DeleteUser validate_only"));
  EXPECT_EQ(said(), "the request is good, and would end 1 token; nothing was changed\n");
}

TEST_F(UserDeleteTest, JsonHasTheWholeResponse) {
  EXPECT_EQ(RunAsAdmin({"user", "delete", "bob", "--yes", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"revokedCount\": \"3\""));
}

TEST_F(UserDeleteTest, NobodyIsDeletedByAWildcard) {
  EXPECT_EQ(RunAsAdmin({"user", "delete", "-", "--yes"}), 2);
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(UserDeleteTest, AnErrorIsNotTakenForDone) {
  server_.error = client::ErrorWith(grpc::StatusCode::FAILED_PRECONDITION, "the last one", "LAST_ADMINISTRATOR");
  EXPECT_EQ(RunAsAdmin({"user", "delete", "bob", "--yes"}), 1);
  EXPECT_THAT(said(), Not(HasSubstr("deleted")));
}

}  // namespace
}  // namespace pat::patctl
