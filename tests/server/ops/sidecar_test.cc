// Sidecars as `patd sidecar` makes them, on an authority that a test controls: one before another, so that there are
// three layers. Whole processes are in tests/e2e/sidecar_*_test.cc.
#include "server/ops/sidecar.h"

#include <grpcpp/security/credentials.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/check_call.h"
#include "tests/support/fake_authority.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

// What is below the authority's cache: the store that is in use.
class SwappedFacts final : public FactsReader {
 public:
  explicit SwappedFacts(FactsReader& first) : facts_(&first) {}

  void Use(FactsReader& facts) { facts_ = &facts; }

  void Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) override {
    facts_.load()->Find(digest, options, receiver);
  }

 private:
  std::atomic<FactsReader*> facts_;
};

// A sidecar with a listener for others, in front of whoever listens at that address.
class Layer {
 public:
  Layer(const std::string& authority, const Options& options, const Clock& clock)
      : sidecar_(options, AuthorityChannels::Create({authority}, grpc::InsecureChannelCredentials(), "").value(),
                 IdentityTable(), clock),
        parts_(sidecar_.serving()),
        // The role of `patd dev` is the one that may send digests without a certificate.
        listener_(Listener::Create(
                      {.address = {.host = "127.0.0.1", .port = 0, .path = {}}, .role = ListenerRole::kDev}, parts_)
                      .value()) {}
  ~Layer() { listener_ = nullptr; }

  std::string address() const { return absl::StrCat("127.0.0.1:", listener_->address().port); }
  CheckResult Ask(const IssuedToken& token) { return Check(parts_.introspector, QueryFor(token.digest)); }
  std::string incarnation() const { return parts_.incarnation(); }

 private:
  Sidecar sidecar_;
  const ServingParts parts_;
  std::unique_ptr<Listener> listener_;
};

class LayeredSidecarsTest : public testing::TestWithParam<Propagation> {
 protected:
  static Options OptionsOf(Propagation propagation) {
    Options options;
    options.propagation = propagation;
    options.cache_capacity = 1000;
    return options;
  }

  TestAuthority before_;
  TestAuthority after_;  // Where the tokens of the other are unknown.
  SwappedFacts facts_{before_.facts};
  FakeAuthority authority_{facts_, before_.clock};
  FakeClockSource time_;  // The tokens are of that time.
  const Clock clock_{time_};
  Layer middle_{authority_.address(), OptionsOf(GetParam()), clock_};
  Layer upper_{middle_.address(), OptionsOf(GetParam()), clock_};
};

INSTANTIATE_TEST_SUITE_P(Both, LayeredSidecarsTest, testing::Values(Propagation::kTtl, Propagation::kPush),
                         [](const auto& info) { return info.param == Propagation::kTtl ? "Ttl" : "Push"; });

TEST_P(LayeredSidecarsTest, AnotherStoreIsToldThroughTheOneInTheMiddle) {
  before_.AddUser("ada");
  authority_.SetIncarnation("one");
  const std::vector<IssuedToken> tokens = {before_.Issue("ada"), before_.Issue("ada")};
  after_.AddUser("bob");
  const IssuedToken of_the_other = after_.Issue("bob");
  for (const IssuedToken& token : tokens) {
    ASSERT_EQ(upper_.Ask(token).verdict, Verdict::kAllow);
    ASSERT_EQ(middle_.Ask(token).freshness.source, AnswerSource::kCache);
  }
  EXPECT_EQ(upper_.incarnation(), "one");

  facts_.Use(after_.facts);
  authority_.SetIncarnation("two");
  EXPECT_EQ(upper_.Ask(tokens[0]).verdict, Verdict::kAllow) << "nobody has asked yet";
  EXPECT_EQ(upper_.Ask(of_the_other).verdict, Verdict::kAllow);
  EXPECT_EQ(middle_.incarnation(), "two");
  EXPECT_EQ(upper_.incarnation(), "two") << "the answer by which the middle one learned it says it already";
  // Nobody has anything of the store before.
  for (const IssuedToken& token : tokens) {
    EXPECT_EQ(middle_.Ask(token).verdict, Verdict::kInactive);
    EXPECT_EQ(upper_.Ask(token).verdict, Verdict::kInactive);
  }
}

