// Between the messages of the API and the plain values of the rules. No rule lives here.
#ifndef PAT_SERVER_RPC_MESSAGES_H_
#define PAT_SERVER_RPC_MESSAGES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "pat/v1/introspection_service.pb.h"
#include "pat/v1/token.pb.h"
#include "server/core/introspection.h"
#include "server/core/token_lifecycle.h"

namespace pat {

void SetTimestamp(absl::Time time, google::protobuf::Timestamp& out);
void SetDuration(absl::Duration duration, google::protobuf::Duration& out);

// As a wire duration says, saturating; it need not be in protobuf's range.
absl::Duration ToDuration(const google::protobuf::Duration& duration);

void SetToken(const TokenView& view, v1::Token& out);

// The query that `request` asks; it holds views into `request`.
void ReadQuery(const v1::IntrospectRequest& request, IntrospectionQuery& query);

// `out` must be empty. An inactive result fills `active`, `verdict` and `freshness` and nothing else.
void SetResult(const IntrospectionResult& result, absl::string_view issuer, v1::IntrospectResponse& out);

}  // namespace pat

#endif  // PAT_SERVER_RPC_MESSAGES_H_
