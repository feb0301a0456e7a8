// TlsFiles: certificate, key and client CAs of the TLS listeners, replaced on disk without a restart. Or, on the other
// side, a client's certificate and key and the CAs of its servers.
//
// The three files are one set. Poll() reads them, and a set that is new is judged (server/crypto/certificate.h) before
// anything serves with it; only one that can serve is staged, where gRPC looks for it every second. So within two
// seconds of a change new connections are under the new certificate, and a client whose CA was taken out gets none;
// connections that there are go on, until their age ends. A session of before is not resumed: its ticket is from
// another set. See docs/adr/0015-staged-tls-files.md.
//
// A set that cannot serve changes nothing: the one before goes on serving, and the log says what is wrong, once it was
// found twice in a row (so that files which are being replaced one by one are no alarm), and again every ten minutes.
//
// Clients must show a certificate that one of the CAs, or who they vouch for, has issued. TLS 1.2 or 1.3.
//
// Threads: Poll() is for one thread at a time; the rest is thread-safe.
#ifndef PAT_SERVER_OPS_TLS_FILES_H_
#define PAT_SERVER_OPS_TLS_FILES_H_

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/crypto/digest.h"
#include "server/crypto/secret.h"
#include "server/ops/staged_files.h"

namespace pat {

// Which side of connections the set is for: that of a server, with the CAs of its clients; or that of a client, with
// the CAs of its servers.
enum class TlsSide : uint8_t { kServer, kClient };

struct TlsPaths {
  std::string certificate;  // --tls-cert
  std::string key;          // --tls-key
  std::string peer_ca;      // --tls-client-ca; a client's: --authority-ca
  TlsSide side = TlsSide::kServer;
};

class TlsFiles {
 public:
  // Reads and judges without keeping anything: whether Open() would find a set that can serve. Errors are one line that
  // names option, file and what is wrong; never content.
  static absl::Status Check(const TlsPaths& paths, absl::Time now);

  // The same, and stages the set. `clock` must outlive this. `stage_in`: see StagedFiles::Make().
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Open(const TlsPaths& paths, const Clock& clock,
                                                        const std::string& stage_in = {});

  // Looks whether the files have changed. Call it every second.
  void Poll() ABSL_LOCKS_EXCLUDED(mutex_);

  // For any number of servers. They may outlive this, and serve on with the set that was the last. Null on the side of
  // a client.
  std::shared_ptr<grpc::ServerCredentials> credentials() const { return credentials_; }

  // For any number of channels, likewise. Null on the side of a server.
  std::shared_ptr<grpc::ChannelCredentials> channel_credentials() const { return channel_credentials_; }

  // Of the set that serves: when the first of its certificates ends. For metrics.
  absl::Time expire_time() const ABSL_LOCKS_EXCLUDED(mutex_);

  // What is wrong with what is on disk; empty if it is what serves.
  std::string last_error() const ABSL_LOCKS_EXCLUDED(mutex_);

  // How many sets have served, this one included.
  uint64_t generation() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Contents;
  struct Judged;

  TlsFiles(TlsPaths paths, const Clock& clock, std::unique_ptr<StagedFiles> staged)
      : paths_(std::move(paths)), clock_(clock), staged_(std::move(staged)) {}

  static absl::StatusOr<Contents> Read(const TlsPaths& paths);
  static absl::StatusOr<Judged> Judge(const TlsPaths& paths, const Contents& contents, absl::Time now);

  absl::Status Stage(const Judged& judged);
  void Complain(const std::string& error, absl::Time now);
  void WarnOfTheEnd(absl::Time now);

  const TlsPaths paths_;
  const Clock& clock_;
  const std::unique_ptr<StagedFiles> staged_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  std::shared_ptr<grpc::ChannelCredentials> channel_credentials_;

  // Of the thread that polls.
  Sha256Digest serving_{};  // Of the files as they were when they were staged.
  std::string suspicion_;   // An error that was found once.
  std::string complaint_;   // The last that was written to the log, and when.
  absl::Time complaint_time_ = absl::InfinitePast();
  absl::Time warning_time_ = absl::InfinitePast();

  mutable absl::Mutex mutex_;
  absl::Time expire_time_ ABSL_GUARDED_BY(mutex_);
  std::string last_error_ ABSL_GUARDED_BY(mutex_);
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_TLS_FILES_H_