TEST_P(LayeredSidecarsTest, WhereTheAuthorityNamesNoStoreNobodyDoes) {
  before_.AddUser("ada");
  const IssuedToken token = before_.Issue("ada");
  EXPECT_EQ(upper_.Ask(token).verdict, Verdict::kAllow);
  EXPECT_EQ(middle_.incarnation(), "");
  EXPECT_EQ(upper_.incarnation(), "");
}

// What is logged while it is there, instead of where it goes otherwise.
class LogLines {
 public:
  LogLines() : sink_(std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(1000)), before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("test", sink_);
    logger->set_pattern("%v");
    spdlog::set_default_logger(std::move(logger));
  }
  ~LogLines() { spdlog::set_default_logger(before_); }

  int CountOf(absl::string_view start) const {
    int count = 0;
    for (const std::string& line : sink_->last_formatted()) count += absl::StartsWith(line, start) ? 1 : 0;
    return count;
  }
  void WaitFor(absl::string_view start) const {
    while (CountOf(start) == 0) std::this_thread::yield();
  }

 private:
  const std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> sink_;
  const std::shared_ptr<spdlog::logger> before_;
};

// The stream and the reports are refused for good, while tokens are answered.
TEST(SidecarLogTest, WhatFailsIsToldByKindAndAddressAndNotTakenBackByWhatDoesNot) {
  const LogLines log;
  TestAuthority authority;
  authority.AddUser("ada");
  FakeAuthority server(authority.facts, authority.clock);
  server.OnWatching([](auto&, auto&, auto&) { return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no"); });
  server.OnReporting([](auto&) { return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no"); });
  FakeClockSource time;
  const Clock clock(time);
  Options options;
  options.propagation = Propagation::kPush;
  options.cache_capacity = 1000;
  Sidecar sidecar(options,
                  AuthorityChannels::Create({server.address()}, grpc::InsecureChannelCredentials(), "").value(),
                  IdentityTable(), clock);
  const ServingParts parts = sidecar.serving();
  const auto ask = [&] { return Check(parts.introspector, QueryFor(authority.Issue("ada").digest)); };
  const std::string failure = absl::StrCat("the authority could not be asked: ", server.address(), ": ");

  const std::string of_stream = absl::StrCat("stream of revocations: ", failure);
  const std::string no_push = "push: the stream of revocations is not there yet";
  log.WaitFor(of_stream);
  log.WaitFor(no_push);
  ASSERT_EQ(ask().verdict, Verdict::kAllow);
  time.Advance(absl::Seconds(1));  // The next line of a kind.
  while (log.CountOf(of_stream) < 2) std::this_thread::yield();
  ASSERT_EQ(ask().verdict, Verdict::kAllow);
  EXPECT_EQ(log.CountOf("the authority"), 0);

  server.BeforeIntrospect([](auto&, auto&, auto&) { return grpc::Status(grpc::StatusCode::INTERNAL, "no"); });
  EXPECT_FALSE(ask().status.ok());
  EXPECT_EQ(log.CountOf(failure), 1);
  server.BeforeIntrospect(nullptr);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(ask().verdict, Verdict::kAllow);
  EXPECT_EQ(log.CountOf("the authority answers again"), 1);

  sidecar.Stop();
  EXPECT_EQ(log.CountOf(absl::StrCat("report of uses: ", failure)), 1);
  EXPECT_EQ(log.CountOf(no_push), 1);
  EXPECT_EQ(log.CountOf("stream of revocations: the authority answers"), 0);
}

}  // namespace
}  // namespace pat
