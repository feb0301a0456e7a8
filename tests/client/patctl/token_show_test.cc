#include <string>

#include "google/protobuf/util/json_util.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using TokenShowTest = PatctlTest;

TEST_F(TokenShowTest, ListFollowsThePagesToTheEnd) {
  for (const char* name : {"one", "two", "three", "four", "five"}) server_.tokens.push_back(MakeToken(kCi, name));
  EXPECT_EQ(RunAsAda({"token", "list"}), 0);
  for (const char* name : {"one", "two", "three", "four", "five"}) EXPECT_THAT(written(), HasSubstr(name));
  EXPECT_THAT(server_.calls, ElementsAre("ListTokens", "ListTokens", "ListTokens"));
  EXPECT_EQ(said(), "");
}

TEST_F(TokenShowTest, GoesOnBehindAnEmptyPage) {
  for (const char* name : {"one", "two", "three"}) server_.tokens.push_back(MakeToken(kCi, name));
  server_.empty_pages = true;
  EXPECT_EQ(RunAsAda({"token", "list"}), 0);
  for (const char* name : {"one", "two", "three"}) EXPECT_THAT(written(), HasSubstr(name));
  EXPECT_EQ(RunAsAda({"token", "show", "three"}), 0);
}

TEST_F(TokenShowTest, ListAsksForTheTokensOfTheUser) {
  EXPECT_EQ(RunAsAda({"token", "list"}), 0);
  EXPECT_EQ(server_.list_request.parent(), "users/ada");
  EXPECT_FALSE(server_.list_request.show_revoked());
  EXPECT_EQ(written(), "");
  EXPECT_EQ(said(), "no tokens\n");
}

TEST_F(TokenShowTest, ListMayShowEverybodysAndRevokedOnes) {
  server_.tokens = {MakeToken(kCi, "ci")};
  EXPECT_EQ(RunAsAda({"token", "list", "--all-users", "--show-revoked"}), 0);
  EXPECT_EQ(server_.list_request.parent(), "users/-");
  EXPECT_TRUE(server_.list_request.show_revoked());
  EXPECT_THAT(written(), HasSubstr("OWNER"));
  for (const char* owner : {"bob", "users/bob"}) {
    EXPECT_EQ(RunAsAda({"token", "list", "--owner", owner}), 0);
    EXPECT_EQ(server_.list_request.parent(), "users/bob");
  }
  EXPECT_THAT(written(), Not(HasSubstr("OWNER")));
}

TEST_F(TokenShowTest, ListAsJsonIsOneListOfAllPages) {
  for (const char* name : {"one", "two", "three"}) server_.tokens.push_back(MakeToken(kCi, name));
  EXPECT_EQ(RunAsAda({"token", "list", "--output", "json"}), 0);
  v1::ListTokensResponse response;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(written(), &response).ok());
  EXPECT_EQ(response.tokens_size(), 3);
  EXPECT_EQ(response.next_page_token(), "");
  server_.tokens.clear();
  EXPECT_EQ(RunAsAda({"token", "list", "--output", "json"}), 0);
  EXPECT_EQ(written(), "{\n \"tokens\": [],\n \"nextPageToken\": \"\"\n}\n");
}

TEST_F(TokenShowTest, AServerThatRepeatsAPageDoesNotKeepUsForEver) {
  server_.tokens = {MakeToken(kCi, "ci")};
  server_.fixed_page_token = "again";
  EXPECT_EQ(RunAsAda({"token", "list"}), 1);
  EXPECT_THAT(said(), HasSubstr("the server answers the same page for ever"));
  EXPECT_EQ(RunAsAda({"scopes", "list"}), 1);
  EXPECT_THAT(said(), HasSubstr("the server answers the same page for ever"));
}

TEST_F(TokenShowTest, ShowsOne) {
  server_.tokens = {MakeToken(kCi, "ci")};
  EXPECT_EQ(RunAsAda({"token", "show", "ci"}), 0);
  EXPECT_THAT(written(), HasSubstr("NAME       ci\n"));
  EXPECT_THAT(written(), HasSubstr("EXPIRES    2026-12-23 15:04:05Z (in 30d)\n"));
  EXPECT_EQ(RunAsAda({"token", "show", "ci", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"state\": \"STATE_ACTIVE\""));
  // Empty fields are there, times that there are not are not.
  EXPECT_THAT(written(), HasSubstr("\"description\": \"\""));
  EXPECT_THAT(written(), HasSubstr("\"audiences\": []"));
  EXPECT_THAT(written(), Not(HasSubstr("revokeTime")));
}

TEST_F(TokenShowTest, NamesCannotSteerTheTerminal) {
  server_.tokens = {MakeToken(kCi, "\x1b[2Jci")};
  EXPECT_EQ(RunAsAda({"token", "list"}), 0);
  EXPECT_THAT(written(), HasSubstr("\\x1b[2Jci"));
  EXPECT_EQ(RunAsAda({"token", "list", "--output", "json"}), 0);
  EXPECT_THAT(written(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace pat::patctl
