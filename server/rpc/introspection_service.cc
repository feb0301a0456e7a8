#include "server/rpc/introspection_service.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpc/support/time.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/error.h"
#include "server/core/resource_name.h"
#include "server/crypto/wipe.h"
#include "server/rpc/messages.h"
#include "server/rpc/queue_event.h"
#include "server/rpc/raw_messages.h"
#include "server/rpc/status_mapping.h"

namespace pat {
namespace {

// So many calls of each method wait for a client at any time; each that comes is replaced at once.
constexpr int kPosted = 128;

// Milliseconds; at the end only.
constexpr int64_t kLookInterval = 5;

constexpr char kIntrospect[] = "/pat.v1.IntrospectionService/Introspect";
constexpr char kBatchIntrospect[] = "/pat.v1.IntrospectionService/BatchIntrospect";

// How many items a BatchIntrospectRequest has, without making an object for each: a small message can hold a hundred
// thousand empty ones. 0 if it cannot be decoded.
size_t CountRequests(grpc::ByteBuffer& bytes) {
  using google::protobuf::internal::WireFormatLite;
  grpc::Slice slice;
  if (!bytes.TrySingleSlice(&slice).ok() && !bytes.DumpToSingleSlice(&slice).ok()) return 0;
  google::protobuf::io::CodedInputStream input(slice.begin(), static_cast<int>(slice.size()));
  size_t count = 0;
  while (const uint32_t tag = input.ReadTag()) {
    if (WireFormatLite::GetTagFieldNumber(tag) == v1::BatchIntrospectRequest::kRequestsFieldNumber) ++count;
    if (!WireFormatLite::SkipField(&input, tag)) return 0;
  }
  return count;
}

// What the batch says of an item that could not be decided: UNAVAILABLE, whatever kept it from being.
absl::Status Undecided(const absl::Status& error) {
  std::optional<ErrorDetails> details = DetailsOf(error);
  if (!details.has_value() || absl::IsUnavailable(error)) return error;
  return MakeError(absl::StatusCode::kUnavailable, absl::StrCat("a token could not be judged: ", error.message()),
                   *details);
}

void WipeSecret(v1::IntrospectRequest& request) {
  if (request.has_token()) SecureWipe(*request.mutable_token());
}

absl::Status DigestsRefused() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "token_sha256 is for sidecars: it proves nothing about who holds the token; send the token",
                   {.reason = "ROLE_REQUIRED", .metadata = {{"role", "introspector with digests"}}});
}

// For how long the caller still waits, less a tenth for the way back, so that an error reaches it too. nullopt: for
// ever. gRPC measures by its own clock, the one that ends the call.
std::optional<absl::Duration> TimeLeft(const grpc::ServerContext& context) {
  const gpr_timespec deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return std::nullopt;
  const gpr_timespec left = gpr_convert_clock_type(deadline, GPR_TIMESPAN);
  const absl::Duration duration = absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
  return std::max(duration * 9 / 10, absl::ZeroDuration());
}

bool IsDigest(const IntrospectionQuery& query) { return std::holds_alternative<DigestCredential>(query.credential); }

}  // namespace

// One call, from waiting for a client to the answer. It is its own tag on the queue: first when a client has called,
// then when the answer is sent. Deletes itself.
class IntrospectionServiceImpl::Call : public QueueEvent {
 public:
  explicit Call(IntrospectionServiceImpl& server) : server_(server) { ++server_.calls_; }
  virtual ~Call() {
    if (admitted_) --server_.in_flight_;
    --server_.calls_;
  }

  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // On the thread of the queue. `ok` is false when the queue shuts down (or the client went away before the answer).
  void Proceed(bool ok) final {
    if (answered_ || !ok) {
      delete this;
      return;
    }
    PostNext();
    admitted_ = server_.in_flight_ < server_.options_.max_in_flight;
    if (admitted_) ++server_.in_flight_;
    if (!admitted_) {
      return Fail(MakeError(absl::StatusCode::kResourceExhausted, "too many calls are under way",
                            {.reason = "RATE_LIMITED", .retry_delay = absl::Milliseconds(100)}));
    }
    const CallInfo info = server_.guard_.InfoOf(method_, context_, peer_);
    if (!Authenticator::MayBlock(info)) return Admit(info);
    // `info` has views into the context and peer_, which live as long as this call.
    const bool queued = server_.executor_.Run([this, info] { Admit(info); });
    if (!queued) {
      Fail(MakeError(absl::StatusCode::kResourceExhausted, "too many credentials are being checked",
                     {.reason = "RATE_LIMITED", .retry_delay = absl::Seconds(1)}));
    }
  }

