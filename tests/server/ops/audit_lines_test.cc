#include "server/ops/audit_lines.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/ops/scratch_directory.h"
#include "tests/support/fake_clock.h"

namespace pat {
namespace {

using ::testing::HasSubstr;

AuditRecord Row(const std::string& target) {
  AuditRecord row;
  row.time = absl::FromUnixSeconds(1'700'000'000);
  row.principal = "user:root";
  row.user_id = "root";
  row.method = "pat.v1.UserService/CreateUser";
  row.target = target;
  row.outcome = "OK";
  row.detail = "local\nand \"quoted\"";
  return row;
}

class AuditLinesTest : public testing::Test {
 protected:
  std::unique_ptr<AuditLines> Open(const std::string& path) {
    absl::StatusOr<std::unique_ptr<AuditLines>> lines = AuditLines::Open(path, clock_);
    EXPECT_TRUE(lines.ok()) << lines.status();
    return *std::move(lines);
  }

  FakeClockSource time_;
  const Clock clock_{time_};
  const ScratchDirectory scratch_;
};

TEST_F(AuditLinesTest, ALineIsAnEventOfTheApiAndWhatIsThereStays) {
  const std::string path = scratch_.Write("audit.jsonl", "before\n");
  Open(path)->Write(Row("users/ada"));
  Open(path)->Write(Row("users/bob"));
  const auto line = [](const std::string& target) {
    return absl::StrCat(R"({"time":"2023-11-14T22:13:20Z","principal":"user:root","onBehalfOf":"users/root",)",
                        R"("method":"pat.v1.UserService/CreateUser","target":")", target,
                        R"(","outcome":"OK","detail":"local\nand \"quoted\"","count":"1"})", "\n");
  };
  EXPECT_EQ(scratch_.Read("audit.jsonl"), "before\n" + line("users/ada") + line("users/bob"));
}

TEST_F(AuditLinesTest, AFileThatCannotBeOpenedIsNamed) {
  const absl::Status status = AuditLines::Open("/no/such/place", clock_).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("--audit-log: /no/such/place: cannot be opened"));
}

// The store has it; the server goes on.
TEST_F(AuditLinesTest, ALineThatCannotBeWrittenIsToldInTheLog) {
  const auto full = Open("/dev/full");
  testing::internal::CaptureStdout();
  for (int i = 0; i < 5; ++i) full->Write(Row("users/ada"));
  time_.Advance(absl::Seconds(1));
  full->Write(Row("users/ada"));
  const std::string log = testing::internal::GetCapturedStdout();
  EXPECT_THAT(log, HasSubstr("No space left on device (and 0 more"));
  EXPECT_THAT(log, HasSubstr("No space left on device (and 4 more"));
}

}  // namespace
}  // namespace pat
