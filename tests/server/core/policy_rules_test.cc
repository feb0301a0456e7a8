// The policy is looked at and changed by administrators.
#include "server/core/policy_rules.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/cache_bound.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PolicyRulesTest : public testing::Test {
 protected:
  PolicyRulesTest() {
    authority_.AddUser("root");
    authority_.ChangeUser("root", [](UserRecord& user) { user.administrator = true; });
  }

  absl::Time Now() const { return authority_.clock.Now(); }

  absl::StatusOr<ChangedPolicy> Update(UpdatePolicyQuery query, const std::vector<std::string>& mask) {
    query.update_mask = mask;
    return rules_.Update(root_, query);
  }
  std::vector<std::string> Refused(const UpdatePolicyQuery& query, const std::vector<std::string>& mask) {
    return ExpectInvalid(Update(query, mask).status());
  }
  std::vector<AuditRecord> Audit() { return authority_.engine->ListAudit({.limit = 100}).value().rows; }

  TestAuthority authority_;
  PolicyRules rules_{authority_.store, *authority_.catalog, authority_.audit, authority_.clock};
  const Principal root_ = AsAdministrator("root");
};

TEST_F(PolicyRulesTest, AtFirstItIsTheDefault) {
  EXPECT_EQ(rules_.Get(root_).value(), PolicyRecord());
  EXPECT_EQ(PolicyRules::EtagOf(PolicyRecord()), "\"0\"");
}

TEST_F(PolicyRulesTest, WhatTheMaskNamesIsChangedAndNothingElse) {
  const UpdatePolicyQuery all{.tokens_disabled = true,
                              .maximum_lifespan = {.seconds = 3600},
                              .maximum_live_tokens = 7,
                              .forbidden_scopes = {"TM.Defects", "Many.07", "OR.Folders"}};
  PolicyRecord expected;
  const auto update = [&](const std::vector<std::string>& mask) {
    const absl::StatusOr<ChangedPolicy> changed = Update(all, mask);
    ASSERT_TRUE(changed.ok()) << changed.status();
    expected.change_sequence = authority_.engine->CommitSequence();
    EXPECT_EQ(changed->policy, expected);
    EXPECT_EQ(rules_.Get(root_).value(), expected);
  };
  expected.tokens_disabled = true;
  update({"tokens_disabled"});
  expected.maximum_lifespan = absl::Hours(1);
  update({"maximum_lifespan"});
  expected.maximum_live_tokens = 7;
  update({"maximum_live_tokens"});
  expected.forbidden_scopes = {"Many.07", "OR.Folders", "TM.Defects"};
  update({"forbidden_scopes"});
  std::vector<std::string> details;
  for (const AuditRecord& row : Audit()) {
    EXPECT_EQ(row.method, "pat.v1.PolicyService/UpdatePolicy");
    EXPECT_EQ(row.target, "policy");
    EXPECT_EQ(row.principal, "user:root");
    details.push_back(row.detail);
  }
  EXPECT_THAT(details, ElementsAre("tokens disabled", "maximum lifespan 3600s", "maximum live tokens 7",
                                   "forbidden scopes: Many.07, OR.Folders, TM.Defects"));
}

TEST_F(PolicyRulesTest, ForAdministratorsOnly) {
  for (const Principal& other :
       {Principal(), AsUser("ada"), Principal{.kind = PrincipalKind::kPortal, .user_id = "root", .administrator = true},
        Principal{.kind = PrincipalKind::kToken, .user_id = "root", .administrator = true},
        Principal{.kind = PrincipalKind::kIntrospector}}) {
    const absl::Status refused = rules_.Get(other).status();
    ExpectRefusal(refused, absl::StatusCode::kPermissionDenied, "ROLE_REQUIRED");
    EXPECT_EQ(rules_.Update(other, {}).status(), refused);
  }
}

