// Files that hold secrets: peppers, keys, passwords.
#ifndef PAT_SERVER_CORE_SECRET_FILE_H_
#define PAT_SERVER_CORE_SECRET_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/crypto/secret.h"

namespace pat {

// Reads a whole file. Refuses, naming the path and what would be right: one that is missing or not a regular file
// (NOT_FOUND, INVALID_ARGUMENT), one over `limit` bytes (INVALID_ARGUMENT), and one that the world can read, or a group
// that this process is not in (FAILED_PRECONDITION). Kubernetes mounts secrets 0440 with the pod's fsGroup, which is
// one of the process's own groups; that is fine.
absl::StatusOr<Secret> ReadSecretFile(const std::string& path, size_t limit);

// Makes a new file, mode 0400, with these bytes; durable when it returns. ALREADY_EXISTS, untouched, if there is one.
absl::Status CreateSecretFile(const std::string& path, const Secret& bytes);

}  // namespace pat

#endif  // PAT_SERVER_CORE_SECRET_FILE_H_
