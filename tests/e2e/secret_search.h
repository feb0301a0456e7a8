// SecretSearch: is any of many secrets anywhere in these bytes, in any of the forms in which secrets leak?
#ifndef PAT_TESTS_E2E_SECRET_SEARCH_H_
#define PAT_TESTS_E2E_SECRET_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace pat {

class SecretSearch {
 public:
  // Looks for these bytes. At least 8 of them; `what` is said when they are found.
  void Add(std::string what, std::string bytes);

  // Looks for a token's secret: as it is, its last eight characters, in base64 (wherever it begins inside of what was
  // encoded) and in hexadecimal, and for its SHA-256 as bytes, in base64 and in hexadecimal.
  void AddSecret(absl::string_view secret);

  size_t size() const { return patterns_.size(); }

  // What was found in `content`, each once.
  std::vector<std::string> FindIn(absl::string_view content) const;

  // The same in all files under `directory`, but for `except`; with the path in front.
  std::vector<std::string> FindUnder(const std::string& directory, const std::string& except) const;

 private:
  struct Pattern {
    std::string what;
    std::string bytes;
  };

  void AddEncoded(const std::string& what, absl::string_view bytes);

  std::vector<Pattern> patterns_;
  // By their first eight bytes: one look-up at each place of the content, however many patterns there are.
  absl::flat_hash_map<uint64_t, std::vector<size_t>> by_beginning_;
};

}  // namespace pat

#endif  // PAT_TESTS_E2E_SECRET_SEARCH_H_
