// Where a secret must not be: many known ones are made, used, replaced and revoked in every way, and then everything
// that the program has written is searched for them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/core/token_secret.h"
#include "server/crypto/bytes.h"
#include "tests/e2e/patd.h"
#include "tests/e2e/secret_search.h"
#include "tests/e2e/test_directory.h"
#include "tests/support/plain_secret.h"

namespace pat {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kTokens = 500;    // Of two secrets each.
constexpr int kKeepEvery = 20;  // The others are revoked.

std::string ReadFile(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

TEST(SecretSearchTest, FindsEveryForm) {
  SecretSearch search;
  const std::string secret = NewPlainSecret();
  search.AddSecret(secret);
  const TokenDigest digest = DigestOf(secret);
  const std::string sha256(AsText(digest.bytes));
  EXPECT_THAT(search.FindIn(absl::StrCat("x", NewPlainSecret(), "x")), IsEmpty());
  for (const std::string& form :
       {secret, absl::Base64Escape(secret), absl::Base64Escape("u:" + secret), absl::Base64Escape("me:" + secret + "."),
        absl::WebSafeBase64Escape("ada:" + secret), absl::BytesToHexString(secret), "..." + secret.substr(45), sha256,
        absl::BytesToHexString(sha256), absl::Base64Escape(sha256), absl::WebSafeBase64Escape(sha256)}) {
    EXPECT_THAT(search.FindIn(form), Not(IsEmpty())) << form;
    EXPECT_THAT(search.FindIn(absl::StrCat("before it ", form, " after it")), Not(IsEmpty())) << form;
  }
}

// Uses a secret in every way in which a client may, also wrong ones.
void Use(Client& client, const std::string& secret) {
  EXPECT_TRUE(client.Introspect(secret).active());
  EXPECT_TRUE(client.IntrospectNow(secret).active());
  v1::IntrospectRequest by_digest;
  by_digest.set_token_sha256(std::string(AsText(DigestOf(secret).bytes)));
  EXPECT_TRUE(client.Call(&IntrospectionStub::Introspect, Nobody(), by_digest).value().active());
  v1::BatchIntrospectRequest batch;
  *batch.add_requests() = QuestionFor(secret);
  *batch.add_requests() = QuestionFor(secret + "x");
  EXPECT_TRUE(client.Call(&IntrospectionStub::BatchIntrospect, Nobody(), batch).status.ok());
  *batch.add_requests() = QuestionFor("");
  EXPECT_FALSE(client.Call(&IntrospectionStub::BatchIntrospect, Nobody(), batch).status.ok());
}

// Puts a secret where none belongs. What comes back does not have it either: errors end in logs and tickets.
void Misuse(Client& client, const std::string& secret, const SecretSearch& secrets) {
  const auto expect_refused = [&secrets](const grpc::Status& status) {
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(secrets.FindIn(absl::StrCat(status.error_message(), "\n", status.error_details())), IsEmpty());
  };
  const std::vector<Headers> callers = {{{"authorization", "Bearer " + secret}},
                                        {{"authorization", secret}},
                                        {{"x-pat-user", secret}},
                                        WithPassword(secret, "x")};
  for (const Headers& headers : callers) {
    expect_refused(client.CallRaw("/pat.v1.TokenService/ListTokens", headers, "").status);
    expect_refused(client.CallRaw("/pat.v1.IntrospectionService/Introspect", headers, secret).status);
  }
  for (const std::string& name : {secret, "users/ada/tokens/" + secret, "users/" + secret + "/tokens/x"}) {
    v1::GetTokenRequest get;
    get.set_name(name);
    expect_refused(client.Call(&TokenStub::GetToken, PortalFor("ada"), get).status);
  }
  for (const std::string& page_token : {secret, std::string()}) {
    v1::ListTokensRequest list;
    list.set_parent(page_token.empty() ? secret : "users/ada");
    list.set_page_token(page_token);
    expect_refused(client.Call(&TokenStub::ListTokens, PortalFor("ada"), list).status);
  }
  v1::CreateTokenRequest create = CreationFor(secret, "");
  create.add_scopes(secret);
  create.add_audiences(secret + " ");
  create.set_request_id(secret + "\n");
  expect_refused(client.Call(&TokenStub::CreateToken, PortalFor("ada"), create).status);
  v1::UpdateTokenRequest update;
  update.mutable_update_mask()->add_paths(secret);
  expect_refused(client.Call(&TokenStub::UpdateToken, PortalFor("ada"), update).status);
  expect_refused(client.CallRaw("/pat.v1.TokenService/" + secret, PortalFor("ada"), secret).status);
}

TEST(SecretLeakTest, NoSecretIsWrittenAnywhere) {
  const TestDirectory directory;
  const std::string data = directory / "data";
  const std::vector<std::string> environment = {"TMPDIR=" + directory.path()};
  Patd patd(PatdDev({"--data-dir", data, "--log-level", "debug", "--log-format", "json"}, environment));
  Client& client = patd.client();

  SecretSearch secrets;
  SecretSearch control;
  for (int i = 0; i < kTokens; ++i) {
    v1::CreateTokenRequest request = CreationFor("ada", absl::StrCat("known token number ", i));
    request.set_request_id(absl::StrCat("request ", i));
    const MadeToken made = client.Create(request);
    secrets.AddSecret(made.secret);
    control.Add(request.display_name(), request.display_name());
    Use(client, made.secret);
    const v1::RegenerateTokenResponse again = client.Regenerate(made.token);
    secrets.AddSecret(again.secret());
    Use(client, again.secret());
    if (i < 5) Misuse(client, again.secret(), secrets);
    if (i % kKeepEvery != 0) client.Revoke(made.token);
  }
  secrets.Add("the password of ada", "ada-password");
  secrets.Add("the password of admin", absl::Base64Escape("admin:admin-password"));
  EXPECT_TRUE(client
                  .Call(&TokenStub::ListTokens, Person("admin"),
                        [] {
                          v1::ListTokensRequest all;
                          all.set_parent("users/-");
                          return all;
                        }())
                  .status.ok());
  EXPECT_GT(secrets.size(), 2u * kTokens * 10);

  const std::string proc = absl::StrCat("/proc/", patd.process().pid());
  const std::string command_line = ReadFile(proc + "/cmdline");
  EXPECT_THAT(command_line, testing::HasSubstr("--data-dir"));
  EXPECT_THAT(secrets.FindIn(command_line), IsEmpty());
  // Not even its own user can read this one, because the process is not dumpable; root can.
  const std::string process_environment = ReadFile(proc + "/environ");
  if (geteuid() == 0) {
    EXPECT_THAT(process_environment, testing::HasSubstr("TMPDIR="));
  }
  EXPECT_THAT(secrets.FindIn(process_environment), IsEmpty());

  EXPECT_THAT(secrets.FindUnder(directory.path(), data + ".pepper"), IsEmpty());
  EXPECT_THAT(control.FindUnder(directory.path(), data + ".pepper"), testing::SizeIs(testing::Ge(size_t{kTokens})));
  patd.process().Signal(SIGTERM);
  EXPECT_EQ(patd.process().Wait().exit_code, 0);
  EXPECT_THAT(secrets.FindUnder(directory.path(), data + ".pepper"), IsEmpty());
  EXPECT_THAT(secrets.FindIn(patd.process().standard_error()), IsEmpty());

  // The guide says the passwords of the sample users, and no secret.
  EXPECT_THAT(patd.process().standard_output(), testing::HasSubstr("ada-password"));
  for (const std::string& what : secrets.FindIn(patd.process().standard_output())) {
    EXPECT_EQ(what, "the password of ada");
  }

  // And what was opened again, with its tables merged.
  Patd again(PatdDev({"--data-dir", data, "--log-level", "debug", "--log-format", "json"}, environment));
  EXPECT_EQ(again.client().List("ada").size(), size_t{kTokens / kKeepEvery});
  again.process().Kill();
  EXPECT_THAT(secrets.FindUnder(directory.path(), data + ".pepper"), IsEmpty());
  EXPECT_THAT(secrets.FindIn(again.process().standard_error()), IsEmpty());
}

}  // namespace
}  // namespace pat
