// AuditLines: the events of the audit log as lines of JSON, in a file or on standard error (--audit-log).
//
// A line is an AuditEvent of the API in protobuf's JSON, written at once and as a whole, after the row is in the store.
// The store's log is the one that counts: a line that cannot be written is lost, and the log says so, at most once a
// second.
//
// Threads: thread-safe.
#ifndef PAT_SERVER_OPS_AUDIT_LINES_H_
#define PAT_SERVER_OPS_AUDIT_LINES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/core/clock.h"
#include "server/ops/line_limiter.h"
#include "store/records.h"

namespace pat {

class AuditLines {
 public:
  // `path`: a file, made with mode 0600 if it is not there, appended to if it is; "-": standard error. Errors name it.
  // `clock` must outlive this.
  static absl::StatusOr<std::unique_ptr<AuditLines>> Open(const std::string& path, const Clock& clock);
  ~AuditLines();

  AuditLines(const AuditLines&) = delete;
  AuditLines& operator=(const AuditLines&) = delete;

  void Write(const AuditRecord& row);

 private:
  AuditLines(int file, bool owned, const Clock& clock) : file_(file), owned_(owned), failures_(clock) {}

  const int file_;
  const bool owned_;
  LineLimiter failures_;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_AUDIT_LINES_H_
