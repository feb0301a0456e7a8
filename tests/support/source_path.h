// Where the files of this repository are that a test reads, whatever directory it runs in.
#ifndef PAT_TESTS_SUPPORT_SOURCE_PATH_H_
#define PAT_TESTS_SUPPORT_SOURCE_PATH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace pat {

// SourcePath("deploy/scopes.tsv") is the path to open.
std::string SourcePath(absl::string_view path_in_repository);

// The whole file; throws if it cannot be read, which fails the test and says why.
std::string ReadSourceFile(absl::string_view path_in_repository);

}  // namespace pat

#endif  // PAT_TESTS_SUPPORT_SOURCE_PATH_H_
