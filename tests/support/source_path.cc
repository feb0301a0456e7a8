#include "tests/support/source_path.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace pat {

std::string SourcePath(absl::string_view path_in_repository) {
  return absl::StrCat(PAT_SOURCE_DIRECTORY, "/", path_in_repository);
}

std::string ReadSourceFile(absl::string_view path_in_repository) {
  const std::string path = SourcePath(path_in_repository);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace pat
