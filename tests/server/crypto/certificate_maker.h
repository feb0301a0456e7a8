// Certificates of every kind for tests, made on the spot: the keys exist for as long as the test.
#ifndef PAT_TESTS_SERVER_CRYPTO_CERTIFICATE_MAKER_H_
#define PAT_TESTS_SERVER_CRYPTO_CERTIFICATE_MAKER_H_

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace pat {

enum class KeyKind { kP256, kRsa2048, kRsa1024, kEd25519 };

struct CertificateWish {
  std::string common_name = "test";
  std::vector<std::string> names = {};  // Alternative ones: "DNS:localhost", "URI:spiffe://example.org/web", "IP:::1".
  bool ca = false;
  KeyKind key = KeyKind::kP256;
  std::string uses = {};                                    // "serverAuth"; empty: none named.
  bool sha1 = false;                                        // Signed with it.
  absl::Time begin = absl::FromUnixSeconds(1'577'836'800);  // 2020
  absl::Time end = absl::FromUnixSeconds(4'733'510'400);    // 2120
};

// With its key, both in PEM.
struct MadeCertificate {
  std::string pem;
  std::string key;
};

// Signed by `issuer`, or by itself. Throws if it cannot be made.
MadeCertificate MakeCertificate(const CertificateWish& wish);
MadeCertificate MakeCertificate(const CertificateWish& wish, const MadeCertificate& issuer);

// A CA of this name.
MadeCertificate MakeCa(const std::string& common_name);

// `key` under a password.
std::string Encrypted(const std::string& key);

}  // namespace pat

#endif  // PAT_TESTS_SERVER_CRYPTO_CERTIFICATE_MAKER_H_
