// Looking at users: list and show.
#include <string>

#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UserShowTest : public PatctlTest {
 protected:
  UserShowTest() {
    v1::User admin = MakeUser("admin", {});
    admin.set_administrator(true);
    v1::User dora = MakeUser("dora", {"A", "B", "C", "D\n"});
    dora.set_type(v1::User::TYPE_DIRECTORY);
    dora.set_disabled(true);
    server_.users = {MakeUser("ada", {"*"}), admin, dora};
  }
};

TEST_F(UserShowTest, ListsAllPages) {
  EXPECT_EQ(RunAsAdmin({"user", "list"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("ListUsers", "ListUsers"));
  EXPECT_EQ(written(),
            "NAME   TYPE       DISABLED  ADMINISTRATOR  GRANTS\n"
            "ada    LOCAL      no        no             *\n"
            "admin  LOCAL      no        yes            -\n"
            "dora   DIRECTORY  yes       no             A,B,C +1\n");
}

TEST_F(UserShowTest, GoesOnBehindAnEmptyPage) {
  server_.empty_pages = true;
  EXPECT_EQ(RunAsAdmin({"user", "list"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("ListUsers", "ListUsers", "ListUsers", "ListUsers"));
  EXPECT_THAT(written(), HasSubstr("ada    LOCAL"));
  EXPECT_THAT(written(), HasSubstr("dora   DIRECTORY"));
}

TEST_F(UserShowTest, ListsAsJson) {
  EXPECT_EQ(RunAsAdmin({"user", "list", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"users\": [\n"));
  EXPECT_THAT(written(), HasSubstr("\"name\": \"users/dora\""));
  EXPECT_EQ(RunAsAdmin({"user", "list", "--output", "jsonl"}), 0);
  EXPECT_EQ(std::count(written().begin(), written().end(), '\n'), 3);
  EXPECT_THAT(written(), HasSubstr("}\n{\"name\":\"users/admin\",\"type\":\"TYPE_LOCAL\",\"disabled\":false,"
                                   "\"administrator\":true,\"grants\":[],"));
}

TEST_F(UserShowTest, ShowsOne) {
  for (const char* reference : {"dora", "users/dora"}) {
    EXPECT_EQ(RunAsAdmin({"user", "show", reference}), 0);
    EXPECT_EQ(server_.get_user_request.name(), "users/dora");
    EXPECT_EQ(written(),
              "NAME           dora\n"
              "TYPE           DIRECTORY\n"
              "DISABLED       yes\n"
              "ADMINISTRATOR  no\n"
              "GRANTS         A\n"
              "               B\n"
              "               C\n"
              "               D\\x0a\n"
              "CREATED        2026-11-23 14:04:05Z (1h0m ago)\n"
              "ID             uid of dora\n"
              "FULL NAME      users/dora\n");
  }
  EXPECT_EQ(RunAsAdmin({"user", "show", "admin"}), 0);
  EXPECT_THAT(written(), HasSubstr("GRANTS         none\n"));
}

TEST_F(UserShowTest, ShowsOneAsJson) {
  EXPECT_EQ(RunAsAdmin({"user", "show", "dora", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"user\": {"));
  EXPECT_THAT(written(), HasSubstr("\"etag\": \"etag of dora\""));
}

TEST_F(UserShowTest, SaysWhoIsNotThere) {
  EXPECT_EQ(RunAsAdmin({"user", "show", "eve"}), 1);
  EXPECT_THAT(said(), HasSubstr("reason: USER_NOT_FOUND"));
  EXPECT_EQ(RunAsAdmin({"user", "show", "users/-"}), 2);
}

TEST_F(UserShowTest, NeedsAUser) {
  EXPECT_EQ(Run({"user", "list"}), 2);
  EXPECT_EQ(Run({"user", "show", "ada"}), 2);
  EXPECT_THAT(server_.calls, IsEmpty());
}

}  // namespace
}  // namespace pat::patctl
