// A directory for one test, removed with all that is in it.
#ifndef PAT_TESTS_SERVER_OPS_SCRATCH_DIRECTORY_H_
#define PAT_TESTS_SERVER_OPS_SCRATCH_DIRECTORY_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

namespace pat {

class ScratchDirectory {
 public:
  ScratchDirectory() : path_("/tmp/pat-test.XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no directory under /tmp");
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

  // Makes a file; its path.
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(File(name), std::ios::binary) << text;
    return File(name);
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(File(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  std::string path_;
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_OPS_SCRATCH_DIRECTORY_H_
