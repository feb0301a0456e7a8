// Uses that others report: all that is wrong with them at once, never backwards, never into the future.
#include "server/core/use_reports.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/error.h"
#include "tests/support/refusal.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UseReportsTest : public testing::Test {
 protected:
  UseReportsTest() {
    authority_.AddUser("ada");
    token_ = authority_.Issue("ada");
    uid_ = token_.uid.ToString();
  }

  absl::Time Now() const { return authority_.clock.Now(); }
  static RequestedInstant Instant(absl::Time time) { return {.seconds = absl::ToUnixSeconds(time), .nanos = 0}; }
  absl::Status Note(const std::vector<ReportedUse>& uses) { return NoteReportedUses(uses, Now(), uses_); }
  absl::Status NoteAt(absl::Time time) { return Note({{.jti = uid_, .last_use_time = Instant(time)}}); }

  // As it is kept when all is written.
  std::optional<absl::Time> LastUse() {
    EXPECT_TRUE(uses_.Flush(authority_.store).ok());
    return authority_.engine->GetToken(token_.uid).value().value().last_use_time;
  }
  static absl::Time Minute(absl::Time time) { return absl::FromUnixSeconds(absl::ToUnixSeconds(time) / 60 * 60); }

  TestAuthority authority_;
  UseRecorder uses_;
  IssuedToken token_;
  std::string uid_;
};

TEST_F(UseReportsTest, ToTheMinute) {
  authority_.time.Advance(absl::Hours(1));
  EXPECT_EQ(NoteAt(Now() - absl::Minutes(10)), absl::OkStatus());
  EXPECT_EQ(LastUse(), Minute(Now() - absl::Minutes(10)));
  EXPECT_EQ(Note({}), absl::OkStatus());
}

TEST_F(UseReportsTest, NeverBackwardsNorIntoTheFuture) {
  EXPECT_EQ(NoteAt(Now() + absl::Hours(1000)), absl::OkStatus());
  EXPECT_EQ(LastUse(), Minute(Now()));
  EXPECT_EQ(NoteAt(Now() - absl::Hours(1)), absl::OkStatus());
  EXPECT_EQ(LastUse(), Minute(Now()));
  EXPECT_EQ(Note({{.jti = uid_, .last_use_time = RequestedInstant{.seconds = -62135596800, .nanos = 0}}}),
            absl::OkStatus());
  EXPECT_EQ(LastUse(), Minute(Now()));
}

TEST_F(UseReportsTest, OfOneTokenTwiceTheLaterOneCounts) {
  authority_.time.Advance(absl::Hours(1));
  EXPECT_EQ(Note({{.jti = uid_, .last_use_time = Instant(Now() - absl::Minutes(5))},
                  {.jti = uid_, .last_use_time = Instant(Now() - absl::Minutes(9))}}),
            absl::OkStatus());
  EXPECT_EQ(LastUse(), Minute(Now() - absl::Minutes(5)));
}

TEST_F(UseReportsTest, TokensThatAreNotThereChangeNothing) {
  const uint64_t users = authority_.engine->ListTokens({.limit = 10})->tokens.size();
  EXPECT_EQ(Note({{.jti = "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3", .last_use_time = Instant(Now())}}), absl::OkStatus());
  EXPECT_EQ(LastUse(), std::nullopt);
  EXPECT_EQ(authority_.engine->ListTokens({.limit = 10})->tokens.size(), users);
}

TEST_F(UseReportsTest, AllThatIsWrongAtOnceAndNothingIsNoted) {
  const absl::Status status = Note({
      {.jti = uid_, .last_use_time = Instant(Now())},
      {.jti = "", .last_use_time = Instant(Now())},
      {.jti = "pat_no uid", .last_use_time = std::nullopt},
      {.jti = uid_, .last_use_time = RequestedInstant{.seconds = 0, .nanos = -1}},
      {.jti = uid_, .last_use_time = RequestedInstant{.seconds = 1LL << 60, .nanos = 0}},
      {.jti = "0B6E2D43-7A1F-4C58-9D0E-5F2A8C417BE3", .last_use_time = Instant(Now())},
  });
  EXPECT_THAT(ExpectInvalid(status), ElementsAre("uses[1].jti", "uses[2].jti", "uses[2].last_use_time",
                                                 "uses[3].last_use_time", "uses[4].last_use_time", "uses[5].jti"));
  EXPECT_EQ(LastUse(), std::nullopt);
}

TEST_F(UseReportsTest, ASecretInTheWrongPlaceIsNotRepeated) {
  const absl::Status status = Note({{.jti = token_.secret, .last_use_time = Instant(Now())}});
  EXPECT_THAT(ExpectInvalid(status), ElementsAre("uses[0].jti"));
  const ErrorDetails details = DetailsOf(status).value();
  EXPECT_THAT(details.violations[0].description, testing::Not(HasSubstr(token_.secret.substr(4, 20))));
}

TEST_F(UseReportsTest, AtMostTenThousand) {
  EXPECT_EQ(Note(std::vector<ReportedUse>(10'000, {.jti = uid_, .last_use_time = Instant(Now())})), absl::OkStatus());
  EXPECT_THAT(ExpectInvalid(Note(std::vector<ReportedUse>(10'001))), ElementsAre("uses"));
}

}  // namespace
}  // namespace pat
