// WatchRevocations: many streams, slow ones, and the end.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/rpc/watch_streams.h"
#include "tests/server/authn/passwords.h"
#include "tests/server/rpc/introspection_server.h"
#include "tests/server/rpc/status_details.h"
#include "tests/server/rpc/watcher.h"
#include "tests/support/manual_executor.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

// Longer than any test may take: whoever waits so long has failed.
constexpr int kNever = 3600;

class WatchStreamsLoadTest : public testing::Test {
 protected:
  WatchStreamsLoadTest() { authority_.AddUser("ada"); }

  void Serve(const WatchOptions& options = {}) {
    server_ = std::make_unique<IntrospectionServer>(authority_, authority_.facts, executor_, ListenerRole::kDev,
                                                    IntrospectionServiceOptions{.watch = options});
  }
  std::unique_ptr<Watcher> Watch(const std::string& resume_token = "") {
    return std::make_unique<Watcher>(server_->stub(), resume_token);
  }

  // A client that reads little ahead: over a connection of its own, with windows that do not grow.
  std::unique_ptr<v1::IntrospectionService::Stub> SlowStub() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return v1::IntrospectionService::NewStub(
        grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments));
  }

  // So many changes, of which this client reads each before the next is made.
  void ChangeOneByOne(Watcher& quick, const IssuedToken& token, size_t changes) {
    for (size_t i = 0; i < changes; ++i) {
      authority_.Regenerate(token);
      ASSERT_EQ(quick.Next(), absl::StrCat("tokens ", token.uid.ToString()));
    }
  }

  TestAuthority authority_;
  ThreadPool executor_{1, 16};
  std::unique_ptr<IntrospectionServer> server_;
};

TEST_F(WatchStreamsLoadTest, TwoHundredStreamsAllLearnOfIt) {
  Serve();
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 200; ++i) watchers.push_back(Watch());
  for (const auto& watcher : watchers) EXPECT_EQ(watcher->Next(), "heartbeat");
  for (int round = 0; round < 3; ++round) {
    const IssuedToken token = authority_.Issue("ada");
    authority_.Revoke(token);
    for (const auto& watcher : watchers) EXPECT_EQ(watcher->Next(), absl::StrCat("tokens ", token.uid.ToString()));
    // The hot path goes on beside them.
    v1::IntrospectResponse response;
    EXPECT_TRUE(server_->Introspect(RequestFor(token.secret), response).ok());
    EXPECT_FALSE(response.active());
  }
}

// 3 of 6 are one caller's share.
TEST_F(WatchStreamsLoadTest, TheNumberOfStreamsOfOneCallerIsBounded) {
  Serve({.max_streams = 6});
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 3; ++i) {
    watchers.push_back(Watch());
    EXPECT_EQ(watchers.back()->Next(), "heartbeat");
  }
  const grpc::Status refused = Watch()->Finish();
  EXPECT_EQ(Outcome(refused), "RESOURCE_EXHAUSTED RATE_LIMITED");
  EXPECT_TRUE(HasRetryDelay(refused));
  EXPECT_THAT(refused.error_message(), testing::HasSubstr("introspector has 3 streams"));
  EXPECT_THAT(refused.error_message(), testing::HasSubstr("half of the 6"));
  // When one goes there is room for another, a moment later.
  watchers.pop_back();
  std::string first;
  do {
    watchers.push_back(Watch());
    first = watchers.back()->Next();
    if (first == "end") watchers.pop_back();
  } while (first == "end");
  EXPECT_EQ(first, "heartbeat");
}

TEST_F(WatchStreamsLoadTest, OneCallerTakesNoPlaceFromAnother) {
  const auto as = [this](const char* id) {
    authority_.AddUser(id);
    GivePassword(*authority_.engine, id, "password");
    authority_.ChangeUser(id, [](UserRecord& user) { user.administrator = true; });
    return Metadata{{"authorization", Basic(id, "password")}};
  };
  const Metadata eve = as("eve");
  const Metadata root = as("root");
  Serve({.max_streams = 4});
  std::vector<std::unique_ptr<Watcher>> watchers;
  const auto open = [&](const Metadata& metadata) {
    watchers.push_back(std::make_unique<Watcher>(server_->stub(), "", metadata));
    if (watchers.back()->Next() == "heartbeat") return std::string("open");
    return std::string(watchers.back()->Finish().error_message());
  };
  for (int i = 0; i < 2; ++i) EXPECT_EQ(open({}), "open");
  EXPECT_THAT(open({}), testing::HasSubstr("introspector has 2 streams"));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(open(eve), "open");
  EXPECT_THAT(open(eve), testing::HasSubstr("4 streams")) << "all that there are";
  EXPECT_THAT(open(root), testing::HasSubstr("4 streams"));
  // What is free is for whoever has less than half.
  watchers.erase(watchers.begin());
  std::string outcome;
  do {
    outcome = open(root);
  } while (outcome != "open");
  EXPECT_EQ(outcome, "open");
}

// Who may not have a stream at all takes no place, and is told that and nothing of how many there are.
TEST_F(WatchStreamsLoadTest, WhoIsRefusedIsNotCounted) {
  GivePassword(*authority_.engine, "ada", "password");
  Serve({.max_streams = 2});
  const auto refusal = [this](const Metadata& metadata, const std::string& resume_token) {
    return Outcome(std::make_unique<Watcher>(server_->stub(), resume_token, metadata)->Finish());
  };
  const Metadata ada = {{"authorization", Basic("ada", "password")}};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(refusal(ada, ""), "PERMISSION_DENIED ROLE_REQUIRED");
    EXPECT_EQ(refusal({}, std::string(2000, 'x')), "INVALID_ARGUMENT INVALID_REQUEST");
  }
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  EXPECT_EQ(refusal({}, ""), "RESOURCE_EXHAUSTED RATE_LIMITED");
  EXPECT_EQ(refusal(ada, ""), "PERMISSION_DENIED ROLE_REQUIRED");
}

