#include "server/core/page_token.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/crypto/bytes.h"
#include "server/crypto/constant_time.h"

namespace pat {
namespace {

constexpr size_t kPositionBytes = 8;
constexpr size_t kMacBytes = 16;
constexpr size_t kDefaultPageSize = 50;
constexpr size_t kLargestPageSize = 200;

std::string BigEndian(uint64_t value) {
  std::string bytes(kPositionBytes, '\0');
  for (size_t i = 0; i < kPositionBytes; ++i) bytes[i] = static_cast<char>(value >> (8 * (kPositionBytes - 1 - i)));
  return bytes;
}

uint64_t FromBigEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<uint8_t>(byte);
  return value;
}

}  // namespace

Sha256Digest PageTokens::Mac(uint64_t position, absl::string_view context) const {
  return key_.Mac(AsBytes(absl::StrCat(BigEndian(position), context)));
}

std::string PageTokens::Encode(uint64_t position, absl::string_view context) const {
  const Sha256Digest mac = Mac(position, context);
  return absl::WebSafeBase64Escape(absl::StrCat(BigEndian(position), AsText(mac).substr(0, kMacBytes)));
}

std::optional<uint64_t> PageTokens::Decode(absl::string_view token, absl::string_view context) const {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() != kPositionBytes + kMacBytes) return std::nullopt;
  const uint64_t position = FromBigEndian(absl::string_view(bytes).substr(0, kPositionBytes));
  const Sha256Digest mac = Mac(position, context);
  if (!ConstantTimeEqual(AsBytes(bytes).subspan(kPositionBytes), absl::MakeConstSpan(mac).first(kMacBytes))) {
    return std::nullopt;
  }
  return position;
}

std::optional<size_t> EffectivePageSize(int64_t requested) {
  if (requested < 0) return std::nullopt;
  if (requested == 0) return kDefaultPageSize;
  return std::min(static_cast<size_t>(requested), kLargestPageSize);
}

}  // namespace pat
