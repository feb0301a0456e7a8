#include "server/authn/identities.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kGateway[] = "spiffe://example.org/gateway";

IdentityEntry Spiffe(std::string id, std::string role = "introspector") {
  return {.spiffe = std::move(id), .role = std::move(role)};
}
IdentityEntry Uri(std::string uri, std::string role = "introspector") {
  return {.uri = std::move(uri), .role = std::move(role)};
}
IdentityEntry Dns(std::string name, std::string role = "introspector") {
  return {.dns = std::move(name), .role = std::move(role)};
}

// The text of the refusal, or "OK".
std::string Refusal(const std::vector<IdentityEntry>& entries) {
  const absl::StatusOr<IdentityTable> table = IdentityTable::Create(entries);
  if (table.ok()) return "OK";
  EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument);
  std::string text(table.status().message());
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  return text;
}

// The name of the identity, or "nobody".
std::string Find(const std::vector<IdentityEntry>& entries, const PeerCertificate& certificate) {
  const absl::StatusOr<IdentityTable> table = IdentityTable::Create(entries);
  EXPECT_TRUE(table.ok()) << table.status();
  const Identity* const identity = table->Find(certificate);
  return identity == nullptr ? "nobody" : identity->name;
}

// ---- What is written.

TEST(IdentityTableTest, KeepsWhatIsWritten) {
  const absl::StatusOr<IdentityTable> table =
      IdentityTable::Create({{.spiffe = kGateway, .role = "introspector", .digests = true},
                             {.uri = "https://portal.example.org/web", .role = "portal", .users = {"root", "admin"}},
                             {.dns = "laptop-7.example.org", .role = "user"}});
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->identities().size(), 3u);
  EXPECT_EQ(table->identities()[0].name, kGateway);
  EXPECT_EQ(table->identities()[0].role, IdentityRole::kIntrospector);
  EXPECT_TRUE(table->identities()[0].digests);
  EXPECT_EQ(table->identities()[1].role, IdentityRole::kPortal);
  EXPECT_FALSE(table->identities()[1].digests);
  EXPECT_THAT(table->identities()[1].users, ElementsAre("admin", "root"));
  EXPECT_EQ(table->identities()[2].role, IdentityRole::kUser);
}

TEST(IdentityTableTest, IsEmptyWithoutEntries) {
  EXPECT_EQ(IdentityTable().Find({.spiffe_id = kGateway}), nullptr);
  EXPECT_EQ(Find({}, {.spiffe_id = kGateway, .uris = {kGateway}, .dns_names = {"a"}}), "nobody");
}

TEST(IdentityTableTest, EveryErrorNamesTheEntryTheValueAndWhatWouldBeRight) {
  EXPECT_EQ(Refusal({Spiffe(kGateway), Dns("gateway", "admin")}),
            "identities[1].role: \"admin\" is no role; give introspector, portal or user");
  EXPECT_EQ(Refusal({Dns("gateway", "")}), "identities[0].role: \"\" is no role; give introspector, portal or user");
  EXPECT_EQ(Refusal({{.role = "user"}}), "identities[0]: has 0 of spiffe, uri and dns; give exactly one");
  EXPECT_EQ(Refusal({{.spiffe = kGateway, .dns = "gateway", .role = "user"}}),
            "identities[0]: has 2 of spiffe, uri and dns; give exactly one");
  EXPECT_EQ(Refusal({Uri(kGateway)}),
            "identities[0].uri: \"spiffe://example.org/gateway\" is a SPIFFE ID; give it as spiffe");
  EXPECT_EQ(Refusal({{.dns = "web", .role = "portal", .digests = true}}),
            "identities[0].digests: true is for introspectors; the role here is portal");
  EXPECT_EQ(Refusal({{.dns = "web", .role = "introspector", .users = {"admin"}}}),
            "identities[0].users: is for portals; the role here is introspector");
  EXPECT_EQ(Refusal({{.dns = "web", .role = "portal", .users = {"admin", "users/root"}}}),
            "identities[0].users[1]: \"users/root\" is no user id; give one such as admin, without \"users/\"");
  EXPECT_EQ(Refusal({{.dns = "web", .role = "portal", .users = {"admin", "root", "admin"}}}),
            "identities[0].users: \"admin\" is there twice; give each user once");
  EXPECT_EQ(Refusal({Dns("web", "user"), Uri("https://web", "user"), Dns("web", "portal")}),
            "identities[2].dns: \"web\" is identities[0] already; give it once");
}

