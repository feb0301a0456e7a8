#include "tests/store/rocksdb/rocksdb_fixture.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "absl/strings/match.h"

namespace pat {

RocksDbOptions OptionsFor(const std::string& directory) {
  RocksDbOptions options;
  options.directory = directory;
  options.create_if_missing = true;
  options.block_cache_bytes = 1 << 20;
  options.memtable_bytes = 1 << 20;
  return options;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void WriteFile(const std::string& path, absl::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  EXPECT_TRUE(file.good()) << path;
}

std::vector<std::string> NamesIn(const std::string& directory, absl::string_view suffix) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::string name = entry.path().filename().string();
    if (absl::EndsWith(name, suffix)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

void CopyDirectory(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

void CopyAtOneMoment(const std::string& from, const std::string& to) {
  const auto look = [&from] {
    std::map<std::string, uintmax_t> sizes;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(from)) {
      sizes[entry.path()] = entry.is_regular_file() ? entry.file_size() : 0;
    }
    return sizes;
  };
  while (true) {
    try {
      const auto before = look();
      CopyDirectory(from, to);
      if (look() == before) return;
    } catch (const std::filesystem::filesystem_error&) {
      continue;  // A file went away meanwhile.
    }
  }
}

void RocksDbFixture::MakeStoreWithRevokedToken(uint64_t tokens) {
  ASSERT_EQ(Reopen(), absl::OkStatus());
  ASSERT_EQ(Put(store(), user_), absl::OkStatus());
  TokenRecord first = TokenNumber(1, user_);
  ASSERT_EQ(Insert(store(), first), absl::OkStatus());
  for (uint64_t number = 2; number <= tokens; ++number) {
    TokenRecord token = TokenNumber(number, user_);
    ASSERT_EQ(Insert(store(), token), absl::OkStatus());
  }
  first.revoke_time = At(1);
  ASSERT_EQ(Put(store(), first), absl::OkStatus());
}

}  // namespace pat
