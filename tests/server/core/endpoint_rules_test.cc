// The 165 rules of a real API, one endpoint each, against the shipped catalogue: which single scope of a token lets a
// call through. The catalogue file is read here a second time, by other code than ScopeCatalog's, to know what is
// right.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/scope_catalog.h"
#include "tests/support/source_path.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct EndpointRule {
  std::string endpoint;
  std::vector<std::string> any_of;
};

std::vector<std::vector<std::string>> ReadTable(absl::string_view path) {
  std::vector<std::vector<std::string>> rows;
  for (const absl::string_view line : absl::StrSplit(ReadSourceFile(path), '\n')) {
    if (!line.empty() && line[0] != '#') rows.push_back(absl::StrSplit(line, '\t'));
  }
  return rows;
}

bool IsMet(const std::vector<std::string>& any_of, const ScopeSet& scopes) {
  return absl::c_any_of(any_of, [&](const std::string& name) { return scopes.Contains(name); });
}

class EndpointRulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::shared_ptr<const ScopeCatalog>> catalog = ScopeCatalog::Load(SourcePath("deploy/scopes.tsv"));
    ASSERT_TRUE(catalog.ok()) << catalog.status();
    catalog_ = *std::move(catalog);
    for (const std::vector<std::string>& row : ReadTable("tests/data/endpoint_scopes.tsv")) {
      ASSERT_EQ(row.size(), 2) << row[0];
      rules_.push_back({row[0], absl::StrSplit(row[1], ' ')});
    }
    for (const std::vector<std::string>& row : ReadTable("deploy/scopes.tsv")) {
      implies_[row[2]] = absl::StrSplit(row[3], ' ', absl::SkipEmpty());
    }
  }

  // Whether a token with only `scope` has `name`, by the file.
  bool Covers(const std::string& scope, const std::string& name) const {
    return scope == name || absl::c_any_of(implies_.at(scope), [&](const auto& next) { return Covers(next, name); });
  }

  ScopeSet HavingOnly(const std::string& scope) const { return catalog_->Closure({scope}); }

  std::shared_ptr<const ScopeCatalog> catalog_;
  std::vector<EndpointRule> rules_;
  absl::btree_map<std::string, std::vector<std::string>> implies_;
};

TEST_F(EndpointRulesTest, AllAreRead) {
  EXPECT_EQ(rules_.size(), 165);
  EXPECT_EQ(implies_.size(), 154);
  absl::btree_set<std::string> endpoints;
  for (const EndpointRule& rule : rules_) {
    EXPECT_TRUE(endpoints.insert(rule.endpoint).second) << rule.endpoint;
    EXPECT_FALSE(rule.any_of.empty()) << rule.endpoint;
  }
}

// If a rule comes to name a scope that the catalogue lacks, it belongs in this list, with the reason.
TEST_F(EndpointRulesTest, NoneNamesAScopeThatTheCatalogueDoesNotHave) {
  absl::btree_set<std::string> unknown;
  for (const EndpointRule& rule : rules_) {
    for (const std::string& name : rule.any_of) {
      if (!catalog_->Contains(name)) unknown.insert(absl::StrCat(rule.endpoint, ": ", name));
    }
  }
  EXPECT_THAT(unknown, IsEmpty());
}

TEST_F(EndpointRulesTest, EachListedScopeAloneIsEnough) {
  for (const EndpointRule& rule : rules_) {
    for (const std::string& name : rule.any_of)
      EXPECT_TRUE(IsMet(rule.any_of, HavingOnly(name))) << rule.endpoint << name;
  }
}

// Each of the 165 rules against each of the 154 scopes.
TEST_F(EndpointRulesTest, AScopeIsEnoughExactlyIfItCoversOneThatIsListed) {
  int enough = 0;
  for (const EndpointRule& rule : rules_) {
    for (const auto& [scope, unused] : implies_) {
      const bool met = IsMet(rule.any_of, HavingOnly(scope));
      const bool right =
          absl::c_any_of(rule.any_of, [&, scope = scope](const std::string& name) { return Covers(scope, name); });
      EXPECT_EQ(met, right) << rule.endpoint << " with " << scope;
      enough += met ? 1 : 0;
    }
  }
  EXPECT_EQ(enough, 291);  // Counted by a script of its own.
}

// The rules list the parents of what they list, so cover hardly shows in them. It does in rules cut down to one scope.
TEST_F(EndpointRulesTest, AParentIsEnoughWhereOnlyItsChildIsListedAndNotTheOtherWayRound) {
  int parents = 0;
  for (const EndpointRule& rule : rules_) {
    for (const std::string& listed : rule.any_of) {
      for (const auto& [scope, implies] : implies_) {
        const bool is_parent = absl::c_linear_search(implies, listed);
        const bool is_child = absl::c_linear_search(implies_.at(listed), scope);
        if (is_parent || is_child) {
          EXPECT_EQ(IsMet({listed}, HavingOnly(scope)), is_parent) << listed << " with " << scope;
        }
        parents += is_parent ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(parents, 117);  // The rules that list a parent with one child.
}

TEST_F(EndpointRulesTest, AnUnrelatedScopeIsNotEnoughForAny) {
  // No rule is about these; the last two look like names of the catalogue and are none.
  for (const std::string scope : {"PAT.SelfRegenerate", "Ixp.ApiAccess", "OR.Default", "OR", "OR.Folders.Read.Write"}) {
    for (const EndpointRule& rule : rules_)
      EXPECT_FALSE(IsMet(rule.any_of, HavingOnly(scope))) << rule.endpoint << scope;
  }
}

TEST_F(EndpointRulesTest, AllTogetherWithoutTheListedOnesAndTheirParentsAreNotEnough) {
  for (const EndpointRule& rule : rules_) {
    std::vector<std::string> others;
    for (const auto& [scope, unused] : implies_) {
      if (absl::c_none_of(rule.any_of, [&, scope = scope](const std::string& name) { return Covers(scope, name); })) {
        others.push_back(scope);
      }
    }
    EXPECT_FALSE(IsMet(rule.any_of, catalog_->Closure(others))) << rule.endpoint;
  }
}

TEST_F(EndpointRulesTest, EverythingIsEnoughForAllAndNothingForNone) {
  const ScopeSet everything = catalog_->Closure({"*"});
  const ScopeSet nothing = catalog_->Closure({});
  for (const EndpointRule& rule : rules_) {
    EXPECT_TRUE(IsMet(rule.any_of, everything)) << rule.endpoint;
    EXPECT_FALSE(IsMet(rule.any_of, nothing)) << rule.endpoint;
  }
}

// What a token may do is its scopes and what its owner may do.
TEST_F(EndpointRulesTest, ATokenIsLimitedByWhatItsOwnerMayDo) {
  ScopeSet effective = catalog_->Closure({"OR.Folders"});
  effective.IntersectWith(catalog_->Closure({"OR.Folders.Read", "OR.Jobs"}));
  EXPECT_THAT(effective.ToVector(), ElementsAre("OR.Folders.Read"));
  int readable = 0;
  for (const EndpointRule& rule : rules_) {
    const bool lists_read = absl::c_linear_search(rule.any_of, "OR.Folders.Read");
    EXPECT_EQ(IsMet(rule.any_of, effective), lists_read) << rule.endpoint;
    readable += lists_read ? 1 : 0;
  }
  EXPECT_GT(readable, 0);
}

}  // namespace
}  // namespace pat
