// PolicyRules: looking at and changing the policy. For administrators, who still are some when it is changed. (What it
// does to tokens is in token_rules.h and store_facts.h.)
//
// Errors carry ErrorDetails: INVALID_REQUEST, ROLE_REQUIRED, CREDENTIALS_INVALID, ETAG_MISMATCH. One without details is
// the store's.
//
// Threads: thread-safe; calls block.
#ifndef PAT_SERVER_CORE_POLICY_RULES_H_
#define PAT_SERVER_CORE_POLICY_RULES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/core/audit_log.h"
#include "server/core/clock.h"
#include "server/core/principal.h"
#include "server/core/scope_catalog.h"
#include "server/core/token_requests.h"
#include "store/token_store.h"

namespace pat {

struct UpdatePolicyQuery {
  bool tokens_disabled = false;
  RequestedDuration maximum_lifespan = {};
  int64_t maximum_live_tokens = 0;
  std::vector<std::string> forbidden_scopes = {};
  std::vector<std::string> update_mask = {};
  std::string etag = {};
  bool validate_only = false;
};

struct ChangedPolicy {
  PolicyRecord policy;
  absl::Time last_accept_time;  // After it no cache anywhere answers by what the policy was before.
};

class PolicyRules {
 public:
  // What is given must outlive this object.
  PolicyRules(TokenStore& store, const ScopeCatalog& catalog, AuditLog& audit, const Clock& clock)
      : store_(store), catalog_(catalog), audit_(audit), clock_(clock) {}

  absl::StatusOr<PolicyRecord> Get(const Principal& principal) const;
  absl::StatusOr<ChangedPolicy> Update(const Principal& principal, const UpdatePolicyQuery& query);

  static std::string EtagOf(const PolicyRecord& policy);

 private:
  TokenStore& store_;
  const ScopeCatalog& catalog_;
  AuditLog& audit_;
  const Clock& clock_;
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_POLICY_RULES_H_
