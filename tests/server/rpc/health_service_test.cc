#include "server/rpc/health_service.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/rpc/status_details.h"

namespace pat {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr char kTokenService[] = "pat.v1.TokenService";

class HealthServiceTest : public testing::Test {
 protected:
  // One stream of Watch. What is read is the status, or -1 when the stream has ended.
  class Watcher {
   public:
    Watcher(Health::Stub& stub, const std::string& service) {
      HealthCheckRequest request;
      request.set_service(service);
      stream_ = stub.Watch(&context_, request);
    }
    ~Watcher() {
      if (finished_) return;
      context_.TryCancel();
      while (Read() != -1) {
      }
      stream_->Finish();
    }

    int Read() {
      HealthCheckResponse response;
      return stream_->Read(&response) ? static_cast<int>(response.status()) : -1;
    }
    grpc::Status Finish() {
      finished_ = true;
      return stream_->Finish();
    }

   private:
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> stream_;
    bool finished_ = false;
  };

  HealthServiceTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = Health::NewStub(server_->InProcessChannel({}));
  }
  ~HealthServiceTest() override {
    service_.Drain();
    server_->Shutdown();
  }

  grpc::Status Check(const std::string& service, HealthCheckResponse& response) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    request.set_service(service);
    return stub_->Check(&context, request, &response);
  }
  int StatusOf(const std::string& service) {
    HealthCheckResponse response;
    const grpc::Status status = Check(service, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }

  std::unique_ptr<Watcher> Watch(const std::string& service) { return std::make_unique<Watcher>(*stub_, service); }

  HealthService service_{{kTokenService, "pat.v1.IntrospectionService"}};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Health::Stub> stub_;
};

TEST_F(HealthServiceTest, TheServerAndEachOfItsServicesServe) {
  for (const char* service : {"", kTokenService, "pat.v1.IntrospectionService"}) {
    EXPECT_EQ(StatusOf(service), HealthCheckResponse::SERVING) << service;
  }
}

TEST_F(HealthServiceTest, AnUnknownServiceIsNotFound) {
  for (const std::string& service : {std::string("pat.v1.NoService"), std::string("pat.v1.TokenService "),
                                     std::string("PAT.V1.TOKENSERVICE"), std::string(100'000, 'x')}) {
    HealthCheckResponse response;
    const grpc::Status status = Check(service, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(ReasonOf(status), "SERVICE_NOT_FOUND");
    EXPECT_LT(status.error_message().size(), 200);
  }
}

TEST_F(HealthServiceTest, AfterDrainNothingServes) {
  service_.Drain();
  EXPECT_EQ(StatusOf(""), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(StatusOf("readiness"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(StatusOf("liveness"), HealthCheckResponse::SERVING);  // A server that drains need not be killed.
  EXPECT_EQ(StatusOf(kTokenService), HealthCheckResponse::NOT_SERVING);
  service_.Drain();
  EXPECT_EQ(StatusOf(""), HealthCheckResponse::NOT_SERVING);
  HealthCheckResponse response;
  EXPECT_EQ(Check("pat.v1.NoService", response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthServiceTest, AWatcherIsToldOfTheDrainAndLetGo) {
  const auto whole = Watch("");
  const auto one = Watch(kTokenService);
  EXPECT_EQ(whole->Read(), HealthCheckResponse::SERVING);
  EXPECT_EQ(one->Read(), HealthCheckResponse::SERVING);
  service_.Drain();
  for (Watcher* watcher : {whole.get(), one.get()}) {
    EXPECT_EQ(watcher->Read(), HealthCheckResponse::NOT_SERVING);
    EXPECT_EQ(watcher->Read(), -1);
    EXPECT_TRUE(watcher->Finish().ok());
  }
}

TEST_F(HealthServiceTest, WhoWatchesAfterTheDrainIsNeverToldThatItServes) {
  service_.Drain();
  const auto watcher = Watch("");
  EXPECT_EQ(watcher->Read(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(watcher->Read(), -1);
  EXPECT_TRUE(watcher->Finish().ok());
}

// As the protocol has it: it might come to be known.
TEST_F(HealthServiceTest, WatchingAnUnknownServiceIsNoError) {
  const auto watcher = Watch("pat.v1.NoService");
  EXPECT_EQ(watcher->Read(), HealthCheckResponse::SERVICE_UNKNOWN);
  service_.Drain();
  EXPECT_EQ(watcher->Read(), -1);
  EXPECT_TRUE(watcher->Finish().ok());
}

TEST_F(HealthServiceTest, SixteenMayWatchAndTheirPlacesComeFreeAgain) {
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 16; ++i) {
    watchers.push_back(Watch(""));
    ASSERT_EQ(watchers.back()->Read(), HealthCheckResponse::SERVING) << i;
  }
  {
    const auto one_too_many = Watch("");
    EXPECT_EQ(one_too_many->Read(), -1);
    const grpc::Status status = one_too_many->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonOf(status), "RATE_LIMITED");
    EXPECT_TRUE(HasRetryDelay(status));
  }
  EXPECT_EQ(StatusOf(""), HealthCheckResponse::SERVING);  // They are in nobody's way.

  // The server notices within a second that they are gone.
  watchers.clear();
  int first = -1;
  for (int attempt = 0; attempt < 1'000'000 && first == -1; ++attempt) first = Watch("")->Read();
  EXPECT_EQ(first, HealthCheckResponse::SERVING);
}

}  // namespace
}  // namespace pat
