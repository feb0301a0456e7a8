#include "tests/e2e/secret_search.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/crypto/bytes.h"
#include "server/crypto/digest.h"

namespace pat {
namespace {

constexpr size_t kBeginning = sizeof(uint64_t);

uint64_t BeginningOf(const char* bytes) {
  uint64_t beginning = 0;
  std::memcpy(&beginning, bytes, kBeginning);
  return beginning;
}

// What stands for all of `bytes` in base64, if they begin `offset` bytes after what was encoded.
std::string InsideBase64(absl::string_view bytes, size_t offset) {
  const std::string encoded = absl::Base64Escape(absl::StrCat(std::string(offset, '\0'), bytes));
  const size_t first = offset == 0 ? 0 : offset + 1;
  return encoded.substr(first, encoded.size() - first - 4);
}

}  // namespace

void SecretSearch::Add(std::string what, std::string bytes) {
  if (bytes.size() < kBeginning) throw std::invalid_argument("too short to be looked for");
  by_beginning_[BeginningOf(bytes.data())].push_back(patterns_.size());
  patterns_.push_back({std::move(what), std::move(bytes)});
}

void SecretSearch::AddEncoded(const std::string& what, absl::string_view bytes) {
  Add(what, std::string(bytes));
  const std::string hex = absl::BytesToHexString(bytes);
  Add(what + " in hexadecimal", hex);
  Add(what + " in hexadecimal capitals", absl::AsciiStrToUpper(hex));
  for (size_t offset = 0; offset < 3; ++offset) {
    const std::string base64 = InsideBase64(bytes, offset);
    Add(what + " in base64", base64);
    std::string web_safe = base64;
    for (char& c : web_safe) c = c == '+' ? '-' : c == '/' ? '_' : c;
    if (web_safe != base64) Add(what + " in web-safe base64", web_safe);
  }
}

void SecretSearch::AddSecret(absl::string_view secret) {
  AddEncoded("a secret", secret);
  Add("the end of a secret", std::string(secret.substr(secret.size() - 8)));
  const Sha256Digest digest = Sha256(secret);
  AddEncoded("the SHA-256 of a secret", AsText(digest));
}

std::vector<std::string> SecretSearch::FindIn(absl::string_view content) const {
  std::set<std::string> found;
  for (size_t place = 0; place + kBeginning <= content.size(); ++place) {
    const auto candidates = by_beginning_.find(BeginningOf(content.data() + place));
    if (candidates == by_beginning_.end()) continue;
    for (const size_t index : candidates->second) {
      const Pattern& pattern = patterns_[index];
      if (content.substr(place, pattern.bytes.size()) == pattern.bytes) found.insert(pattern.what);
    }
  }
  return {found.begin(), found.end()};
}

std::vector<std::string> SecretSearch::FindUnder(const std::string& directory, const std::string& except) const {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string path = entry.path().string();
    for (const std::string& what : FindIn(path)) found.push_back(absl::StrCat(path, ": the name has ", what));
    if (!entry.is_regular_file() || path == except) continue;
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    for (const std::string& what : FindIn(content.str())) found.push_back(absl::StrCat(path, ": ", what));
  }
  return found;
}

}  // namespace pat
