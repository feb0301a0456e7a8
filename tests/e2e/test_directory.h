// TestDirectory: a directory of a test's own, removed with all that is in it.
#ifndef PAT_TESTS_E2E_TEST_DIRECTORY_H_
#define PAT_TESTS_E2E_TEST_DIRECTORY_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace pat {

class TestDirectory {
 public:
  TestDirectory() : path_((std::filesystem::path(testing::TempDir()) / "pat-e2e.XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error(path_ + ": cannot be made");
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  const std::string& path() const { return path_; }

  // The path of something in it.
  std::string operator/(absl::string_view name) const { return absl::StrCat(path_, "/", name); }

 private:
  std::string path_;
};

}  // namespace pat

#endif  // PAT_TESTS_E2E_TEST_DIRECTORY_H_
