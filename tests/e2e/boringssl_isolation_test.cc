// BoringSSL (server/crypto, static) and OpenSSL (under gRPC, shared) live in one
// process. Neither may see the other's functions; if they do, a TLS server
// crashes when it starts, or our digests silently are OpenSSL's.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/crypto/bytes.h"
#include "server/crypto/digest.h"
#include "server/crypto/random.h"
#include "server/crypto/scrypt.h"
#include "server/crypto/self_test.h"

namespace pat {
namespace {

using ::grpc::health::v1::Health;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Runs `command` in a shell and returns what it prints.
std::string Run(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr) << command;
  std::string output;
  std::array<char, 65536> buffer;
  size_t size = 0;
  while ((size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    output.append(buffer.data(), size);
  }
  EXPECT_EQ(pclose(pipe), 0) << command;
  return output;
}

// The C symbols of a file, by their names at the source. "X@@V", and our prefix
// on BoringSSL's, are taken off; C++ names are left out.
std::set<std::string> Symbols(const std::string& nm_options, const std::string& file) {
  std::set<std::string> symbols;
  const std::string listing = Run(absl::StrCat("nm --format=posix ", nm_options, " '", file, "'"));
  for (absl::string_view line : absl::StrSplit(listing, '\n')) {
    std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() < 2 || absl::StartsWith(fields[0], "_Z")) continue;
    absl::string_view name = fields[0].substr(0, fields[0].find('@'));
    symbols.emplace(absl::StripPrefix(name, "pat_"));
  }
  return symbols;
}

std::set<std::string> Intersection(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.begin()));
  return both;
}

const std::set<std::string>& BoringSslSymbols() {
  static const auto& symbols =
      *new std::set<std::string>(Symbols("--defined-only --extern-only", PAT_BORINGSSL_LIBRARY));
  return symbols;
}

class ProgramTest : public testing::TestWithParam<std::string> {};

// All that are linked with both libraries: this test itself, and what we ship.
INSTANTIATE_TEST_SUITE_P(Programs, ProgramTest, testing::ValuesIn([] {
                           std::vector<std::string> programs = {"/proc/self/exe"};
                           for (absl::string_view program : absl::StrSplit(PAT_PROGRAMS, ',', absl::SkipEmpty())) {
                             programs.emplace_back(program);
                           }
                           return programs;
                         }()),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return info.index == 0 ? std::string("ThisTest")
                                                  : std::filesystem::path(info.param).filename().string();
                         });

std::string Resolved(const std::string& program) {
  // nm is another process: there /proc/self is not this program.
  return std::filesystem::canonical(program).string();
}

TEST_P(ProgramTest, HasBoringSslInside) {
  EXPECT_THAT(BoringSslSymbols(), SizeIs(testing::Gt(1000)));
  EXPECT_THAT(Symbols("--defined-only", Resolved(GetParam())), Contains("SHA256_Update"));
}

// What a program exports, libssl and libgrpc bind to.
TEST_P(ProgramTest, ExportsNoneOfBoringSslsSymbols) {
  EXPECT_THAT(Intersection(Symbols("--dynamic --defined-only", Resolved(GetParam())), BoringSslSymbols()), IsEmpty());
}

// What a program leaves undefined, libcrypto.so gives it.
TEST_P(ProgramTest, TakesNoneOfItsCryptographyFromOpenSsl) {
  EXPECT_THAT(Intersection(Symbols("--dynamic --undefined-only", Resolved(GetParam())), BoringSslSymbols()), IsEmpty());
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// A key and a certificate for 127.0.0.1, signed by itself.
struct Identity {
  std::string key;
  std::string certificate;
};

Identity MakeIdentity() {
  std::string directory = (std::filesystem::path(testing::TempDir()) / "isolation-XXXXXX").string();
  EXPECT_NE(mkdtemp(directory.data()), nullptr);
  Run(absl::StrCat("cd '", directory,
                   "' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256"
                   " -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=isolation"
                   " -addext subjectAltName=IP:127.0.0.1 2>openssl.log"
                   " || { cat openssl.log; exit 1; }"));
  Identity identity = {ReadFile(directory + "/key.pem"), ReadFile(directory + "/cert.pem")};
  std::filesystem::remove_all(directory);
  return identity;
}

// Uses server/crypto in the middle of a call, on gRPC's own thread.
class HealthService final : public Health::Service {
 public:
  grpc::Status Check(grpc::ServerContext* context, const HealthCheckRequest* request,
                     HealthCheckResponse* response) override {
    if (context->auth_context()->GetPeerIdentity().empty()) {
      return {grpc::StatusCode::UNAUTHENTICATED, "no client certificate"};
    }
    const std::string digest = absl::BytesToHexString(AsText(Sha256(request->service())));
    response->set_status(digest ==
                                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015"
                                 "ad"
                             ? HealthCheckResponse::SERVING
                             : HealthCheckResponse::NOT_SERVING);
    return grpc::Status::OK;
  }
};

void UseAllOfCrypto() {
  EXPECT_EQ(absl::BytesToHexString(AsText(HmacSha256(AsBytes("Jefe"), AsBytes("what do ya want for nothing?")))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_TRUE(Scrypt("password", AsBytes("salt"), {.n = 16, .r = 1}).ok());
  std::array<uint8_t, 24> bytes;
  FillRandom(absl::MakeSpan(bytes));
  // Only BoringSSL has it, and it computes digests, signatures and ciphers.
  EXPECT_TRUE(CryptoSelfTest().ok());
}

TEST(BoringSslIsolationTest, MutualTlsAndOurDigestsWorkInOneProcess) {
  UseAllOfCrypto();
  const Identity identity = MakeIdentity();

  grpc::SslServerCredentialsOptions server_options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  server_options.pem_root_certs = identity.certificate;
  server_options.pem_key_cert_pairs.push_back({identity.key, identity.certificate});
  HealthService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(server_options), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);

  const auto stub = Health::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port),
                          grpc::SslCredentials({identity.certificate, identity.key, identity.certificate})));
  HealthCheckRequest request;
  request.set_service("abc");
  for (int i = 0; i < 10; ++i) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    HealthCheckResponse response;
    const grpc::Status status = stub->Check(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
    UseAllOfCrypto();
  }
  server->Shutdown();

  // Where gRPC is built with OpenSSL the test above means something: both were
  // in this process.
  void* openssl = dlopen("libcrypto.so.3", RTLD_NOLOAD | RTLD_LAZY);
  if (openssl == nullptr) GTEST_SKIP() << "this gRPC does not load OpenSSL 3";
  EXPECT_NE(dlsym(openssl, "SHA256"), nullptr);
  dlclose(openssl);
}

}  // namespace
}  // namespace pat
