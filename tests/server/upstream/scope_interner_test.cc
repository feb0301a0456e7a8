#include "server/upstream/scope_interner.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

TEST(ScopeInternerTest, MakesSetsOfAnyNames) {
  ScopeInterner interner;
  const ScopeSet set = interner.Intern({"A.Read", "B"});
  EXPECT_TRUE(set.Contains("A.Read"));
  EXPECT_TRUE(set.Contains("B"));
  EXPECT_FALSE(set.Contains("A"));
  EXPECT_FALSE(set.Contains("C"));
  EXPECT_TRUE(interner.Intern({}).empty());
}

TEST(ScopeInternerTest, EarlierSetsStayAsTheyAreWhenNamesCome) {
  ScopeInterner interner;
  const ScopeSet first = interner.Intern({"M"});
  const ScopeSet second = interner.Intern({"A", "Z"});
  const ScopeSet third = interner.Intern({"M"});
  EXPECT_EQ(interner.size(), 3);
  EXPECT_EQ(first.ToVector(), std::vector<std::string>{"M"});
  EXPECT_EQ(second.ToVector(), (std::vector<std::string>{"A", "Z"}));
  EXPECT_EQ(third.ToVector(), first.ToVector());
}

TEST(ScopeInternerTest, NamesAreBounded) {
  ScopeInterner interner(/*most_names=*/3);
  const ScopeSet before = interner.Intern({"A", "B"});
  EXPECT_EQ(interner.Intern({"C"}).ToVector(), std::vector<std::string>{"C"});
  EXPECT_EQ(interner.size(), 3);
  EXPECT_EQ(interner.Intern({"A", "D"}).ToVector(), (std::vector<std::string>{"A", "D"}));
  EXPECT_EQ(interner.size(), 2);
  EXPECT_EQ(before.ToVector(), (std::vector<std::string>{"A", "B"}));
}

}  // namespace
}  // namespace pat
