// Sidecars as `patd sidecar` makes them, on an authority that a test controls: one before another, so that there are
// three layers. Whole processes are in tests/e2e/sidecar_*_test.cc.
#include "server/ops/sidecar.h"

#include <grpcpp/security/credentials.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

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

}  // namespace
}  // namespace pat
