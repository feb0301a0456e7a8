// C13: callers with different requirements, audiences and staleness on one token. The cache holds facts and never
// verdicts, so no answer may depend on what somebody else asked before.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/server/cache/cache_test.h"

namespace pat {
namespace {

struct Caller {
  IntrospectionQuery query;
  Verdict verdict = Verdict::kInactive;
  std::vector<uint32_t> unmet;
};

class CacheConfusionTest : public CacheTest {
 protected:
  CacheConfusionTest() {
    CreateTokenQuery creation = authority.GoodCreation("ada");
    creation.scopes = {"OR.Folders.Read"};
    creation.audiences = {"folders", "billing"};
    creation.expiration = RequestedDuration{.seconds = int64_t{365} * 24 * 3600};  // The stories are long.
    token_ = authority.Issue(creation);

    const auto add = [this](Requirements requirements, absl::string_view audience,
                            std::optional<absl::Duration> max_staleness, Verdict verdict, std::vector<uint32_t> unmet) {
      IntrospectionQuery query = QueryFor(token_.secret, std::move(requirements));
      query.audience = audience;
      query.max_staleness = max_staleness;
      callers_.push_back({std::move(query), verdict, std::move(unmet)});
    };
    add({}, "folders", std::nullopt, Verdict::kAllow, {});
    add(AllOf({{"OR.Folders.Read"}}), "billing", absl::ZeroDuration(), Verdict::kAllow, {});
    add(AllOf({{"OR.Folders.Write"}}), "folders", std::nullopt, Verdict::kInsufficientScope, {0});
    add(AllOf({{"OR.Folders.Read"}, {"OR.Folders.Write"}}), "folders", absl::Seconds(5), Verdict::kInsufficientScope,
        {1});
    add(AllOf({{"OR.Folders.Read"}}), "somebody else", std::nullopt, Verdict::kWrongAudience, {});
    add(AllOf({{"OR.Folders.Write"}}), "", absl::ZeroDuration(), Verdict::kWrongAudience, {});
    add(AllOf({{"OR.Folders.Write", "OR.Folders.Read"}}), "folders", absl::Hours(1), Verdict::kAllow, {});
  }

  void ExpectOwnAnswer(size_t i) {
    const Caller& caller = callers_[i];
    const CheckResult result = Check(introspector, caller.query);
    ASSERT_TRUE(result.status.ok());
    EXPECT_EQ(result.verdict, caller.verdict) << i;
    EXPECT_EQ(result.unmet, caller.unmet) << i;
    ASSERT_TRUE(result.facts.has_value()) << i;
    EXPECT_EQ(result.facts->scopes.ToVector(), std::vector<std::string>{"OR.Folders.Read"});
    EXPECT_EQ(result.facts->audiences, (std::vector<std::string>{"folders", "billing"}));
    const absl::Duration age = Now() - result.freshness.read_time;
    EXPECT_LE(age, caller.query.max_staleness.value_or(kTtl)) << i;
  }

  IssuedToken token_;
  std::vector<Caller> callers_;
};

TEST_F(CacheConfusionTest, NoAnswerDependsOnAnothersQuestionInAnyOrder) {
  std::vector<size_t> order(callers_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  do {
    Advance(kTtl + kTick);  // A cold cache: whoever is first loads.
    for (const size_t i : order) {
      ExpectOwnAnswer(i);
      Advance(absl::Seconds(3));
    }
    if (HasFailure()) return;
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(CacheConfusionTest, NoAnswerDependsOnAnothersQuestionInLongMixtures) {
  std::mt19937_64 random(13);
  for (int step = 0; step < 20'000 && !HasFailure(); ++step) {
    ExpectOwnAnswer(random() % callers_.size());
    Advance(absl::Seconds(static_cast<int64_t>(random() % 60)));
  }
}

TEST_F(CacheConfusionTest, CallersThatShareALoadGetTheirOwnVerdicts) {
  source.Hold();
  std::vector<std::unique_ptr<CheckCall>> calls;
  for (const Caller& caller : callers_) {
    calls.push_back(std::make_unique<CheckCall>(caller.query));
    introspector.Start(*calls.back());
  }
  EXPECT_EQ(loads(), 3);  // One for all, and one for each that accepts no staleness.
  source.Release();
  for (size_t i = 0; i < callers_.size(); ++i) {
    EXPECT_EQ(calls[i]->times(), 1);
    EXPECT_EQ(calls[i]->Wait().verdict, callers_[i].verdict) << i;
    EXPECT_EQ(calls[i]->Wait().unmet, callers_[i].unmet) << i;
  }
}

// The same for tokens: what is kept under one digest is never told under another.
TEST_F(CacheConfusionTest, NoTokenGetsTheFactsOfAnother) {
  authority.AddUser("bob");
  std::vector<IssuedToken> tokens;
  for (int i = 0; i < 20; ++i) tokens.push_back(authority.Issue(i % 2 == 0 ? "ada" : "bob"));
  std::mt19937_64 random(14);
  for (int step = 0; step < 5000; ++step) {
    const size_t i = random() % tokens.size();
    const ReceivedFacts answer = Ask(tokens[i]);
    ASSERT_TRUE(answer.active());
    ASSERT_EQ(answer.facts->uid, tokens[i].uid);
    ASSERT_EQ(answer.facts->owner_id, i % 2 == 0 ? "ada" : "bob");
    Advance(absl::Seconds(static_cast<int64_t>(random() % 60)));
  }
}

}  // namespace
}  // namespace pat
