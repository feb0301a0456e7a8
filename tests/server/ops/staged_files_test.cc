#include "server/ops/staged_files.h"

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/ops/scratch_directory.h"

namespace pat {
namespace {

std::unique_ptr<StagedFiles> Make(const std::string& parent) {
  absl::StatusOr<std::unique_ptr<StagedFiles>> made = StagedFiles::Make(parent);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct stat InfoOf(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info;
}

TEST(StagedFilesTest, ReplacesASetAtOnceUnderTheSamePaths) {
  const ScratchDirectory scratch;
  const auto staged = Make(scratch.path());
  const std::string a = staged->path("a");
  for (const char* content : {"1", "2", "3", "4"}) {
    ASSERT_TRUE(staged->Replace({{"a", content}, {"b", std::string("b") + content}}).ok());
    EXPECT_EQ(staged->path("a"), a);
    EXPECT_EQ(Content(a), content);
    EXPECT_EQ(Content(staged->path("b")), std::string("b") + content);
  }
  // Nothing but this set and the one before is kept: "current", "3", "4".
  size_t entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(staged->directory())) entries += entry.exists() ? 1 : 0;
  EXPECT_EQ(entries, 3u);
}

// How gRPC notices that what it has read is of two sets.
TEST(StagedFilesTest, EachSetHasATimeOfItsOwn) {
  const ScratchDirectory scratch;
  const auto staged = Make(scratch.path());
  ASSERT_TRUE(staged->Replace({{"a", "x"}, {"b", "x"}}).ok());
  const time_t first = InfoOf(staged->path("a")).st_mtime;
  EXPECT_EQ(InfoOf(staged->path("b")).st_mtime, first);
  ASSERT_TRUE(staged->Replace({{"a", "x"}, {"b", "x"}}).ok());
  EXPECT_NE(InfoOf(staged->path("a")).st_mtime, first);
}

TEST(StagedFilesTest, IsForItsOwnerOnlyAndGoneAtTheEnd) {
  const ScratchDirectory scratch;
  {
    const auto staged = Make(scratch.path());
    ASSERT_TRUE(staged->Replace({{"key", "secret"}}).ok());
    EXPECT_EQ(InfoOf(staged->directory()).st_mode & 07777, 0700u);
    EXPECT_EQ(InfoOf(staged->path("key")).st_mode & 07777, 0400u);
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(StagedFilesTest, WhatACrashLeftIsRemovedAndALiveOneIsNot) {
  const ScratchDirectory scratch;
  const auto live = Make(scratch.path());
  ASSERT_TRUE(live->Replace({{"a", "x"}}).ok());
  std::filesystem::create_directory(scratch.File("patd-files.crash1"));
  std::ofstream(scratch.File("patd-files.crash1/key.pem")) << "secret";
  std::filesystem::create_directory(scratch.File("other"));
  std::ofstream(scratch.File("patd-files.file")) << "not a directory";
  const auto second = Make(scratch.path());
  EXPECT_FALSE(std::filesystem::exists(scratch.File("patd-files.crash1")));
  EXPECT_TRUE(std::filesystem::exists(scratch.File("other")));
  EXPECT_TRUE(std::filesystem::exists(scratch.File("patd-files.file")));
  EXPECT_EQ(Content(live->path("a")), "x");
}

TEST(StagedFilesTest, AfterAnErrorTheSetBeforeIsThere) {
  const ScratchDirectory scratch;
  const auto staged = Make(scratch.path());
  ASSERT_TRUE(staged->Replace({{"a", "good"}}).ok());
  EXPECT_FALSE(staged->Replace({{"a", "new"}, {"no/such/place", "x"}}).ok());
  EXPECT_EQ(Content(staged->path("a")), "good");
  ASSERT_TRUE(staged->Replace({{"a", "better"}}).ok());
  EXPECT_EQ(Content(staged->path("a")), "better");
}

TEST(StagedFilesTest, AParentThatIsNoneIsNamed) {
  const absl::Status status = StagedFiles::Make("/no/such/place").status();
  EXPECT_TRUE(absl::StrContains(status.message(), "/no/such/place")) << status;
}

}  // namespace
}  // namespace pat
