// Certificates and keys of a TLS server, judged before anybody serves with them.
//
// What passes here can serve: a TLS library that is handed it makes handshakes. Every function takes the content of a
// file in PEM and gives it back as it is to be used: without the text and the order of blocks that parsers differ
// about. Errors are INVALID_ARGUMENT; they say what is wrong with which certificate of the file ("certificate 2"), for
// whoever knows the file's name to put it in front, and never repeat any of its content.
//
// Threads: pure functions.
#ifndef PAT_SERVER_CRYPTO_CERTIFICATE_H_
#define PAT_SERVER_CRYPTO_CERTIFICATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/crypto/secret.h"

namespace pat {

struct Certificates {
  std::string pem;
  absl::Time expire_time;  // When the first of them ends that has not ended yet.
};

// The chain of a server: its own certificate first, each one issued by the next. Refuses
//  - what is no PEM, holds none, or something else beside certificates,
//  - one that is not valid at `now`, or whose key or signature is too weak for TLS (RSA under 2048 bits, SHA-1),
//  - a first one that may not be a server's, and a next one that did not issue the one before.
// Whether clients trust the last one's issuer is theirs to say. A certificate that vouches for itself is not an error.
absl::StatusOr<Certificates> ReadServerChain(absl::string_view pem, absl::Time now);

// The same for the chain that a client shows: its first certificate has to be one that may be a client's.
absl::StatusOr<Certificates> ReadClientChain(absl::string_view pem, absl::Time now);

// The key of the first certificate of `chain`, one that ReadServerChain() or ReadClientChain() gave. Refuses what is no
// PEM, holds no private key or several, is encrypted, or is the key of another certificate.
absl::StatusOr<Secret> ReadServerKey(const Secret& pem, absl::string_view chain);

// The CAs whose clients may connect, or whose servers are trusted. Refuses what is no PEM, holds none, something else
// beside certificates, one that is no CA or too weak, and a file of which none is valid at `now`. One that is not,
// beside one that is, is not an error: whoever verifies a client looks at the dates.
absl::StatusOr<Certificates> ReadClientCas(absl::string_view pem, absl::Time now);

}  // namespace pat

#endif  // PAT_SERVER_CRYPTO_CERTIFICATE_H_
