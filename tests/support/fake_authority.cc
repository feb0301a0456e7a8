#include "tests/support/fake_authority.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "server/rpc/messages.h"
#include "server/rpc/status_mapping.h"

namespace pat {
namespace {

// One introspection, whose answer becomes a message while it is lent.
class WireCall final : public Introspection {
 public:
  explicit WireCall(v1::IntrospectResponse& response) : response_(response) {}

  grpc::Status Wait() {
    const absl::MutexLock lock(&mutex_, absl::Condition(&done_));
    return status_;
  }

 private:
  void OnResult(const absl::StatusOr<IntrospectionResult>& result) override {
    const absl::MutexLock lock(&mutex_);
    if (result.ok()) {
      SetResult(*result, "fake", response_);
    } else {
      status_ = ToGrpcStatus(result.status());
    }
    done_ = true;
  }

  v1::IntrospectResponse& response_;
  absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

FakeAuthority::FakeAuthority(FactsReader& facts, const Clock& clock, std::string address)
    : introspector_(facts, clock), address_(std::move(address)) {
  Start();
}

FakeAuthority::~FakeAuthority() { Stop(); }

void FakeAuthority::Start() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  ASSERT_NE(server_, nullptr) << address_;
  address_ = absl::StrCat(address_.substr(0, address_.rfind(':')), ":", port);
}

void FakeAuthority::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(gpr_time_0(GPR_CLOCK_REALTIME));  // Calls under way are cut off.
  server_->Wait();
  server_ = nullptr;
}

void FakeAuthority::BeforeIntrospect(OnIntrospect before) {
  const absl::MutexLock lock(&mutex_);
  before_ = std::move(before);
}

void FakeAuthority::AfterIntrospect(OnIntrospect after) {
  const absl::MutexLock lock(&mutex_);
  after_ = std::move(after);
}

void FakeAuthority::OnWatching(OnWatch watch) {
  const absl::MutexLock lock(&mutex_);
  watch_ = std::move(watch);
}

void FakeAuthority::OnReporting(OnReport report) {
  const absl::MutexLock lock(&mutex_);
  report_ = std::move(report);
}

void FakeAuthority::SetIncarnation(const std::string& incarnation) {
  const absl::MutexLock lock(&mutex_);
  incarnation_ = incarnation;
}

size_t FakeAuthority::introspections() const {
  const absl::MutexLock lock(&mutex_);
  return requests_.size();
}

std::vector<v1::IntrospectRequest> FakeAuthority::requests() const {
  const absl::MutexLock lock(&mutex_);
  return requests_;
}

grpc::Status FakeAuthority::Introspect(grpc::ServerContext* context, const v1::IntrospectRequest* request,
                                       v1::IntrospectResponse* response) {
  OnIntrospect before;
  OnIntrospect after;
  {
    const absl::MutexLock lock(&mutex_);
    requests_.push_back(*request);
    before = before_;
    after = after_;
    if (!incarnation_.empty()) context->AddInitialMetadata("x-pat-incarnation", incarnation_);
  }
  if (before != nullptr) {
    if (grpc::Status status = before(*context, *request, *response); !status.ok()) return status;
  }
  WireCall call(*response);
  ReadQuery(*request, call.query);
  introspector_.Start(call);
  if (grpc::Status status = call.Wait(); !status.ok()) return status;
  return after != nullptr ? after(*context, *request, *response) : grpc::Status::OK;
}

grpc::Status FakeAuthority::WatchRevocations(grpc::ServerContext* context, const v1::WatchRevocationsRequest* request,
                                             Writer* writer) {
  OnWatch watch;
  {
    const absl::MutexLock lock(&mutex_);
    watch = watch_;
  }
  if (watch == nullptr) return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  return watch(*context, *request, *writer);
}

grpc::Status FakeAuthority::ReportUse(grpc::ServerContext* /*context*/, const v1::ReportUseRequest* request,
                                      v1::ReportUseResponse* /*response*/) {
  OnReport report;
  {
    const absl::MutexLock lock(&mutex_);
    report = report_;
  }
  return report != nullptr ? report(*request) : grpc::Status::OK;
}

}  // namespace pat