 protected:
  // Puts another call of this method in the place of this one.
  virtual void PostNext() = 0;

  // Parses the request and answers, now or later.
  virtual void Handle(const Principal& principal) = 0;

  // A service may ask; a person who does is written down.
  bool is_audited() const { return person_.has_value(); }

  // The store was read for this answer, and its incarnation is known by now, on this very thread. Without this the
  // answer is said to be of the incarnation that there was when the call came: an older one than the answer's perhaps,
  // never a later one, for then whoever keeps the answer would think that it holds.
  void NoteReadNow() {
    if (incarnation_.has_value()) incarnation_ = server_.options_.incarnation();
  }

  // The answer: exactly one of these, once, from any thread. This object may be gone when they return. `target`: the
  // token that a person has asked about, if it is one.
  void Succeed(const google::protobuf::MessageLite& message, absl::string_view target = {}) {
    if (is_audited()) server_.guard_.NoteDone(*person_, method_, target);
    if (incarnation_.has_value() && !incarnation_->empty()) {
      context_.AddInitialMetadata("x-pat-incarnation", *incarnation_);
    }
    answered_ = true;
    responder_.Finish(ToByteBuffer(message), grpc::Status::OK, this);
  }
  void Fail(const absl::Status& status) {
    answered_ = true;
    responder_.FinishWithError(ToGrpcStatus(status), this);
  }

  IntrospectionServiceImpl& server_;
  const char* method_ = nullptr;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_bytes_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> responder_{&context_};

 private:
  void Admit(const CallInfo& info) {
    const absl::StatusOr<Principal> principal = server_.guard_.Admit(info, context_);
    if (!principal.ok()) return Fail(principal.status());
    if (principal->kind == PrincipalKind::kUser) person_ = *principal;
    // So that a sidecar notices when the store behind it is another one than before.
    if (principal->may_send_digests && server_.options_.incarnation) incarnation_ = server_.options_.incarnation();
    Handle(*principal);
  }

  std::string peer_;                        // What CallInfo looks at.
  std::optional<Principal> person_;         // Who calls, if it is an administrator, who looks into something.
  std::optional<std::string> incarnation_;  // What the answer says; nullopt: this caller is not told.

  bool admitted_ = false;  // Counted in in_flight_.
  bool answered_ = false;  // Written before Finish() hands this object to the queue's thread.
};

class IntrospectionServiceImpl::UnaryCall final : public Call, private Introspection {
 public:
  static void Post(IntrospectionServiceImpl& server) {
    auto* const call = new UnaryCall(server);
    server.service_.RequestIntrospect(&call->context_, &call->request_bytes_, &call->responder_, server.queue_.get(),
                                      server.queue_.get(), static_cast<QueueEvent*>(call));
  }

 private:
  explicit UnaryCall(IntrospectionServiceImpl& server) : Call(server) { method_ = kIntrospect; }
  ~UnaryCall() override { WipeSecret(request_); }

  void PostNext() override { Post(server_); }

  void Handle(const Principal& principal) override {
    if (const absl::Status status = ParseRequest(request_bytes_, request_); !status.ok()) return Fail(status);
    ReadQuery(request_, query);
    query.timeout = TimeLeft(context_);
    if (IsDigest(query) && !principal.may_send_digests) return Fail(DigestsRefused());
    server_.introspector_.Start(*this);
  }

  void OnResult(const absl::StatusOr<IntrospectionResult>& result) override {
    if (!result.ok()) return Fail(result.status());
    if (result->freshness.source == AnswerSource::kStore) NoteReadNow();
    v1::IntrospectResponse response;
    SetResult(*result, server_.options_.issuer, response);
    if (!is_audited() || result->facts == nullptr) return Succeed(response);
    Succeed(response, TokenName(result->facts->owner_id, result->facts->uid));
  }

  v1::IntrospectRequest request_;
};

class IntrospectionServiceImpl::BatchCall final : public Call {
 public:
  static void Post(IntrospectionServiceImpl& server) {
    auto* const call = new BatchCall(server);
    server.service_.RequestBatchIntrospect(&call->context_, &call->request_bytes_, &call->responder_,
                                           server.queue_.get(), server.queue_.get(), static_cast<QueueEvent*>(call));
  }

 private:
  class Item final : public Introspection {
   public:
    Item(BatchCall& batch, v1::IntrospectResponse& response) : batch_(batch), response_(response) {}

   private:
    void OnResult(const absl::StatusOr<IntrospectionResult>& result) override {
      if (result.ok()) {
        SetResult(*result, batch_.server_.options_.issuer, response_);
      } else {
        batch_.KeepError(result.status());
      }
      batch_.ItemDone();
    }

