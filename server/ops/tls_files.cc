#include "server/ops/tls_files.h"

#include <fcntl.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/core/secret_file.h"
#include "server/crypto/bytes.h"
#include "server/crypto/certificate.h"

namespace pat {
namespace {

constexpr size_t kLargestFile = size_t{1} << 20;
constexpr size_t kLargestKey = size_t{64} << 10;
constexpr unsigned int kRefreshSeconds = 1;
const absl::Duration kRepeatComplaint = absl::Minutes(10);
const absl::Duration kWarnBeforeEnd = absl::Hours(24 * 7);
const absl::Duration kRepeatWarning = absl::Hours(24);
const absl::Duration kRepeatEnded = absl::Minutes(10);

constexpr char kCertificateName[] = "certificate.pem";
constexpr char kKeyName[] = "key.pem";
constexpr char kPeerCaName[] = "peer-ca.pem";

// `status` with the option and the file in front.
absl::Status About(absl::string_view option, const std::string& path, const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrCat(option, ": ", path, ": ", status.message()));
}

const char* CaOption(const TlsPaths& paths) {
  return paths.side == TlsSide::kServer ? "--tls-client-ca" : "--authority-ca";
}

absl::StatusOr<std::string> ReadPublicFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return absl::ErrnoToStatus(errno, "cannot be opened");
  const absl::Cleanup close_file = [file] { close(file); };
  struct stat info {};
  if (fstat(file, &info) != 0) return absl::ErrnoToStatus(errno, "cannot be examined");
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError("is not a regular file");
  std::string content;
  char buffer[8192];
  while (content.size() <= kLargestFile) {
    const ssize_t got = read(file, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "cannot be read");
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
  }
  return absl::InvalidArgumentError(absl::StrCat("has more than ", kLargestFile, " bytes"));
}

}  // namespace

// The files as they are.
struct TlsFiles::Contents {
  std::string certificate;
  Secret key;
  std::string peer_ca;

  Sha256Digest Digest() const {
    std::string digests;
    for (const absl::string_view part : {absl::string_view(certificate), key.Reveal(), absl::string_view(peer_ca)}) {
      absl::StrAppend(&digests, AsText(Sha256(part)));
    }
    return Sha256(digests);
  }
};

// A set that can serve.
struct TlsFiles::Judged {
  Certificates chain;
  Secret key;
  Certificates peer_ca;

  absl::Time expire_time() const { return std::min(chain.expire_time, peer_ca.expire_time); }
};

absl::StatusOr<TlsFiles::Contents> TlsFiles::Read(const TlsPaths& paths) {
  absl::StatusOr<std::string> certificate = ReadPublicFile(paths.certificate);
  if (!certificate.ok()) return About("--tls-cert", paths.certificate, certificate.status());
  absl::StatusOr<Secret> key = ReadSecretFile(paths.key, kLargestKey);
  // This one names the file by itself.
  if (!key.ok()) return absl::InvalidArgumentError(absl::StrCat("--tls-key: ", key.status().message()));
  absl::StatusOr<std::string> peer_ca = ReadPublicFile(paths.peer_ca);
  if (!peer_ca.ok()) return About(CaOption(paths), paths.peer_ca, peer_ca.status());
  return Contents{.certificate = *std::move(certificate), .key = *std::move(key), .peer_ca = *std::move(peer_ca)};
}

absl::StatusOr<TlsFiles::Judged> TlsFiles::Judge(const TlsPaths& paths, const Contents& contents, absl::Time now) {
  absl::StatusOr<Certificates> chain = paths.side == TlsSide::kServer ? ReadServerChain(contents.certificate, now)
                                                                      : ReadClientChain(contents.certificate, now);
  if (!chain.ok()) return About("--tls-cert", paths.certificate, chain.status());
  absl::StatusOr<Secret> key = ReadServerKey(contents.key, chain->pem);
  if (!key.ok()) return About("--tls-key", paths.key, key.status());
  absl::StatusOr<Certificates> peer_ca = ReadClientCas(contents.peer_ca, now);
  if (!peer_ca.ok()) return About(CaOption(paths), paths.peer_ca, peer_ca.status());
  return Judged{.chain = *std::move(chain), .key = *std::move(key), .peer_ca = *std::move(peer_ca)};
}

