#include "server/crypto/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pat {
namespace {

constexpr int kShortestRsaKey = 2048;
constexpr int kShortestOtherKey = 224;

absl::Status Wrong(absl::string_view message) { return absl::InvalidArgumentError(message); }

absl::Status WrongCertificate(size_t index, absl::string_view message) {
  return Wrong(absl::StrCat("certificate ", index + 1, " ", message));
}

bssl::UniquePtr<BIO> ReadFrom(absl::string_view text) {
  const size_t size = std::min(text.size(), size_t{INT_MAX});
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(size)));
}

// What a BIO holds. (Its memory is wiped when it is freed: BoringSSL does that with all it frees.)
absl::string_view ContentOf(BIO* bio) {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  if (BIO_mem_contents(bio, &bytes, &size) != 1) return {};
  return {reinterpret_cast<const char*>(bytes), size};
}

// A block of a PEM file.
struct Block {
  std::string name;  // "CERTIFICATE"
  bool encrypted = false;
  std::vector<uint8_t> bytes;  // Not kept for what is no certificate.
};

absl::StatusOr<std::vector<Block>> ReadBlocks(absl::string_view pem) {
  const bssl::UniquePtr<BIO> bio = ReadFrom(pem);
  std::vector<Block> blocks;
  while (true) {
    char* name = nullptr;
    char* header = nullptr;
    uint8_t* bytes = nullptr;
    long size = 0;  // NOLINT(google-runtime-int): BoringSSL's type.
    ERR_clear_error();
    if (PEM_read_bio(bio.get(), &name, &header, &bytes, &size) != 1) {
      const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      ERR_clear_error();
      if (at_end) return blocks;
      return Wrong(absl::StrCat("block ", blocks.size() + 1, " is no PEM"));
    }
    const bssl::UniquePtr<char> free_name(name);
    const bssl::UniquePtr<char> free_header(header);
    const bssl::UniquePtr<uint8_t> free_bytes(bytes);
    Block& block = blocks.emplace_back();
    block.name = name;
    block.encrypted = header[0] != '\0' || block.name == "ENCRYPTED PRIVATE KEY";
    if (block.name == PEM_STRING_X509) block.bytes.assign(bytes, bytes + size);
  }
}

struct Certificate {
  bssl::UniquePtr<X509> x509;
  absl::Time begin;
  absl::Time end;
};

// An instant far away is infinite; one that cannot be read is nullopt.
std::optional<absl::Time> ToTime(const ASN1_TIME* time) {
  const bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return std::nullopt;
  return absl::UnixEpoch() + days * absl::Hours(24) + absl::Seconds(seconds);
}

absl::StatusOr<std::vector<Certificate>> ReadCertificates(absl::string_view pem) {
  const absl::StatusOr<std::vector<Block>> blocks = ReadBlocks(pem);
  if (!blocks.ok()) return blocks.status();
  std::vector<Certificate> certificates;
  for (const Block& block : *blocks) {
    const size_t index = certificates.size();
    if (block.name != PEM_STRING_X509) {
      return Wrong("holds something else than certificates; give a file with \"BEGIN CERTIFICATE\" blocks only");
    }
    const uint8_t* bytes = block.bytes.data();
    Certificate certificate;
    certificate.x509.reset(d2i_X509(nullptr, &bytes, static_cast<int64_t>(block.bytes.size())));
    ERR_clear_error();
    if (certificate.x509 == nullptr || bytes != block.bytes.data() + block.bytes.size()) {
      return WrongCertificate(index, "does not decode");
    }
    const std::optional<absl::Time> begin = ToTime(X509_get0_notBefore(certificate.x509.get()));
    const std::optional<absl::Time> end = ToTime(X509_get0_notAfter(certificate.x509.get()));
    if (!begin.has_value() || !end.has_value()) return WrongCertificate(index, "has dates that are none");
    certificate.begin = *begin;
    certificate.end = *end;
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty()) return Wrong("holds no certificate; give one in PEM");
  return certificates;
}

bool IsSelfIssued(const Certificate& certificate) {
  return X509_check_issued(certificate.x509.get(), certificate.x509.get()) == X509_V_OK;
}

// What libraries of TLS refuse by themselves, at the first handshake.
absl::Status CheckStrength(size_t index, const Certificate& certificate) {
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(certificate.x509.get()));
  ERR_clear_error();
  if (key == nullptr) return WrongCertificate(index, "has a key of an unknown kind; give one for RSA, EC or Ed25519");
  const bool is_rsa = EVP_PKEY_id(key.get()) == EVP_PKEY_RSA;
  const int bits = EVP_PKEY_bits(key.get());
  if (bits < (is_rsa ? kShortestRsaKey : kShortestOtherKey)) {
    return WrongCertificate(index, absl::StrCat("has a key of ", bits, " bits; give one of at least ",
                                                is_rsa ? kShortestRsaKey : kShortestOtherKey));
  }
  // Nobody looks at the signature by which a root vouches for itself.
  if (IsSelfIssued(certificate)) return absl::OkStatus();
  switch (X509_get_signature_nid(certificate.x509.get())) {
    case NID_md5WithRSAEncryption:
    case NID_sha1WithRSAEncryption:
    case NID_sha1WithRSA:
    case NID_ecdsa_with_SHA1:
    case NID_dsaWithSHA1:
      return WrongCertificate(index, "is signed with MD5 or SHA-1; have it issued with SHA-256");
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckDates(size_t index, const Certificate& certificate, absl::Time now) {
  const auto shown = [](absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); };
  if (now < certificate.begin) {
    return WrongCertificate(index, absl::StrCat("is not valid before ", shown(certificate.begin)));
  }
  if (now >= certificate.end) return WrongCertificate(index, absl::StrCat("ended at ", shown(certificate.end)));
  return absl::OkStatus();
}

