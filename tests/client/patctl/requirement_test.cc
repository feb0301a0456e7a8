#include "client/patctl/requirement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RequirementTest, IsOneScopeOrSeveral) {
  EXPECT_THAT(*ParseRequirement("OR.Folders"), ElementsAre("OR.Folders"));
  EXPECT_THAT(*ParseRequirement("OR.Folders|OR.Folders.Read"), ElementsAre("OR.Folders", "OR.Folders.Read"));
  EXPECT_THAT(*ParseRequirement("OR.Folders,OR.Folders.Read"), ElementsAre("OR.Folders", "OR.Folders.Read"));
  EXPECT_THAT(*ParseRequirement(" A , B | C "), ElementsAre("A", "B", "C"));
}

TEST(RequirementTest, HasNoEmptyScope) {
  for (const char* text : {"", "|", "A|", ",A", "A||B", " "}) {
    const auto requirement = ParseRequirement(text);
    EXPECT_EQ(requirement.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(requirement.status().message()), HasSubstr("OR.Folders|OR.Folders.Read"));
  }
}

TEST(RequirementTest, ReadsLikeASentence) {
  EXPECT_EQ(FormatRequirement({"A"}), "A");
  EXPECT_EQ(FormatRequirement({"A", "B", "C"}), "A or B or C");
}

}  // namespace
}  // namespace pat::patctl
