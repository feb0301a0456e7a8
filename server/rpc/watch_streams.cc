#include "server/rpc/watch_streams.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/core/error.h"
#include "server/rpc/messages.h"
#include "server/rpc/queue_event.h"
#include "server/rpc/raw_messages.h"
#include "server/rpc/status_mapping.h"

namespace pat {
namespace {

constexpr char kMethod[] = "/pat.v1.IntrospectionService/WatchRevocations";

// So many calls wait for a client at any time; each that comes is replaced at once.
constexpr int kPosted = 16;

// How often the thread looks for heartbeats that are due.
const absl::Duration kTick = absl::Milliseconds(250);

// A resume token is some sixty bytes.
constexpr size_t kMaxRequestBytes = 1024;

// At least; a sidecar asks less and less often (server/upstream/stream_waits.h).
const absl::Duration kRetryWhenFull = absl::Seconds(2);

grpc::Status Ending() {
  return ToGrpcStatus(MakeError(absl::StatusCode::kUnavailable, "the server is being stopped",
                                {.reason = "AUTHORITY_UNAVAILABLE", .retry_delay = absl::Seconds(1)}));
}

}  // namespace

// One stream, from waiting for a client to its end. Touched by the thread alone, but for the two tags, and for what is
// said at Admit().
class WatchStreams::Stream {
 public:
  enum class State : uint8_t {
    kWaiting,    // For a client.
    kAdmitting,  // A credential is being checked.
    kIdle,       // Nothing is on its way.
    kWriting,    // A message is.
    kFinishing,  // The status is.
    kOver,       // No operation will say anything any more.
  };

  explicit Stream(WatchStreams& streams)
      : operation_(streams, *this, Event::Kind::kOperation), done_(streams, *this, Event::Kind::kDone) {}

  void* operation() { return static_cast<QueueEvent*>(&operation_); }
  void* done() { return static_cast<QueueEvent*>(&done_); }

  State state = State::kWaiting;
  bool is_called = false;   // A client has called, so gRPC will say when the call is over.
  bool is_done = false;     // It has.
  bool is_counted = false;  // In open_ and open_by_caller_.
  bool is_new = true;       // Has not got its first message.
  bool is_behind = true;    // There is, or may be, something to tell.
  int64_t last_message_nanos = 0;
  FeedPosition position;  // When what is on its way has arrived.

  grpc::ServerContext context;
  grpc::ByteBuffer request;
  grpc::ServerAsyncWriter<grpc::ByteBuffer> writer{&context};

  std::string peer;  // What CallInfo looks at.
  absl::StatusOr<Principal> principal = absl::UnknownError("not asked yet");

 private:
  class Tag final : public QueueEvent {
   public:
    Tag(WatchStreams& streams, Stream& stream, Event::Kind kind) : streams_(streams), stream_(stream), kind_(kind) {}
    void Proceed(bool ok) override { streams_.Push({&stream_, kind_, ok}); }

   private:
    WatchStreams& streams_;
    Stream& stream_;
    const Event::Kind kind_;
  };

