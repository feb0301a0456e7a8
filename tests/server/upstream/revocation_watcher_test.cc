// Over real gRPC and a real socket. What the messages mean is in revocation_follower_test.cc.
#include "server/upstream/revocation_watcher.h"

#include <grpcpp/security/credentials.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "server/cache/caching_facts_reader.h"
#include "server/core/error.h"
#include "server/rpc/status_mapping.h"
#include "server/upstream/upstream_facts.h"
#include "tests/server/upstream/failure_observer.h"
#include "tests/support/facts_recorder.h"
#include "tests/support/fake_authority.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using Message = v1::WatchRevocationsResponse;

// The authority's side of the stream: what it is to send, and what it was asked.
//
// Threads: thread-safe.
class Feed {
 public:
  // Sends what is queued, in order, and then waits for more; ends when the client is gone, or it is told to.
  grpc::Status Serve(grpc::ServerContext& context, const v1::WatchRevocationsRequest& request,
                     FakeAuthority::Writer& writer) {
    {
      const absl::MutexLock lock(&mutex_);
      asked_.push_back(request.resume_token());
      ended_ = false;
    }
    while (!context.IsCancelled()) {
      std::optional<Message> next;
      {
        const absl::MutexLock lock(&mutex_);
        const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !queue_.empty() || ended_; };
        mutex_.AwaitWithTimeout(absl::Condition(&something), absl::Milliseconds(5));
        if (ended_) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "restart");
        if (queue_.empty()) continue;
        next = queue_.front();
        queue_.pop_front();
      }
      if (!writer.Write(*next)) break;
    }
    return grpc::Status::OK;
  }

  void Send(Message message, const std::string& resume_token) {
    message.set_resume_token(resume_token);
    const absl::MutexLock lock(&mutex_);
    queue_.push_back(std::move(message));
  }
  void SendHeartbeat(const std::string& resume_token) {
    Message message;
    message.mutable_heartbeat();
    Send(message, resume_token);
  }
  void SendToken(const TokenUid& uid, const std::string& resume_token) {
    Message message;
    message.mutable_tokens()->add_uids(uid.ToString());
    Send(message, resume_token);
  }
  void End() {
    const absl::MutexLock lock(&mutex_);
    ended_ = true;
  }

  // Waits until there were so many streams, and tells what the last of them asked for.
  std::string WaitForStream(size_t count) {
    const absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return asked_.size() >= count; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20)));
    return asked_.empty() ? "" : asked_.back();
  }

 private:
  absl::Mutex mutex_;
  std::deque<Message> queue_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::string> asked_ ABSL_GUARDED_BY(mutex_);
};

// Writes down what it is told; a test waits for it.
class WaitingSink final : public RevocationSink {
 public:
  explicit WaitingSink(RevocationSink& sink) : sink_(sink) {}

  void Drop(const TokenUid& token) override {
    sink_.Drop(token);
    Note(token.ToString());
  }
  void DropOwner(absl::string_view owner_id) override {
    sink_.DropOwner(owner_id);
    Note(absl::StrCat("owner ", owner_id));
  }
  void DropAll() override {
    sink_.DropAll();
    Note("all");
  }

  std::vector<std::string> WaitFor(size_t count) {
    const absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return drops_.size() >= count; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20)));
    return drops_;
  }

 private:
  void Note(std::string text) {
    const absl::MutexLock lock(&mutex_);
    drops_.push_back(std::move(text));
  }

  RevocationSink& sink_;
  absl::Mutex mutex_;
  std::vector<std::string> drops_ ABSL_GUARDED_BY(mutex_);
};

// Writes down what it is told.
class RecordingObserver final : public FailureObserver {
 public:
  void OnPush(PushState state) override {
    const absl::MutexLock lock(&mutex_);
    states_.push_back(state);
  }
  void OnFailure(UpstreamCall call, absl::string_view text) override {
    EXPECT_EQ(call, UpstreamCall::kRevocations);
    FailureObserver::OnFailure(call, text);
  }

  std::vector<PushState> WaitForStates(size_t count) {
    const absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return states_.size() >= count; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20)));
    return states_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<PushState> states_ ABSL_GUARDED_BY(mutex_);
};

grpc::Status Saying(absl::StatusCode code, const std::string& reason) {
  return ToGrpcStatus(MakeError(code, "not now", {.reason = reason, .retry_delay = absl::Seconds(30)}));
}

class RevocationWatcherTest : public testing::Test {
 protected:
  RevocationWatcherTest() {
    authority_.AddUser("ada");
    server_.OnWatching([this](grpc::ServerContext& context, const v1::WatchRevocationsRequest& request,
                              FakeAuthority::Writer& writer) { return feed_.Serve(context, request, writer); });
  }
  ~RevocationWatcherTest() override {
    if (watcher_ != nullptr) watcher_->Shutdown();
    feed_.End();
    server_.Stop();
  }

