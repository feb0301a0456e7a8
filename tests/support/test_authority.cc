#include "tests/support/test_authority.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "server/crypto/digest.h"
#include "server/crypto/random.h"
#include "store/memory/memory_token_store.h"

namespace pat {
namespace {

std::shared_ptr<const ScopeCatalog> SmallCatalog() {
  std::string text;
  const auto add = [&text](absl::string_view name, absl::string_view implies) {
    absl::StrAppend(&text, "R\tProduct\t", name, "\t", implies, "\tDescription.\town\n");
  };
  add("OR.Folders", "OR.Folders.Read OR.Folders.Write");
  add("OR.Folders.Read", "");
  add("OR.Folders.Write", "");
  add("TM.Defects", "TM.Defects.Read");
  add("TM.Defects.Read", "");
  add("PAT.SelfRegenerate", "");
  for (int i = 0; i < 70; ++i) add(absl::StrFormat("Many.%02d", i), "");
  return ScopeCatalog::Parse(text).value();
}

std::unique_ptr<const Peppers> OnePepper() {
  std::vector<Secret> secrets;
  secrets.push_back(PepperOf('p'));
  return Peppers::Create(std::move(secrets)).value();
}

}  // namespace

UserUid FirstUidOf(absl::string_view user_id) {
  const Sha256Digest digest = Sha256(absl::StrCat("first of ", user_id));
  UserUid uid;
  std::copy_n(digest.begin(), uid.bytes.size(), uid.bytes.begin());
  return uid;
}

Principal AsUser(absl::string_view user_id) {
  return {.kind = PrincipalKind::kUser, .user_id = std::string(user_id), .user_uid = FirstUidOf(user_id)};
}

Principal AsAdministrator(absl::string_view user_id) {
  Principal principal = AsUser(user_id);
  principal.administrator = true;
  return principal;
}

Principal AsPortal(absl::string_view user_id) {
  return {.kind = PrincipalKind::kPortal, .user_id = std::string(user_id), .user_uid = FirstUidOf(user_id)};
}

Principal TestAuthority::Anew(Principal principal) const {
  const std::optional<UserRecord> user = engine->GetUser(principal.user_id).value();
  principal.user_uid.reset();
  if (user.has_value()) principal.user_uid = user->uid;
  return principal;
}

Secret PepperOf(char byte) { return Secret(std::string(32, byte)); }

TestAuthority::TestAuthority()
    : catalog(SmallCatalog()),
      peppers(OnePepper()),
      engine(NewMemoryTokenStore()),
      facts(store, *peppers, *catalog, clock, executor),
      audit(store, *peppers, clock),
      tokens(store, *peppers, *catalog, retention, audit, clock, [this](const TokenDigest& digest) {
        if (on_new_secret) on_new_secret(digest);
      }) {}

void ChangePolicy(TokenStore& store, absl::FunctionRef<void(PolicyRecord&)> change) {
  const absl::Status status = store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    PolicyRecord policy = transaction.GetPolicy().value();
    change(policy);
    policy.change_sequence = transaction.Sequence();
    if (absl::Status put = transaction.PutPolicy(policy); !put.ok()) return put;
    return Decision::kCommit;
  });
  ASSERT_TRUE(status.ok()) << status;
}

void TestAuthority::AddUser(absl::string_view id) {
  UserUid uid = FirstUidOf(id);
  {
    const absl::MutexLock lock(&mutex_);
    if (!added_.insert(std::string(id)).second) FillRandom(absl::MakeSpan(uid.bytes));
  }
  const absl::Status status = engine->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    UserRecord user;
    user.uid = uid;
    user.id = std::string(id);
    user.grants = {"*"};
    user.create_time = clock.Now();
    user.change_sequence = transaction.Sequence();
    if (absl::Status put = transaction.PutUser(user); !put.ok()) return put;
    return Decision::kCommit;
  });
  ASSERT_TRUE(status.ok()) << status;
}

void TestAuthority::ChangeUser(absl::string_view id, absl::FunctionRef<void(UserRecord&)> change) {
  const absl::Status status = engine->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    UserRecord user = transaction.GetUser(id).value().value();
    change(user);
    user.change_sequence = transaction.Sequence();
    if (absl::Status put = transaction.PutUser(user); !put.ok()) return put;
    return Decision::kCommit;
  });
  ASSERT_TRUE(status.ok()) << status;
}

void TestAuthority::DeleteUser(absl::string_view id) {
  const absl::Status status = engine->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    const UserRecord user = transaction.GetUser(id).value().value();
    if (const absl::StatusOr<uint64_t> ended = transaction.DeleteUser(user.uid, clock.Now()); !ended.ok()) {
      return ended.status();
    }
    return Decision::kCommit;
  });
  ASSERT_TRUE(status.ok()) << status;
}

PolicyRecord TestAuthority::policy() const { return engine->GetPolicy().value(); }

CreateTokenQuery TestAuthority::GoodCreation(absl::string_view user_id) {
  CreateTokenQuery query;
  query.parent = UserName(user_id);
  query.display_name = absl::StrCat("token number ", ++named_);
  query.scopes = {"OR.Folders"};
  query.expiration = RequestedDuration{.seconds = int64_t{30} * 24 * 3600};
  return query;
}

IssuedToken TestAuthority::Issue(const CreateTokenQuery& query) {
  const absl::StatusOr<TokenWithSecret> made = tokens.Create(Anew(AsUser(*ParseUserName(query.parent))), query);
  if (!made.ok()) {
    ADD_FAILURE() << made.status();
    return {};
  }
  const TokenRecord& record = made->token.record;
  const std::string secret(made->secret.Reveal());
  return {
      .name = TokenName(record.owner_id, record.uid), .uid = record.uid, .secret = secret, .digest = DigestOf(secret)};
}

absl::Time TestAuthority::Revoke(const IssuedToken& token) {
  RevokeTokenQuery query;
  query.name = token.name;
  const absl::StatusOr<RevokedToken> revoked = tokens.Revoke(Anew(AsUser(OwnerIdOf(token))), query);
  EXPECT_TRUE(revoked.ok()) << revoked.status();
  return revoked.ok() ? revoked->last_accept_time : absl::Time();
}

IssuedToken TestAuthority::Regenerate(const IssuedToken& token) {
  RegenerateTokenQuery query;
  query.name = token.name;
  const absl::StatusOr<TokenWithSecret> made = tokens.Regenerate(Anew(AsUser(OwnerIdOf(token))), query);
  if (!made.ok()) {
    ADD_FAILURE() << made.status();
    return {};
  }
  IssuedToken regenerated = token;
  regenerated.secret = std::string(made->secret.Reveal());
  regenerated.digest = DigestOf(regenerated.secret);
  return regenerated;
}

std::string OwnerIdOf(const IssuedToken& token) { return ParseTokenName(token.name).value().user_id; }

}  // namespace pat