absl::Status TlsFiles::Check(const TlsPaths& paths, absl::Time now) {
  const absl::StatusOr<Contents> contents = Read(paths);
  if (!contents.ok()) return contents.status();
  return Judge(paths, *contents, now).status();
}

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Open(const TlsPaths& paths, const Clock& clock,
                                                         const std::string& stage_in) {
  const absl::StatusOr<Contents> contents = Read(paths);
  if (!contents.ok()) return contents.status();
  const absl::StatusOr<Judged> judged = Judge(paths, *contents, clock.Now());
  if (!judged.ok()) return judged.status();
  absl::StatusOr<std::unique_ptr<StagedFiles>> staged = StagedFiles::Make(stage_in);
  if (!staged.ok()) return staged.status();
  auto files = absl::WrapUnique(new TlsFiles(paths, clock, *std::move(staged)));
  if (absl::Status status = files->Stage(*judged); !status.ok()) return status;
  files->serving_ = contents->Digest();

  const auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      files->staged_->path(kKeyName), files->staged_->path(kCertificateName), files->staged_->path(kPeerCaName),
      kRefreshSeconds);
  if (paths.side == TlsSide::kClient) {
    grpc::experimental::TlsChannelCredentialsOptions options;
    options.set_certificate_provider(provider);
    options.watch_identity_key_cert_pairs();
    options.watch_root_certs();
    files->channel_credentials_ = grpc::experimental::TlsCredentials(options);
    return files;
  }
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  files->credentials_ = grpc::experimental::TlsServerCredentials(options);
  return files;
}

absl::Status TlsFiles::Stage(const Judged& judged) {
  if (absl::Status status = staged_->Replace(
          {{kCertificateName, judged.chain.pem}, {kKeyName, judged.key.Reveal()}, {kPeerCaName, judged.peer_ca.pem}});
      !status.ok()) {
    return status;
  }
  const absl::MutexLock lock(&mutex_);
  expire_time_ = judged.expire_time();
  last_error_.clear();
  ++generation_;
  return absl::OkStatus();
}

void TlsFiles::Poll() {
  const absl::Time now = clock_.Now();
  WarnOfTheEnd(now);
  const absl::StatusOr<Contents> contents = Read(paths_);
  if (!contents.ok()) return Complain(std::string(contents.status().message()), now);
  const Sha256Digest digest = contents->Digest();
  if (digest == serving_) {
    suspicion_.clear();
    const absl::MutexLock lock(&mutex_);
    if (last_error_.empty()) return;
    last_error_.clear();
    complaint_.clear();
    spdlog::info("TLS: the files are again those that serve");
    return;
  }
  const absl::StatusOr<Judged> judged = Judge(paths_, *contents, now);
  if (!judged.ok()) return Complain(std::string(judged.status().message()), now);
  // Of files that are being replaced, an old one and a new one may fit together.
  const absl::StatusOr<Contents> again = Read(paths_);
  if (!again.ok() || again->Digest() != digest) return;
  if (absl::Status status = Stage(*judged); !status.ok()) return Complain(std::string(status.message()), now);
  serving_ = digest;
  suspicion_.clear();
  complaint_.clear();
  warning_time_ = absl::InfinitePast();
  spdlog::info("TLS: new certificate, key and {} CAs serve; the first of them ends at {}",
               paths_.side == TlsSide::kServer ? "client" : "authority",
               absl::FormatTime(judged->expire_time(), absl::UTCTimeZone()));
}

void TlsFiles::Complain(const std::string& error, absl::Time now) {
  if (std::exchange(suspicion_, error) != error) return;
  {
    const absl::MutexLock lock(&mutex_);
    last_error_ = error;
  }
  if (complaint_ == error && now - complaint_time_ < kRepeatComplaint) return;
  complaint_ = error;
  complaint_time_ = now;
  spdlog::error("TLS: the files on disk cannot serve, the set before goes on: {}", error);
}

void TlsFiles::WarnOfTheEnd(absl::Time now) {
  const absl::Time end = expire_time();
  if (now >= end) {
    if (now - warning_time_ < kRepeatEnded) return;
    warning_time_ = now;
    return spdlog::error("TLS: a certificate that serves, or a CA, has ended at {}, and handshakes fail; replace it",
                         absl::FormatTime(end, absl::UTCTimeZone()));
  }
  if (end - now > kWarnBeforeEnd || now - warning_time_ < kRepeatWarning) return;
  warning_time_ = now;
  spdlog::warn("TLS: a certificate that serves, or a CA, ends at {}; replace it",
               absl::FormatTime(end, absl::UTCTimeZone()));
}

absl::Time TlsFiles::expire_time() const {
  const absl::MutexLock lock(&mutex_);
  return expire_time_;
}

std::string TlsFiles::last_error() const {
  const absl::MutexLock lock(&mutex_);
  return last_error_;
}

uint64_t TlsFiles::generation() const {
  const absl::MutexLock lock(&mutex_);
  return generation_;
}

}  // namespace pat
