#include "tests/server/crypto/certificate_maker.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <stdexcept>

#include "absl/strings/str_join.h"

namespace pat {
namespace {

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("no certificate for the test: ") + what);
}

bssl::UniquePtr<BIO> ReadFrom(const std::string& text) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string ContentOf(BIO* bio) {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  Check(BIO_mem_contents(bio, &bytes, &size) == 1, "content");
  return {reinterpret_cast<const char*>(bytes), size};
}

bssl::UniquePtr<EVP_PKEY> MakeKey(KeyKind kind) {
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (kind == KeyKind::kP256) {
    bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
    Check(EC_KEY_generate_key(ec.get()) == 1 && EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1, "P-256");
  } else if (kind == KeyKind::kEd25519) {
    uint8_t seed[32];
    RAND_bytes(seed, sizeof(seed));
    key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed, sizeof(seed)));
    Check(key != nullptr, "Ed25519");
  } else {
    const bssl::UniquePtr<RSA> rsa(RSA_new());
    const bssl::UniquePtr<BIGNUM> exponent(BN_new());
    Check(BN_set_word(exponent.get(), RSA_F4) == 1 &&
              RSA_generate_key_ex(rsa.get(), kind == KeyKind::kRsa2048 ? 2048 : 1024, exponent.get(), nullptr) == 1 &&
              EVP_PKEY_set1_RSA(key.get(), rsa.get()) == 1,
          "RSA");
  }
  return key;
}

void Extend(X509* x509, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  Check(extension != nullptr && X509_add_ext(x509, extension.get(), -1) == 1, value.c_str());
}

MadeCertificate Make(const CertificateWish& wish, const MadeCertificate* issuer) {
  const bssl::UniquePtr<EVP_PKEY> key = MakeKey(wish.key);
  const bssl::UniquePtr<X509> x509(X509_new());
  uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<uint8_t*>(&serial), sizeof(serial));
  Check(X509_set_version(x509.get(), X509_VERSION_3) == 1 &&
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509.get()), serial >> 1) == 1 &&
            ASN1_TIME_set(X509_getm_notBefore(x509.get()), absl::ToTimeT(wish.begin)) != nullptr &&
            ASN1_TIME_set(X509_getm_notAfter(x509.get()), absl::ToTimeT(wish.end)) != nullptr &&
            X509_set_pubkey(x509.get(), key.get()) == 1,
        "fields");
  const auto* const name = reinterpret_cast<const uint8_t*>(wish.common_name.c_str());
  X509_NAME_add_entry_by_NID(X509_get_subject_name(x509.get()), NID_commonName, MBSTRING_UTF8,
                             const_cast<uint8_t*>(name), -1, -1, 0);

  bssl::UniquePtr<X509> issuer_x509;
  bssl::UniquePtr<EVP_PKEY> issuer_key;
  if (issuer != nullptr) {
    issuer_x509.reset(PEM_read_bio_X509(ReadFrom(issuer->pem).get(), nullptr, nullptr, nullptr));
    issuer_key.reset(PEM_read_bio_PrivateKey(ReadFrom(issuer->key).get(), nullptr, nullptr, nullptr));
    Check(issuer_x509 != nullptr && issuer_key != nullptr, "issuer");
  }
  X509* const signer = issuer != nullptr ? issuer_x509.get() : x509.get();
  EVP_PKEY* const signing_key = issuer != nullptr ? issuer_key.get() : key.get();
  X509_set_issuer_name(x509.get(), X509_get_subject_name(signer));
  Extend(x509.get(), signer, NID_basic_constraints, wish.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (wish.ca) Extend(x509.get(), signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!wish.names.empty()) Extend(x509.get(), signer, NID_subject_alt_name, absl::StrJoin(wish.names, ","));
  if (!wish.uses.empty()) Extend(x509.get(), signer, NID_ext_key_usage, wish.uses);
  const bool ed25519 = EVP_PKEY_id(signing_key) == EVP_PKEY_ED25519;
  const EVP_MD* const digest = ed25519 ? nullptr : (wish.sha1 ? EVP_sha1() : EVP_sha256());
  Check(X509_sign(x509.get(), signing_key, digest) != 0, "signature");

  const bssl::UniquePtr<BIO> pem(BIO_new(BIO_s_mem()));
  const bssl::UniquePtr<BIO> key_pem(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_X509(pem.get(), x509.get()) == 1 &&
            PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "PEM");
  return {.pem = ContentOf(pem.get()), .key = ContentOf(key_pem.get())};
}

}  // namespace

MadeCertificate MakeCertificate(const CertificateWish& wish) { return Make(wish, nullptr); }

MadeCertificate MakeCertificate(const CertificateWish& wish, const MadeCertificate& issuer) {
  return Make(wish, &issuer);
}

MadeCertificate MakeCa(const std::string& common_name) {
  return MakeCertificate({.common_name = common_name, .ca = true});
}

std::string Encrypted(const std::string& key) {
  const bssl::UniquePtr<EVP_PKEY> decoded(PEM_read_bio_PrivateKey(ReadFrom(key).get(), nullptr, nullptr, nullptr));
  const bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  uint8_t password[] = "password";
  Check(decoded != nullptr && PEM_write_bio_PrivateKey(out.get(), decoded.get(), EVP_aes_128_cbc(), password,
                                                       sizeof(password) - 1, nullptr, nullptr) == 1,
        "encrypted key");
  return ContentOf(out.get());
}

}  // namespace pat
