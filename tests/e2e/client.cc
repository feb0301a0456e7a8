#include "tests/e2e/client.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace pat {
namespace {

constexpr std::chrono::seconds kLongestCall(30);
constexpr int64_t kThirtyDays = int64_t{30} * 24 * 3600;

void Read(const google::protobuf::Any& detail, Refusal& refusal) {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
  google::rpc::QuotaFailure quota;
  if (detail.UnpackTo(&info)) {
    refusal.reason = info.reason();
    refusal.domain = info.domain();
    refusal.metadata.insert(info.metadata().begin(), info.metadata().end());
  } else if (detail.UnpackTo(&bad_request)) {
    for (const auto& violation : bad_request.field_violations()) {
      refusal.violations.emplace_back(violation.field(), violation.description());
    }
  } else if (detail.UnpackTo(&retry)) {
    refusal.retry_delay = ToAbslDuration(retry.retry_delay());
  } else if (detail.UnpackTo(&quota)) {
    refusal.quota_subject = quota.violations(0).subject();
  } else {
    throw std::runtime_error("a detail of an unexpected type: " + detail.type_url());
  }
}

}  // namespace

Headers PortalFor(absl::string_view user_id) { return {{"x-pat-user", std::string(user_id)}}; }

Headers WithPassword(absl::string_view user_id, absl::string_view password) {
  return {{"authorization", absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(user_id, ":", password)))}};
}

Headers Person(absl::string_view user_id) { return WithPassword(user_id, absl::StrCat(user_id, "-password")); }

Refusal RefusalOf(const grpc::Status& status) {
  Refusal refusal;
  refusal.code = status.error_code();
  refusal.message = status.error_message();
  if (status.error_details().empty()) return refusal;
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) {
    throw std::runtime_error("the details of the error do not decode");
  }
  if (details.code() != refusal.code || details.message() != refusal.message) {
    throw std::runtime_error("the details of the error say something else than the error");
  }
  for (const google::protobuf::Any& detail : details.details()) Read(detail, refusal);
  return refusal;
}

std::vector<std::string> ViolatedFields(const grpc::Status& status) {
  std::vector<std::string> fields;
  for (const auto& [field, description] : RefusalOf(status).violations) fields.push_back(field);
  return fields;
}

Client::Client(const std::string& target) {
  grpc::ChannelArguments arguments;
  Connect(target, grpc::InsecureChannelCredentials(), arguments);
}

Client::Client(const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
               const std::string& name) {
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride(name);
  Connect(target, credentials, arguments);
}

void Client::Connect(const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                     grpc::ChannelArguments& arguments) {
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  channel_ = grpc::CreateCustomChannel(target, credentials, arguments);
  tokens_ = v1::TokenService::NewStub(channel_);
  introspection_ = v1::IntrospectionService::NewStub(channel_);
}

std::unique_ptr<grpc::ClientContext> Client::ContextFor(const Headers& headers) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + kLongestCall);
  for (const auto& [name, value] : headers) context->AddMetadata(name, value);
  return context;
}

RawAnswer Client::CallRaw(const std::string& method, const Headers& headers, const std::string& bytes,
                          grpc_compression_algorithm compression) {
  const std::unique_ptr<grpc::ClientContext> context = ContextFor(headers);
  context->set_compression_algorithm(compression);
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  RawAnswer answer;
  absl::Notification done;
  grpc::GenericStub stub(channel_);
  stub.UnaryCall(context.get(), method, grpc::StubOptions(), &request, &response, [&](grpc::Status status) {
    answer.status = std::move(status);
    done.Notify();
  });
  done.WaitForNotification();
  std::vector<grpc::Slice> parts;
  if (response.Valid() && response.Dump(&parts).ok()) {
    for (const grpc::Slice& part : parts) {
      answer.bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
  }
  return answer;
}

v1::IntrospectResponse Client::Introspect(const std::string& secret) {
  return Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor(secret)).value();
}

v1::IntrospectResponse Client::IntrospectNow(const std::string& secret) {
  v1::IntrospectRequest question = QuestionFor(secret);
  Set(absl::ZeroDuration(), *question.mutable_max_staleness());
  return Call(&IntrospectionStub::Introspect, Nobody(), question).value();
}

MadeToken Client::Create(const v1::CreateTokenRequest& request) {
  const std::string user_id = request.parent().substr(request.parent().find('/') + 1);
  const v1::CreateTokenResponse made = Call(&TokenStub::CreateToken, PortalFor(user_id), request).value();
  return {made.token(), made.secret()};
}

MadeToken Client::Create(absl::string_view user_id, absl::string_view display_name) {
  return Create(CreationFor(user_id, display_name));
}

v1::RevokeTokenResponse Client::Revoke(const v1::Token& token) {
  v1::RevokeTokenRequest request;
  request.set_name(token.name());
  return Call(&TokenStub::RevokeToken, PortalFor(OwnerOf(token)), request).value();
}

v1::RegenerateTokenResponse Client::Regenerate(const v1::Token& token) {
  v1::RegenerateTokenRequest request;
  request.set_name(token.name());
  return Call(&TokenStub::RegenerateToken, PortalFor(OwnerOf(token)), request).value();
}

std::vector<v1::Token> Client::List(absl::string_view user_id, bool show_revoked) {
  v1::ListTokensRequest request;
  request.set_parent(absl::StrCat("users/", user_id));
  request.set_page_size(200);
  request.set_show_revoked(show_revoked);
  const v1::ListTokensResponse page = Call(&TokenStub::ListTokens, PortalFor(user_id), request).value();
  return {page.tokens().begin(), page.tokens().end()};
}

v1::CreateTokenRequest CreationFor(absl::string_view user_id, absl::string_view display_name) {
  v1::CreateTokenRequest request;
  request.set_parent(absl::StrCat("users/", user_id));
  request.set_display_name(std::string(display_name));
  request.add_scopes("OR.Folders");
  request.mutable_ttl()->set_seconds(kThirtyDays);
  return request;
}

v1::IntrospectRequest QuestionFor(absl::string_view secret) {
  v1::IntrospectRequest request;
  request.set_token(std::string(secret));
  return request;
}

std::string OwnerOf(const v1::Token& token) {
  const size_t begin = token.name().find('/') + 1;
  return token.name().substr(begin, token.name().find('/', begin) - begin);
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

absl::Duration ToAbslDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void Set(absl::Duration duration, google::protobuf::Duration& out) {
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

void Set(absl::Time time, google::protobuf::Timestamp& out) {
  out.set_seconds(absl::ToUnixSeconds(time));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(out.seconds()))));
}

std::string WithoutFreshness(v1::IntrospectResponse response) {
  response.clear_freshness();
  return response.SerializeAsString();
}

}  // namespace pat
