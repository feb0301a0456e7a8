#include "server/upstream/upstream_error.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/core/error.h"

namespace pat {
namespace {

constexpr absl::string_view kDomain = "pat-sidecar";
constexpr absl::Duration kLongestRetryDelay = absl::Minutes(1);
constexpr size_t kLongestText = 200;

struct Details {
  bool is_ours = false;  // An authority said it, not a library on the way.
  std::string reason;    // Then.
  std::optional<absl::Duration> retry_delay;
};

Details ReadDetails(const grpc::Status& status) {
  Details details;
  google::rpc::Status wire;
  if (!wire.ParseFromString(status.error_details())) return details;
  for (const google::protobuf::Any& any : wire.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) {
      details.is_ours = info.domain() == kDomain;
      if (details.is_ours) details.reason = info.reason();
    } else if (any.UnpackTo(&retry)) {
      details.retry_delay =
          std::clamp(absl::Seconds(retry.retry_delay().seconds()) + absl::Nanoseconds(retry.retry_delay().nanos()),
                     absl::ZeroDuration(), kLongestRetryDelay);
    }
  }
  return details;
}

absl::string_view UnavailableMessage(const Details& details) {
  if (!details.is_ours) return "the authority cannot be reached";
  if (details.reason == "STORE_UNAVAILABLE") return "the authority cannot read its store";
  if (details.reason == "AUTHORITY_UNAVAILABLE") return "the authority is a sidecar, which could not ask its own";
  return "the authority cannot serve just now";
}

absl::string_view Message(grpc::StatusCode code, const Details& details) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
      return UnavailableMessage(details);
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "the authority has not answered in time";
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
      return "the authority does not accept this sidecar; its table of identities has to name it, with digests";
    case grpc::StatusCode::CANCELLED:
      return "the call of the authority was given up";
    default:
      return "the authority could not answer";
  }
}

// Without half a character at its end.
absl::string_view Start(absl::string_view text) {
  if (text.size() <= kLongestText) return text;
  size_t end = kLongestText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

absl::Status AuthorityUnavailable(absl::string_view message) {
  return MakeError(absl::StatusCode::kUnavailable, message,
                   {.reason = "AUTHORITY_UNAVAILABLE", .retry_delay = absl::Seconds(1)});
}

UpstreamError ReadError(const grpc::Status& status) {
  const Details details = ReadDetails(status);
  UpstreamError error;
  error.text = absl::StrCat("status ", static_cast<int>(status.error_code()), ": ", Start(status.error_message()));
  // What the authority says there is for somebody who has the token.
  if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
      status.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    error.text = absl::StrCat(Message(status.error_code(), details), " (", error.text, ")");
  }
  error.retry_delay = details.retry_delay.value_or(absl::ZeroDuration());
  if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED && details.is_ours) {
    error.for_caller =
        MakeError(absl::StatusCode::kResourceExhausted, "the authority has too much to do",
                  {.reason = "RATE_LIMITED", .retry_delay = details.retry_delay.value_or(absl::Milliseconds(100))});
    return error;
  }
  error.for_caller = AuthorityUnavailable(Message(status.error_code(), details));
  error.may_retry = status.error_code() == grpc::StatusCode::UNAVAILABLE;
  error.is_late = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  error.is_transport = error.may_retry && !details.is_ours;
  return error;
}

}  // namespace pat
