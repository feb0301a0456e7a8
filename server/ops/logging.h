// The log: lines on standard error, for a person on a terminal or as JSON for a collector. Never a secret, a digest or
// a password, at any level.
//
// Use spdlog's functions (spdlog::info and so on) after InitLogging().
#ifndef PAT_SERVER_OPS_LOGGING_H_
#define PAT_SERVER_OPS_LOGGING_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/core/clock.h"
#include "server/ops/options.h"

namespace pat {

// To be called once, before other threads start.
void InitLogging(LogFormat format, const std::string& level);

// gRPC and protobuf write to standard error by themselves, a line for each bad request, with parts of it. From here on
// they write to the log instead, at most a line a second each, and only where in their code they complained: the text
// may hold what a caller sent. Only why a TLS handshake failed is said. To be called once, after InitLogging(). `clock`
// is used until the process ends.
void RouteLibraryLogs(const Clock& clock);

// What to write of a complaint of gRPC's, made in `file` of its code, if it is that a TLS handshake failed: OpenSSL's
// reason, and what it means. nullopt: it is another one, whose text is not to be shown.
std::optional<std::string> HandshakeComplaint(absl::string_view file, absl::string_view message);

// `text` as the inside of a JSON string. Control characters and quotes are escaped; bytes that are no UTF-8 stay as
// they are.
std::string JsonEscaped(const std::string& text);

}  // namespace pat

#endif  // PAT_SERVER_OPS_LOGGING_H_