    BatchCall& batch_;
    v1::IntrospectResponse& response_;
  };

  explicit BatchCall(IntrospectionServiceImpl& server) : Call(server) { method_ = kBatchIntrospect; }
  ~BatchCall() override {
    for (v1::IntrospectRequest& request : *request_.mutable_requests()) WipeSecret(request);
  }

  void PostNext() override { Post(server_); }

  void Handle(const Principal& principal) override {
    std::vector<FieldViolation> violations;
    if (const size_t encoded = CountRequests(request_bytes_); encoded > kMaxBatch) {
      violations.push_back({"requests", absl::StrCat("has ", encoded, " items; at most ", kMaxBatch)});
      return Fail(InvalidRequest(std::move(violations)));
    }
    if (const absl::Status status = ParseRequest(request_bytes_, request_); !status.ok()) return Fail(status);
    const auto count = static_cast<size_t>(request_.requests_size());
    // All places first: they must not move while answers are written into them.
    for (size_t i = 0; i < count; ++i) response_.add_responses();
    const std::optional<absl::Duration> time_left = TimeLeft(context_);
    for (size_t i = 0; i < count; ++i) {
      Item& item = items_.emplace_back(*this, *response_.mutable_responses(static_cast<int>(i)));
      ReadQuery(request_.requests(static_cast<int>(i)), item.query);
      item.query.timeout = time_left;
      if (IsDigest(item.query) && !principal.may_send_digests) return Fail(DigestsRefused());
      CheckQuery(item.query, absl::StrCat("requests[", i, "]."), violations);
    }
    if (!violations.empty()) return Fail(InvalidRequest(std::move(violations)));
    // One more than there are items: nobody answers before the last one was begun.
    open_items_.store(count + 1, std::memory_order_relaxed);
    for (Item& item : items_) server_.introspector_.StartChecked(item);
    ItemDone();
  }

  void KeepError(const absl::Status& status) {
    const absl::MutexLock lock(&mutex_);
    if (error_.ok()) error_ = status;
  }

  void ItemDone() {
    if (open_items_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    absl::Status error;
    {
      const absl::MutexLock lock(&mutex_);
      error = error_;
    }
    if (!error.ok()) return Fail(Undecided(error));
    Succeed(response_);
  }

  v1::BatchIntrospectRequest request_;
  v1::BatchIntrospectResponse response_;
  std::deque<Item> items_;
  std::atomic<size_t> open_items_{0};

  absl::Mutex mutex_;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

IntrospectionServiceImpl::IntrospectionServiceImpl(Introspector& introspector, const CallGuard& guard,
                                                   Executor& executor, const Clock& clock,
                                                   const IntrospectionServiceOptions& options, const WatchSource& watch,
                                                   UseRecorder* uses)
    : introspector_(introspector),
      guard_(guard),
      executor_(executor),
      options_(options),
      service_(guard, clock, uses),
      streams_(watch, guard, executor, clock, options.watch) {}

IntrospectionServiceImpl::~IntrospectionServiceImpl() = default;

void IntrospectionServiceImpl::Register(grpc::ServerBuilder& builder) {
  builder.RegisterService(&service_);
  queue_ = builder.AddCompletionQueue();
}

void IntrospectionServiceImpl::Start() {
  for (int i = 0; i < kPosted; ++i) {
    UnaryCall::Post(*this);
    BatchCall::Post(*this);
  }
  streams_.Start(service_, *queue_);
  thread_ = std::thread([this] { Work(); });
}

void IntrospectionServiceImpl::Work() {
  void* tag = nullptr;
  bool ok = false;
  // There is always a call that waits for a client, until the server has ended: then each of those comes back as not
  // ok. So when there is none left the server has ended, and every answer that was due is sent.
  while (calls_ > 0 && queue_->Next(&tag, &ok)) static_cast<QueueEvent*>(tag)->Proceed(ok);
  // The same holds for streams, but their thread learns of it a moment later than this one, and then may still begin
  // something.
  while (streams_.count() > 0) {
    // A span of time, not an instant: gRPC adds it to its own clock.
    const gpr_timespec soon = gpr_time_from_millis(kLookInterval, GPR_TIMESPAN);
    if (queue_->AsyncNext(&tag, &ok, soon) == grpc::CompletionQueue::GOT_EVENT) {
      static_cast<QueueEvent*>(tag)->Proceed(ok);
    }
  }
}

void IntrospectionServiceImpl::Shutdown() {
  thread_.join();
  streams_.Shutdown();
  queue_->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
  }
}

}  // namespace pat