  void Watch() { Watch(*channels_); }
  void Watch(AuthorityChannels& channels) {
    watcher_ = std::make_unique<RevocationWatcher>(channels, clock_, sink_, observer_,
                                                   WatcherOptions{.first_backoff = absl::Milliseconds(2),
                                                                  .longest_backoff = absl::Milliseconds(50),
                                                                  .check_every = absl::Milliseconds(5)});
  }

  using Drops = std::vector<std::string>;

  TestAuthority authority_;
  Feed feed_;
  FakeAuthority server_{authority_.facts, authority_.clock};
  FakeClockSource time_{absl::FromUnixSeconds(1'000'000'000)};
  const Clock clock_{time_};
  RecordingObserver observer_;
  std::unique_ptr<AuthorityChannels> channels_ =
      AuthorityChannels::Create({server_.address()}, grpc::InsecureChannelCredentials(), "").value();
  UpstreamFacts upstream_{*channels_, clock_, observer_};
  CachingFactsReader cache_{upstream_, clock_, {.push = true}};
  WaitingSink sink_{cache_};
  std::unique_ptr<RevocationWatcher> watcher_;
};

TEST_F(RevocationWatcherTest, ARevokedTokenIsForgottenAsItIsTold) {
  Watch();
  feed_.SendHeartbeat("v1.one.1");
  EXPECT_EQ(sink_.WaitFor(1), Drops{"all"});
  const IssuedToken token = authority_.Issue("ada");
  ASSERT_TRUE(Ask(cache_, token.digest).active());
  authority_.Revoke(token);
  EXPECT_TRUE(Ask(cache_, token.digest).active());
  feed_.SendToken(token.uid, "v1.one.2");
  sink_.WaitFor(2);
  EXPECT_FALSE(Ask(cache_, token.digest).active());
}

TEST_F(RevocationWatcherTest, ALostStreamIsAskedForAgainFromWhereItEnded) {
  Watch();
  EXPECT_EQ(feed_.WaitForStream(1), "");
  feed_.SendHeartbeat("v1.one.1");
  sink_.WaitFor(1);
  const TokenUid first = authority_.Issue("ada").uid;
  feed_.SendToken(first, "v1.one.2");
  sink_.WaitFor(2);
  feed_.End();
  EXPECT_EQ(feed_.WaitForStream(2), "v1.one.2");
  const TokenUid second = authority_.Issue("ada").uid;
  feed_.SendToken(second, "v1.one.3");
  EXPECT_EQ(sink_.WaitFor(3), (Drops{"all", first.ToString(), second.ToString()}));
  EXPECT_EQ(watcher_->status().streams, 2);
}

TEST_F(RevocationWatcherTest, LosingTheStreamDropsNothing) {
  Watch();
  feed_.SendHeartbeat("v1.one.1");
  sink_.WaitFor(1);
  const IssuedToken token = authority_.Issue("ada");
  Ask(cache_, token.digest);
  feed_.End();
  feed_.WaitForStream(2);
  EXPECT_EQ(Ask(cache_, token.digest).source, FactsSource::kCache);
}

TEST_F(RevocationWatcherTest, AnAuthorityThatRestartsIsFoundAgain) {
  Watch();
  feed_.SendHeartbeat("v1.one.1");
  sink_.WaitFor(1);
  feed_.End();
  server_.Stop();
  server_.Start();
  Message reset;
  reset.mutable_reset();
  feed_.Send(reset, "v1.two.1");
  EXPECT_EQ(sink_.WaitFor(2), (Drops{"all", "all"}));
}

// As connections do at their age.
TEST_F(RevocationWatcherTest, AStreamThatToldSomethingAndEndsIsNoFailure) {
  Watch();
  feed_.SendHeartbeat("v1.one.1");
  sink_.WaitFor(1);
  feed_.End();
  feed_.WaitForStream(2);
  feed_.SendToken(authority_.Issue("ada").uid, "v1.one.2");
  sink_.WaitFor(2);
  EXPECT_EQ(observer_.failures(), 0);
  EXPECT_EQ(observer_.WaitForStates(1), std::vector<PushState>{PushState::kUp});
}

TEST_F(RevocationWatcherTest, TellsOfAResetAndOfALoss) {
  Watch();
  feed_.SendHeartbeat("v1.one.1");
  sink_.WaitFor(1);
  feed_.End();
  server_.Stop();
  EXPECT_EQ(observer_.WaitForStates(2), (std::vector<PushState>{PushState::kUp, PushState::kLost}));
  EXPECT_GE(observer_.failures(), 1);
  Message reset;
  reset.mutable_reset();
  feed_.Send(reset, "v1.two.1");
  server_.Start();
  EXPECT_EQ(observer_.WaitForStates(4),
            (std::vector<PushState>{PushState::kUp, PushState::kLost, PushState::kUp, PushState::kReset}));
}

TEST_F(RevocationWatcherTest, AnAuthorityWithoutAStreamIsSaidOnceAndNotAskedAgainAndAgain) {
  server_.OnWatching([](auto&, auto&, auto&) { return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no"); });
  Watch();
  EXPECT_EQ(observer_.WaitForStates(1), std::vector<PushState>{PushState::kNotServed});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // Sleeps: many times the back-off of a stream.
  EXPECT_EQ(watcher_->status().streams, 1);
  EXPECT_EQ(observer_.failures(), 0);
}

TEST_F(RevocationWatcherTest, AnAuthorityThatSaysItIsUnavailableIsLeftForAnotherOne) {
  FakeAuthority sick(authority_.facts, authority_.clock);
  std::atomic<int> asked = 0;
  sick.OnWatching([&asked](auto&, auto&, auto&) {
    ++asked;
    return Saying(absl::StatusCode::kUnavailable, "AUTHORITY_UNAVAILABLE");
  });
  const auto channels =
      AuthorityChannels::Create({sick.address(), server_.address()}, grpc::InsecureChannelCredentials(), "").value();
  Watch(*channels);
  feed_.SendHeartbeat("v1.one.1");
  EXPECT_EQ(sink_.WaitFor(1), Drops{"all"});
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(channels->current().index, 1);
  EXPECT_TRUE(absl::StartsWith(observer_.last_failure(), absl::StrCat(sick.address(), ": ")))
      << observer_.last_failure();
  watcher_->Shutdown();
}

TEST_F(RevocationWatcherTest, AnAuthorityThatRefusesTheStreamIsNotAskedBeforeItWantsToBe) {
  std::atomic<int> asked = 0;
  server_.OnWatching([&asked](auto&, auto&, auto&) {
    ++asked;
    return Saying(absl::StatusCode::kResourceExhausted, "RATE_LIMITED");
  });
  Watch();
  // At the start: said once, as it is known at once.
  EXPECT_EQ(observer_.WaitForStates(1), std::vector<PushState>{PushState::kNotYet});
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // Sleeps: many times the back-off of a stream.
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(observer_.failures(), 1);
}

TEST_F(RevocationWatcherTest, ThatThereIsNoStreamFromTheStartIsSaidOnce) {
  server_.Stop();
  Watch();
  while (observer_.failures() < 3) std::this_thread::yield();
  feed_.SendHeartbeat("v1.one.1");
  server_.Start();
  EXPECT_EQ(observer_.WaitForStates(2), (std::vector<PushState>{PushState::kNotYet, PushState::kUp}));
}

TEST_F(RevocationWatcherTest, ASilentStreamIsLostAfterTheTimeAndNotBefore) {
  Watch();
  feed_.SendHeartbeat("v1.one.1");
  sink_.WaitFor(1);
  while (!watcher_->status().is_connected) std::this_thread::yield();
  time_.Advance(absl::Seconds(15));
  // Something that comes now is in time; it shows as well that the stream was not given up.
  const TokenUid uid = authority_.Issue("ada").uid;
  feed_.SendToken(uid, "v1.one.2");
  sink_.WaitFor(2);
  while (watcher_->status().messages < 2) std::this_thread::yield();
  EXPECT_EQ(watcher_->status().streams, 1);
  time_.Advance(absl::Seconds(15) + absl::Nanoseconds(1));
  EXPECT_EQ(feed_.WaitForStream(2), "v1.one.2");
}

TEST_F(RevocationWatcherTest, TellsHowItIs) {
  server_.Stop();
  Watch();
  EXPECT_FALSE(watcher_->status().is_connected);
  EXPECT_EQ(watcher_->status().last_message_time, absl::InfinitePast());
  server_.Start();
  feed_.SendHeartbeat("v1.one.1");
  sink_.WaitFor(1);
  while (watcher_->status().messages < 1) std::this_thread::yield();
  EXPECT_TRUE(watcher_->status().is_connected);
  EXPECT_EQ(watcher_->status().last_message_time, clock_.Now());
  EXPECT_EQ(watcher_->status().last_drop_time, clock_.Now());
  time_.Advance(absl::Seconds(5));
  feed_.SendHeartbeat("v1.one.2");
  while (watcher_->status().messages < 2) std::this_thread::yield();
  EXPECT_EQ(watcher_->status().last_message_time, clock_.Now());
  EXPECT_EQ(watcher_->status().last_drop_time, clock_.Now() - absl::Seconds(5));
}

TEST_F(RevocationWatcherTest, EndsWhileItIsConnectedAndWhileNobodyIsThere) {
  Watch();
  feed_.SendHeartbeat("v1.one.1");
  sink_.WaitFor(1);
  watcher_->Shutdown();
  watcher_->Shutdown();
  EXPECT_FALSE(watcher_->status().is_connected);
  server_.Stop();
  Watch();
  watcher_->Shutdown();
}

}  // namespace
}  // namespace pat
