#include "server/core/peppers.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/core/secret_file.h"
#include "server/crypto/bytes.h"
#include "server/crypto/random.h"
#include "server/crypto/wipe.h"

namespace pat {
namespace {

constexpr size_t kShortestPepper = 32;
constexpr size_t kLongestPepper = 4096;

PepperId IdOf(const HmacSha256Key& key) {
  const Sha256Digest mac = key.Mac(AsBytes("pat-sidecar pepper id"));
  PepperId id{};
  std::copy_n(mac.begin(), id.size(), id.begin());
  return id;
}

}  // namespace

Peppers::Peppers(std::vector<Pepper> peppers) : peppers_(std::move(peppers)) {}

// Taken by value, so that they are wiped here. NOLINTNEXTLINE(performance-unnecessary-value-param)
absl::StatusOr<std::unique_ptr<const Peppers>> Peppers::Create(std::vector<Secret> secrets) {
  if (secrets.empty())
    return absl::InvalidArgumentError("no pepper is given; one of at least 32 random bytes is needed");
  std::vector<Pepper> peppers;
  for (const Secret& secret : secrets) {
    if (secret.size() < kShortestPepper) {
      return absl::InvalidArgumentError(absl::StrCat("a pepper has ", secret.size(), " bytes; at least ",
                                                     kShortestPepper, " random bytes are needed"));
    }
    Pepper pepper{.id = {}, .key = std::make_unique<HmacSha256Key>(AsBytes(secret.Reveal()))};
    pepper.id = IdOf(*pepper.key);
    const bool known =
        std::any_of(peppers.begin(), peppers.end(), [&pepper](const Pepper& other) { return other.id == pepper.id; });
    if (known) return absl::InvalidArgumentError("the same pepper is given twice");
    peppers.push_back(std::move(pepper));
  }
  return absl::WrapUnique(new Peppers(std::move(peppers)));
}

absl::StatusOr<std::unique_ptr<const Peppers>> Peppers::Load(const std::vector<std::string>& paths) {
  std::vector<Secret> secrets;
  for (const std::string& path : paths) {
    absl::StatusOr<Secret> secret = ReadSecretFile(path, kLongestPepper);
    if (!secret.ok()) return secret.status();
    if (secret->size() < kShortestPepper) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": a pepper of ", secret->size(), " bytes; at least ",
                                                     kShortestPepper, " random bytes are needed"));
    }
    secrets.push_back(*std::move(secret));
  }
  return Create(std::move(secrets));
}

absl::Status Peppers::CreateFile(const std::string& path) {
  std::string bytes(kShortestPepper, '\0');
  FillRandom(absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  return CreateSecretFile(path, Secret(std::move(bytes)));
}

TokenHmac Peppers::Hmac(const TokenDigest& digest) const {
  return {.pepper_id = peppers_.front().id, .mac = peppers_.front().key->Mac(digest.bytes)};
}

Peppers::Candidates Peppers::AllHmacs(const TokenDigest& digest) const {
  Candidates candidates;
  for (const Pepper& pepper : peppers_) {
    candidates.push_back({.pepper_id = pepper.id, .mac = pepper.key->Mac(digest.bytes)});
  }
  return candidates;
}

std::vector<PepperId> Peppers::ids() const {
  std::vector<PepperId> ids;
  for (const Pepper& pepper : peppers_) ids.push_back(pepper.id);
  return ids;
}

HmacSha256Key Peppers::DeriveKey(absl::string_view purpose) const {
  Sha256Digest key = peppers_.front().key->Mac(AsBytes(absl::StrCat("pat-sidecar key for ", purpose)));
  HmacSha256Key derived(key);
  SecureWipe(key.data(), key.size());
  return derived;
}

}  // namespace pat
