#include "server/ops/unix_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/server/ops/scratch_directory.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// As gRPC would, at the path it is given.
class BoundSocket {
 public:
  explicit BoundSocket(const std::string& path) : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 || listen(socket_, 8) != 0) {
      throw std::runtime_error(path + ": no socket");
    }
  }
  ~BoundSocket() { close(socket_); }

  BoundSocket(const BoundSocket&) = delete;
  BoundSocket& operator=(const BoundSocket&) = delete;

 private:
  const int socket_;
};

class UnixSocketPlaceTest : public testing::Test {
 protected:
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  const ScratchDirectory scratch_;
  const std::string path_ = scratch_.File("socket");
};

TEST_F(UnixSocketPlaceTest, AStartThatFailedLeavesNothing) {
  {
    const absl::StatusOr<std::unique_ptr<UnixSocketPlace>> place = UnixSocketPlace::Take(path_);
    ASSERT_TRUE(place.ok()) << place.status();
    EXPECT_THAT(Names(), UnorderedElementsAre("socket.lock"));
  }
  EXPECT_THAT(Names(), IsEmpty());

  const BoundSocket foreign(path_);
  EXPECT_EQ(UnixSocketPlace::Take(path_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Names(), UnorderedElementsAre("socket")) << "the other program's, and no lock of ours";
}

TEST_F(UnixSocketPlaceTest, ASocketAndItsLockGoTogether) {
  {
    const absl::StatusOr<std::unique_ptr<UnixSocketPlace>> place = UnixSocketPlace::Take(path_);
    ASSERT_TRUE(place.ok()) << place.status();
    const BoundSocket bound((*place)->bind_path());
    ASSERT_EQ((*place)->Publish(0600), absl::OkStatus());
    EXPECT_THAT(Names(), UnorderedElementsAre("socket", "socket.lock"));
  }
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(UnixSocketPlaceTest, WhoIsRefusedTakesNothingAway) {
  const absl::StatusOr<std::unique_ptr<UnixSocketPlace>> place = UnixSocketPlace::Take(path_);
  ASSERT_TRUE(place.ok()) << place.status();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(std::string(UnixSocketPlace::Take(path_).status().message()), HasSubstr("listens there already"));
    EXPECT_THAT(std::string(UnixSocketPlace::Check(path_).message()), HasSubstr("listens there already"));
    EXPECT_THAT(Names(), UnorderedElementsAre("socket.lock"));
  }
}

TEST_F(UnixSocketPlaceTest, ALockThatIsNotOursAnyMoreIsLeftAlone) {
  absl::StatusOr<std::unique_ptr<UnixSocketPlace>> first = UnixSocketPlace::Take(path_);
  ASSERT_TRUE(first.ok()) << first.status();
  // Somebody cleans up, and another server takes the place.
  ASSERT_TRUE(std::filesystem::remove(path_ + ".lock"));
  const absl::StatusOr<std::unique_ptr<UnixSocketPlace>> second = UnixSocketPlace::Take(path_);
  ASSERT_TRUE(second.ok()) << second.status();
  first->reset();
  EXPECT_THAT(Names(), UnorderedElementsAre("socket.lock"));
  EXPECT_FALSE(UnixSocketPlace::Take(path_).ok());
}

// Also while the lock's file comes and goes, nobody has a lock on a file that is not there any more.
TEST_F(UnixSocketPlaceTest, NoTwoEverHoldThePlace) {
  std::atomic<int> holders = 0;
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        const absl::StatusOr<std::unique_ptr<UnixSocketPlace>> place = UnixSocketPlace::Take(path_);
        if (!place.ok()) continue;
        EXPECT_EQ(holders.fetch_add(1), 0);
        ++taken;
        std::this_thread::yield();
        holders.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(taken, 0);
  EXPECT_THAT(Names(), IsEmpty());
}

}  // namespace
}  // namespace pat
