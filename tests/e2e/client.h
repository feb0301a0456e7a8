// Client: what somebody outside sees of a server, by real gRPC, and what its errors say when they are taken apart.
#ifndef PAT_TESTS_E2E_CLIENT_H_
#define PAT_TESTS_E2E_CLIENT_H_

#include <gmock/gmock.h>
#include <grpc/compression.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/status.h>

#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "pat/v1/introspection_service.grpc.pb.h"
#include "pat/v1/token_service.grpc.pb.h"

namespace pat {

// Who calls: the headers that a call brings.
using Headers = std::vector<std::pair<std::string, std::string>>;

inline Headers Nobody() { return {}; }
Headers PortalFor(absl::string_view user_id);                                 // x-pat-user
Headers WithPassword(absl::string_view user_id, absl::string_view password);  // authorization: Basic
// A sample user of `patd dev`, with its password.
Headers Person(absl::string_view user_id);

// An error of the server, taken apart. What is not there is empty.
struct Refusal {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string message;
  std::string reason;  // Of ErrorInfo.
  std::string domain;
  std::map<std::string, std::string> metadata;
  std::vector<std::pair<std::string, std::string>> violations;  // Of BadRequest: field and description.
  std::optional<absl::Duration> retry_delay;
  std::string quota_subject;
};
Refusal RefusalOf(const grpc::Status& status);

// The fields of its violations, in order.
std::vector<std::string> ViolatedFields(const grpc::Status& status);

// Matches a grpc::Status that one of our handlers refused with: it has this code and an ErrorInfo of ours.
MATCHER_P2(IsRefusal, code, reason, "") {
  const Refusal refusal = RefusalOf(arg);
  *result_listener << "which is " << refusal.code << " " << refusal.reason << ": " << refusal.message;
  return refusal.code == code && refusal.reason == reason && refusal.domain == "pat-sidecar" &&
         !refusal.message.empty();
}

// What a call gave.
template <typename Response>
struct Answer {
  grpc::Status status;
  Response response;

  // For a call that has to succeed: throws otherwise, which fails the test and says why.
  const Response& value() const {
    if (!status.ok()) throw std::runtime_error("the call failed: " + status.error_message());
    return response;
  }
};

// An answer as it came over the wire.
struct RawAnswer {
  grpc::Status status;
  std::string bytes;
};

// Both outlive no test; see Client::ContextFor().
using TokenStub = v1::TokenService::Stub;
using IntrospectionStub = v1::IntrospectionService::Stub;

// A token that was made, with its secret.
struct MadeToken {
  v1::Token token;
  std::string secret;
};

// Threads: all methods may be called from several threads.
class Client {
 public:
  // `target`: "127.0.0.1:7443", "unix:/run/pat.sock". A connection of its own, shared with no other client.
  explicit Client(const std::string& target);

  // The same over TLS, to a server whose certificate is for `name`.
  Client(const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
         const std::string& name);

  // One call by a stub's method, for example Call(&TokenStub::GetToken, Person("ada"), request).
  template <typename Request, typename Response>
  Answer<Response> Call(grpc::Status (TokenStub::*method)(grpc::ClientContext*, const Request&, Response*),
                        const Headers& headers, const Request& request) {
    return Call(*tokens_, method, headers, request);
  }
  template <typename Request, typename Response>
  Answer<Response> Call(grpc::Status (IntrospectionStub::*method)(grpc::ClientContext*, const Request&, Response*),
                        const Headers& headers, const Request& request) {
    return Call(*introspection_, method, headers, request);
  }

  // One call with bytes that no stub would send; `method` is "/pat.v1.TokenService/GetToken".
  RawAnswer CallRaw(const std::string& method, const Headers& headers, const std::string& bytes,
                    grpc_compression_algorithm compression = GRPC_COMPRESS_NONE);

  // What most tests want of a server, without credentials or as the portal. They throw if it is refused.
  v1::IntrospectResponse Introspect(const std::string& secret);
  v1::IntrospectResponse IntrospectNow(const std::string& secret);  // max_staleness 0.
  MadeToken Create(const v1::CreateTokenRequest& request);
  MadeToken Create(absl::string_view user_id, absl::string_view display_name);
  v1::RevokeTokenResponse Revoke(const v1::Token& token);
  v1::RegenerateTokenResponse Regenerate(const v1::Token& token);
  std::vector<v1::Token> List(absl::string_view user_id, bool show_revoked = false);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  void Connect(const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
               grpc::ChannelArguments& arguments);

  template <typename Stub, typename Request, typename Response>
  static Answer<Response> Call(Stub& stub,
                               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                               const Headers& headers, const Request& request) {
    const std::unique_ptr<grpc::ClientContext> context = ContextFor(headers);
    Answer<Response> answer;
    answer.status = (stub.*method)(context.get(), request, &answer.response);
    return answer;
  }

 public:
  // A context with these headers, and with a deadline so that no test hangs.
  static std::unique_ptr<grpc::ClientContext> ContextFor(const Headers& headers);

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<TokenStub> tokens_;
  std::unique_ptr<IntrospectionStub> introspection_;
};

// A request that is right: scope OR.Folders, a life of 30 days.
v1::CreateTokenRequest CreationFor(absl::string_view user_id, absl::string_view display_name);

v1::IntrospectRequest QuestionFor(absl::string_view secret);

// The {user} of "users/{user}/tokens/{token}".
std::string OwnerOf(const v1::Token& token);

absl::Time ToTime(const google::protobuf::Timestamp& timestamp);
absl::Duration ToAbslDuration(const google::protobuf::Duration& duration);
void Set(absl::Duration duration, google::protobuf::Duration& out);
void Set(absl::Time time, google::protobuf::Timestamp& out);

// The bytes of an answer without its freshness: what must not depend on why a token is inactive.
std::string WithoutFreshness(v1::IntrospectResponse response);

}  // namespace pat

#endif  // PAT_TESTS_E2E_CLIENT_H_
