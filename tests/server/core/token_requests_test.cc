// What can be said about a request without the store: limits on both sides, and everything that is wrong at once.
#include "server/core/token_requests.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Repeat(absl::string_view text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) absl::StrAppend(&repeated, text);
  return repeated;
}

// The fields that are wrong, in order. Each has to say what would be right.
std::vector<std::string> FieldsOf(const Violations& violations) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : violations) {
    EXPECT_FALSE(violation.description.empty()) << violation.field;
    fields.push_back(violation.field);
  }
  return fields;
}

std::vector<std::string> DisplayName(const std::string& value) {
  Violations violations;
  CheckDisplayName(value, "the_field", violations);
  return FieldsOf(violations);
}

std::vector<std::string> Description(const std::string& value) {
  Violations violations;
  CheckDescription(value, "the_field", violations);
  return FieldsOf(violations);
}

std::vector<std::string> Audiences(const std::vector<std::string>& values) {
  Violations violations;
  CheckAudiences(values, violations);
  return FieldsOf(violations);
}

// ---- Texts. Lengths are counted in code points, as people count, not in bytes.

TEST(DisplayNameTest, OneTo128CodePoints) {
  for (const std::string& good : {std::string("a"), std::string("build server, Zürich"), Repeat("a", 128),
                                  Repeat("ä", 128), Repeat("🔑", 128), std::string("no\u00a0break")}) {
    EXPECT_THAT(DisplayName(good), IsEmpty()) << good;
  }
  for (const std::string& bad : {std::string(), Repeat("a", 129), Repeat("ä", 129), Repeat("🔑", 129)}) {
    EXPECT_THAT(DisplayName(bad), ElementsAre("the_field")) << bad;
  }
}

TEST(DisplayNameTest, BlanksAreNoName) { EXPECT_THAT(DisplayName("   "), ElementsAre("the_field")); }

// A name stands in lists on terminals and in logs: it must not look like two lines or move the cursor.
TEST(DisplayNameTest, ControlCharactersAreRefusedWhereverTheyStand) {
  for (const std::string& bad :
       {std::string(1, '\0'), std::string("\n"), std::string("\r"), std::string("\t"), std::string("\x1b[2J"),
        std::string("\x1f"), std::string("\x7f"), std::string("\u0080"), std::string("\u0085"), std::string("\u009f"),
        std::string("\u2028"), std::string("\u2029")}) {
    for (const std::string& name : {absl::StrCat("a", bad), absl::StrCat(bad, "a"), absl::StrCat("a", bad, "a")}) {
      EXPECT_THAT(DisplayName(name), ElementsAre("the_field")) << absl::StrFormat("%x", name.back());
    }
  }
}

TEST(DisplayNameTest, TooLongAndWithControlCharactersIsSaidBoth) {
  EXPECT_THAT(DisplayName(Repeat("a\n", 65)), ElementsAre("the_field", "the_field"));
}

TEST(DescriptionTest, AtMost1024CodePoints) {
  for (const std::string& good : {std::string(), Repeat("a", 1024), Repeat("ä", 1024), Repeat("🔑", 1024)}) {
    EXPECT_THAT(Description(good), IsEmpty());
  }
  for (const std::string& bad : {Repeat("a", 1025), Repeat("ä", 1025), Repeat("🔑", 1025)}) {
    EXPECT_THAT(Description(bad), ElementsAre("the_field"));
  }
}

TEST(DescriptionTest, MayHaveLinesButNoOtherControlCharacters) {
  EXPECT_THAT(Description("first line\n\tsecond line\n"), IsEmpty());
  for (const std::string& bad : {std::string(1, '\0'), std::string("\r"), std::string("\x1b[2J"), std::string("\x7f"),
                                 std::string("\u009f"), std::string("\u2028")}) {
    EXPECT_THAT(Description(absl::StrCat("a", bad, "a")), ElementsAre("the_field"));
  }
}

// ---- Scopes

class CheckScopesTest : public testing::Test {
 protected:
  Violations Check(const std::vector<std::string>& scopes) {
    Violations violations;
    CheckScopes(scopes, *authority_.catalog, violations);
    return violations;
  }

  // So many different ones of the catalogue.
  static std::vector<std::string> Many(int count) {
    std::vector<std::string> scopes;
    for (int i = 0; i < count; ++i) scopes.push_back(absl::StrFormat("Many.%02d", i));
    return scopes;
  }

  TestAuthority authority_;
};

TEST_F(CheckScopesTest, OneTo64OfTheCatalogue) {
  EXPECT_THAT(Check({"OR.Folders"}), IsEmpty());
  EXPECT_THAT(Check(Many(64)), IsEmpty());
  EXPECT_THAT(FieldsOf(Check({})), ElementsAre("scopes"));
  EXPECT_THAT(FieldsOf(Check(Many(65))), ElementsAre("scopes"));
}