absl::Status CheckIssued(size_t index, const Certificate& certificate, const Certificate& issuer) {
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(issuer.x509.get()));
  const bool issued = X509_check_issued(issuer.x509.get(), certificate.x509.get()) == X509_V_OK && key != nullptr &&
                      X509_verify(certificate.x509.get(), key.get()) == 1;
  ERR_clear_error();
  if (issued) return absl::OkStatus();
  return WrongCertificate(index + 1, absl::StrCat("did not issue certificate ", index + 1,
                                                  "; give the server's own first, and after each the one that issued "
                                                  "it"));
}

absl::StatusOr<Certificates> Join(const std::vector<Certificate>& certificates, absl::Time now) {
  const bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  Certificates joined{.pem = {}, .expire_time = absl::InfiniteFuture()};
  for (const Certificate& certificate : certificates) {
    if (PEM_write_bio_X509(out.get(), certificate.x509.get()) != 1) return absl::ResourceExhaustedError("no memory");
    if (certificate.end > now) joined.expire_time = std::min(joined.expire_time, certificate.end);
  }
  joined.pem = std::string(ContentOf(out.get()));
  return joined;
}

// Instead of asking for a password on the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

absl::StatusOr<Certificates> ReadChain(absl::string_view pem, absl::Time now, int purpose, absl::string_view misused) {
  const absl::StatusOr<std::vector<Certificate>> chain = ReadCertificates(pem);
  if (!chain.ok()) return chain.status();
  for (size_t i = 0; i < chain->size(); ++i) {
    const Certificate& certificate = (*chain)[i];
    if (absl::Status status = CheckDates(i, certificate, now); !status.ok()) return status;
    if (absl::Status status = CheckStrength(i, certificate); !status.ok()) return status;
    if (i + 1 == chain->size()) break;
    if (absl::Status status = CheckIssued(i, certificate, (*chain)[i + 1]); !status.ok()) return status;
  }
  if (X509_check_purpose(chain->front().x509.get(), purpose, 0) != 1) {
    return WrongCertificate(0, misused);
  }
  return Join(*chain, now);
}

}  // namespace

absl::StatusOr<Certificates> ReadServerChain(absl::string_view pem, absl::Time now) {
  return ReadChain(pem, now, X509_PURPOSE_SSL_SERVER,
                   "is not for a server; its uses must have serverAuth, or none be named");
}

absl::StatusOr<Certificates> ReadClientChain(absl::string_view pem, absl::Time now) {
  return ReadChain(pem, now, X509_PURPOSE_SSL_CLIENT,
                   "is not for a client; its uses must have clientAuth, or none be named");
}

absl::StatusOr<Secret> ReadServerKey(const Secret& pem, absl::string_view chain) {
  const absl::StatusOr<std::vector<Block>> blocks = ReadBlocks(pem.Reveal());
  if (!blocks.ok()) return blocks.status();
  const auto is_key = [](const Block& block) {
    return absl::string_view(block.name).find("PRIVATE KEY") != absl::string_view::npos;
  };
  const auto keys = std::count_if(blocks->begin(), blocks->end(), is_key);
  if (keys != 1) return Wrong(absl::StrCat("holds ", keys, " private keys; give one in PEM"));
  if (std::find_if(blocks->begin(), blocks->end(), is_key)->encrypted) {
    return Wrong("is encrypted; give the key as it is, in a file that nobody else can read");
  }
  const bssl::UniquePtr<BIO> in = ReadFrom(pem.Reveal());
  const bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, &NoPassword, nullptr));
  ERR_clear_error();
  if (key == nullptr) return Wrong("holds a private key that does not decode; give one for RSA, EC or Ed25519 in PEM");

  const bssl::UniquePtr<BIO> chain_in = ReadFrom(chain);
  const bssl::UniquePtr<X509> certificate(PEM_read_bio_X509(chain_in.get(), nullptr, &NoPassword, nullptr));
  const bool fits = certificate != nullptr && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) return Wrong("is not the key of the first certificate; give the two that belong together");

  const bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return absl::ResourceExhaustedError("no memory");
  }
  return Secret(std::string(ContentOf(out.get())));
}

absl::StatusOr<Certificates> ReadClientCas(absl::string_view pem, absl::Time now) {
  const absl::StatusOr<std::vector<Certificate>> authorities = ReadCertificates(pem);
  if (!authorities.ok()) return authorities.status();
  absl::Status not_valid;
  bool one_is_valid = false;
  for (size_t i = 0; i < authorities->size(); ++i) {
    const Certificate& authority = (*authorities)[i];
    if (X509_check_ca(authority.x509.get()) != 1) {
      return WrongCertificate(i, "is no CA; give those that issue the certificates of clients");
    }
    if (absl::Status status = CheckStrength(i, authority); !status.ok()) return status;
    absl::Status dates = CheckDates(i, authority, now);
    if (dates.ok()) {
      one_is_valid = true;
    } else if (not_valid.ok()) {
      not_valid = std::move(dates);
    }
  }
  if (!one_is_valid) return not_valid;
  return Join(*authorities, now);
}

}  // namespace pat
