// Certificates that are replaced on disk, over real handshakes.
#include "server/ops/tls_files.h"

#include <grpc/grpc_security.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/channel_arguments.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "server/rpc/health_service.h"
#include "tests/server/crypto/certificate_maker.h"
#include "tests/server/ops/scratch_directory.h"
#include "tests/support/fake_clock.h"

namespace pat {
namespace {

using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Who connects: its certificate, and whom it trusts. Each call is on a connection of its own, unless told otherwise.
class TlsClient {
 public:
  TlsClient(std::string address, const std::string& trusted, const MadeCertificate* own)
      : address_(std::move(address)),
        credentials_(grpc::SslCredentials(
            {trusted, own == nullptr ? std::string() : own->key, own == nullptr ? std::string() : own->pem})),
        sessions_(grpc_ssl_session_cache_create_lru(16)) {}
  ~TlsClient() { grpc_ssl_session_cache_destroy(sessions_); }

  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // A new connection, which resumes the session of one before if the server lets it.
  std::shared_ptr<grpc::Channel> Connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetSslTargetNameOverride("localhost");
    const grpc_arg sessions = grpc_ssl_session_cache_create_channel_arg(sessions_);
    arguments.SetPointerWithVtable(sessions.key, sessions.value.pointer.p, sessions.value.pointer.vtable);
    return grpc::CreateCustomChannel(address_, credentials_, arguments);
  }

  static bool CallOn(const std::shared_ptr<grpc::Channel>& channel, bool* resumed = nullptr) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    HealthCheckResponse response;
    const bool ok = Health::NewStub(channel)->Check(&context, HealthCheckRequest(), &response).ok();
    if (ok && resumed != nullptr) {
      const auto values = context.auth_context()->FindPropertyValues(GRPC_SSL_SESSION_REUSED_PROPERTY);
      *resumed = values.size() == 1 && values[0] == "true";
    }
    return ok;
  }

  bool Call(bool* resumed = nullptr) const { return CallOn(Connect(), resumed); }

 private:
  const std::string address_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  grpc_ssl_session_cache* const sessions_;
};

// Tries until it is so; gRPC looks at the staged files once a second.
template <typename Condition>
bool Becomes(Condition condition) {
  const absl::Time end = absl::Now() + absl::Seconds(20);
  while (absl::Now() < end) {
    if (condition()) return true;
  }
  return false;
}

class TlsFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteServer(server_);
    scratch_.Write("ca.crt", client_ca_.pem);
    std::filesystem::create_directory(scratch_.File("stage"));
  }

  void WriteServer(const MadeCertificate& server) {
    scratch_.Write("tls.crt", server.pem);
    WriteKey(server.key);
  }
  void WriteKey(const std::string& key) { chmod(scratch_.Write("tls.key", key).c_str(), 0600); }

  MadeCertificate ServerFrom(const MadeCertificate& ca) {
    return MakeCertificate({.common_name = "server", .names = {"DNS:localhost"}}, ca);
  }

  TlsPaths Paths() const { return {scratch_.File("tls.crt"), scratch_.File("tls.key"), scratch_.File("ca.crt")}; }

  void Open() {
    absl::StatusOr<std::unique_ptr<TlsFiles>> opened = TlsFiles::Open(Paths(), clock_, scratch_.File("stage"));
    ASSERT_TRUE(opened.ok()) << opened.status();
    files_ = *std::move(opened);
  }

  void Serve() {
    Open();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", files_->credentials(), &port);
    builder.RegisterService(&health_);
    server_running_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }

  std::string ErrorOfOpen() {
    const absl::Status status = TlsFiles::Open(Paths(), clock_, scratch_.File("stage")).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(std::filesystem::is_empty(scratch_.File("stage")));
    EXPECT_EQ(TlsFiles::Check(Paths(), clock_.Now()), status);
    return std::string(status.message());
  }

  // What is on disk cannot serve: nothing changes, and it is said, the second time.
  void ExpectKept(const std::string& option, const std::string& says) {
    const uint64_t generation = files_->generation();
    files_->Poll();
    EXPECT_THAT(files_->last_error(), IsEmpty());
    files_->Poll();
    EXPECT_THAT(files_->last_error(), AllOf(StartsWith(option + ": " + scratch_.path()), HasSubstr(says)));
    EXPECT_EQ(files_->generation(), generation);
    EXPECT_TRUE(TlsClient(address_, server_ca_.pem, &client_).Call());
  }

  FakeClockSource time_;
  const Clock clock_{time_};
  const ScratchDirectory scratch_;
  const MadeCertificate server_ca_ = MakeCa("server CA");
  const MadeCertificate client_ca_ = MakeCa("client CA");
  const MadeCertificate server_ = ServerFrom(server_ca_);
  const MadeCertificate client_ = MakeCertificate({.common_name = "client"}, client_ca_);
  HealthService health_{{}};
  std::unique_ptr<TlsFiles> files_;
  std::unique_ptr<grpc::Server> server_running_;
  std::string address_;
};

