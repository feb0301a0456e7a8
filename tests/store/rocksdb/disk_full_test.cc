// A full disk: mutations are refused as such, reads go on, and mutations are taken again by themselves when there is
// space; as often as that happens, and wherever in the life of RocksDB's logs and memtables. What was acknowledged is
// there, what was refused is not; after a crash it may be, but then all of it.
//
// RocksDB looks for space every five seconds, so the tests run on all disks at the same time.
// PAT_DISK_FULL_SEED repeats a run's choices.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/store/rocksdb/rocksdb_fixture.h"

namespace pat {
namespace {

using ::testing::ElementsAreArray;

// What this process mounts is seen by nobody else, and goes with it even if it is killed. Before any thread is started:
// those that are there would not see it either.
class OwnMounts final : public testing::Environment {
 public:
  void SetUp() override {
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) return;
    refused = absl::ErrnoToStatus(errno, "this process may not mount volumes; root may");
  }

  static inline absl::Status refused;
};
const testing::Environment* const kOwnMounts = testing::AddGlobalTestEnvironment(new OwnMounts);

absl::Status MountVolume(const std::string& path, const std::string& size) {
  if (!OwnMounts::refused.ok()) return OwnMounts::refused;
  std::filesystem::create_directory(path);
  if (mount("none", path.c_str(), "tmpfs", 0, absl::StrCat("size=", size).c_str()) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("mounting ", path));
}

// A store on a disk that can be filled, and the books of what is in it.
class StoreOnDisk {
 public:
  // The injected kind.
  explicit StoreOnDisk(Fullness fullness) : fullness_(fullness) {}
  // A real volume, mounted already; unmounted with the object.
  explicit StoreOnDisk(std::string volume) : volume_(std::move(volume)) { options_.directory = volume_ + "/store"; }

  ~StoreOnDisk() {
    Close();
    if (volume_.empty()) return;
    EXPECT_EQ(umount(volume_.c_str()), 0) << std::strerror(errno);
    std::filesystem::remove(volume_);
  }

  RocksDbOptions& options() { return options_; }
  const TokenReader& store() const { return *store_; }
  FaultFileSystem& faults() { return *faults_; }
  bool is_volume() const { return !volume_.empty(); }