TEST_F(PolicyRulesTest, WhoIsNoAdministratorAnyMoreSeesAndChangesNothing) {
  authority_.ChangeUser("root", [](UserRecord& user) { user.administrator = false; });
  const absl::Status required = rules_.Get(AsUser("ada")).status();
  EXPECT_EQ(rules_.Get(root_).status(), required);
  EXPECT_EQ(Update({.tokens_disabled = true}, {"tokens_disabled"}).status(), required);
  authority_.DeleteUser("root");
  for (const absl::Status& status :
       {rules_.Get(root_).status(), Update({.tokens_disabled = true}, {"tokens_disabled"}).status()}) {
    ExpectRefusal(status, absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID");
  }
  EXPECT_EQ(authority_.policy(), PolicyRecord());
}

TEST_F(PolicyRulesTest, ALifespanIsOneSecondTo36500DaysInWholeSeconds) {
  constexpr int64_t kDay = 24 * 3600;
  const auto query = [](int64_t seconds, int32_t nanos = 0) {
    return UpdatePolicyQuery{.maximum_lifespan = {.seconds = seconds, .nanos = nanos}};
  };
  const std::vector<std::string> mask = {"maximum_lifespan"};
  EXPECT_TRUE(Update(query(1), mask).ok());
  EXPECT_TRUE(Update(query(36'500 * kDay), mask).ok());
  for (const UpdatePolicyQuery& bad :
       {query(0), query(-1), query(36'500 * kDay + 1), query(1, 1), query(0, 999'999'999), query(1, -1),
        query(400'000'000'000), query(1, 1'000'000'000), query(INT64_MAX), query(INT64_MIN)}) {
    EXPECT_THAT(Refused(bad, mask), ElementsAre("policy.maximum_lifespan")) << bad.maximum_lifespan.seconds;
  }
}

TEST_F(PolicyRulesTest, LiveTokensAreNoneTo10000) {
  const std::vector<std::string> mask = {"maximum_live_tokens"};
  EXPECT_TRUE(Update({.maximum_live_tokens = 0}, mask).ok());
  EXPECT_TRUE(Update({.maximum_live_tokens = 10'000}, mask).ok());
  EXPECT_THAT(Refused({.maximum_live_tokens = -1}, mask), ElementsAre("policy.maximum_live_tokens"));
  EXPECT_THAT(Refused({.maximum_live_tokens = 10'001}, mask), ElementsAre("policy.maximum_live_tokens"));
}

TEST_F(PolicyRulesTest, ForbiddenScopesAreNamesOfTheCatalogueEachOnce) {
  const std::vector<std::string> mask = {"forbidden_scopes"};
  EXPECT_TRUE(Update({.forbidden_scopes = {}}, mask).ok());
  EXPECT_THAT(Refused({.forbidden_scopes = {"OR.Folders", "*", "No.Such", "OR.Folders"}}, mask),
              ElementsAre("policy.forbidden_scopes[1]", "policy.forbidden_scopes[2]", "policy.forbidden_scopes[3]"));
  EXPECT_THAT(Refused({.forbidden_scopes = std::vector<std::string>(1001, "OR.Folders")}, mask),
              ElementsAre("policy.forbidden_scopes"));
  const absl::Status twice = Update({.forbidden_scopes = std::vector<std::string>(1000, "OR.Folders")}, mask).status();
  EXPECT_EQ(DetailsOf(twice)->violations.size() + DetailsOf(twice)->more_violations, 999);
}

TEST_F(PolicyRulesTest, AllThatIsWrongIsSaidAtOnceAndWhatIsNotNamedIsNotLookedAt) {
  UpdatePolicyQuery query{.maximum_live_tokens = -1, .forbidden_scopes = {"No.Such"}};
  EXPECT_THAT(Refused(query, {}), ElementsAre("update_mask"));
  EXPECT_THAT(Refused(query, {"etag", "maximum_lifespan", "maximum_live_tokens", "forbidden_scopes"}),
              ElementsAre("update_mask", "policy.maximum_lifespan", "policy.maximum_live_tokens",
                          "policy.forbidden_scopes[0]"));
  EXPECT_TRUE(Update(query, {"tokens_disabled"}).ok());
}

TEST_F(PolicyRulesTest, AnEtagIsJudgedIfItIsGiven) {
  const std::string etag = PolicyRules::EtagOf(rules_.Get(root_).value());
  EXPECT_TRUE(Update({.tokens_disabled = true, .etag = etag}, {"tokens_disabled"}).ok());
  ExpectRefusal(Update({.etag = etag}, {"tokens_disabled"}).status(), absl::StatusCode::kAborted, "ETAG_MISMATCH");
  EXPECT_TRUE(rules_.Get(root_)->tokens_disabled);
}

TEST_F(PolicyRulesTest, ADryRunChangesNothing) {
  const uint64_t before = authority_.engine->CommitSequence();
  const absl::StatusOr<ChangedPolicy> changed =
      Update({.tokens_disabled = true, .validate_only = true}, {"tokens_disabled"});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_TRUE(changed->policy.tokens_disabled);
  EXPECT_EQ(rules_.Get(root_).value(), PolicyRecord());
  EXPECT_EQ(authority_.engine->CommitSequence(), before);
  EXPECT_THAT(Audit(), IsEmpty());
}

TEST_F(PolicyRulesTest, LastAcceptTimeIsByTheClockAfterTheCommit) {
  ASSERT_TRUE(CommitCacheTtl(*authority_.engine, absl::Hours(1), Now()).ok());
  authority_.store.AfterCommit([&] { authority_.time.Advance(absl::Seconds(3)); });
  const absl::StatusOr<ChangedPolicy> changed = Update({.tokens_disabled = true}, {"tokens_disabled"});
  EXPECT_EQ(changed->last_accept_time, Now() + absl::Hours(1));
}

}  // namespace
}  // namespace pat
