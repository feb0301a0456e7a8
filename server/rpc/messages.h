// Between the messages of the API and the plain values of the rules. No rule lives here.
#ifndef PAT_SERVER_RPC_MESSAGES_H_
#define PAT_SERVER_RPC_MESSAGES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/repeated_field.h"
#include "google/protobuf/timestamp.pb.h"
#include "pat/v1/audit_service.pb.h"
#include "pat/v1/introspection_service.pb.h"
#include "pat/v1/policy_service.pb.h"
#include "pat/v1/token.pb.h"
#include "pat/v1/user_service.pb.h"
#include "server/core/change_feed.h"
#include "server/core/introspection.h"
#include "server/core/token_lifecycle.h"
#include "server/core/token_requests.h"
#include "store/records.h"

namespace pat {

void SetTimestamp(absl::Time time, google::protobuf::Timestamp& out);
void SetDuration(absl::Duration duration, google::protobuf::Duration& out);

// As a wire duration says, saturating; it need not be in protobuf's range.
absl::Duration ToDuration(const google::protobuf::Duration& duration);

// As they came; whether they are in range is for the rules to say.
RequestedInstant ReadTimestamp(const google::protobuf::Timestamp& time);
RequestedDuration ReadSpan(const google::protobuf::Duration& duration);
std::vector<std::string> ReadTexts(const google::protobuf::RepeatedPtrField<std::string>& values);

// nullopt: not said, or a number that is no type.
std::optional<UserType> ReadUserType(v1::User::Type type);

void SetToken(const TokenView& view, v1::Token& out);
void SetUser(const UserRecord& user, v1::User& out);
void SetPolicy(const PolicyRecord& policy, v1::Policy& out);
void SetAuditEvent(const AuditRecord& row, v1::AuditEvent& out);

// The query that `request` asks; it holds views into `request`.
void ReadQuery(const v1::IntrospectRequest& request, IntrospectionQuery& query);

// `out` must be empty. An inactive result fills `active`, `verdict` and `freshness` and nothing else.
void SetResult(const IntrospectionResult& result, absl::string_view issuer, v1::IntrospectResponse& out);

// What a watcher is told who then is where `resume_token` says. `out` must be empty.
void SetRevocations(const FeedMessage& message, std::string resume_token, v1::WatchRevocationsResponse& out);

}  // namespace pat

#endif  // PAT_SERVER_RPC_MESSAGES_H_
