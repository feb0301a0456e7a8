// Many introspections at a time: the limit, callers who go away, threads that must not wait, and the end of a server
// with calls under way. None of it waits for time: a reader holds its answers until the test lets them go.
#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "server/core/facts_reader.h"
#include "server/core/token_secret.h"
#include "tests/server/authn/passwords.h"
#include "tests/server/rpc/introspection_server.h"
#include "tests/server/rpc/status_details.h"
#include "tests/support/manual_executor.h"
#include "tests/support/plain_secret.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

// Knows no token, and says so when it is told to.
class HoldingReader final : public FactsReader {
 public:
  ~HoldingReader() override { Release(); }

  void Find(const TokenDigest& /*digest*/, const FindOptions& /*options*/, FactsReceiver& receiver) override {
    {
      const absl::MutexLock lock(&mutex_);
      ++finds_;
      if (holding_) return held_.push_back(&receiver);
    }
    Answer(receiver);
  }

  void WaitForHeld(size_t count) {
    const auto reached = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return held_.size() >= count; };
    const absl::MutexLock lock(&mutex_, absl::Condition(&reached));
  }

  // Answers all that it holds, and holds no more.
  void Release() {
    std::vector<FactsReceiver*> all;
    {
      const absl::MutexLock lock(&mutex_);
      holding_ = false;
      all.swap(held_);
    }
    for (FactsReceiver* receiver : all) Answer(*receiver);
  }

  size_t finds() const {
    const absl::MutexLock lock(&mutex_);
    return finds_;
  }

 private:
  static void Answer(FactsReceiver& receiver) { receiver.Receive(FactsAnswer{.now = absl::UnixEpoch()}); }

  mutable absl::Mutex mutex_;
  bool holding_ ABSL_GUARDED_BY(mutex_) = true;
  size_t finds_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<FactsReceiver*> held_ ABSL_GUARDED_BY(mutex_);
};

class IntrospectionLoadTest : public testing::Test {
 protected:
  // A test has a server from here on. What it serves from is longer-lived.
  void Serve(size_t max_in_flight = 10'000) {
    server_ = std::make_unique<IntrospectionServer>(authority_, reader_, executor_, ListenerRole::kDev,
                                                    IntrospectionServiceOptions{.max_in_flight = max_in_flight});
  }
  ~IntrospectionLoadTest() override {
    reader_.Release();
    executor_.RunAll();
    pending_.clear();
  }

  // A call that the reader holds.
  void Begin(int count = 1) {
    for (int i = 0; i < count; ++i) {
      pending_.push_back(std::make_unique<PendingIntrospect>(*server_, RequestFor(NewPlainSecret())));
    }
  }

  // A call that needs no reader: its token is malformed.
  grpc::Status Probe(const Metadata& metadata = {}) {
    v1::IntrospectResponse response;
    return server_->Introspect(RequestFor("malformed"), response, metadata);
  }
  // Asks until the answer is this one; what happens elsewhere meanwhile takes a moment.
  grpc::Status ProbeUntil(grpc::StatusCode code) {
    grpc::Status status = Probe();
    for (int attempt = 0; attempt < 1'000'000 && status.error_code() != code; ++attempt) status = Probe();
    return status;
  }

  TestAuthority authority_;
  HoldingReader reader_;
  ManualExecutor executor_;
  std::unique_ptr<IntrospectionServer> server_;
  std::vector<std::unique_ptr<PendingIntrospect>> pending_;
};

// ---- The limit.

TEST_F(IntrospectionLoadTest, CallsBeyondTheLimitAreSentAwayWithADelay) {
  Serve(3);
  Begin(3);
  reader_.WaitForHeld(3);
  for (int i = 0; i < 5; ++i) {
    const grpc::Status status = Probe();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonOf(status), "RATE_LIMITED");
    EXPECT_TRUE(HasRetryDelay(status));
  }
  EXPECT_EQ(reader_.finds(), 3);

  reader_.Release();
  for (const auto& call : pending_) EXPECT_TRUE(call->status().ok());
  EXPECT_TRUE(ProbeUntil(grpc::StatusCode::OK).ok());
}

TEST_F(IntrospectionLoadTest, TheLimitIsNotReachedOneCallTooEarly) {
  Serve(3);
  Begin(2);
  reader_.WaitForHeld(2);
  EXPECT_TRUE(ProbeUntil(grpc::StatusCode::OK).ok());
}

