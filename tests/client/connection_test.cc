#include "client/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "tests/client/fake_server.h"
#include "tests/client/test_certificate.h"

namespace pat::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ConnectionOptions To(const std::string& address) {
  return {.address = *ServerAddress::Parse(address),
          .tls = std::nullopt,
          .credentials = std::nullopt,
          .payload = Payload::kConfidential,
          .timeout = absl::Seconds(10)};
}

BasicCredentials Ada() { return {"ada", SecretText(std::string("pass:word"))}; }

class ConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "connection-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
  }

  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& content) const {
    std::string path = (directory_ / name).string();
    std::ofstream(path) << content;
    return path;
  }

  static grpc::Status Check(const Connection& connection) {
    const auto stub = grpc::health::v1::Health::NewStub(connection.channel());
    grpc::health::v1::HealthCheckResponse response;
    return connection.Call(*stub, &grpc::health::v1::Health::Stub::Check, grpc::health::v1::HealthCheckRequest(),
                           &response);
  }

  // What Create complains about.
  static std::string Refusal(ConnectionOptions options) {
    const auto connection = Connection::Create(std::move(options));
    if (connection.ok()) return "";
    EXPECT_EQ(connection.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(connection.status().message());
  }

  std::filesystem::path directory_;
};

TEST_F(ConnectionTest, SendsBasicCredentialsWithEachCall) {
  FakeServer server;
  ConnectionOptions options = To(server.address());
  options.credentials = Ada();
  const auto connection = Connection::Create(std::move(options));
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE(Check(**connection).ok());
  EXPECT_TRUE(Check(**connection).ok());
  const std::string expected = absl::StrCat("Basic ", absl::Base64Escape("ada:pass:word"));
  EXPECT_THAT(server.authorizations, ElementsAre(expected, expected));
}

TEST_F(ConnectionTest, SendsATokenInstead) {
  FakeServer server;
  ConnectionOptions options = To(server.address());
  options.credentials = BearerCredentials{SecretText(std::string(kFakeSecret))};
  const auto connection = Connection::Create(std::move(options));
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_TRUE(Check(**connection).ok());
  EXPECT_THAT(server.authorizations, ElementsAre(absl::StrCat("Bearer ", kFakeSecret)));
}

TEST_F(ConnectionTest, SendsNoCredentialsWithoutAUser) {
  FakeServer server;
  const auto connection = Connection::Create(To(server.address()));
  ASSERT_TRUE(connection.ok());
  EXPECT_TRUE(Check(**connection).ok());
  EXPECT_THAT(server.authorizations, ElementsAre(""));
}

TEST_F(ConnectionTest, HandsOnTheStatusOfTheServer) {
  FakeServer server;
  server.error = ErrorWith(grpc::StatusCode::NOT_FOUND, "no such service", "WHATEVER");
  const auto connection = Connection::Create(To(server.address()));
  const grpc::Status status = Check(**connection);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_details(), server.error.error_details());
}

