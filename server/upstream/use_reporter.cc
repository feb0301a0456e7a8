#include "server/upstream/use_reporter.h"

#include <grpcpp/client_context.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/upstream/grpc_time.h"
#include "server/upstream/upstream_error.h"

namespace pat {

UseReporter::UseReporter(AuthorityChannels& channels, UseRecorder& uses, UpstreamObserver& observer,
                         const UseReporterOptions& options)
    : channels_(channels), uses_(uses), observer_(observer), options_(options) {
  thread_ = std::thread([this] { Work(); });
}

UseReporter::~UseReporter() { Shutdown(); }

void UseReporter::Shutdown() {
  {
    const absl::MutexLock lock(&mutex_);
    if (std::exchange(stopping_, true)) return;
    if (context_ != nullptr) context_->TryCancel();
  }
  const gpr_timespec end = gpr_convert_clock_type(FromNow(options_.deadline), GPR_CLOCK_MONOTONIC);
  thread_.join();
  FlushUntil(end).IgnoreError();  // The observer was told.
}

void UseReporter::Work() {
  while (true) {
    {
      const absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), options_.every)) return;
    }
    Flush().IgnoreError();  // The observer was told.
  }
}

absl::Status UseReporter::Flush() { return FlushUntil(std::nullopt); }

absl::Status UseReporter::FlushUntil(std::optional<gpr_timespec> end) {
  const absl::MutexLock lock(&flush_mutex_);
  while (true) {
    const std::vector<NotedUse> batch = uses_.Take(options_.most_in_batch);
    if (batch.empty()) return absl::OkStatus();
    absl::Status status = Send(batch, end);
    if (absl::IsUnavailable(status)) {
      uses_.PutBack(batch);
      return status;
    }
  }
}

// UNAVAILABLE: another time perhaps. What the authority calls invalid it will call so again: that is lost, and it has
// been told.
absl::Status UseReporter::Send(absl::Span<const NotedUse> batch, std::optional<gpr_timespec> end) {
  v1::ReportUseRequest request;
  for (const NotedUse& noted : batch) {
    v1::TokenUse& use = *request.add_uses();
    use.set_jti(noted.uid.ToString());
    const int64_t seconds = absl::ToUnixSeconds(noted.time);
    use.mutable_last_use_time()->set_seconds(seconds);
    use.mutable_last_use_time()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(noted.time - absl::FromUnixSeconds(seconds))));
  }
  // At the end of the loop each address was asked.
  AuthorityChannels::Way way = channels_.current();
  for (size_t asked = 1;; ++asked, way = channels_.After(way)) {
    const std::optional<absl::Status> result = SendOver(way, request, end);
    if (result.has_value()) return *result;
    if (asked >= channels_.size()) return AuthorityUnavailable("the authority has not taken the report of uses");
  }
}

// nullopt: UNAVAILABLE there, elsewhere perhaps not.
std::optional<absl::Status> UseReporter::SendOver(const AuthorityChannels::Way& way,
                                                  const v1::ReportUseRequest& request,
                                                  std::optional<gpr_timespec> end) {
  grpc::ClientContext context;
  context.set_deadline(end.value_or(FromNow(options_.deadline)));
  if (!end.has_value()) {
    const absl::MutexLock lock(&mutex_);
    if (stopping_) return AuthorityUnavailable("this sidecar is stopping");
    context_ = &context;
  }
  v1::ReportUseResponse response;
  const grpc::Status status = way.stub->ReportUse(&context, request, &response);
  if (!end.has_value()) {
    const absl::MutexLock lock(&mutex_);
    context_ = nullptr;
    if (stopping_ && !status.ok()) return AuthorityUnavailable("this sidecar is stopping");
  }
  if (status.ok()) {
    observer_.OnAnswer(UpstreamCall::kUses);
    return absl::OkStatus();
  }
  const UpstreamError error = ReadError(status);
  observer_.OnFailure(UpstreamCall::kUses, absl::StrCat(channels_.AddressOf(way), ": ", error.text));
  if (error.may_retry) {
    channels_.MoveOn(way);  // (Names are looked up again for those for whom a caller waits.)
    return std::nullopt;
  }
  if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) return absl::OkStatus();
  return AuthorityUnavailable("the authority has not taken the report of uses");
}

}  // namespace pat
