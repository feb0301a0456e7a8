// OwnerChanges: what administrators can do to ada, and to everybody, by the real rules; for tests of what becomes of
// tokens by it (C12).
#ifndef PAT_TESTS_SERVER_CORE_OWNER_CHANGES_H_
#define PAT_TESTS_SERVER_CORE_OWNER_CHANGES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/cache_bound.h"
#include "server/core/policy_rules.h"
#include "server/core/user_lifecycle.h"
#include "tests/server/core/user_lifecycle_test.h"
#include "tests/support/test_authority.h"

namespace pat {

struct OwnerChanges {
  // Adds the administrator. `authority`, whose caches have this TTL, must outlive this object.
  OwnerChanges(TestAuthority& authority, absl::Duration ttl)
      : passwords(*authority.engine),
        users(authority.store, *authority.catalog, passwords, authority.audit, *authority.peppers, authority.clock),
        policy(authority.store, *authority.catalog, authority.audit, authority.clock) {
    authority.AddUser("root");
    authority.ChangeUser("root", [](UserRecord& user) { user.administrator = true; });
    EXPECT_EQ(CommitCacheTtl(*authority.engine, ttl, authority.clock.Now()), absl::OkStatus());
  }

  // Each returns last_accept_time, by the authority's clock.
  absl::StatusOr<absl::Time> UpdateAda(UpdateUserQuery query, const std::string& path) {
    query.name = "users/ada";
    query.update_mask = {path};
    const absl::StatusOr<ChangedUser> changed = users.Update(root, query);
    if (!changed.ok()) return changed.status();
    return changed->last_accept_time;
  }
  absl::StatusOr<absl::Time> UpdatePolicy(UpdatePolicyQuery query, const std::string& path) {
    query.update_mask = {path};
    const absl::StatusOr<ChangedPolicy> changed = policy.Update(root, query);
    if (!changed.ok()) return changed.status();
    return changed->last_accept_time;
  }

  const Principal root = AsAdministrator("root");
  FakePasswords passwords;
  UserLifecycle users;
  PolicyRules policy;
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_CORE_OWNER_CHANGES_H_