TEST_F(ConnectionTest, EndsACallThatTakesTooLong) {
  absl::Notification given_up;
  FakeServer server;
  server.on_call = [&given_up](grpc::ServerContext&) { given_up.WaitForNotification(); };
  ConnectionOptions options = To(server.address());
  options.timeout = absl::Milliseconds(100);
  const auto connection = Connection::Create(std::move(options));
  EXPECT_EQ(Check(**connection).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  given_up.Notify();
}

TEST_F(ConnectionTest, ReachesLoopbackOverIpv4AndIpv6) {
  for (const char* listen : {"127.0.0.1:0", "[::1]:0"}) {
    std::unique_ptr<FakeServer> server;
    try {
      server = std::make_unique<FakeServer>(listen, grpc::InsecureServerCredentials());
    } catch (const std::runtime_error&) {
      continue;  // No IPv6 on this machine.
    }
    const auto connection = Connection::Create(To(server->address()));
    ASSERT_TRUE(connection.ok()) << connection.status();
    EXPECT_TRUE(Check(**connection).ok()) << listen;
  }
}

TEST_F(ConnectionTest, UsesNoProxyWhateverTheEnvironmentSays) {
  FakeServer server("127.0.0.1:0", grpc::InsecureServerCredentials());
  for (const char* name : {"http_proxy", "grpc_proxy", "https_proxy"}) setenv(name, "http://127.0.0.1:1", 1);
  ConnectionOptions options = To(server.address());
  options.credentials = Ada();
  const auto connection = Connection::Create(std::move(options));
  const grpc::Status status = Check(**connection);
  for (const char* name : {"http_proxy", "grpc_proxy", "https_proxy"}) unsetenv(name);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(ConnectionTest, SpeaksTlsToLocalhostByNameAndByAddress) {
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({kTestKey, kTestCertificate});
  FakeServer server("127.0.0.1:0", grpc::SslServerCredentials(tls));
  const std::string port = server.address().substr(server.address().rfind(':'));
  const std::string ca = Write("ca.pem", kTestCertificate);
  for (const char* host : {"127.0.0.1", "localhost"}) {
    ConnectionOptions options = To(absl::StrCat(host, port));
    options.tls = TlsFiles{ca, "", ""};
    options.credentials = Ada();
    const auto connection = Connection::Create(std::move(options));
    ASSERT_TRUE(connection.ok()) << connection.status();
    const grpc::Status status = Check(**connection);
    EXPECT_TRUE(status.ok()) << host << ": " << status.error_message();
  }
}

TEST_F(ConnectionTest, TheCertificateMustBeMadeOutToTheServersName) {
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({kTestKey, kTestCertificate});
  FakeServer server("127.0.0.2:0", grpc::SslServerCredentials(tls));
  const std::string ca = Write("ca.pem", kTestCertificate);
  const auto check = [&](const std::string& name) {
    ConnectionOptions options = To(server.address());
    options.tls = TlsFiles{ca, "", ""};
    options.tls_server_name = name;
    return Check(**Connection::Create(std::move(options))).error_code();
  };
  EXPECT_EQ(check(""), grpc::StatusCode::UNAVAILABLE);  // 127.0.0.2 is not in it.
  EXPECT_EQ(check("pat.example.com"), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(check("localhost"), grpc::StatusCode::OK);
  EXPECT_EQ(check("127.0.0.1"), grpc::StatusCode::OK);
}

TEST_F(ConnectionTest, RefusesServersNamesThatMakeNoSense) {
  ConnectionOptions plaintext = To("127.0.0.1:7443");
  plaintext.tls_server_name = "localhost";
  EXPECT_THAT(Refusal(std::move(plaintext)), HasSubstr("with TLS only"));
  for (const char* name : {"a b", "a/b", "*", "a\n"}) {
    ConnectionOptions options = To("127.0.0.1:7443");
    options.tls = TlsFiles{};
    options.tls_server_name = name;
    EXPECT_THAT(Refusal(std::move(options)), HasSubstr("is no name of a server")) << name;
  }
}

TEST_F(ConnectionTest, DoesNotTrustAServerThatNobodyVouchesFor) {
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({kTestKey, kTestCertificate});
  FakeServer server("127.0.0.1:0", grpc::SslServerCredentials(tls));
  ConnectionOptions options = To(server.address());
  options.tls = TlsFiles{};
  options.credentials = Ada();
  EXPECT_EQ(Check(**Connection::Create(std::move(options))).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(server.authorizations.empty());
}

TEST_F(ConnectionTest, ShowsItsOwnCertificate) {
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = kTestCertificate;
  tls.pem_key_cert_pairs.push_back({kTestKey, kTestCertificate});
  FakeServer server("127.0.0.1:0", grpc::SslServerCredentials(tls));
  const std::string certificate = Write("cert.pem", kTestCertificate);

  ConnectionOptions options = To(server.address());
  options.tls = TlsFiles{certificate, certificate, Write("key.pem", kTestKey)};
  const grpc::Status status = Check(**Connection::Create(std::move(options)));
  EXPECT_TRUE(status.ok()) << status.error_message();

  ConnectionOptions without = To(server.address());
  without.tls = TlsFiles{certificate, "", ""};
  EXPECT_EQ(Check(**Connection::Create(std::move(without))).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ConnectionTest, RefusesSecretsInPlaintextBeyondThisMachine) {
  for (const char* address : {"10.0.0.1:7443", "pat.example.com:7443", "[2001:db8::1]:7443", "0.0.0.0:7443"}) {
    ConnectionOptions with_password = To(address);
    with_password.payload = Payload::kPublic;
    with_password.credentials = Ada();
    EXPECT_THAT(Refusal(std::move(with_password)), HasSubstr("refusing to send passwords or tokens in plaintext"));
    EXPECT_THAT(Refusal(To(address)), HasSubstr(absl::StrCat("plaintext to ", address)));

    ConnectionOptions harmless = To(address);
    harmless.payload = Payload::kPublic;
    EXPECT_EQ(Refusal(std::move(harmless)), "");

    ConnectionOptions encrypted = To(address);
    encrypted.tls = TlsFiles{};
    encrypted.credentials = Ada();
    EXPECT_EQ(Refusal(std::move(encrypted)), "");
  }
}

TEST_F(ConnectionTest, RefusesTlsFilesThatMakeNoSense) {
  const std::string certificate = Write("cert.pem", kTestCertificate);
  const auto refusal = [](TlsFiles files) {
    ConnectionOptions options = To("127.0.0.1:7443");
    options.tls = std::move(files);
    return Refusal(std::move(options));
  };
  EXPECT_THAT(refusal({"", certificate, ""}), HasSubstr("give both or none"));
  EXPECT_THAT(refusal({"", "", certificate}), HasSubstr("give both or none"));
  const std::string absent = (directory_ / "absent.pem").string();
  EXPECT_THAT(refusal({absent, "", ""}), HasSubstr(absent + "\" cannot be read"));
  EXPECT_THAT(refusal({directory_.string(), "", ""}), HasSubstr("cannot be read"));
  // gRPC would take nothing for "the authorities of this machine".
  EXPECT_THAT(refusal({Write("empty.pem", ""), "", ""}), HasSubstr("empty.pem\""));
  EXPECT_THAT(refusal({Write("text.pem", "not a certificate"), "", ""}), HasSubstr("has no PEM in it"));
}

TEST_F(ConnectionTest, RefusesTlsOverAUnixSocket) {
  ConnectionOptions options = To("unix:/run/pat/pat.sock");
  options.tls = TlsFiles{};
  EXPECT_THAT(Refusal(std::move(options)), HasSubstr("Unix socket takes no TLS"));
}

TEST_F(ConnectionTest, RefusesCredentialsThatBasicCannotSay) {
  const auto refusal = [](const std::string& user, const std::string& password) {
    ConnectionOptions options = To("127.0.0.1:7443");
    options.credentials = BasicCredentials{user, SecretText(std::string(password))};
    return Refusal(std::move(options));
  };
  EXPECT_THAT(refusal("", "x"), HasSubstr("name is empty"));
  EXPECT_THAT(refusal("ada:x", "y"), HasSubstr("no colon"));
  EXPECT_THAT(refusal("ada\n", "y"), HasSubstr("control character"));
  EXPECT_THAT(refusal("ada", ""), HasSubstr("password is empty"));
  EXPECT_EQ(refusal("ada", "any: bytes \n\xff"), "");
}

TEST_F(ConnectionTest, RefusesTokensThatAHeaderCannotSay) {
  const auto refusal = [](const std::string& token) {
    ConnectionOptions options = To("127.0.0.1:7443");
    options.credentials = BearerCredentials{SecretText(std::string(token))};
    return Refusal(std::move(options));
  };
  EXPECT_THAT(refusal(""), HasSubstr("token is empty"));
  for (const char* token : {"pat a", "pat\n", "pat\xff", "pat\x7f"}) {
    EXPECT_THAT(refusal(token), HasSubstr("a token has no blank"));
    EXPECT_THAT(refusal(token), ::testing::Not(HasSubstr("pat")));
  }
  EXPECT_EQ(refusal(kFakeSecret), "");
}

TEST_F(ConnectionTest, RefusesATimeoutOfNoTime) {
  ConnectionOptions options = To("127.0.0.1:7443");
  options.timeout = absl::ZeroDuration();
  EXPECT_THAT(Refusal(std::move(options)), HasSubstr("timeout"));
}

TEST_F(ConnectionTest, AServerThatCannotBeReachedIsAnErrorOfTheCall) {
  const auto connection = Connection::Create(To(absl::StrCat("unix:", (directory_ / "absent.sock").string())));
  ASSERT_TRUE(connection.ok());
  EXPECT_EQ(Check(**connection).error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace pat::client
