#include "server/crypto/digest.h"

#include <openssl/sha.h>

#include <algorithm>

#include "server/crypto/bytes.h"
#include "server/crypto/wipe.h"

namespace pat {
namespace {

using Block = std::array<uint8_t, SHA256_CBLOCK>;

// Absorbs `key` with every byte xored with `pad`: RFC 2104's K xor ipad or opad.
void StartWithPaddedKey(const Block& key, uint8_t pad, SHA256_CTX* context) {
  Block padded;
  std::transform(key.begin(), key.end(), padded.begin(), [pad](uint8_t byte) { return byte ^ pad; });
  SHA256_Init(context);
  SHA256_Update(context, padded.data(), padded.size());
  SecureWipe(padded.data(), padded.size());
}

}  // namespace

Sha256Digest Sha256(absl::string_view data) {
  Sha256Digest digest;
  SHA256(AsBytes(data).data(), data.size(), digest.data());
  return digest;
}

Sha256Digest HmacSha256(absl::Span<const uint8_t> key, absl::Span<const uint8_t> data) {
  return HmacSha256Key(key).Mac(data);
}

// SHA-256 after the first block of the inner and of the outer hash. A MAC starts
// from copies of them.
struct HmacSha256Key::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { SecureWipe(this, sizeof(*this)); }

  SHA256_CTX inner;
  SHA256_CTX outer;
};

HmacSha256Key::HmacSha256Key(absl::Span<const uint8_t> key) : state_(std::make_unique<State>()) {
  Block block = {};
  if (key.size() <= block.size()) {
    std::copy(key.begin(), key.end(), block.begin());
  } else {
    SHA256(key.data(), key.size(), block.data());
  }
  StartWithPaddedKey(block, 0x36, &state_->inner);
  StartWithPaddedKey(block, 0x5c, &state_->outer);
  SecureWipe(block.data(), block.size());
}

HmacSha256Key::~HmacSha256Key() = default;
HmacSha256Key::HmacSha256Key(HmacSha256Key&&) noexcept = default;
HmacSha256Key& HmacSha256Key::operator=(HmacSha256Key&&) noexcept = default;

Sha256Digest HmacSha256Key::Mac(absl::Span<const uint8_t> data) const {
  Sha256Digest digest;
  SHA256_CTX context = state_->inner;
  SHA256_Update(&context, data.data(), data.size());
  SHA256_Final(digest.data(), &context);

  context = state_->outer;
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  SecureWipe(&context, sizeof(context));
  return digest;
}

}  // namespace pat