// Those whose credentials are being checked.
TEST_F(WatchStreamsLoadTest, WhoIsNotLetInYetTakesNoPlace) {
  GivePassword(*authority_.engine, "ada", "password");
  ManualExecutor credentials;
  server_ = std::make_unique<IntrospectionServer>(authority_, authority_.facts, credentials, ListenerRole::kDev,
                                                  IntrospectionServiceOptions{.watch = {.max_streams = 2}});
  std::vector<std::unique_ptr<Watcher>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(
        std::make_unique<Watcher>(server_->stub(), "", Metadata{{"authorization", Basic("ada", "wrong")}}));
  }
  while (credentials.waiting() < 3) std::this_thread::yield();
  EXPECT_EQ(Watch()->Next(), "heartbeat");
  credentials.RunAll();
  for (const auto& watcher : waiting) EXPECT_EQ(watcher->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

// A client that does not read is not given more than one message beyond what is on its way; what happens meanwhile is
// put together when it reads again, and nothing of it is missing. So it costs memory for a position and a message.
TEST_F(WatchStreamsLoadTest, ASlowClientIsToldInFewMessagesWhenItReadsAgain) {
  constexpr size_t kChanges = 6000;
  Serve();
  const IssuedToken token = authority_.Issue("ada");
  const auto slow_stub = SlowStub();
  const auto slow = std::make_unique<Watcher>(*slow_stub, "");
  EXPECT_EQ(slow->Next(), "heartbeat");
  const auto quick = Watch();
  EXPECT_EQ(quick->Next(), "heartbeat");
  ChangeOneByOne(*quick, token, kChanges);
  size_t messages_to_slow = 0;
  size_t changes = 0;
  while (slow->resume_token() != quick->resume_token()) {
    const auto message = slow->NextMessage();
    ASSERT_TRUE(message.has_value());
    changes += static_cast<size_t>(message->tokens().uids_size());
    EXPECT_LE(message->tokens().uids_size(), 1000);
    ++messages_to_slow;
  }
  EXPECT_EQ(changes, kChanges);
  EXPECT_LT(messages_to_slow, kChanges / 2) << "it was not all sent, or kept, while nobody read";
}

TEST_F(WatchStreamsLoadTest, EndsAtOnceWithTheServer) {
  Serve();
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 20; ++i) {
    watchers.push_back(Watch());
    EXPECT_EQ(watchers.back()->Next(), "heartbeat");
  }
  server_->Stop(kNever);
  for (const auto& watcher : watchers) {
    const grpc::Status status = watcher->Finish();
    EXPECT_EQ(Outcome(status), "UNAVAILABLE AUTHORITY_UNAVAILABLE");
    EXPECT_TRUE(HasRetryDelay(status));
  }
}

TEST_F(WatchStreamsLoadTest, EndsAtOnceAlsoInTheMiddleOfAMessageThatNobodyReads) {
  Serve();
  const IssuedToken token = authority_.Issue("ada");
  const auto stuck_stub = SlowStub();
  const auto stuck = std::make_unique<Watcher>(*stuck_stub, "");
  EXPECT_EQ(stuck->Next(), "heartbeat");
  {
    const auto quick = Watch();
    EXPECT_EQ(quick->Next(), "heartbeat");
    ChangeOneByOne(*quick, token, 4000);
  }
  server_->Stop(kNever);
  EXPECT_FALSE(stuck->Finish().ok());
}

TEST_F(WatchStreamsLoadTest, EndsWithTheServerAlsoWithoutBeingToldBefore) {
  Serve();
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  server_->Stop(/*seconds=*/0, /*end_streams=*/false);
  EXPECT_FALSE(watcher->Finish().ok());
}

TEST_F(WatchStreamsLoadTest, ClientsThatGoAwayAtAnyMoment) {
  Serve();
  const IssuedToken token = authority_.Issue("ada");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) authority_.Regenerate(token);
  });
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 50; ++i) {
        const auto watcher = Watch(i % 3 == 0 ? "garbage" : "");
        for (int message = (client + i) % 4; message > 0; --message) EXPECT_NE(watcher->Next(), "end");
        watcher->Cancel();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  stop = true;
  writer.join();
  const auto watcher = Watch();
  EXPECT_NE(watcher->Next(), "end");
  server_->Stop(kNever);
}

// A credential may still be in the making when the client, or the server, goes.
TEST_F(WatchStreamsLoadTest, EndsWhileACredentialIsChecked) {
  GivePassword(*authority_.engine, "ada", "password");
  ManualExecutor credentials;
  server_ = std::make_unique<IntrospectionServer>(authority_, authority_.facts, credentials, ListenerRole::kDev);
  auto watcher = std::make_unique<Watcher>(server_->stub(), "", Metadata{{"authorization", Basic("ada", "password")}});
  while (credentials.waiting() == 0) std::this_thread::yield();
  watcher->Cancel();
  EXPECT_EQ(watcher->Finish().error_code(), grpc::StatusCode::CANCELLED);
  std::thread stopping([&] { server_->Stop(kNever); });
  credentials.RunAll();
  stopping.join();
}

}  // namespace
}  // namespace pat