// A batch is one call, whatever is in it.
TEST_F(IntrospectionLoadTest, BatchesCountToo) {
  Serve(1);
  v1::BatchIntrospectRequest request;
  for (int i = 0; i < 10; ++i) request.add_requests()->set_token("malformed");
  v1::BatchIntrospectResponse response;
  EXPECT_TRUE(server_->BatchIntrospect(request, response).ok());
  EXPECT_TRUE(ProbeUntil(grpc::StatusCode::OK).ok());
  Begin();
  reader_.WaitForHeld(1);
  EXPECT_EQ(server_->BatchIntrospect(request, response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(IntrospectionLoadTest, RefusedCallsGiveBackNothingThatTheyDidNotTake) {
  Serve(1);
  Begin();
  reader_.WaitForHeld(1);
  for (int i = 0; i < 300; ++i) EXPECT_FALSE(Probe().ok());  // More than are posted at a time.
  EXPECT_EQ(reader_.finds(), 1);
  reader_.Release();
  EXPECT_TRUE(pending_.front()->status().ok());
  EXPECT_TRUE(ProbeUntil(grpc::StatusCode::OK).ok());
}

// ---- Callers who go away.

TEST_F(IntrospectionLoadTest, ACancelledCallGivesItsPlaceBackWhenItsAnswerIsThere) {
  Serve(1);
  Begin();
  reader_.WaitForHeld(1);
  pending_.front()->Cancel();
  EXPECT_EQ(pending_.front()->status().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(Probe().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);  // Its answer is still due.
  reader_.Release();
  EXPECT_TRUE(ProbeUntil(grpc::StatusCode::OK).ok());
}

// ---- The thread of the queue never waits.

TEST_F(IntrospectionLoadTest, PasswordsAreCheckedElsewhere) {
  Serve();
  authority_.AddUser("admin");
  authority_.ChangeUser("admin", [](UserRecord& user) { user.administrator = true; });
  GivePassword(*authority_.engine, "admin", "password");
  const PendingIntrospect with_password(*server_, RequestFor("malformed"),
                                        {{"authorization", Basic("admin", "password")}});
  while (executor_.waiting() == 0) EXPECT_TRUE(Probe().ok());
  EXPECT_TRUE(Probe().ok());  // It waits, and nobody waits for it.
  EXPECT_FALSE(with_password.answered());
  executor_.RunAll();
  EXPECT_TRUE(with_password.status().ok()) << with_password.status().error_message();
}

TEST_F(IntrospectionLoadTest, MoreCredentialsThanCanBeCheckedAreSentAway) {
  ManualExecutor full(0);
  IntrospectionServer server(authority_, reader_, full, ListenerRole::kDev);
  v1::IntrospectResponse response;
  const grpc::Status status =
      server.Introspect(RequestFor("malformed"), response, {{"authorization", Basic("admin", "password")}});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "RATE_LIMITED");
  EXPECT_TRUE(HasRetryDelay(status));
  EXPECT_TRUE(server.Introspect(RequestFor("malformed"), response).ok());
}

// ---- The end.

TEST_F(IntrospectionLoadTest, CallsUnderWayAreAnsweredWhenTheServerEnds) {
  Serve();
  Begin(100);
  reader_.WaitForHeld(100);
  std::thread end([this] { server_->Stop(60); });
  // Calls that come now are refused, those under way are not yet.
  EXPECT_EQ(ProbeUntil(grpc::StatusCode::UNAVAILABLE).error_code(), grpc::StatusCode::UNAVAILABLE);
  for (const auto& call : pending_) EXPECT_FALSE(call->answered());
  reader_.Release();
  for (const auto& call : pending_) EXPECT_TRUE(call->status().ok()) << call->status().error_message();
  end.join();
}

TEST_F(IntrospectionLoadTest, CallsThatTakeTooLongAreCancelledAndWaitedFor) {
  Serve();
  Begin(10);
  reader_.WaitForHeld(10);
  std::thread end([this] { server_->Stop(0); });
  for (const auto& call : pending_) EXPECT_FALSE(call->status().ok());
  // The service is still there for the answers that are due.
  reader_.Release();
  end.join();
}

TEST_F(IntrospectionLoadTest, APasswordThatIsBeingCheckedIsWaitedForToo) {
  Serve();
  const PendingIntrospect with_password(*server_, RequestFor("malformed"),
                                        {{"authorization", Basic("nobody", "password")}});
  while (executor_.waiting() == 0) EXPECT_TRUE(Probe().ok());
  std::thread end([this] { server_->Stop(0); });
  EXPECT_FALSE(with_password.status().ok());
  executor_.RunAll();
  end.join();
}

// A call whose client is gone does not keep gRPC's server from ending; one that still lies in the queue then was once
// begun on a queue that had ended.
TEST_F(IntrospectionLoadTest, CallersWhoGoAwayWhileTheServerEnds) {
  reader_.Release();
  ThreadPool pool(4, 10'000);
  for (int round = 0; round < 50; ++round) {
    IntrospectionServer server(authority_, reader_, pool, ListenerRole::kDev);
    std::vector<std::unique_ptr<PendingIntrospect>> calls;
    for (int i = 0; i < 40; ++i) {
      // With a password: it is checked elsewhere and answered from there.
      calls.push_back(
          std::make_unique<PendingIntrospect>(server, RequestFor("malformed"), Metadata{{"authorization", "Basic"}}));
    }
    std::thread end([&server, round] { server.Stop(round % 2); });
    for (const auto& call : calls) call->Cancel();
    end.join();
  }
}

TEST_F(IntrospectionLoadTest, AServerThatNobodyCalledEnds) {
  Serve();
  server_->Stop();
}

}  // namespace
}  // namespace pat
