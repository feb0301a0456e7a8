// Unix sockets of the program: whose it replaces, whose it leaves alone, and who can open them when.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/patd.h"
#include "tests/e2e/test_directory.h"

namespace pat {
namespace {

// A socket of a program that knows nothing of our lock.
class ForeignSocket {
 public:
  ForeignSocket(const std::string& path, int type) : socket_(socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const bool listens = bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                         (type != SOCK_STREAM || listen(socket_, 8) == 0);
    if (!listens) throw std::runtime_error(path + ": no socket");
  }
  ~ForeignSocket() { close(socket_); }

  ForeignSocket(const ForeignSocket&) = delete;
  ForeignSocket& operator=(const ForeignSocket&) = delete;

 private:
  const int socket_;
};

ino_t InodeOf(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

TEST(UnixSocketTest, StaleOneIsReplacedAndALiveOneIsNot) {
  const TestDirectory directory;
  const std::string listen = "unix:" + directory / "socket" + "?mode=0660";
  {
    Patd killed({"--listen", listen});
    EXPECT_TRUE(killed.client().Introspect("anything").has_active());
    killed.process().Kill();
  }
  ASSERT_TRUE(std::filesystem::is_socket(directory / "socket"));

  Patd live({"--listen", listen});
  struct stat info {};
  ASSERT_EQ(stat((directory / "socket").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660u);
  ExpectRefusedStart(RunToItsEnd(PatdDev({"--listen", listen, "--data-dir", directory / "data"})),
                     "a server listens there already");
  EXPECT_FALSE(std::filesystem::exists(directory / "data"));
  EXPECT_FALSE(std::filesystem::exists(directory / "data.pepper"));
  EXPECT_TRUE(Client("unix:" + directory / "socket").Introspect("anything").has_active());

  live.process().Signal(SIGTERM);
  EXPECT_EQ(live.process().Wait(absl::Seconds(10)).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(directory / "socket"));
}

TEST(UnixSocketTest, WhatIsNoSocketIsLeftAlone) {
  const TestDirectory directory;
  std::ofstream(directory / "precious") << "content";
  ExpectRefusedStart(
      RunToItsEnd(PatdDev({"--listen", "unix:" + directory / "precious", "--data-dir", directory / "data"})),
      "exists and is no socket");
  std::string content;
  std::getline(std::ifstream(directory / "precious"), content);
  EXPECT_EQ(content, "content");
  EXPECT_FALSE(std::filesystem::exists(directory / "data"));
}

TEST(UnixSocketTest, ALiveOneOfAnotherProgramIsLeftAlone) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    SCOPED_TRACE(type);
    const TestDirectory directory;
    const std::string path = directory / "live.sock";
    const std::vector<std::string> arguments = {"--listen", "unix:" + path, "--data-dir", directory / "data"};
    const char* const says = type == SOCK_STREAM ? "another program listens there" : "cannot be told";
    {
      const ForeignSocket foreign(path, type);
      const ino_t inode = InodeOf(path);
      ExpectRefusedStart(RunToItsEnd(PatdDev(arguments)), says);
      // Also with the lock file of a server of ours that was there before.
      std::ofstream(path + ".lock").flush();
      ExpectRefusedStart(RunToItsEnd(PatdDev(arguments)), says);
      EXPECT_EQ(InodeOf(path), inode);
      EXPECT_FALSE(std::filesystem::exists(directory / "data"));
    }
    // Its program has ended without removing it.
    ASSERT_TRUE(std::filesystem::is_socket(path));
    Patd patd(arguments);
    EXPECT_TRUE(patd.client().Introspect("anything").has_active());
  }
}

// At PATH.<pid>, where it is bound before it gets its name.
TEST(UnixSocketTest, IsNeverOpenToMoreThanItsMode) {
  for (int round = 0; round < 3; ++round) {
    const TestDirectory directory;
    const std::string path = directory / "socket";
    const mode_t before = umask(0);
    ChildProcess process(PatdDev({"--listen", "unix:" + path, "--data-dir", directory / "data"}));
    umask(before);
    const std::string bound = absl::StrCat(path, ".", process.pid());
    while (!std::filesystem::exists(path) && !absl::StrContains(process.standard_error(), "patd:")) {
      struct stat info {};
      if (lstat(bound.c_str(), &info) != 0) continue;
      ASSERT_EQ(info.st_mode & 0177, 0u) << bound << " is open to others";
    }
    struct stat info {};
    ASSERT_EQ(lstat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u);
  }
}

TEST(UnixSocketTest, WhatACrashLeftBesideItIsRemovedAndNothingElse) {
  const TestDirectory directory;
  const std::string path = directory / "socket";
  { const ForeignSocket left(path + ".4711", SOCK_STREAM); }
  { const ForeignSocket other_name(path + ".4711.old", SOCK_STREAM); }
  std::ofstream(path + ".4713") << "no socket";
  const ForeignSocket live(path + ".4712", SOCK_STREAM);
  Patd patd({"--listen", "unix:" + path, "--data-dir", directory / "data"});
  EXPECT_TRUE(patd.client().Introspect("anything").has_active());
  EXPECT_FALSE(std::filesystem::exists(path + ".4711"));
  EXPECT_TRUE(std::filesystem::exists(path + ".4711.old"));
  EXPECT_TRUE(std::filesystem::exists(path + ".4712"));
  EXPECT_TRUE(std::filesystem::exists(path + ".4713"));
}

}  // namespace
}  // namespace pat
