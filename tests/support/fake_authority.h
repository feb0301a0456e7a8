// FakeAuthority: IntrospectionService over real gRPC and a real socket, in front of any FactsReader, with faults that a
// test sets.
#ifndef PAT_TESTS_SUPPORT_FAKE_AUTHORITY_H_
#define PAT_TESTS_SUPPORT_FAKE_AUTHORITY_H_

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "pat/v1/introspection_service.grpc.pb.h"
#include "server/core/clock.h"
#include "server/core/facts_reader.h"
#include "server/core/introspection.h"

namespace pat {

// Threads: thread-safe, but for Start() and Stop(), which are the test's.
class FakeAuthority final : private v1::IntrospectionService::Service {
 public:
  using Writer = grpc::ServerWriter<v1::WatchRevocationsResponse>;

  // Runs instead of, or before, what an authority does. Returning an error ends the call with it.
  using OnIntrospect =
      std::function<grpc::Status(grpc::ServerContext&, const v1::IntrospectRequest&, v1::IntrospectResponse&)>;
  using OnWatch = std::function<grpc::Status(grpc::ServerContext&, const v1::WatchRevocationsRequest&, Writer&)>;
  using OnReport = std::function<grpc::Status(const v1::ReportUseRequest&)>;

  // Listens at once; by default on a loopback port that the system chooses.
  FakeAuthority(FactsReader& facts, const Clock& clock, std::string address = "127.0.0.1:0");
  ~FakeAuthority() override;

  // "127.0.0.1:40123"; the same after Stop() and Start().
  const std::string& address() const { return address_; }

  void Start();
  void Stop();

  // `before` runs before the token is judged, `after` sees the answer and may change it.
  void BeforeIntrospect(OnIntrospect before);
  void AfterIntrospect(OnIntrospect after);
  void OnWatching(OnWatch watch);
  void OnReporting(OnReport report);

  // What answers carry as initial metadata; "": nothing.
  void SetIncarnation(const std::string& incarnation);

  size_t introspections() const;
  std::vector<v1::IntrospectRequest> requests() const;

 private:
  grpc::Status Introspect(grpc::ServerContext* context, const v1::IntrospectRequest* request,
                          v1::IntrospectResponse* response) override;
  grpc::Status WatchRevocations(grpc::ServerContext* context, const v1::WatchRevocationsRequest* request,
                                Writer* writer) override;
  grpc::Status ReportUse(grpc::ServerContext* context, const v1::ReportUseRequest* request,
                         v1::ReportUseResponse* response) override;

  // Constant after construction.
  Introspector introspector_;
  std::string address_;

  std::unique_ptr<grpc::Server> server_;

  // Protected by mutex_.
  mutable absl::Mutex mutex_;
  OnIntrospect before_ ABSL_GUARDED_BY(mutex_);
  OnIntrospect after_ ABSL_GUARDED_BY(mutex_);
  OnWatch watch_ ABSL_GUARDED_BY(mutex_);
  OnReport report_ ABSL_GUARDED_BY(mutex_);
  std::string incarnation_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::IntrospectRequest> requests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_FAKE_AUTHORITY_H_
