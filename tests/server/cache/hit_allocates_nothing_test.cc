// What the cache can answer is answered without a heap allocation: this program replaces operator new and delete, and
// counts.
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "server/core/introspection.h"
#include "tests/server/cache/cache_test.h"

namespace {

// One thread only, here.
bool watching = false;
int allocated = 0;
int freed = 0;

void* Allocate(size_t size, size_t alignment) {
  void* const data = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (data == nullptr) throw std::bad_alloc();
  if (watching) ++allocated;
  return data;
}

void Free(void* data) {
  if (watching && data != nullptr) ++freed;
  std::free(data);
}

constexpr size_t kPlain = alignof(std::max_align_t);

}  // namespace

// Not inlined, or the compiler sees free() on what some `new` returned. The array forms are here as a sanitizer's own
// do not come through the plain ones.

[[gnu::noinline]] void* operator new(size_t size) { return Allocate(size, kPlain); }
[[gnu::noinline]] void* operator new[](size_t size) { return Allocate(size, kPlain); }
[[gnu::noinline]] void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* data) noexcept { Free(data); }
[[gnu::noinline]] void operator delete[](void* data) noexcept { Free(data); }
[[gnu::noinline]] void operator delete(void* data, size_t /*size*/) noexcept { Free(data); }
[[gnu::noinline]] void operator delete[](void* data, size_t /*size*/) noexcept { Free(data); }
[[gnu::noinline]] void operator delete(void* data, std::align_val_t /*alignment*/) noexcept { Free(data); }
[[gnu::noinline]] void operator delete[](void* data, std::align_val_t /*alignment*/) noexcept { Free(data); }
[[gnu::noinline]] void operator delete(void* data, size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  Free(data);
}
[[gnu::noinline]] void operator delete[](void* data, size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  Free(data);
}

namespace pat {
namespace {

struct Outcome {
  bool ok = false;
  Verdict verdict = Verdict::kInactive;
  AnswerSource source = AnswerSource::kStore;
  size_t unmet = 0;
};

// Keeps what a test looks at, in places that are there already.
class QuietCall final : public Introspection {
 public:
  Outcome outcome;

 private:
  void OnResult(const absl::StatusOr<IntrospectionResult>& result) override {
    if (!result.ok()) return;
    outcome = {true, result->verdict, result->freshness.source, result->unmet.size()};
  }
};

using FourOfTwo = absl::string_view[4][2];

// The token of GoodCreation() has OR.Folders, and what that covers.
constexpr FourOfTwo kMet = {{"TM.Defects", "OR.Folders"},
                            {"OR.Folders.Read", "OR.Folders.Write"},
                            {"not.in.the.catalogue", "OR.Folders.Write"},
                            {"OR.Folders", "OR.Folders.Read"}};
constexpr FourOfTwo kUnmet = {{"TM.Defects", "TM.Defects.Read"},
                              {"Many.00", "Many.01"},
                              {"not.in.the.catalogue", "nor.is.this"},
                              {"PAT.SelfRegenerate", "Many.69"}};

class HitAllocatesNothingTest : public CacheTest {
 protected:
  // All of a check is watched, from the empty query to its end.
  Outcome Watch(absl::string_view secret, const FourOfTwo& requirements, absl::string_view audience = "") {
    allocated = freed = 0;
    Outcome outcome;
    watching = true;
    {
      QuietCall call;
      call.query.credential = SecretCredential{secret};
      call.query.audience = audience;
      call.query.max_staleness = absl::Minutes(1);
      for (const auto& any_of : requirements) {
        call.query.requirements.Begin();
        for (const absl::string_view name : any_of) call.query.requirements.AddScope(name);
      }
      introspector.Start(call);
      outcome = call.outcome;
    }
    watching = false;
    EXPECT_TRUE(outcome.ok);
    return outcome;
  }
};

TEST_F(HitAllocatesNothingTest, TheWatchItselfSeesAnAllocation) {
  allocated = freed = 0;
  watching = true;
  { const std::string text(100, 't'); }
  watching = false;
  EXPECT_EQ(allocated, 1);
  EXPECT_EQ(freed, 1);
}

TEST_F(HitAllocatesNothingTest, AMissIsSeen) {
  const IssuedToken token = Issue();
  EXPECT_EQ(Watch(token.secret, kMet).source, AnswerSource::kStore);
  EXPECT_GT(allocated, 0);
}

TEST_F(HitAllocatesNothingTest, AllowedByFourRequirementsOfTwoNames) {
  const IssuedToken token = Issue();
  Watch(token.secret, kMet);
  const Outcome outcome = Watch(token.secret, kMet);
  EXPECT_EQ(outcome.source, AnswerSource::kCache);
  EXPECT_EQ(outcome.verdict, Verdict::kAllow);
  EXPECT_EQ(allocated, 0);
  EXPECT_EQ(freed, 0);
}

// That it was used is noted all the same.
TEST_F(HitAllocatesNothingTest, TheUseOfAHitIsNoted) {
  const IssuedToken token = Issue();
  Watch(token.secret, kMet);
  ASSERT_EQ(uses.Flush(authority.store).value(), 1);
  Advance(absl::Minutes(1));
  EXPECT_EQ(Watch(token.secret, kMet).source, AnswerSource::kCache);
  EXPECT_EQ(uses.Flush(authority.store).value(), 1);
}

TEST_F(HitAllocatesNothingTest, FourUnmetRequirements) {
  const IssuedToken token = Issue();
  Watch(token.secret, kMet);
  const Outcome outcome = Watch(token.secret, kUnmet);
  EXPECT_EQ(outcome.source, AnswerSource::kCache);
  EXPECT_EQ(outcome.verdict, Verdict::kInsufficientScope);
  EXPECT_EQ(outcome.unmet, 4);
  EXPECT_EQ(allocated, 0);
  EXPECT_EQ(freed, 0);
}

TEST_F(HitAllocatesNothingTest, AnotherAudience) {
  CreateTokenQuery query = authority.GoodCreation("ada");
  query.audiences = {"https://orchestrator.example.com", "https://test-manager.example.com"};
  const IssuedToken token = authority.Issue(query);
  Watch(token.secret, kMet);
  const Outcome outcome = Watch(token.secret, kMet, "https://nobody.example.com");
  EXPECT_EQ(outcome.source, AnswerSource::kCache);
  EXPECT_EQ(outcome.verdict, Verdict::kWrongAudience);
  EXPECT_EQ(allocated, 0);
  EXPECT_EQ(freed, 0);
}

TEST_F(HitAllocatesNothingTest, UnknownToken) {
  const Secret secret = MintSecret();
  Watch(secret.Reveal(), kMet);
  const Outcome outcome = Watch(secret.Reveal(), kMet);
  EXPECT_EQ(outcome.source, AnswerSource::kCache);
  EXPECT_EQ(outcome.verdict, Verdict::kInactive);
  EXPECT_EQ(allocated, 0);
  EXPECT_EQ(freed, 0);
}

TEST_F(HitAllocatesNothingTest, MalformedToken) {
  const Outcome outcome = Watch("pat_of_no_form", kMet);
  EXPECT_EQ(outcome.source, AnswerSource::kFormat);
  EXPECT_EQ(outcome.verdict, Verdict::kInactive);
  EXPECT_EQ(allocated, 0);
  EXPECT_EQ(freed, 0);
}

}  // namespace
}  // namespace pat
