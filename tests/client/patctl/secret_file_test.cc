#include "client/patctl/secret_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/client/patctl/fake_console.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SecretFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "secret-file-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
  }

  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& content) const {
    std::string path = (directory_ / "secret").string();
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  std::string Read(const std::string& path) {
    const auto secret = ReadSecretFile(path, "password: ", console_);
    if (secret.ok()) return std::string(secret->Reveal());
    EXPECT_EQ(ExitCodeOf(secret.status()), ExitCode::kUsage);
    return "error: " + std::string(secret.status().message());
  }

  std::filesystem::path directory_;
  FakeConsole console_;
};

TEST_F(SecretFileTest, IsReadWithoutItsLineEnd) {
  EXPECT_EQ(Read(Write("ada-password\n")), "ada-password");
  EXPECT_EQ(Read(Write("ada-password\r\n")), "ada-password");
  EXPECT_EQ(Read(Write("ada-password")), "ada-password");
  EXPECT_EQ(Read(Write(" two\nlines \n\n")), " two\nlines \n");
}

TEST_F(SecretFileTest, AFileThatOthersCanReadIsWarnedAbout) {
  const std::string path = Write("ada-password\n");
  const std::string warning =
      absl::StrCat("patctl: warning: others can read \"", path, "\": chmod 600 \"", path, "\"\n");
  std::string expected;
  for (const mode_t mode : {0644, 0640, 0604, 0440}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    EXPECT_EQ(Read(path), "ada-password");
    EXPECT_EQ(console_.said(), expected += warning) << std::oct << mode;
  }
  for (const mode_t mode : {0600, 0400, 0700, 0622}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    EXPECT_EQ(Read(path), "ada-password");
    EXPECT_EQ(console_.said(), expected) << std::oct << mode;
  }
  // Of a pipe or a device it would make no sense.
  Read("/dev/null");
  WarnIfOthersCanRead("/dev/null", console_);
  WarnIfOthersCanRead((directory_ / "absent").string(), console_);
  EXPECT_EQ(console_.said(), expected);
}

TEST_F(SecretFileTest, MayBeAsLongAsAnySecret) {
  EXPECT_EQ(Read(Write(std::string(kLongestSecret, 'a'))), std::string(kLongestSecret, 'a'));
  EXPECT_THAT(Read(Write(std::string(kLongestSecret + 1, 'a'))), HasSubstr("more than 4096 bytes"));
  EXPECT_THAT(Read("/dev/zero"), HasSubstr("more than 4096 bytes"));
}

TEST_F(SecretFileTest, MustHaveSomethingInIt) {
  EXPECT_THAT(Read(Write("")), HasSubstr("secret\": there is nothing in it"));
  EXPECT_THAT(Read(Write("\n")), HasSubstr("there is nothing in it"));
}

TEST_F(SecretFileTest, MustBeReadable) {
  EXPECT_THAT(Read((directory_ / "absent").string()), HasSubstr("absent\": cannot be read: No such file"));
  EXPECT_THAT(Read(directory_.string()), HasSubstr("cannot be read: Is a directory"));
}

TEST_F(SecretFileTest, DashIsStandardInput) {
  console_.input = "ada-password\n";
  EXPECT_EQ(Read("-"), "ada-password");
  EXPECT_THAT(Read("-"), HasSubstr("standard input: there is nothing in it"));
}

TEST_F(SecretFileTest, DashAtATerminalAsks) {
  console_.input_is_terminal = true;
  console_.input = "visible";
  console_.hidden_answers = {"hidden"};
  EXPECT_EQ(Read("-"), "hidden");
  EXPECT_THAT(console_.hidden_prompts, ElementsAre("password: "));
  EXPECT_EQ(console_.input, "visible");
}

}  // namespace
}  // namespace pat::patctl
