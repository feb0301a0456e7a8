// PolicyService over gRPC: who may, and what goes over the wire both ways.
#include "server/rpc/policy_service.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/rpc/management_server.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class PolicyServiceTest : public ManagementTest {
 protected:
  v1::Policy Get() {
    const auto answer = Call(&PolicyStub::GetPolicy, v1::GetPolicyRequest());
    EXPECT_EQ(Outcome(answer), "OK");
    return answer.message.policy();
  }
  static v1::UpdatePolicyRequest Change(const v1::Policy& policy, const std::vector<std::string>& mask) {
    v1::UpdatePolicyRequest request;
    *request.mutable_policy() = policy;
    for (const std::string& path : mask) request.mutable_update_mask()->add_paths(path);
    return request;
  }
  static v1::Policy Strict() {
    v1::Policy policy;
    policy.set_tokens_disabled(true);
    policy.mutable_maximum_lifespan()->set_seconds(86'400);
    policy.set_maximum_live_tokens(3);
    policy.add_forbidden_scopes("TM.Defects");
    return policy;
  }
  v1::CreateTokenRequest NewToken() {
    v1::CreateTokenRequest request;
    request.set_parent("users/ada");
    request.set_display_name("a token");
    request.add_scopes("OR.Folders");
    request.mutable_ttl()->set_seconds(3600);
    return request;
  }
};

TEST_F(PolicyServiceTest, OnlyAdministratorsLookAndChange) {
  const v1::UpdatePolicyRequest change = Change(Strict(), {"tokens_disabled"});
  for (const Metadata& metadata : {As("ada"), AsPortalFor("ada"), Metadata()}) {
    EXPECT_EQ(Outcome(Call(&PolicyStub::GetPolicy, v1::GetPolicyRequest(), metadata)),
              "PERMISSION_DENIED ROLE_REQUIRED");
    EXPECT_EQ(Outcome(Call(&PolicyStub::UpdatePolicy, change, metadata)), "PERMISSION_DENIED ROLE_REQUIRED");
  }
  EXPECT_FALSE(Get().tokens_disabled());
  for (const AuditRecord& row : AuditRows()) EXPECT_EQ(row.target, "policy") << row.method;
}

// Whatever it was refused for: the rights, the form, the etag.
TEST_F(PolicyServiceTest, ARefusedChangeIsWrittenDownWithThePolicyAsItsTarget) {
  v1::UpdatePolicyRequest late = Change(Strict(), {"tokens_disabled"});
  late.mutable_policy()->set_etag("\"99\"");
  EXPECT_FALSE(Call(&PolicyStub::UpdatePolicy, Change(Strict(), {"tokens_disabled"}), As("ada")).status.ok());
  EXPECT_FALSE(Call(&PolicyStub::UpdatePolicy, Change(Strict(), {"no_such_field"})).status.ok());
  EXPECT_FALSE(Call(&PolicyStub::UpdatePolicy, late).status.ok());
  EXPECT_THAT(AuditLines(), UnorderedElementsAre("user:ada pat.v1.PolicyService/UpdatePolicy policy ROLE_REQUIRED",
                                                 "user:admin pat.v1.PolicyService/UpdatePolicy policy INVALID_REQUEST",
                                                 "user:admin pat.v1.PolicyService/UpdatePolicy policy ETAG_MISMATCH"));
}