  Tag operation_;
  Tag done_;
};

WatchStreams::WatchStreams(const WatchSource& source, const CallGuard& guard, Executor& executor, const Clock& clock,
                           const WatchOptions& options)
    : source_(source), guard_(guard), executor_(executor), clock_(clock), options_(options) {}

WatchStreams::~WatchStreams() = default;

void WatchStreams::Start(IntrospectionApi& service, grpc::ServerCompletionQueue& queue) {
  service_ = &service;
  queue_ = &queue;
  for (int i = 0; i < kPosted; ++i) Post();
  thread_ = std::thread([this] { Work(); });
  if (source_.commits == nullptr) return;
  commit_listener_ = source_.commits->Add([this] {
    const absl::MutexLock lock(&mutex_);
    committed_ = true;
  });
}

void WatchStreams::End() {
  const absl::MutexLock lock(&mutex_);
  ending_ = true;
}

void WatchStreams::Shutdown() {
  if (source_.commits != nullptr) source_.commits->Remove(commit_listener_);
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void WatchStreams::Push(const Event& event) {
  const absl::MutexLock lock(&mutex_);
  events_.push_back(event);
}

void WatchStreams::Work() {
  std::vector<Event> events;
  while (true) {
    bool committed = false;
    bool is_quiet = false;
    {
      const absl::MutexLock lock(&mutex_);
      const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return !events_.empty() || committed_ || stopping_ || (ending_ && !is_ending_);
      };
      is_quiet = !mutex_.AwaitWithTimeout(absl::Condition(&has_work), kTick);
      if (stopping_) return;
      events.swap(events_);
      committed = std::exchange(committed_, false);
      is_ending_ = ending_;
    }
    for (const Event& event : events) Handle(event);
    events.clear();
    if (committed) {
      for (Stream* stream : streams_) stream->is_behind = true;
    }
    if (is_ending_) {
      for (Stream* stream : streams_) {
        if (stream->state == Stream::State::kIdle && !stream->is_done) Finish(*stream, Ending());
        // What is on its way arrives in a moment, or never.
        if (is_quiet && stream->state == Stream::State::kWriting) stream->context.TryCancel();
      }
    }
    Feed();
  }
}

void WatchStreams::Post() {
  auto* const stream = new Stream(*this);
  streams_.insert(stream);
  count_.fetch_add(1, std::memory_order_relaxed);
  stream->context.AsyncNotifyWhenDone(stream->done());
  service_->RequestWatchRevocations(&stream->context, &stream->request, &stream->writer, queue_, queue_,
                                    stream->operation());
}

void WatchStreams::Handle(const Event& event) {
  Stream& stream = *event.stream;
  if (event.kind == Event::Kind::kAdmitted) return Admitted(stream);
  if (event.kind == Event::Kind::kDone) {
    stream.is_done = true;
    return RemoveIfOver(stream);
  }
  switch (stream.state) {
    case Stream::State::kWaiting:
      if (event.ok) return Called(stream);
      // The server has ended, and nobody has called.
      stream.state = Stream::State::kOver;
      return RemoveIfOver(stream);
    case Stream::State::kWriting:
      // Not sent: the call is over, or will be in a moment; then gRPC says so.
      stream.state = Stream::State::kIdle;
      if (!event.ok && !stream.is_done) return Finish(stream, grpc::Status::CANCELLED);
      return RemoveIfOver(stream);
    default:
      stream.state = Stream::State::kOver;
      return RemoveIfOver(stream);
  }
}

void WatchStreams::Called(Stream& stream) {
  Post();
  stream.is_called = true;
  stream.state = Stream::State::kIdle;
  if (is_ending_) return Finish(stream, Ending());
  stream.state = Stream::State::kAdmitting;
  const CallInfo info = guard_.InfoOf(kMethod, stream.context, stream.peer);
  // `info` has views into the stream, which is there until this is answered.
  const auto admit = [this, &stream, info] { stream.principal = guard_.Admit(info, stream.context); };
  if (!Authenticator::MayBlock(info)) {
    admit();
    return Admitted(stream);
  }
  const bool queued = executor_.Run([this, &stream, admit] {
    admit();
    Push({&stream, Event::Kind::kAdmitted});
  });
  if (queued) return;
  stream.principal = MakeError(absl::StatusCode::kResourceExhausted, "too many credentials are being checked",
                               {.reason = "RATE_LIMITED", .retry_delay = absl::Seconds(1)});
  Admitted(stream);
}

void WatchStreams::Admitted(Stream& stream) {
  stream.state = Stream::State::kIdle;
  if (stream.is_done) return RemoveIfOver(stream);
  if (!stream.principal.ok()) return Finish(stream, ToGrpcStatus(stream.principal.status()));
  // After the caller is known: whoever may not call learns nothing else.
  if (source_.feed == nullptr) return Finish(stream, {grpc::StatusCode::UNIMPLEMENTED, "not served here"});
  v1::WatchRevocationsRequest request;
  absl::Status parsed =
      stream.request.Length() <= kMaxRequestBytes
          ? ParseRequest(stream.request, request)
          : InvalidRequest(
                {{"resume_token", absl::StrCat("is too long: the request has ", stream.request.Length(), " bytes")}});
  if (!parsed.ok()) return Finish(stream, ToGrpcStatus(parsed));
  // After all else: whoever is refused takes no place from others.
  if (absl::Status status = TakePlace(stream); !status.ok()) return Finish(stream, ToGrpcStatus(status));
  if (stream.principal->kind == PrincipalKind::kUser) guard_.NoteDone(*stream.principal, kMethod, {});
  stream.position = source_.feed->Begin(request.resume_token());
}

absl::Status WatchStreams::TakePlace(Stream& stream) {
  const auto refuse = [](const std::string& text) {
    return MakeError(absl::StatusCode::kResourceExhausted, text,
                     {.reason = "RATE_LIMITED", .retry_delay = kRetryWhenFull});
  };
  if (open_ >= options_.max_streams) {
    return refuse(absl::StrCat("this listener has ", open_, " streams already; that is as many as it takes"));
  }
  const std::string caller = stream.principal->Caller();
  size_t& own = open_by_caller_[caller];
  const size_t share = std::max<size_t>(options_.max_streams / 2, 1);
  if (own >= share) {
    return refuse(absl::StrCat(caller, " has ", own,
                               " streams already; that is as many as one caller may have, half of the ",
                               options_.max_streams, " that this listener takes"));
  }
  ++own;
  ++open_;
  stream.is_counted = true;
  return absl::OkStatus();
}

void WatchStreams::Feed() {
  const int64_t now = clock_.Read().boot_nanos;
  const int64_t interval = absl::ToInt64Nanoseconds(options_.heartbeat_interval);
  std::vector<std::pair<Stream*, bool>> chosen;
  for (Stream* stream : streams_) {
    if (stream->state != Stream::State::kIdle || stream->is_done) continue;
    const bool is_due = stream->is_new || now - stream->last_message_nanos >= interval;
    if (is_due || stream->is_behind) chosen.emplace_back(stream, is_due);
  }
  // Those at one position together: what is read for the first does for all.
  std::sort(chosen.begin(), chosen.end(),
            [](const auto& a, const auto& b) { return a.first->position < b.first->position; });
  last_read_.reset();
  for (const auto& [stream, is_due] : chosen) FeedOne(*stream, is_due, now);
  last_read_.reset();
}

void WatchStreams::FeedOne(Stream& stream, bool is_due, int64_t now_nanos) {
  absl::Status status = Read(stream.position);
  // After that: what is told is of a time at which the caller still might know it.
  if (status.ok()) status = guard_.CheckStillAdmitted(*stream.principal, kMethod);
  if (!status.ok()) return Finish(stream, ToGrpcStatus(status));
  const FeedMessage& message = last_read_->message;
  stream.position = message.next;
  stream.is_behind = message.more;
  if (message.kind == FeedMessage::Kind::kNothing && !is_due) return;
  stream.is_new = false;
  stream.last_message_nanos = now_nanos;
  stream.state = Stream::State::kWriting;
  stream.writer.Write(last_read_->bytes, stream.operation());
}

absl::Status WatchStreams::Read(const FeedPosition& position) {
  if (last_read_.has_value() && last_read_->position == position) return absl::OkStatus();
  last_read_.reset();
  absl::StatusOr<FeedMessage> message = source_.feed->Next(position);
  if (!message.ok()) return message.status();
  v1::WatchRevocationsResponse response;
  SetRevocations(*message, source_.feed->ResumeToken(message->next), response);
  last_read_ = LastRead{position, *std::move(message), ToByteBuffer(response)};
  return absl::OkStatus();
}

void WatchStreams::Finish(Stream& stream, const grpc::Status& status) {
  stream.state = Stream::State::kFinishing;
  stream.writer.Finish(status, stream.operation());
}

void WatchStreams::RemoveIfOver(Stream& stream) {
  // Of a call that is over nothing more needs to be said to gRPC.
  const bool is_over = stream.is_called ? stream.is_done && (stream.state == Stream::State::kIdle ||
                                                             stream.state == Stream::State::kOver)
                                        : stream.state == Stream::State::kOver;
  if (!is_over) return;
  if (stream.is_counted) {
    --open_;
    const auto own = open_by_caller_.find(stream.principal->Caller());
    if (--own->second == 0) open_by_caller_.erase(own);
  }
  streams_.erase(&stream);
  delete &stream;
  count_.fetch_sub(1, std::memory_order_release);
}

}  // namespace pat
