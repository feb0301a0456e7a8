#include <string>

#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ScopesTest : public PatctlTest {
 protected:
  ScopesTest() {
    for (const char* name : {"OR.Folders", "OR.Folders.Read", "OR.Folders.Write"}) {
      v1::Scope scope;
      scope.set_name(name);
      scope.set_description("Folders.");
      server_.scopes.push_back(scope);
    }
    server_.scopes[0].add_implies("OR.Folders.Read");
    server_.scopes[0].add_implies("OR.Folders.Write");
  }
};

TEST_F(ScopesTest, ListsAllPages) {
  EXPECT_EQ(RunAsAda({"scopes", "list"}), 0);
  EXPECT_EQ(written(),
            "SCOPE             DESCRIPTION  COVERS\n"
            "OR.Folders        Folders.     OR.Folders.Read OR.Folders.Write\n"
            "OR.Folders.Read   Folders.\n"
            "OR.Folders.Write  Folders.\n");
  EXPECT_THAT(server_.calls, ElementsAre("ListScopes", "ListScopes"));
  EXPECT_EQ(server_.scopes_request.query(), "");
}

TEST_F(ScopesTest, SearchSendsTheWords) {
  EXPECT_EQ(RunAsAda({"scopes", "search", "read", "folders"}), 0);
  EXPECT_EQ(server_.scopes_request.query(), "read folders");
  server_.scopes.clear();
  EXPECT_EQ(RunAsAda({"scopes", "search", "nothing"}), 0);
  EXPECT_EQ(written(), "");
  EXPECT_EQ(said(), "no scopes\n");
}

TEST_F(ScopesTest, MayBeAskedByNobodyInParticular) {
  EXPECT_EQ(Run({"scopes", "list"}), 0);
  EXPECT_EQ(server_.authorizations.front(), "");
}

TEST_F(ScopesTest, JsonIsOneListOfAllPages) {
  EXPECT_EQ(RunAsAda({"scopes", "list", "--output", "json"}), 0);
  EXPECT_THAT(written(), HasSubstr("\"OR.Folders.Write\""));
  EXPECT_THAT(written(), HasSubstr("\"nextPageToken\": \"\""));
}

}  // namespace
}  // namespace pat::patctl