TEST_F(CheckScopesTest, EachThatIsWrongIsNamedByItsPlace) {
  EXPECT_THAT(FieldsOf(Check({"OR.Folders", "No.Such", "TM.Defects", "", "OR.Folders", "or.folders", "*"})),
              ElementsAre("scopes[1]", "scopes[3]", "scopes[4]", "scopes[5]", "scopes[6]"));
}

TEST_F(CheckScopesTest, ATypingErrorIsToldWhatIsNear) {
  const Violations violations = Check({"OR.Folder"});
  ASSERT_THAT(FieldsOf(violations), ElementsAre("scopes[0]"));
  EXPECT_THAT(violations[0].description, HasSubstr("\"OR.Folder\""));
  EXPECT_THAT(violations[0].description, HasSubstr("near: OR.Folders"));
}

// A scope and what it covers are two scopes.
TEST_F(CheckScopesTest, CoveredScopesMayBeGivenToo) {
  EXPECT_THAT(Check({"OR.Folders", "OR.Folders.Read"}), IsEmpty());
}

// ---- Audiences and request ids

TEST(AudiencesTest, AtMost16) {
  std::vector<std::string> audiences;
  EXPECT_THAT(Audiences(audiences), IsEmpty());
  for (int i = 0; i < 16; ++i) audiences.push_back(absl::StrCat("audience-", i));
  EXPECT_THAT(Audiences(audiences), IsEmpty());
  audiences.emplace_back("one more");
  EXPECT_THAT(Audiences(audiences), ElementsAre("audiences"));
}

TEST(AudiencesTest, EachThatIsWrongIsNamedByItsPlace) {
  EXPECT_THAT(Audiences({"https://a.example/x?y=1#z", Repeat("a", 255), "!~"}), IsEmpty());
  EXPECT_THAT(
      Audiences({"good", "", "a b", "ä", "a\n", Repeat("a", 256), "good"}),
      ElementsAre("audiences[1]", "audiences[2]", "audiences[3]", "audiences[4]", "audiences[5]", "audiences[6]"));
}

TEST(RequestIdTest, OneTo64PrintableAsciiCharacters) {
  for (const std::string& good : {std::string("a"), std::string("7f3c-11 ~!"), Repeat("a", 64)}) {
    Violations violations;
    EXPECT_TRUE(CheckRequestId(good, violations)) << good;
    EXPECT_THAT(violations, IsEmpty()) << good;
  }
  for (const std::string& bad : {Repeat("a", 65), std::string("a\n"), std::string("a\x7f"), std::string("ä"),
                                 std::string(1, '\0'), std::string("\x1f")}) {
    Violations violations;
    EXPECT_FALSE(CheckRequestId(bad, violations)) << bad;
    EXPECT_THAT(FieldsOf(violations), ElementsAre("request_id")) << bad;
  }
}

TEST(RequestIdTest, NoneIsFine) {
  Violations violations;
  EXPECT_TRUE(CheckRequestId("", violations));
  EXPECT_THAT(violations, IsEmpty());
}

// ---- When a token ends

constexpr int64_t kNow = 1'700'000'000;
constexpr int64_t kLongest = int64_t{365} * 24 * 3600;
constexpr int64_t kLastSecondOf9999 = 253'402'300'799;
constexpr absl::Duration kTick = absl::Nanoseconds(1);

class ResolveExpirationTest : public testing::Test {
 protected:
  // nullopt: refused, with one violation of the field.
  std::optional<absl::Time> Instant(int64_t seconds, int32_t nanos = 0) {
    return Resolve(RequestedInstant{seconds, nanos}, "expire_time");
  }
  std::optional<absl::Time> After(int64_t seconds, int32_t nanos = 0) {
    return Resolve(RequestedDuration{seconds, nanos}, "ttl");
  }

  absl::Time now_ = absl::FromUnixSeconds(kNow);
  PolicyRecord policy_;

 private:
  std::optional<absl::Time> Resolve(const RequestedExpiration& requested, const std::string& field) {
    Violations violations;
    const std::optional<absl::Time> end = ResolveExpiration(requested, policy_, now_, violations);
    if (end.has_value()) {
      EXPECT_THAT(violations, IsEmpty());
    } else {
      EXPECT_THAT(FieldsOf(violations), ElementsAre(field));
    }
    return end;
  }
};

std::optional<absl::Time> Second(int64_t seconds) { return absl::FromUnixSeconds(seconds); }

TEST_F(ResolveExpirationTest, NothingSaidIsNothingWrong) {
  Violations violations;
  EXPECT_EQ(ResolveExpiration(NotRequested(), policy_, now_, violations), std::nullopt);
  EXPECT_THAT(violations, IsEmpty());
}

