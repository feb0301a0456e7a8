#include "server/upstream/upstream_facts.h"

#include <grpcpp/alarm.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/async_unary_call.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/upstream/backoff.h"
#include "server/upstream/grpc_time.h"
#include "server/upstream/introspection_answer.h"
#include "server/upstream/upstream_error.h"

namespace pat {
namespace {

// However short the waits are drawn and however little time passes.
constexpr size_t kMostAttempts = 16;

// An attempt that has less than this part of a call's time is not begun: it would be cut off, perhaps after the
// authority has read its store for it, and whoever asks next would make it read again.
constexpr int kLeastPart = 10;

constexpr size_t kLongestIncarnation = 128;

// It is passed on as metadata, where gRPC ends the process for bytes that are not to be there.
bool IsIncarnation(absl::string_view text) {
  return !text.empty() && text.size() <= kLongestIncarnation &&
         std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isgraph(c); });
}

}  // namespace

// One Find(), over all its attempts. It is its own tag on the queue: when an attempt has ended, and when the wait
// before the next one has. Deletes itself.
class UpstreamFacts::Call {
 public:
  Call(UpstreamFacts& upstream, const TokenDigest& digest, absl::Duration lasts, FactsReceiver& receiver)
      : upstream_(upstream),
        receiver_(receiver),
        began_at_(upstream.clock_.Read()),
        lasts_(lasts),
        backoff_(upstream.options_.first_backoff, upstream.options_.longest_backoff) {
    request_.set_token_sha256(digest.bytes.data(), digest.bytes.size());
    request_.mutable_max_staleness();  // Zero.
  }

  // This object may be gone when it returns.
  void Attempt() {
    waiting_ = false;
    sent_at_ = upstream_.clock_.Read();
    const bool goes_round = attempts_ > 0 && attempts_ < upstream_.channels_.size();
    way_ = goes_round ? upstream_.channels_.After(way_) : upstream_.channels_.current();
    ++attempts_;
    rpc_.reset();  // It lives in the memory of its context.
    {
      const absl::MutexLock lock(&upstream_.mutex_);
      context_.emplace();
      if (upstream_.closing_) context_->TryCancel();
    }
    given_ = LeftAt(sent_at_);
    context_->set_deadline(FromNow(given_));
    response_.Clear();
    rpc_ = way_.stub->PrepareAsyncIntrospect(&*context_, request_, &upstream_.queue_);
    rpc_->StartCall();
    rpc_->Finish(&response_, &status_, this);
  }

  // On the queue's thread.
  void Proceed() {
    if (waiting_) return Attempt();
    if (status_.ok()) return Succeed();
    Fail(ReadError(status_));
  }

  void Cancel() ABSL_EXCLUSIVE_LOCKS_REQUIRED(upstream_.mutex_) {
    if (context_.has_value()) context_->TryCancel();
    alarm_.Cancel();
  }

 private:
  // By the boot clock alone: that somebody sets the wall clock makes nobody less patient.
  absl::Duration LeftAt(const Reading& now) const {
    return lasts_ - absl::Nanoseconds(now.boot_nanos - began_at_.boot_nanos);
  }

  void Succeed() {
    upstream_.channels_.NoteAnswer(way_);
    const auto& metadata = context_->GetServerInitialMetadata();
    if (const auto found = metadata.find(kIncarnationHeader); found != metadata.end()) {
      upstream_.NoteIncarnation(absl::string_view(found->second.data(), found->second.size()));
    }
    const absl::StatusOr<UpstreamAnswer> answer = ReadAnswer(response_, upstream_.scopes_);
    if (!answer.ok()) {
      TellFailure(answer.status().message());
      return Answer(AuthorityUnavailable("the authority's answer makes no sense"));
    }
    upstream_.observer_.OnAnswer(UpstreamCall::kFacts);
    Answer(FactsAnswer{.facts = answer->facts.has_value() ? &*answer->facts : nullptr,
                       .source = FactsSource::kStore,
                       .now = upstream_.clock_.Now(),
                       .read_time = sent_at_.now,
                       .fresh_until = sent_at_.now + answer->fresh_for,
                       .fresh_for = answer->fresh_for});
  }

  void TellFailure(absl::string_view text) {
    upstream_.observer_.OnFailure(UpstreamCall::kFacts, absl::StrCat(upstream_.channels_.AddressOf(way_), ": ", text));
  }

