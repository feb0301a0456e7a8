// What an authority said of a token, judged. The wire is not trusted to make sense: an answer that contradicts itself,
// or is larger than any right one, is none. It is then never "active".
#ifndef PAT_SERVER_UPSTREAM_INTROSPECTION_ANSWER_H_
#define PAT_SERVER_UPSTREAM_INTROSPECTION_ANSWER_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pat/v1/introspection_service.pb.h"
#include "server/core/facts_reader.h"
#include "server/upstream/scope_interner.h"

namespace pat {

struct UpstreamAnswer {
  std::optional<TokenFacts> facts;  // Absent: inactive.
  absl::Duration fresh_for;
};

// Of a request that had a digest and neither requirements nor an audience. INTERNAL if the answer makes no sense; the
// text says what of it, for the log.
absl::StatusOr<UpstreamAnswer> ReadAnswer(const v1::IntrospectResponse& response, ScopeInterner& scopes);

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_INTROSPECTION_ANSWER_H_
