#include "client/patctl/name_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/patctl/exit_code.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Names = google::protobuf::RepeatedPtrField<std::string>;

Names Of(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

TEST(NameSetTest, AddsWhatIsMissingAndTakesOut) {
  Names names = Of({"A", "B", "C"});
  EXPECT_TRUE(ChangeNames({"D", "A", "D"}, {"B"}, "a grant of users/ada", names).ok());
  EXPECT_THAT(names, ElementsAre("A", "C", "D"));
}

TEST(NameSetTest, WhatIsNotThereCannotBeTakenOut) {
  Names names = Of({"OR.Folders.Read"});
  const absl::Status status = ChangeNames({}, {"OR.Folder.Read\n"}, "a grant of users/ada", names);
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kFailed);
  EXPECT_EQ(status.message(), "\"OR.Folder.Read\\x0a\" is not a grant of users/ada; nothing was changed");
}

TEST(NameSetTest, ANameIsForOneOfBoth) {
  Names names = Of({"A"});
  const absl::Status status = ChangeNames({"B", "A"}, {"A"}, "x", names);
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"A\" is to be added and to be removed"));
}

}  // namespace
}  // namespace pat::patctl