  void Close() { store_.reset(); }
  // With this it is decided what is there of what was refused.
  void Reopen() {
    Close();
    absl::StatusOr<std::unique_ptr<rocks::RocksDbTokenStore>> opened = rocks::OpenWithFileSystem(options_, faults_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    const std::vector<uint64_t> content = Content(*store_);
    ExpectAcceptedAndPerhapsUndecided(content);
    accepted_ = {content.begin(), content.end()};
    undecided_.clear();
  }

  void Fill() {
    if (!is_volume()) return faults_->SetFull(fullness_);
    // From large pieces to small ones, so that not a byte is left.
    const int file = open(FillerPath().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ASSERT_GE(file, 0) << std::strerror(errno);
    for (size_t piece = 1 << 20; piece > 0; piece /= 16) {
      const std::string bytes(piece, 'x');
      while (write(file, bytes.data(), bytes.size()) > 0) continue;
    }
    ASSERT_EQ(errno, ENOSPC);
    close(file);
  }
  void Free() {
    faults_->SetFull(false);
    if (is_volume()) std::filesystem::remove(FillerPath());
  }
  // On a volume.
  void FreeOnly(uint64_t bytes) {
    std::filesystem::resize_file(FillerPath(), std::filesystem::file_size(FillerPath()) - bytes);
  }

  // Makes the next token.
  absl::Status Insert() {
    TokenRecord token = TokenNumber(++last_, user_);
    token.description = std::string(1000, 'x');
    absl::Status status = store_->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      if (absl::Status put = transaction.PutUser(user_); !put.ok()) return put;
      token.create_sequence = transaction.Sequence();
      if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
      return Decision::kCommit;
    });
    if (status.ok()) {
      accepted_.insert(last_);
      undecided_.clear();  // The log that may hold them is given up.
    } else if (absl::StrContains(status.message(), "commit_seq")) {
      accepted_.insert(last_);  // Not acknowledged, but published, and in a log that is synced.
    } else {
      undecided_.insert(last_);
    }
    return status;
  }
  void ExpectRefused() { EXPECT_EQ(Insert().code(), absl::StatusCode::kResourceExhausted); }
  // A log may have space that it has allocated before.
  void WriteUntilRefused() {
    absl::Status status;
    for (int i = 0; i < 10'000 && status.ok(); ++i) status = Insert();
    ASSERT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  }
  // Of a mutation, once the answer is another than that the disk is full.
  absl::Status AwaitAnswer() {
    absl::Status status = Insert();
    for (int i = 0; i < 600 && absl::IsResourceExhausted(status); ++i) {
      absl::SleepFor(absl::Milliseconds(50));  // Sleeps: RocksDB's own thread looks for space on its own clock.
      status = Insert();
    }
    return status;
  }
  // There is space, or has been for a while; what was under way before may still fail.
  void Accept() { ASSERT_EQ(AwaitAnswer(), absl::OkStatus()); }

  // What was accepted, nothing else.
  void ExpectContent() {
    EXPECT_THAT(Content(*store_), ElementsAreArray(accepted_));
    EXPECT_EQ(store_->Verify(), absl::OkStatus());
  }
  // What a process would find that starts now because this one was killed.
  void ExpectContentAfterCrash() {
    RocksDbOptions copy = options_;
    copy.directory = scratch_.path() + "/copy";
    CopyAtOneMoment(options_.directory, copy.directory);
    const auto opened = rocks::OpenWithFileSystem(copy, rocksdb::FileSystem::Default());
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ((*opened)->Verify(), absl::OkStatus());
    ExpectAcceptedAndPerhapsUndecided(Content(**opened));
    EXPECT_EQ(Put(**opened, UserNumber(2)), absl::OkStatus());
  }

 private:
  void ExpectAcceptedAndPerhapsUndecided(const std::vector<uint64_t>& content) {
    EXPECT_TRUE(std::includes(content.begin(), content.end(), accepted_.begin(), accepted_.end())) << "lost some";
    for (const uint64_t number : content) EXPECT_TRUE(accepted_.contains(number) || undecided_.contains(number));
  }

  static std::vector<uint64_t> Content(const TokenReader& store) {
    const absl::StatusOr<TokenPage> page = store.ListTokens({.include_revoked = true, .limit = 1'000'000});
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<uint64_t> numbers = NumbersOf(page->tokens);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }

  std::string FillerPath() const { return volume_ + "/filler"; }

  const ScratchDirectory scratch_;
  const Fullness fullness_ = Fullness::kNot;
  const std::string volume_;  // Empty: the faults do it.
  const std::shared_ptr<FaultFileSystem> faults_ = std::make_shared<FaultFileSystem>();
  RocksDbOptions options_ = OptionsFor(scratch_.path() + "/store");
  const UserRecord user_ = UserNumber(1);
  std::unique_ptr<rocks::RocksDbTokenStore> store_;

  std::set<uint64_t> accepted_;
  std::set<uint64_t> undecided_;  // Refused; after a crash they may be there.
  uint64_t last_ = 0;
};

// Reads a token that must be there, all the time.
class Reader {
 public:
  Reader(const TokenReader& store, uint64_t number)
      : thread_([this, &store, number] {
          while (!stop_) {
            EXPECT_TRUE(FindNumber(store, number).has_value());
            ++reads_;
          }
        }) {}
  ~Reader() {
    stop_ = true;
    thread_.join();
  }