TEST_F(ResolveExpirationTest, AnInstantHasToBeInTheFuture) {
  EXPECT_EQ(Instant(kNow + 1), Second(kNow + 1));
  EXPECT_EQ(Instant(kNow), std::nullopt);
  EXPECT_EQ(Instant(kNow - 1), std::nullopt);
  EXPECT_EQ(Instant(0), std::nullopt);
}

// A token never lives longer than was asked for.
TEST_F(ResolveExpirationTest, AnInstantIsCutToItsSecond) {
  EXPECT_EQ(Instant(kNow + 5, 999'999'999), Second(kNow + 5));
  EXPECT_EQ(Instant(kNow, 999'999'999), std::nullopt);
  now_ += absl::Milliseconds(500);
  EXPECT_EQ(Instant(kNow, 600'000'000), std::nullopt);
  EXPECT_EQ(Instant(kNow + 1), Second(kNow + 1));
}

TEST_F(ResolveExpirationTest, AnInstantIsNotBeyondThePolicy) {
  EXPECT_EQ(Instant(kNow + kLongest), Second(kNow + kLongest));
  EXPECT_EQ(Instant(kNow + kLongest + 1), std::nullopt);
  policy_.maximum_lifespan = absl::Seconds(10);
  EXPECT_EQ(Instant(kNow + 10), Second(kNow + 10));
  EXPECT_EQ(Instant(kNow + 11), std::nullopt);
}

TEST_F(ResolveExpirationTest, WhatIsNoInstantIsRefused) {
  policy_.maximum_lifespan = absl::InfiniteDuration();
  EXPECT_EQ(Instant(kLastSecondOf9999, 999'999'999), Second(kLastSecondOf9999));
  EXPECT_EQ(Instant(kLastSecondOf9999 + 1), std::nullopt);  // The year 10000.
  EXPECT_EQ(Instant(std::numeric_limits<int64_t>::max()), std::nullopt);
  EXPECT_EQ(Instant(std::numeric_limits<int64_t>::min()), std::nullopt);
  EXPECT_EQ(Instant(kNow + 100, -1), std::nullopt);
  EXPECT_EQ(Instant(kNow + 100, 1'000'000'000), std::nullopt);
  EXPECT_EQ(Instant(kNow + 100, std::numeric_limits<int32_t>::min()), std::nullopt);
}

TEST_F(ResolveExpirationTest, ALifeIsAtLeastASecond) {
  EXPECT_EQ(After(1), Second(kNow + 1));
  EXPECT_EQ(After(0, 999'999'999), std::nullopt);
  EXPECT_EQ(After(0), std::nullopt);
  EXPECT_EQ(After(-1), std::nullopt);
  EXPECT_EQ(After(0, -1), std::nullopt);
}

// Ends are whole seconds; who asks for a second gets one.
TEST_F(ResolveExpirationTest, TheEndOfALifeIsRoundedUp) {
  EXPECT_EQ(After(5, 1), Second(kNow + 6));
  now_ += kTick;
  EXPECT_EQ(After(1), Second(kNow + 2));
  now_ = absl::FromUnixSeconds(kNow + 1) - kTick;
  EXPECT_EQ(After(1), Second(kNow + 2));
  EXPECT_EQ(After(1, 1), Second(kNow + 2));
}

TEST_F(ResolveExpirationTest, ALifeIsNotBeyondThePolicy) {
  EXPECT_EQ(After(kLongest), Second(kNow + kLongest));
  EXPECT_EQ(After(kLongest, 1), std::nullopt);
  EXPECT_EQ(After(kLongest + 1), std::nullopt);
}

// The longest life can be asked for at any instant, and is not longer for it.
TEST_F(ResolveExpirationTest, RoundingUpStaysWithinThePolicy) {
  now_ += absl::Milliseconds(500);
  EXPECT_EQ(After(kLongest), Second(kNow + kLongest));
  EXPECT_EQ(After(kLongest - 1), Second(kNow + kLongest));
}

TEST_F(ResolveExpirationTest, WhatIsNoDurationIsRefused) {
  policy_.maximum_lifespan = absl::InfiniteDuration();
  EXPECT_EQ(After(315'576'000'001), std::nullopt);
  EXPECT_EQ(After(std::numeric_limits<int64_t>::max()), std::nullopt);
  EXPECT_EQ(After(std::numeric_limits<int64_t>::min()), std::nullopt);
  EXPECT_EQ(After(10, -1), std::nullopt);
  EXPECT_EQ(After(-10, 1), std::nullopt);
  EXPECT_EQ(After(10, 1'000'000'000), std::nullopt);
  EXPECT_EQ(After(10, std::numeric_limits<int32_t>::min()), std::nullopt);
}

}  // namespace
}  // namespace pat
