// Which files may hold a secret, and that a new one can be read by nobody else from its first moment on.
#include "server/core/secret_file.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/ops/scratch_directory.h"

namespace pat {
namespace {

using ::testing::HasSubstr;

// A group that no process here is in.
constexpr gid_t kStrangers = 54321;

class SecretFileTest : public testing::Test {
 protected:
  // Writes a file with this mode; its path.
  std::string Make(const std::string& bytes, mode_t mode) {
    std::string path = directory_.Write("secret", bytes);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  static mode_t ModeOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  const ScratchDirectory directory_;
};

// Expects a refusal with this code that says which file it is about.
void ExpectRefused(const absl::StatusOr<Secret>& secret, absl::StatusCode code, const std::string& path) {
  EXPECT_EQ(secret.status().code(), code) << secret.status();
  EXPECT_THAT(std::string(secret.status().message()), HasSubstr(path));
}

// ---- Reading

TEST_F(SecretFileTest, EveryByteIsRead) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  bytes += "\r\n\n";
  const absl::StatusOr<Secret> secret = ReadSecretFile(Make(bytes, 0400), 4096);
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_TRUE(secret->Reveal() == bytes);
}

TEST_F(SecretFileTest, AnEmptyFileIsAnEmptySecret) {
  const absl::StatusOr<Secret> secret = ReadSecretFile(Make("", 0400), 4096);
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_TRUE(secret->empty());
}

TEST_F(SecretFileTest, TheLimitIsTheLargestSize) {
  const std::string path = Make(std::string(100, 'x'), 0400);
  EXPECT_TRUE(ReadSecretFile(path, 100).ok());
  ExpectRefused(ReadSecretFile(path, 99), absl::StatusCode::kInvalidArgument, path);
}

TEST_F(SecretFileTest, AMissingFileIsNotFound) {
  const std::string path = directory_.File("none");
  ExpectRefused(ReadSecretFile(path, 100), absl::StatusCode::kNotFound, path);
}

TEST_F(SecretFileTest, ADirectoryIsNoSecret) {
  ExpectRefused(ReadSecretFile(directory_.path(), 100), absl::StatusCode::kInvalidArgument, directory_.path());
}

// Nobody writes to it: opened in the ordinary way it would be waited for.
TEST_F(SecretFileTest, APipeIsRefusedAtOnce) {
  const std::string path = directory_.File("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0400), 0);
  ExpectRefused(ReadSecretFile(path, 100), absl::StatusCode::kInvalidArgument, path);
}

// Kubernetes shows each key of a secret as a link.
TEST_F(SecretFileTest, ALinkIsFollowed) {
  const std::string link = directory_.File("link");
  std::filesystem::create_symlink(Make("bytes", 0400), link);
  const absl::StatusOr<Secret> secret = ReadSecretFile(link, 100);
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_TRUE(secret->Reveal() == "bytes");
}

TEST_F(SecretFileTest, WhatTheWorldHasNoAccessToIsRead) {
  for (const mode_t mode : {0400, 0600, 0700}) {
    EXPECT_TRUE(ReadSecretFile(Make("bytes", mode), 100).ok()) << absl::StrFormat("%04o", mode);
    ASSERT_EQ(unlink(directory_.File("secret").c_str()), 0);
  }
}

TEST_F(SecretFileTest, WhatTheWorldCanReadIsRefused) {
  for (const mode_t mode : {0404, 0444, 0604, 0644, 0666, 0777}) {
    const std::string path = Make("bytes", mode);
    const absl::StatusOr<Secret> secret = ReadSecretFile(path, 100);
    ExpectRefused(secret, absl::StatusCode::kFailedPrecondition, path);
    EXPECT_THAT(std::string(secret.status().message()), HasSubstr(absl::StrFormat("%04o", mode)));
    ASSERT_EQ(unlink(path.c_str()), 0);
  }
}

TEST_F(SecretFileTest, TheProcesssOwnGroupMayReadIt) {
  const std::string path = Make("bytes", 0440);
  ASSERT_EQ(chown(path.c_str(), static_cast<uid_t>(-1), getegid()), 0);
  EXPECT_TRUE(ReadSecretFile(path, 100).ok());
}

TEST_F(SecretFileTest, AGroupThatTheProcessIsNotInMayNot) {
  const std::string path = Make("bytes", 0440);
  if (chown(path.c_str(), static_cast<uid_t>(-1), kStrangers) != 0) GTEST_SKIP() << "only root gives files away";
  ExpectRefused(ReadSecretFile(path, 100), absl::StatusCode::kFailedPrecondition, path);
  // It owns the file and cannot open it: no harm.
  ASSERT_EQ(chmod(path.c_str(), 0400), 0);
  EXPECT_TRUE(ReadSecretFile(path, 100).ok());
}

// A pod's fsGroup.
TEST_F(SecretFileTest, AGroupThatTheProcessIsInBesidesMay) {
  const std::string path = Make("bytes", 0440);
  if (chown(path.c_str(), static_cast<uid_t>(-1), kStrangers) != 0) GTEST_SKIP() << "only root gives files away";
  std::vector<gid_t> before(static_cast<size_t>(getgroups(0, nullptr)));
  ASSERT_EQ(getgroups(static_cast<int>(before.size()), before.data()), static_cast<int>(before.size()));
  if (setgroups(1, &kStrangers) != 0) GTEST_SKIP() << "this root may not change its groups";
  const absl::Cleanup restore = [&before] { EXPECT_EQ(setgroups(before.size(), before.data()), 0); };
  EXPECT_TRUE(ReadSecretFile(path, 100).ok());
}

// ---- Making

TEST_F(SecretFileTest, ANewFileHasTheBytesAndIsForItsOwnerToRead) {
  const std::string path = directory_.File("new");
  const mode_t before = umask(0);  // The mode is the file's own, whatever the process would allow.
  const absl::Cleanup restore = [before] { umask(before); };
  ASSERT_EQ(CreateSecretFile(path, Secret(std::string("some\0bytes", 10))), absl::OkStatus());
  EXPECT_EQ(ModeOf(path), 0400);
  EXPECT_EQ(directory_.Read("new"), std::string("some\0bytes", 10));
  const absl::StatusOr<Secret> read = ReadSecretFile(path, 100);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->Reveal() == std::string("some\0bytes", 10));
}

TEST_F(SecretFileTest, WhatIsThereIsNotTouched) {
  const std::string path = Make("old", 0400);
  const absl::Status made = CreateSecretFile(path, Secret(std::string("new")));
  EXPECT_EQ(made.code(), absl::StatusCode::kAlreadyExists) << made;
  EXPECT_THAT(std::string(made.message()), HasSubstr(path));
  EXPECT_EQ(directory_.Read("secret"), "old");
}

// Somebody who may write into the directory must not choose where a pepper goes.
TEST_F(SecretFileTest, ALinkToNowhereIsNotFollowed) {
  const std::string link = directory_.File("link");
  const std::string target = directory_.File("target");
  std::filesystem::create_symlink(target, link);
  EXPECT_EQ(CreateSecretFile(link, Secret(std::string("new"))).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_F(SecretFileTest, WithoutADirectoryNothingIsMade) {
  const std::string path = directory_.File("none/new");
  const absl::Status made = CreateSecretFile(path, Secret(std::string("new")));
  EXPECT_EQ(made.code(), absl::StatusCode::kNotFound) << made;
  EXPECT_THAT(std::string(made.message()), HasSubstr(path));
}

}  // namespace
}  // namespace pat