TEST_F(PolicyServiceTest, TheDefaultsAreShown) {
  const v1::Policy policy = Get();
  EXPECT_FALSE(policy.tokens_disabled());
  EXPECT_EQ(policy.maximum_lifespan().seconds(), 365 * 86'400);
  EXPECT_EQ(policy.maximum_live_tokens(), 50);
  EXPECT_EQ(policy.forbidden_scopes_size(), 0);
  EXPECT_NE(policy.etag(), "");
}

TEST_F(PolicyServiceTest, OnlyTheFieldsOfTheMaskAreTaken) {
  const auto changed = Call(&PolicyStub::UpdatePolicy, Change(Strict(), {"maximum_lifespan", "forbidden_scopes"}));
  ASSERT_EQ(Outcome(changed), "OK");
  EXPECT_FALSE(changed.message.policy().tokens_disabled());
  EXPECT_EQ(changed.message.policy().maximum_lifespan().seconds(), 86'400);
  EXPECT_EQ(changed.message.policy().maximum_live_tokens(), 50);
  EXPECT_THAT(changed.message.policy().forbidden_scopes(), ElementsAre("TM.Defects"));
  EXPECT_GE(changed.message.last_accept_time().seconds(), absl::ToUnixSeconds(authority_.clock.Now()));

  const auto again = Call(&PolicyStub::UpdatePolicy, Change(Strict(), {"tokens_disabled", "maximum_live_tokens"}));
  ASSERT_EQ(Outcome(again), "OK");
  EXPECT_TRUE(again.message.policy().tokens_disabled());
  EXPECT_EQ(again.message.policy().maximum_live_tokens(), 3);
  EXPECT_EQ(Get().SerializeAsString(), again.message.policy().SerializeAsString());
}

TEST_F(PolicyServiceTest, ADryRunChangesNothing) {
  v1::UpdatePolicyRequest request = Change(Strict(), {"tokens_disabled"});
  request.set_validate_only(true);
  const auto changed = Call(&PolicyStub::UpdatePolicy, request);
  ASSERT_EQ(Outcome(changed), "OK");
  EXPECT_TRUE(changed.message.policy().tokens_disabled());
  EXPECT_FALSE(Get().tokens_disabled());
}

TEST_F(PolicyServiceTest, AllThatIsWrongIsNamed) {
  v1::Policy policy;
  policy.mutable_maximum_lifespan()->set_seconds(-1);
  policy.set_maximum_live_tokens(-1);
  policy.add_forbidden_scopes("OR.Nothing");
  const auto refused =
      Call(&PolicyStub::UpdatePolicy, Change(policy, {"maximum_lifespan", "maximum_live_tokens", "forbidden_scopes"}));
  EXPECT_EQ(Outcome(refused), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_THAT(FieldsOf(refused.status), UnorderedElementsAre("policy.maximum_lifespan", "policy.maximum_live_tokens",
                                                             "policy.forbidden_scopes[0]"));

  EXPECT_THAT(FieldsOf(Call(&PolicyStub::UpdatePolicy, Change(Strict(), {})).status), ElementsAre("update_mask"));
  const auto unknown = Call(&PolicyStub::UpdatePolicy, Change(Strict(), {"etag"}));
  ASSERT_EQ(FieldsOf(unknown.status).size(), 1);
  EXPECT_THAT(FieldsOf(unknown.status)[0], HasSubstr("update_mask"));
}

TEST_F(PolicyServiceTest, AnEtagThatHasPassedIsAborted) {
  v1::Policy policy = Get();
  policy.set_tokens_disabled(true);
  ASSERT_EQ(Outcome(Call(&PolicyStub::UpdatePolicy, Change(policy, {"tokens_disabled"}))), "OK");
  EXPECT_EQ(Outcome(Call(&PolicyStub::UpdatePolicy, Change(policy, {"tokens_disabled"}))), "ABORTED ETAG_MISMATCH");
}

TEST_F(PolicyServiceTest, WithTokensOffNoneIsMade) {
  ASSERT_EQ(Outcome(Call(&PolicyStub::UpdatePolicy, Change(Strict(), {"tokens_disabled"}))), "OK");
  EXPECT_EQ(Outcome(Call(&Tokens::CreateToken, NewToken(), As("ada"))), "FAILED_PRECONDITION TOKENS_DISABLED");
  ASSERT_EQ(Outcome(Call(&PolicyStub::UpdatePolicy, Change(v1::Policy(), {"tokens_disabled"}))), "OK");
  EXPECT_EQ(Outcome(Call(&Tokens::CreateToken, NewToken(), As("ada"))), "OK");
}

}  // namespace
}  // namespace pat
