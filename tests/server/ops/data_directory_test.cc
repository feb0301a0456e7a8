// What is left of a first start that fails late: when a listener cannot be made although its address was free.
#include "server/ops/data_directory.h"

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/cache_bound.h"
#include "server/ops/daemon.h"
#include "tests/server/ops/scratch_directory.h"

namespace pat {
namespace {

using ::testing::StartsWith;

TEST(FailedStartTest, LeavesNoDataWhateverHasListenedMeanwhile) {
  const ScratchDirectory scratch;
  const std::string socket = scratch.File("s.sock");
  // Where gRPC is told to bind. A directory there is no socket that a crash left, and none can be made.
  std::filesystem::create_directory(absl::StrCat(socket, ".", getpid()));
  Options options;
  options.data_dir = scratch.File("data");
  options.listen = {{.host = "127.0.0.1", .port = 0}, {.is_unix = true, .path = socket}};
  const absl::Status status = Daemon::CreateDev(options).status();
  EXPECT_THAT(std::string(status.message()), StartsWith(absl::StrCat("--listen: unix:", socket)));
  EXPECT_FALSE(std::filesystem::exists(scratch.File("data")));
  EXPECT_FALSE(std::filesystem::exists(scratch.File("data.pepper")));
}

TEST(FailedStartTest, KeepsTheDataIfSomethingWasChangedAlready) {
  const ScratchDirectory scratch;
  const Clock clock(SystemClockSource());
  Options options;
  options.data_dir = scratch.File("data");
  {
    const absl::StatusOr<std::unique_ptr<DataDirectory>> data = DataDirectory::Open(options, DataUse::kDev, clock);
    ASSERT_TRUE(data.ok()) << data.status();
    (*data)->AboutToServe();
    ASSERT_TRUE(CommitCacheTtl((*data)->store(), absl::Seconds(7), clock.Now()).ok());
  }
  EXPECT_TRUE(std::filesystem::exists(scratch.File("data")));
  EXPECT_TRUE(std::filesystem::exists(scratch.File("data.pepper")));
}

}  // namespace
}  // namespace pat
