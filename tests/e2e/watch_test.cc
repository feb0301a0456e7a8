// WatchRevocations and ReportUse through a whole server: what people do is told, a restart loses nothing, and the end
// does not wait for those who watch.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "pat/v1/introspection_service.grpc.pb.h"
#include "tests/e2e/dev_server.h"
#include "tests/server/rpc/watcher.h"

namespace pat {
namespace {

class WatchTest : public testing::Test {
 protected:
  std::unique_ptr<Watcher> Watch(const std::string& resume_token = "") {
    stub_ = v1::IntrospectionService::NewStub(server_.client().channel());
    return std::make_unique<Watcher>(*stub_, resume_token);
  }
  static std::string Told(const v1::Token& token) { return absl::StrCat("tokens ", token.uid()); }

  DevServer server_;
  std::unique_ptr<v1::IntrospectionService::Stub> stub_;
};

TEST_F(WatchTest, WhatPeopleDoIsTold) {
  const MadeToken made = server_.client().Create("ada", "one");
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  server_.client().Regenerate(made.token);
  EXPECT_EQ(watcher->Next(), Told(made.token));
  server_.client().Revoke(made.token);
  EXPECT_EQ(watcher->Next(), Told(made.token));
  v1::RevokeAllTokensRequest all;
  all.set_parent("users/ada");
  EXPECT_TRUE(server_.client().Call(&TokenStub::RevokeAllTokens, Person("ada"), all).status.ok());
  EXPECT_EQ(watcher->Next(), "users/ada");
}

TEST_F(WatchTest, ARestartLosesNothingAndDoesNotWaitForWatchers) {
  const MadeToken first = server_.client().Create("ada", "one");
  const MadeToken second = server_.client().Create("ada", "two");
  auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  const std::string resume_token = watcher->resume_token();
  server_.client().Revoke(first.token);
  EXPECT_EQ(watcher->Next(), Told(first.token));
  server_.Restart();
  EXPECT_EQ(watcher->Next(), "end");
  // If it had waited for what is open, gRPC would have cancelled it.
  EXPECT_EQ(watcher->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  server_.client().Revoke(second.token);
  watcher = Watch(resume_token);
  EXPECT_EQ(watcher->Next(), absl::StrCat(Told(first.token), " ", second.token.uid()));
}

TEST_F(WatchTest, AReportedUseIsWrittenAtTheLatestAtTheEnd) {
  const MadeToken made = server_.client().Create("ada", "one");
  v1::ReportUseRequest request;
  v1::TokenUse& use = *request.add_uses();
  use.set_jti(made.token.uid());
  Set(server_.time.wall() - absl::Minutes(3), *use.mutable_last_use_time());
  ASSERT_TRUE(server_.client().Call(&IntrospectionStub::ReportUse, Nobody(), request).status.ok());
  server_.Restart();
  const std::vector<v1::Token> tokens = server_.client().List("ada");
  ASSERT_EQ(tokens.size(), 1u);
  const absl::Duration ago = server_.time.wall() - ToTime(tokens[0].last_use_time());
  EXPECT_GE(ago, absl::Minutes(3));
  EXPECT_LT(ago, absl::Minutes(4));
}

// A soft limit of 1024 files would be one of as many sidecars.
TEST(ConnectionsTest, AreAsManyAsTheHardLimitOfOpenFilesAllows) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = std::min<rlim_t>(before.rlim_max, 256);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const DevServer server;
  rlimit now{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, before.rlim_max);
  EXPECT_EQ(now.rlim_max, before.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

// What ReportUse is for: introspections that a sidecar answers from its cache never reach the authority, and
// last_use_time is true all the same.
TEST(LastUseTest, IsTheMinuteInWhichASidecarLastAnsweredFromItsCache) {
  Options options;
  options.listen.push_back({.host = "127.0.0.1", .port = 0});
  options.sidecar_listen = ListenAddress{.host = "127.0.0.1", .port = 0};
  DevServer server(options);
  const MadeToken made = server.client().Create("ada", "used");
  const auto last_use = [&] {
    v1::GetTokenRequest request;
    request.set_name(made.token.name());
    return ToTime(
        server.client().Call(&TokenStub::GetToken, PortalFor("ada"), request).value().token().last_use_time());
  };
  const auto ask = [&] {
    Client sidecar(server.daemon().sidecar_listening()->ToString());
    return sidecar.Introspect(made.secret).freshness().source();
  };
  const auto minute = [&] { return absl::FromUnixSeconds(absl::ToUnixSeconds(server.time.wall()) / 60 * 60); };

  EXPECT_EQ(ask(), v1::Freshness::SOURCE_STORE);
  const absl::Time loaded = minute();
  server.time.Advance(absl::Minutes(7));
  EXPECT_EQ(ask(), v1::Freshness::SOURCE_CACHE);
  const absl::Time used = minute();
  server.time.Advance(absl::Minutes(7));
  server.Restart();  // At its end a sidecar tells what it has noted.
  EXPECT_EQ(used, loaded + absl::Minutes(7));
  EXPECT_EQ(last_use(), used);
}

}  // namespace
}  // namespace pat