  void AwaitReads(uint64_t more) const {
    for (const uint64_t before = reads_; reads_ < before + more;) std::this_thread::yield();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> reads_ = 0;
  std::thread thread_;
};

class DiskFullTest : public testing::Test {
 protected:
  // Runs `body` on an open store on each kind of disk.
  void OnEachDisk(const std::vector<Fullness>& ways, const std::function<void(StoreOnDisk&)>& body) {
    const absl::Status mounted = MountVolume(volume_, "8m");
    std::vector<std::thread> threads;
    for (const Fullness fullness : ways) {
      threads.emplace_back([&body, fullness] {
        SCOPED_TRACE(absl::StrCat("full in way ", static_cast<int>(fullness)));
        StoreOnDisk disk(fullness);
        body(disk);
      });
    }
    if (mounted.ok()) {
      threads.emplace_back([this, &body] {
        SCOPED_TRACE("a volume");
        StoreOnDisk disk(volume_);
        body(disk);
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (!mounted.ok()) GTEST_SKIP() << "the injected faults ran, a real volume did not: " << mounted;
  }

  const ScratchDirectory scratch_;
  const std::string volume_ = scratch_.path() + "/volume";
};

TEST_F(DiskFullTest, RefusesKeepsReadingAndRecovers) {
  OnEachDisk(kWaysToBeFull, [](StoreOnDisk& disk) {
    disk.Reopen();
    disk.Accept();
    {
      const Reader reader(disk.store(), 1);
      disk.Fill();
      disk.WriteUntilRefused();
      for (int i = 0; i < 3; ++i) disk.ExpectRefused();
      reader.AwaitReads(100);
      disk.ExpectContent();
      disk.ExpectContentAfterCrash();
      disk.Free();
      disk.Accept();
      reader.AwaitReads(100);
    }
    disk.ExpectContent();
    disk.ExpectContentAfterCrash();
    disk.Reopen();
    disk.ExpectContent();
  });
}

// After an open RocksDB's memtables are empty, and after a recovery.
TEST_F(DiskFullTest, FullRightAfterOpenAndRightAfterRecovery) {
  OnEachDisk(kWaysToBeFull, [](StoreOnDisk& disk) {
    disk.Reopen();
    for (int round = 0; round < 3; ++round) {
      disk.Fill();
      disk.WriteUntilRefused();
      disk.ExpectRefused();
      disk.ExpectContentAfterCrash();
      disk.Free();
      disk.Accept();
    }
    disk.ExpectContent();
    disk.Reopen();
    disk.ExpectContent();
  });
}

// With memtables so small that they are switched every few writes.
TEST_F(DiskFullTest, FullAroundASwitchOfMemtables) {
  OnEachDisk(kWaysToBeFull, [](StoreOnDisk& disk) {
    disk.options().memtable_bytes = 64 << 10;
    for (int written = 0; written < 5; ++written) {
      SCOPED_TRACE(written);
      // Each write before moves the switch by one.
      disk.Reopen();
      for (int i = 0; i < written; ++i) disk.Accept();
      disk.Fill();
      disk.WriteUntilRefused();
      disk.ExpectRefused();
      disk.Free();
      disk.Accept();
      for (int i = 0; i < 20; ++i) disk.Accept();
      // What was refused does not come back: the log that may hold it was given up.
      disk.ExpectContentAfterCrash();
      disk.ExpectContent();
    }
  });
}

TEST_F(DiskFullTest, ClosedWhileFull) {
  OnEachDisk(kWaysToBeFull, [](StoreOnDisk& disk) {
    disk.Reopen();
    disk.Accept();
    disk.Fill();
    disk.WriteUntilRefused();
    disk.Close();
    disk.Free();
    disk.Reopen();
    disk.Accept();
    disk.Reopen();
    disk.ExpectContent();
  });
}

// RocksDB by itself waits for as much as a memtable may grow to, which is never there.
TEST_F(DiskFullTest, SmallVolumeWithLittleFreed) {
  if (const absl::Status mounted = MountVolume(volume_, "6m"); !mounted.ok()) GTEST_SKIP() << mounted;
  StoreOnDisk disk(volume_);
  disk.options() = RocksDbOptions{.directory = disk.options().directory, .create_if_missing = true};
  disk.Reopen();
  disk.Accept();
  disk.Fill();
  disk.WriteUntilRefused();
  disk.FreeOnly(1'900'000);
  disk.Accept();
  disk.ExpectContent();
  disk.Reopen();
  disk.ExpectContent();
}

// RocksDB tries to recover, because it cannot see that there is no space, and meets another error.
TEST(DiskFullAndBrokenTest, ErrorDuringRecoveryLatches) {
  StoreOnDisk disk(Fullness::kQuota);
  disk.Reopen();
  disk.Accept();
  disk.Fill();
  disk.WriteUntilRefused();
  disk.faults().SetSyncError(FaultTarget::kOther, true);
  disk.Free();
  EXPECT_EQ(disk.AwaitAnswer().code(), absl::StatusCode::kUnavailable);
  disk.faults().SetSyncError(FaultTarget::kOther, false);
  EXPECT_EQ(disk.Insert().code(), absl::StatusCode::kUnavailable) << "until the store is opened anew";
  disk.ExpectContent();
  disk.Reopen();
  disk.Accept();
  disk.ExpectContent();
}

// Anything may follow anything, except a sync that finds no space: if that is of the manifest, for a merge, while a
// flush ends, RocksDB 7.8 does not recover. See full_disk.h.
TEST_F(DiskFullTest, RandomWalk) {
  const char* given = std::getenv("PAT_DISK_FULL_SEED");
  const uint64_t seed = given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
  const char* given_steps = std::getenv("PAT_DISK_FULL_STEPS");
  const int steps = given_steps == nullptr ? 20 : std::atoi(given_steps);
  std::cout << "PAT_DISK_FULL_SEED=" << seed << "\n";
  OnEachDisk({Fullness::kEverything, Fullness::kContents, Fullness::kQuota}, [seed, steps](StoreOnDisk& disk) {
    std::mt19937_64 random(seed);
    disk.options().memtable_bytes = 64 << 10;
    disk.Reopen();
    for (int step = 0; step < steps && !HasFailure(); ++step) {
      SCOPED_TRACE(step);
      switch (random() % 8) {
        case 0:
          disk.Reopen();
          break;
        case 1:
          disk.ExpectContentAfterCrash();
          break;
        case 2:
          disk.Accept();
          for (uint64_t i = random() % 20; i > 0; --i) disk.Accept();
          break;
        default: {
          // Full from the middle of whatever is under way.
          std::thread filler([&disk] { disk.Fill(); });
          for (uint64_t i = random() % 8; i > 0; --i) {
            const absl::Status status = disk.Insert();
            EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status) ||
                        absl::StrContains(status.message(), "commit_seq"))
                << status;
          }
          filler.join();
          if (random() % 2 == 0) disk.WriteUntilRefused();
          if (random() % 4 == 0) disk.ExpectContentAfterCrash();
          disk.Free();
          break;
        }
      }
    }
    disk.Accept();
    disk.ExpectContent();
    disk.Reopen();
    disk.ExpectContent();
  });
}

class SequenceFullTest : public RocksDbFixture {};

// Copy-on-write file systems need space to write over what is there.
TEST_F(SequenceFullTest, ChangeIsPublishedButNotAcknowledged) {
  ASSERT_EQ(Open(), absl::OkStatus());
  ASSERT_EQ(Put(store(), user_), absl::OkStatus());
  faults_->SetNoSpaceForSequence(true);
  EXPECT_EQ(Put(store(), UserNumber(2)).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(store().GetUser("user-2")->has_value());
  faults_->SetNoSpaceForSequence(false);
  EXPECT_EQ(Put(store(), UserNumber(3)), absl::OkStatus());
  ASSERT_EQ(Reopen(), absl::OkStatus());
  for (const char* id : {"user-1", "user-2", "user-3"}) EXPECT_TRUE(store().GetUser(id)->has_value()) << id;
}

}  // namespace
}  // namespace pat