  void Fail(const UpstreamError& error) {
    TellFailure(error.text);
    NoteOfWay(error);
    if (error.may_retry && attempts_ < kMostAttempts && !IsClosing()) {
      const absl::Duration left = LeftAt(upstream_.clock_.Read());
      retry_delay_ = std::max(retry_delay_, error.retry_delay);
      const bool elsewhere = attempts_ < upstream_.channels_.size();
      if (elsewhere && left > absl::ZeroDuration()) return Attempt();
      const absl::Duration wait =
          std::max(backoff_.Next(upstream_.random_()), std::exchange(retry_delay_, absl::ZeroDuration()));
      if (wait + lasts_ / kLeastPart < left) return WaitFor(wait);
    }
    Answer(error.for_caller);
  }

  void NoteOfWay(const UpstreamError& error) {
    AuthorityChannels& channels = upstream_.channels_;
    if (error.is_transport) return channels.Leave(way_, upstream_.clock_.Read().boot_nanos);
    if (error.is_late) {
      if (4 * given_ < upstream_.options_.deadline) return;  // Who gave it little time does not judge it.
      return channels.NoteSilence(way_, upstream_.clock_.Read().boot_nanos);
    }
    channels.NoteAnswer(way_);
    if (error.may_retry) channels.MoveOn(way_);
  }

  bool IsClosing() const {
    const absl::MutexLock lock(&upstream_.mutex_);
    return upstream_.closing_;
  }

  void WaitFor(absl::Duration wait) {
    waiting_ = true;
    const absl::MutexLock lock(&upstream_.mutex_);
    alarm_.Set(&upstream_.queue_, FromNow(upstream_.closing_ ? absl::ZeroDuration() : wait), this);
  }

  void Answer(const absl::StatusOr<FactsAnswer>& answer) {
    receiver_.Receive(answer);
    {
      const absl::MutexLock lock(&upstream_.mutex_);
      upstream_.calls_.erase(this);
    }
    delete this;  // On the queue's thread, which Shutdown() joins.
  }

  // Constant after construction.
  UpstreamFacts& upstream_;
  FactsReceiver& receiver_;
  const Reading began_at_;
  const absl::Duration lasts_;
  v1::IntrospectRequest request_;

  // Touched by whoever began, then by the queue's thread.
  Backoff backoff_;
  size_t attempts_ = 0;
  bool waiting_ = false;
  Reading sent_at_;
  absl::Duration given_;        // To this attempt.
  absl::Duration retry_delay_;  // The longest that an authority wanted since the last wait.
  AuthorityChannels::Way way_;
  v1::IntrospectResponse response_;
  grpc::Status status_;

  // Made, set and cancelled under mutex_.
  std::optional<grpc::ClientContext> context_;
  grpc::Alarm alarm_;

  // After the context, in whose memory it lives. Touched as those above.
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::IntrospectResponse>> rpc_;
};

UpstreamFacts::UpstreamFacts(AuthorityChannels& channels, const Clock& clock, UpstreamObserver& observer,
                             const UpstreamOptions& options)
    : channels_(channels), clock_(clock), observer_(observer), options_(options), random_(RandomBits()) {
  thread_ = std::thread([this] { Work(); });
}

UpstreamFacts::~UpstreamFacts() { Shutdown(); }

void UpstreamFacts::Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) {
  const absl::Duration lasts = std::min(options.timeout.value_or(options_.deadline), options_.deadline);
  if (lasts <= absl::ZeroDuration()) {
    return receiver.Receive(AuthorityUnavailable("there is no time left to ask the authority"));
  }
  auto call = std::make_unique<Call>(*this, digest, lasts, receiver);
  bool refused = false;
  {
    const absl::MutexLock lock(&mutex_);
    refused = closing_;
    if (!refused) calls_.insert(call.get());
  }
  if (refused) return receiver.Receive(AuthorityUnavailable("this sidecar is stopping"));
  call.release()->Attempt();
}

void UpstreamFacts::Work() {
  void* tag = nullptr;
  bool ok = false;  // Of an attempt always, of a wait that was cut short not; both are looked at in the same way.
  while (queue_.Next(&tag, &ok)) static_cast<Call*>(tag)->Proceed();
}

void UpstreamFacts::Shutdown() {
  {
    const absl::MutexLock lock(&mutex_);
    closing_ = true;
    for (Call* const call : calls_) call->Cancel();
    const auto all_told = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return calls_.empty(); };
    mutex_.Await(absl::Condition(&all_told));
    if (std::exchange(closed_, true)) return;
  }
  queue_.Shutdown();
  thread_.join();
}

std::string UpstreamFacts::incarnation() const {
  const absl::MutexLock lock(&mutex_);
  return incarnation_;
}

void UpstreamFacts::NoteIncarnation(absl::string_view incarnation) {
  if (!IsIncarnation(incarnation)) return;
  const std::string before = this->incarnation();
  if (incarnation == before) return;
  if (!before.empty()) observer_.OnAnotherStore();
  const absl::MutexLock lock(&mutex_);
  incarnation_ = std::string(incarnation);
}

}  // namespace pat
