#include <string>

#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using TokenUpdateTest = PatctlTest;

TEST_F(TokenUpdateTest, Renames) {
  server_.tokens = {MakeToken(kCi, "ci")};
  EXPECT_EQ(RunAsAda({"token", "update", "ci", "--name", "builds"}), 0);
  EXPECT_EQ(server_.update_request.token().name(), std::string("users/ada/tokens/") + kCi);
  EXPECT_EQ(server_.update_request.token().display_name(), "builds");
  EXPECT_THAT(server_.update_request.update_mask().paths(), ElementsAre("display_name"));
  EXPECT_THAT(written(), HasSubstr("NAME       builds\n"));
}

TEST_F(TokenUpdateTest, DescribesAndMayTakeTheDescriptionAway) {
  EXPECT_EQ(RunAsAda({"token", "update", kCi, "--description", "for builds", "--output", "json"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("UpdateToken"));
  EXPECT_THAT(server_.update_request.update_mask().paths(), ElementsAre("description"));
  EXPECT_THAT(written(), HasSubstr("\"description\": \"for builds\""));
  EXPECT_EQ(RunAsAda({"token", "update", kCi, "--description", "", "--name", "x"}), 0);
  EXPECT_THAT(server_.update_request.update_mask().paths(), ElementsAre("display_name", "description"));
  EXPECT_EQ(server_.update_request.token().description(), "");
}

TEST_F(TokenUpdateTest, ChangesNothingElse) {
  EXPECT_EQ(RunAsAda({"token", "update", kCi}), 2);
  EXPECT_THAT(said(), HasSubstr("missing: --name or --description; nothing else of a token can be changed"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

}  // namespace
}  // namespace pat::patctl