TEST(IdentityTableTest, TheSameTextUnderTwoKeysIsTwoNames) {
  EXPECT_EQ(Refusal({Dns("web", "user"), Uri("web:web", "user"), Spiffe("spiffe://web/web", "user")}), "OK");
}

TEST(IdentityTableTest, TakesWellFormedSpiffeIdsOnly) {
  for (const char* id : {"spiffe://example.org/a", "spiffe://a/b", "spiffe://td-1.example_x.org/ns/prod/sa/Web.api_1",
                         "spiffe://1.2.3.4/x", "spiffe://a/..."}) {
    EXPECT_EQ(Refusal({Spiffe(id)}), "OK") << id;
  }
  for (const std::string& id : {std::string("example.org/a"),
                                std::string("https://example.org/a"),
                                std::string("SPIFFE://example.org/a"),
                                std::string("spiffe:/example.org/a"),
                                std::string("spiffe://"),
                                std::string("spiffe:///a"),
                                std::string("spiffe://example.org"),
                                std::string("spiffe://example.org/"),
                                std::string("spiffe://example.org/a/"),
                                std::string("spiffe://example.org//a"),
                                std::string("spiffe://example.org/./a"),
                                std::string("spiffe://example.org/a/.."),
                                std::string("spiffe://Example.org/a"),
                                std::string("spiffe://example.org:443/a"),
                                std::string("spiffe://me@example.org/a"),
                                std::string("spiffe://example.org/a?b"),
                                std::string("spiffe://example.org/a#b"),
                                std::string("spiffe://example.org/%61"),
                                std::string("spiffe://example.org/a b"),
                                std::string("spiffe://example.org/*"),
                                std::string("spiffe://*/a"),
                                std::string("spiffe://ex\xc3\xa4mple/a"),
                                "spiffe://" + std::string(256, 'a') + "/a",
                                "spiffe://a/" + std::string(2048, 'a')}) {
    EXPECT_THAT(Refusal({Spiffe(id)}), StartsWith("identities[0].spiffe: \"")) << id;
  }
}

TEST(IdentityTableTest, TakesUrisOfOtherSchemesOnly) {
  for (const char* uri : {"https://example.org/web", "urn:example:web", "a+b-c.1:x"}) {
    EXPECT_EQ(Refusal({Uri(uri)}), "OK") << uri;
  }
  for (const std::string& uri :
       {std::string("web"), std::string("https:"), std::string(":x"), std::string("1a:x"), std::string("a b:x"),
        std::string("https://example.org/a b"), std::string("https://example.org/\n"), std::string("urn:ex\xc3\xa4"),
        "urn:" + std::string(2048, 'a'), std::string("spiffe://example.org/a"), std::string("SPIFFE://example.org/a"),
        std::string("Spiffe:x")}) {
    EXPECT_THAT(Refusal({Uri(uri)}), StartsWith("identities[0].uri: \"")) << uri;
  }
}

