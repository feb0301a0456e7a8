#include "client/secret_text.h"

#include <string.h>

#include <utility>

namespace pat::client {

SecretText::SecretText(std::string&& text) : bytes_(text.begin(), text.end()) { WipeString(text); }

SecretText::SecretText(SecretText&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

SecretText::~SecretText() { Wipe(); }

void SecretText::Append(absl::string_view more) {
  if (bytes_.size() + more.size() > bytes_.capacity()) {
    std::vector<char> larger;
    larger.reserve(2 * (bytes_.size() + more.size()));
    larger.assign(bytes_.begin(), bytes_.end());
    Wipe();
    bytes_ = std::move(larger);
  }
  bytes_.insert(bytes_.end(), more.begin(), more.end());
}

void SecretText::StripLineEnd() {
  if (!bytes_.empty() && bytes_.back() == '\n') {
    bytes_.pop_back();
    if (!bytes_.empty() && bytes_.back() == '\r') bytes_.pop_back();
  }
}

void SecretText::Wipe() {
  if (bytes_.capacity() > 0) explicit_bzero(bytes_.data(), bytes_.capacity());
  bytes_.clear();
}

void WipeString(std::string& text) {
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace pat::client
