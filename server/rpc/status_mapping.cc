#include "server/rpc/status_mapping.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/core/error.h"

namespace pat {
namespace {

constexpr absl::string_view kDomain = "pat-sidecar";
constexpr size_t kLargestDetails = 4000;
constexpr size_t kLongestText = 600;  // What our rules say is shorter, because values in it are cut.

void SetDuration(absl::Duration duration, google::protobuf::Duration& out) {
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

// Cut before a character of UTF-8, never in one.
std::string Cut(absl::string_view text) {
  if (text.size() <= kLongestText) return std::string(text);
  size_t end = kLongestText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "…");
}

// What a caller is told of an error that is not a refusal by our rules.
absl::Status WithoutInternals(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    return MakeError(absl::StatusCode::kResourceExhausted, "the disk of the token store is full",
                     {.reason = "DISK_FULL", .retry_delay = absl::Seconds(10)});
  }
  return MakeError(absl::StatusCode::kUnavailable, "the token store cannot be used; whether this was done is not known",
                   {.reason = "STORE_UNAVAILABLE", .retry_delay = absl::Seconds(1)});
}

google::rpc::BadRequest ToBadRequest(const ErrorDetails& details, size_t most) {
  google::rpc::BadRequest bad_request;
  const size_t shown = std::min(details.violations.size(), most);
  for (size_t i = 0; i < shown; ++i) {
    auto* const out = bad_request.add_field_violations();
    out->set_field(Cut(details.violations[i].field));
    out->set_description(Cut(details.violations[i].description));
  }
  if (const size_t more = details.violations.size() - shown + details.more_violations; more > 0) {
    auto* const out = bad_request.add_field_violations();
    out->set_field(Cut(details.violations[std::min(shown, details.violations.size() - 1)].field));
    out->set_description(absl::StrCat("and ", more, " more"));
  }
  return bad_request;
}

google::rpc::Status Build(const absl::Status& status, const ErrorDetails& details, size_t most_violations) {
  google::rpc::Status out;
  out.set_code(static_cast<int32_t>(status.code()));
  out.set_message(Cut(status.message()));
  google::rpc::ErrorInfo info;
  info.set_reason(Cut(details.reason));
  info.set_domain(std::string(kDomain));
  for (const auto& [key, value] : details.metadata) (*info.mutable_metadata())[Cut(key)] = Cut(value);
  out.add_details()->PackFrom(info);
  if (!details.violations.empty()) out.add_details()->PackFrom(ToBadRequest(details, most_violations));
  if (details.retry_delay.has_value()) {
    google::rpc::RetryInfo retry;
    SetDuration(*details.retry_delay, *retry.mutable_retry_delay());
    out.add_details()->PackFrom(retry);
  }
  if (!details.quota_description.empty()) {
    google::rpc::QuotaFailure quota;
    auto* const violation = quota.add_violations();
    violation->set_subject(Cut(details.quota_subject));
    violation->set_description(Cut(details.quota_description));
    out.add_details()->PackFrom(quota);
  }
  return out;
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  const std::optional<ErrorDetails> details = DetailsOf(status);
  if (!details.has_value()) return ToGrpcStatus(WithoutInternals(status));
  size_t most = kMostViolations;
  google::rpc::Status out = Build(status, *details, most);
  while (out.ByteSizeLong() > kLargestDetails && most > 1) out = Build(status, *details, most /= 2);
  // No rule of ours says that much; the reason is what a program needs.
  if (out.ByteSizeLong() > kLargestDetails) out = Build(status, {.reason = details->reason}, 0);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), out.message(), out.SerializeAsString());
}

}  // namespace pat