TEST(IdentityTableTest, TakesDnsNamesInLowerCaseWithoutWildcardsOnly) {
  for (const std::string& name :
       {std::string("web"), std::string("a.b.example.org"), std::string("_x.y-1.z"), std::string(63, 'a') + ".org"}) {
    EXPECT_EQ(Refusal({Dns(name)}), "OK") << name;
  }
  for (const std::string& name :
       {std::string("Web.example.org"), std::string("*.example.org"), std::string("*"), std::string("web."),
        std::string(".web"), std::string("a..b"), std::string("-a.org"), std::string("a-.org"), std::string("a b"),
        std::string("a/b"), std::string("a:443"), std::string(64, 'a'), std::string("w\xc3\xa4"),
        std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." + std::string(63, 'd')}) {
    EXPECT_THAT(Refusal({Dns(name)}), StartsWith("identities[0].dns: \"")) << name;
  }
}

TEST(IdentityTableTest, AForeignValueIsQuoted) {
  EXPECT_THAT(Refusal({Dns("a\nb")}), HasSubstr("\"a\\nb\""));
  EXPECT_THAT(Refusal({Dns("a", "x\ny")}), HasSubstr("\"x\\ny\""));
}

// ---- Whose certificate it is.

TEST(IdentityTableTest, EachKeyIsComparedWithItsOwnKindOfName) {
  const std::vector<IdentityEntry> entries = {Spiffe(kGateway), Uri("https://example.org/web"), Dns("web.example.org")};
  EXPECT_EQ(Find(entries, {.spiffe_id = kGateway, .uris = {kGateway}}), kGateway);
  EXPECT_EQ(Find(entries, {.uris = {"https://example.org/web"}}), "https://example.org/web");
  EXPECT_EQ(Find(entries, {.dns_names = {"web.example.org"}}), "web.example.org");

  EXPECT_EQ(Find(entries, {.uris = {"web.example.org"}}), "nobody");
  EXPECT_EQ(Find(entries, {.dns_names = {"https://example.org/web", kGateway}}), "nobody");
  EXPECT_EQ(Find(entries, {.spiffe_id = "https://example.org/web"}), "nobody");
  EXPECT_EQ(Find(entries, {}), "nobody");
  EXPECT_EQ(Find(entries, {.spiffe_id = "", .uris = {""}, .dns_names = {""}}), "nobody");
}

// A certificate with two URIs has no SPIFFE ID, even if one of them looks like one.
TEST(IdentityTableTest, ASpiffeUriAmongOthersIsNoSpiffeId) {
  EXPECT_EQ(Find({Spiffe(kGateway)}, {.uris = {kGateway, "https://example.org/web"}}), "nobody");
  EXPECT_EQ(Find({Spiffe(kGateway), Uri("https://example.org/web")}, {.uris = {kGateway, "https://example.org/web"}}),
            "https://example.org/web");
}

TEST(IdentityTableTest, NamesAreComparedWhole) {
  const std::vector<IdentityEntry> entries = {Spiffe(kGateway), Uri("https://example.org/web"), Dns("web.example.org")};
  for (const char* id :
       {"spiffe://example.org/gatewa", "spiffe://example.org/gateway/", "spiffe://example.org/gateway2",
        "spiffe://example.org/Gateway", "SPIFFE://example.org/gateway"}) {
    EXPECT_EQ(Find(entries, {.spiffe_id = id, .uris = {id}}), "nobody") << id;
  }
  for (const char* uri : {"https://example.org/web/", "https://example.org/we", "https://example.org/Web"}) {
    EXPECT_EQ(Find(entries, {.uris = {uri}}), "nobody") << uri;
  }
  for (const char* name : {"*.example.org", "*", "x.web.example.org", "web.example.org.", "web.example.or"}) {
    EXPECT_EQ(Find(entries, {.dns_names = {name}}), "nobody") << name;
  }
  EXPECT_EQ(Find(entries, {.dns_names = {absl::string_view("web.example.org\0", 16)}}), "nobody");
}

TEST(IdentityTableTest, TheCaseOfADnsNameInACertificateSaysNothing) {
  EXPECT_EQ(Find({Dns("web.example.org")}, {.dns_names = {"Web.Example.ORG"}}), "web.example.org");
}

TEST(IdentityTableTest, AnyOfTheNamesInACertificateCounts) {
  EXPECT_EQ(Find({Dns("c")}, {.spiffe_id = kGateway, .uris = {kGateway}, .dns_names = {"a", "b", "c"}}), "c");
  EXPECT_EQ(Find({Uri("urn:c")}, {.uris = {"urn:a", "urn:b", "urn:c"}}), "urn:c");
}

TEST(IdentityTableTest, OfEntriesThatSayTheSameTheFirstIsTheIdentity) {
  const PeerCertificate certificate{.spiffe_id = kGateway, .uris = {kGateway}, .dns_names = {"a", "b"}};
  EXPECT_EQ(Find({Dns("b"), Spiffe(kGateway), Dns("a")}, certificate), "b");
  EXPECT_EQ(Find({Dns("a"), Dns("b"), Spiffe(kGateway)}, certificate), "a");
}

TEST(IdentityTableTest, WhomEntriesDoNotAgreeAboutIsNobody) {
  const PeerCertificate certificate{.spiffe_id = kGateway, .uris = {kGateway}, .dns_names = {"a", "b"}};
  EXPECT_EQ(Find({Spiffe(kGateway), Dns("b", "portal")}, certificate), "nobody");
  EXPECT_EQ(Find({Dns("b", "user"), Spiffe(kGateway)}, certificate), "nobody");
  EXPECT_EQ(Find({Spiffe(kGateway), Dns("a"), {.dns = "b", .role = "introspector", .digests = true}}, certificate),
            "nobody");
  EXPECT_EQ(Find({{.dns = "a", .role = "portal", .users = {"admin"}}, Dns("b", "portal")}, certificate), "nobody");
  // An entry that is about another certificate has no say.
  EXPECT_EQ(Find({Spiffe(kGateway), Dns("c", "portal")}, certificate), kGateway);
}

}  // namespace
}  // namespace pat
