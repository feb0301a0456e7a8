// How long the store keeps what is over. A matter of configuration, unlike the policy, which administrators decide and
// the store keeps (PolicyRecord).
#ifndef PAT_SERVER_CORE_RETENTION_H_
#define PAT_SERVER_CORE_RETENTION_H_

#include "absl/time/time.h"

namespace pat {

// The reference product leaves these numbers open; they are this product's choice.
struct Retention {
  // How long a revoked or expired token is kept to be looked at.
  absl::Duration ended_tokens = absl::Hours(24 * 30);

  // How long the repetition of a request with a request_id is known as one.
  absl::Duration request_ids = absl::Hours(24);

  // How long a row of the audit log is kept.
  absl::Duration audit = absl::Hours(24 * 365);
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_RETENTION_H_
