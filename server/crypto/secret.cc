#include "server/crypto/secret.h"

#include <algorithm>
#include <utility>

#include "server/crypto/bytes.h"
#include "server/crypto/constant_time.h"
#include "server/crypto/wipe.h"

namespace pat {

Secret::Secret(std::string&& text) : size_(text.size()) {
  if (size_ > 0) {
    bytes_ = std::make_unique<char[]>(size_);
    std::copy(text.begin(), text.end(), bytes_.get());
  }
  SecureWipe(text);
}

Secret::~Secret() { Wipe(); }

Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

absl::string_view Secret::Reveal() const& { return {bytes_.get(), size_}; }

void Secret::Wipe() { SecureWipe(bytes_.get(), size_); }

bool operator==(const Secret& a, const Secret& b) {
  return ConstantTimeEqual(AsBytes(a.Reveal()), AsBytes(b.Reveal()));
}

}  // namespace pat
