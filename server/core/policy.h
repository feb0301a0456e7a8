// Limits on tokens that hold for everybody.
#ifndef PAT_SERVER_CORE_POLICY_H_
#define PAT_SERVER_CORE_POLICY_H_

#include <cstddef>

#include "absl/time/time.h"

namespace pat {

// The reference product leaves these numbers open; they are this product's choice.
struct Policy {
  // A token lives at most so long after it was created or last regenerated. Judged when a token is made and when it is
  // read.
  absl::Duration maximum_lifespan = absl::Hours(24 * 365);

  // Tokens of one user that are neither expired nor revoked. Judged when a token is made.
  size_t maximum_live_tokens = 50;

  // How long a revoked or expired token is kept to be looked at.
  absl::Duration ended_token_retention = absl::Hours(24 * 30);

  // How long the repetition of a request with a request_id is known as one.
  absl::Duration request_id_retention = absl::Hours(24);
};

}  // namespace pat

#endif  // PAT_SERVER_CORE_POLICY_H_
