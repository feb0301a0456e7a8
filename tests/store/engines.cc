#include "tests/store/engines.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "store/memory/memory_token_store.h"
#include "store/rocksdb/rocksdb_token_store_internal.h"

namespace pat {
namespace {

class MemoryEngine final : public EngineUnderTest {
 public:
  TokenStore& store() override { return *store_; }
  bool keeps_data() const override { return false; }
  absl::Status Reopen() override { return absl::UnimplementedError("the memory engine keeps nothing"); }
  absl::Status Verify() override { return absl::OkStatus(); }

 private:
  const std::unique_ptr<TokenStore> store_ = NewMemoryTokenStore();
};

class RocksDbEngine final : public EngineUnderTest {
 public:
  RocksDbEngine() {
    const absl::Status opened = Open();
    if (!opened.ok()) ADD_FAILURE() << opened;
  }

  TokenStore& store() override { return *store_; }
  bool keeps_data() const override { return true; }
  absl::Status Reopen() override {
    store_.reset();
    return Open();
  }
  absl::Status Verify() override { return store_->Verify(); }

 private:
  absl::Status Open() {
    RocksDbOptions options;
    options.directory = directory_.path() + "/store";
    options.create_if_missing = true;
    options.block_cache_bytes = 1 << 20;
    options.memtable_bytes = 1 << 20;
    absl::StatusOr<std::unique_ptr<rocks::RocksDbTokenStore>> opened =
        rocks::OpenWithFileSystem(options, rocksdb::FileSystem::Default());
    if (!opened.ok()) return opened.status();
    store_ = *std::move(opened);
    return absl::OkStatus();
  }

  const ScratchDirectory directory_;
  std::unique_ptr<rocks::RocksDbTokenStore> store_;
};

}  // namespace

std::unique_ptr<EngineUnderTest> MakeMemoryEngine() { return std::make_unique<MemoryEngine>(); }
std::unique_ptr<EngineUnderTest> MakeRocksDbEngine() { return std::make_unique<RocksDbEngine>(); }

std::vector<Engine> AllEngines() { return {{"Memory", MakeMemoryEngine}, {"RocksDb", MakeRocksDbEngine}}; }

namespace {

// Memory, if there is enough of it: an fsync costs nothing there, and no test here cuts the power.
std::string ScratchRoot() {
  constexpr uintmax_t kEnough = 256 << 20;
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space("/dev/shm", error);
  return !error && space.available >= kEnough && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : testing::TempDir();
}

}  // namespace

ScratchDirectory::ScratchDirectory() : path_(ScratchRoot() + "/pat_store_XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) {
    ADD_FAILURE() << "no scratch directory like " << path_;
    std::abort();
  }
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace pat