TEST_F(TlsFilesTest, OnlyClientsWithACertificateOfOneOfTheCasConnect) {
  Serve();
  EXPECT_TRUE(TlsClient(address_, server_ca_.pem, &client_).Call());
  EXPECT_FALSE(TlsClient(address_, server_ca_.pem, nullptr).Call());
  const MadeCertificate stranger = MakeCertificate({.common_name = "client"}, MakeCa("client CA"));
  EXPECT_FALSE(TlsClient(address_, server_ca_.pem, &stranger).Call());
  const MadeCertificate ended = MakeCertificate({.end = absl::FromUnixSeconds(1'600'000'000)}, client_ca_);
  EXPECT_FALSE(TlsClient(address_, server_ca_.pem, &ended).Call());
  EXPECT_FALSE(TlsClient(address_, client_ca_.pem, &client_).Call()) << "the client does not look at the server";
}

TEST_F(TlsFilesTest, WhatCannotServeIsRefusedAtTheStartWithOptionAndFile) {
  WriteKey(client_.key);
  EXPECT_THAT(ErrorOfOpen(), AllOf(StartsWith("--tls-key: " + scratch_.File("tls.key")), HasSubstr("not the key")));
  WriteKey(server_.key);
  chmod(scratch_.File("tls.key").c_str(), 0644);
  EXPECT_THAT(ErrorOfOpen(), AllOf(StartsWith("--tls-key: " + scratch_.File("tls.key")), HasSubstr("0644")));
  chmod(scratch_.File("tls.key").c_str(), 0600);
  scratch_.Write("ca.crt", "");
  EXPECT_THAT(ErrorOfOpen(), AllOf(StartsWith("--tls-client-ca: " + scratch_.File("ca.crt")), HasSubstr("holds no")));
  scratch_.Write("ca.crt", client_.pem);
  EXPECT_THAT(ErrorOfOpen(), AllOf(StartsWith("--tls-client-ca: "), HasSubstr("is no CA")));
  std::filesystem::remove(scratch_.File("ca.crt"));
  EXPECT_THAT(ErrorOfOpen(), AllOf(StartsWith("--tls-client-ca: "), HasSubstr("cannot be opened")));
  scratch_.Write("ca.crt", client_ca_.pem);
  scratch_.Write("tls.crt", std::string(2 << 20, 'x'));
  EXPECT_THAT(ErrorOfOpen(), AllOf(StartsWith("--tls-cert: "), HasSubstr("more than 1048576 bytes")));
}

TEST_F(TlsFilesTest, ANewCertificateServesNewConnections) {
  Serve();
  EXPECT_EQ(files_->generation(), 1u);
  const TlsClient before(address_, server_ca_.pem, &client_);
  const std::shared_ptr<grpc::Channel> old_connection = before.Connect();
  EXPECT_TRUE(TlsClient::CallOn(old_connection));
  const MadeCertificate new_ca = MakeCa("new server CA");
  const absl::Time end = absl::FromUnixSeconds(4'700'000'000);
  WriteServer(MakeCertificate({.names = {"DNS:localhost"}, .end = end}, new_ca));
  files_->Poll();
  EXPECT_EQ(files_->generation(), 2u);
  EXPECT_EQ(files_->expire_time(), end);
  EXPECT_TRUE(Becomes([&] { return TlsClient(address_, new_ca.pem, &client_).Call(); }));
  EXPECT_FALSE(before.Call());
  EXPECT_TRUE(TlsClient::CallOn(old_connection)) << "a connection was cut";
  files_->Poll();
  EXPECT_EQ(files_->generation(), 2u) << "the same files again";
}

// As Kubernetes replaces a mounted secret: the directory that a link points to.
TEST_F(TlsFilesTest, ADirectoryThatIsSwappedIsNoticed) {
  const MadeCertificate new_ca = MakeCa("new server CA");
  for (const char* version : {"v1", "v2"}) {
    std::filesystem::create_directory(scratch_.File(version));
    const MadeCertificate server = version == std::string("v1") ? server_ : ServerFrom(new_ca);
    scratch_.Write(absl::StrCat(version, "/tls.crt"), server.pem);
    chmod(scratch_.Write(absl::StrCat(version, "/tls.key"), server.key).c_str(), 0600);
  }
  std::filesystem::create_symlink("v1", scratch_.File("..data"));
  for (const char* file : {"tls.crt", "tls.key"}) {
    std::filesystem::remove(scratch_.File(file));
    std::filesystem::create_symlink(absl::StrCat("..data/", file), scratch_.File(file));
  }
  Serve();
  EXPECT_TRUE(TlsClient(address_, server_ca_.pem, &client_).Call());
  std::filesystem::create_symlink("v2", scratch_.File("..data.new"));
  std::filesystem::rename(scratch_.File("..data.new"), scratch_.File("..data"));
  files_->Poll();
  EXPECT_TRUE(Becomes([&] { return TlsClient(address_, new_ca.pem, &client_).Call(); }));
}

TEST_F(TlsFilesTest, ABrokenSetChangesNothingAndIsReported) {
  Serve();
  WriteKey(client_.key);
  ExpectKept("--tls-key", "not the key of the first certificate");
  WriteKey(server_.key);
  files_->Poll();
  EXPECT_THAT(files_->last_error(), IsEmpty()) << "what serves is on disk again";

  scratch_.Write("ca.crt", "");
  ExpectKept("--tls-client-ca", "holds no certificate");
  scratch_.Write("ca.crt", client_ca_.pem);
  files_->Poll();

  scratch_.Write("tls.crt", server_.pem.substr(0, 100));
  ExpectKept("--tls-cert", "no PEM");
  std::filesystem::remove(scratch_.File("tls.crt"));
  files_->Poll();
  files_->Poll();
  EXPECT_THAT(files_->last_error(), HasSubstr("cannot be opened"));
  // Then a good one.
  const MadeCertificate new_ca = MakeCa("new server CA");
  WriteServer(ServerFrom(new_ca));
  files_->Poll();
  EXPECT_THAT(files_->last_error(), IsEmpty());
  EXPECT_EQ(files_->generation(), 2u);
  EXPECT_TRUE(Becomes([&] { return TlsClient(address_, new_ca.pem, &client_).Call(); }));
}

// Certificate first, then the key: no alarm for what lies between.
TEST_F(TlsFilesTest, FilesThatAreReplacedOneByOneAreNoAlarm) {
  Open();
  const MadeCertificate next = ServerFrom(server_ca_);
  scratch_.Write("tls.crt", next.pem);
  files_->Poll();
  EXPECT_THAT(files_->last_error(), IsEmpty());
  WriteKey(next.key);
  files_->Poll();
  EXPECT_THAT(files_->last_error(), IsEmpty());
  EXPECT_EQ(files_->generation(), 2u);
}

TEST_F(TlsFilesTest, ACertificateThatIsNotValidYetServesWhenItIs) {
  Open();
  const absl::Time begin = clock_.Now() + absl::Hours(1);
  WriteServer(MakeCertificate({.names = {"DNS:localhost"}, .begin = begin}, server_ca_));
  files_->Poll();
  files_->Poll();
  EXPECT_THAT(files_->last_error(), HasSubstr("is not valid before"));
  time_.Advance(absl::Hours(1));
  files_->Poll();
  EXPECT_THAT(files_->last_error(), IsEmpty());
  EXPECT_EQ(files_->generation(), 2u);
}

TEST_F(TlsFilesTest, AClientWhoseCaIsTakenOutGetsNoNewConnectionAndResumesNone) {
  const MadeCertificate other_ca = MakeCa("other client CA");
  const MadeCertificate other = MakeCertificate({.common_name = "other"}, other_ca);
  scratch_.Write("ca.crt", client_ca_.pem + other_ca.pem);
  Serve();
  const TlsClient removed(address_, server_ca_.pem, &other);
  const std::shared_ptr<grpc::Channel> old_connection = removed.Connect();
  ASSERT_TRUE(TlsClient::CallOn(old_connection));
  // Otherwise the rest says nothing about sessions.
  bool resumed = false;
  ASSERT_TRUE(Becomes([&] { return removed.Call(&resumed) && resumed; }));

  scratch_.Write("ca.crt", client_ca_.pem);
  files_->Poll();
  EXPECT_TRUE(Becomes([&] { return !removed.Call(); }));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(removed.Call());
  EXPECT_TRUE(TlsClient(address_, server_ca_.pem, &client_).Call());
  // It ends with its age; that is a matter of the listener.
  EXPECT_TRUE(TlsClient::CallOn(old_connection));
}

TEST_F(TlsFilesTest, ExpiresWithTheFirstOfAllCertificates) {
  const absl::Time end = absl::FromUnixSeconds(absl::ToUnixSeconds(clock_.Now()) + 3600);
  const MadeCertificate short_ca = MakeCertificate({.ca = true, .end = end});
  scratch_.Write("ca.crt", client_ca_.pem + short_ca.pem);
  Open();
  EXPECT_EQ(files_->expire_time(), end);
}

}  // namespace
}  // namespace pat
