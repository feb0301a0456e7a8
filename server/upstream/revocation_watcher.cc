#include "server/upstream/revocation_watcher.h"

#include <grpcpp/support/async_stream.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/upstream/backoff.h"
#include "server/upstream/grpc_time.h"
#include "server/upstream/upstream_error.h"

namespace pat {

RevocationWatcher::RevocationWatcher(AuthorityChannels& channels, const Clock& clock, RevocationSink& sink,
                                     UpstreamObserver& observer, const WatcherOptions& options)
    : channels_(channels),
      clock_(clock),
      observer_(observer),
      options_(options),
      follower_(sink),
      random_(RandomBits()) {
  status_.last_message_time = status_.last_drop_time = absl::InfinitePast();
  thread_ = std::thread([this] { Work(); });
}

RevocationWatcher::~RevocationWatcher() { Shutdown(); }

void RevocationWatcher::Shutdown() {
  {
    const absl::MutexLock lock(&mutex_);
    if (std::exchange(stopping_, true)) return;
    if (context_ != nullptr) context_->TryCancel();
  }
  thread_.join();
}

WatcherStatus RevocationWatcher::status() const {
  const absl::MutexLock lock(&mutex_);
  return status_;
}

void RevocationWatcher::Work() {
  StreamWaits waits({.first = options_.first_backoff,
                     .longest = options_.longest_backoff,
                     .longest_refused = options_.longest_refused_backoff,
                     .not_served = options_.unserved_backoff},
                    channels_.size());
  while (true) {
    const StreamEnd end = RunStream();
    const absl::Duration wait = waits.Next(end, random_());
    const absl::MutexLock lock(&mutex_);
    if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), wait)) return;
  }
}

// One stream, from its request to its end.
StreamEnd RevocationWatcher::RunStream() {
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  {
    const absl::MutexLock lock(&mutex_);
    if (stopping_) return {};
    context_ = &context;
    ++status_.streams;
  }
  is_silent_ = false;
  const AuthorityChannels::Way way = channels_.current();
  v1::WatchRevocationsRequest request;
  request.set_resume_token(follower_.resume_token());
  follower_.BeginStream();
  const Reading began_at = clock_.Read();
  Reading last_heard = began_at;
  const auto reader = way.stub->PrepareAsyncWatchRevocations(&context, request, &queue);
  reader->StartCall(this);
  bool alive = Await(queue, context, last_heard);
  bool has_told = false;
  v1::WatchRevocationsResponse message;
  while (alive) {
    reader->Read(&message, this);
    alive = Await(queue, context, last_heard);
    if (!alive) break;
    const bool dropped = follower_.Apply(message);
    last_heard = clock_.Read();
    if (!std::exchange(has_told, true)) {
      channels_.NoteAnswer(way);
      NoteUp();
    }
    if (message.has_reset()) observer_.OnPush(PushState::kReset);
    NoteMessage(last_heard, dropped);
  }
  grpc::Status status;
  reader->Finish(&status, this);
  Await(queue, context, last_heard);
  const bool is_wanted = EndStream();
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }
  if (!is_wanted) return {};
  StreamEnd end = Judge(status, way, has_told);
  end.has_lasted = has_told && Age(began_at, clock_.Read()) > options_.longest_backoff;
  return end;
}

// What the end of a stream says of the authority, and of the way to it.
StreamEnd RevocationWatcher::Judge(const grpc::Status& status, const AuthorityChannels::Way& way, bool has_told) {
  if (is_silent_) {
    NoteLost(way, "nothing came for too long");
    channels_.Renew(way, clock_.Read().boot_nanos);
    return {};
  }
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    was_told_ = true;
    if (!std::exchange(was_told_unserved_, true)) observer_.OnPush(PushState::kNotServed);
    return {.how = StreamEnding::kNotServed};
  }
  // (One that has told something and ends is as it should be: connections have an age at which they end.)
  if (status.ok() || has_told) return {};
  const UpstreamError error = ReadError(status);
  NoteLost(way, error.text);
  if (error.is_transport) {
    channels_.Leave(way, clock_.Read().boot_nanos);
    return {};
  }
  if (error.is_late) return {};
  if (!error.may_retry) return {.how = StreamEnding::kRefused, .retry_delay = error.retry_delay};
  channels_.MoveOn(way);
  return {.how = StreamEnding::kUnavailable, .retry_delay = error.retry_delay};
}

void RevocationWatcher::NoteUp() {
  was_told_ = true;
  was_told_unserved_ = false;
  if (!std::exchange(is_up_, true)) observer_.OnPush(PushState::kUp);
}

void RevocationWatcher::NoteLost(const AuthorityChannels::Way& way, absl::string_view why) {
  observer_.OnFailure(UpstreamCall::kRevocations, absl::StrCat(channels_.AddressOf(way), ": ", why));
  const bool is_news = !std::exchange(was_told_, true);
  if (std::exchange(is_up_, false)) {
    observer_.OnPush(PushState::kLost);
  } else if (is_news) {
    observer_.OnPush(PushState::kNotYet);
  }
}

// Waits for what was begun on the stream. False: the stream has ended.
bool RevocationWatcher::Await(grpc::CompletionQueue& queue, grpc::ClientContext& context, const Reading& last_heard) {
  while (true) {
    void* tag = nullptr;
    bool ok = false;
    const auto next = queue.AsyncNext(&tag, &ok, FromNow(options_.check_every));
    if (next != grpc::CompletionQueue::TIMEOUT) return ok;
    const Reading now = clock_.Read();
    if (absl::Nanoseconds(now.boot_nanos - last_heard.boot_nanos) <= options_.silence) continue;
    is_silent_ = true;
    context.TryCancel();
  }
}

// False: nobody wants another one.
bool RevocationWatcher::EndStream() {
  const absl::MutexLock lock(&mutex_);
  context_ = nullptr;
  status_.is_connected = false;
  return !stopping_;
}

void RevocationWatcher::NoteMessage(const Reading& now, bool dropped) {
  const absl::MutexLock lock(&mutex_);
  status_.is_connected = true;
  status_.last_message_time = now.now;
  if (dropped) status_.last_drop_time = now.now;
  ++status_.messages;
}

}  // namespace pat
