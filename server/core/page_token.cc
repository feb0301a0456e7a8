#include "server/core/page_token.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/crypto/bytes.h"
#include "server/crypto/constant_time.h"

namespace pat {
namespace {

constexpr size_t kNumberBytes = 8;
constexpr size_t kMacBytes = 16;
constexpr size_t kDefaultPageSize = 50;
constexpr size_t kLargestPageSize = 200;

}  // namespace

std::string BigEndian(uint64_t value) {
  std::string bytes(kNumberBytes, '\0');
  for (size_t i = 0; i < kNumberBytes; ++i) bytes[i] = static_cast<char>(value >> (8 * (kNumberBytes - 1 - i)));
  return bytes;
}

uint64_t FromBigEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes.substr(0, kNumberBytes)) value = (value << 8) | static_cast<uint8_t>(byte);
  return value;
}

Sha256Digest PageTokens::Mac(absl::string_view position, absl::string_view context) const {
  return key_.Mac(AsBytes(absl::StrCat(BigEndian(position.size()), position, context)));
}

std::string PageTokens::EncodeText(absl::string_view position, absl::string_view context) const {
  const Sha256Digest mac = Mac(position, context);
  return absl::WebSafeBase64Escape(absl::StrCat(position, AsText(mac).substr(0, kMacBytes)));
}

std::optional<std::string> PageTokens::DecodeText(absl::string_view token, absl::string_view context) const {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() < kMacBytes) return std::nullopt;
  const size_t length = bytes.size() - kMacBytes;
  const Sha256Digest mac = Mac(absl::string_view(bytes).substr(0, length), context);
  if (!ConstantTimeEqual(AsBytes(bytes).subspan(length), absl::MakeConstSpan(mac).first(kMacBytes))) {
    return std::nullopt;
  }
  bytes.resize(length);
  return bytes;
}

std::string PageTokens::Encode(uint64_t position, absl::string_view context) const {
  return EncodeText(BigEndian(position), context);
}

std::optional<uint64_t> PageTokens::Decode(absl::string_view token, absl::string_view context) const {
  const std::optional<std::string> position = DecodeText(token, context);
  if (!position.has_value() || position->size() != kNumberBytes) return std::nullopt;
  return FromBigEndian(*position);
}

std::optional<size_t> EffectivePageSize(int64_t requested) {
  if (requested < 0) return std::nullopt;
  if (requested == 0) return kDefaultPageSize;
  return std::min(static_cast<size_t>(requested), kLargestPageSize);
}

}  // namespace pat
