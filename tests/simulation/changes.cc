#include "tests/simulation/changes.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/core/resource_name.h"
#include "store/memory/memory_token_store.h"
#include "tests/support/test_authority.h"

namespace pat::simulation {
Changes::Changes(World& world, AuthorityMachine& authority)
    : world_(world), authority_(authority), state_(world.truth.state) {
  CreateUserQuery root;
  root.user_id = "root";
  root.type = UserType::kLocal;
  root.administrator = true;
  authority_.users().CreateFirst(AsAdministrator("root"), root).IgnoreError();
  for (const char* const id : {"ada", "bob"}) {
    state_.users.push_back({.id = id});
    CreateUser(state_.users.size() - 1);
  }
  const size_t tokens = 2 + world_.random.Below(4);
  for (size_t i = 0; i < tokens; ++i) CreateToken(i % 2);
}

void Changes::MakeOne() {
  const size_t user = world_.random.Below(state_.users.size());
  const std::optional<size_t> token =
      state_.tokens.empty() ? std::nullopt : std::optional(world_.random.Below(state_.tokens.size()));
  const double kind = world_.random.Fraction();
  if (kind < 0.10) {
    CreateToken(user);
  } else if (kind < 0.40) {
    if (token.has_value()) Revoke(*token);
  } else if (kind < 0.60) {
    if (token.has_value()) Regenerate(*token);
  } else if (kind < 0.66) {
    RevokeAll(user);
  } else if (kind < 0.68) {
    RevokeAll(std::nullopt);
  } else if (kind < 0.90) {
    MakeOneOfUser(user);
  } else if (kind < 0.95) {
    UpdatePolicy(!state_.tokens_disabled, state_.forbidden);
  } else {
    UpdatePolicy(state_.tokens_disabled, static_cast<ScopeMask>(world_.random.Below(kAllScopes + 1)));
  }
}

bool Changes::MakeOneOfUser(size_t user) {
  User changed = state_.users[user];
  if (!changed.exists) return CreateUser(user);
  const double kind = world_.random.Fraction();
  if (kind < 0.1) return DeleteUser(user);
  if (kind < 0.5 || changed.disabled) {
    changed.disabled = !changed.disabled;
  } else if (kind < 0.6 || !changed.local) {
    changed.local = !changed.local;
  } else {
    changed.grants = static_cast<ScopeMask>(world_.random.Below(kAllScopes + 1));
  }
  return UpdateUser(user, changed);
}

// For the user who has this id now.
Principal Changes::Acting(Principal principal) const {
  const std::optional<UserRecord> user = authority_.store().GetUser(principal.user_id).value();
  principal.user_uid.reset();
  if (user.has_value()) principal.user_uid = user->uid;
  return principal;
}

// `state_` is as the store is now.
void Changes::Commit() {
  const uint64_t number = world_.truth.Commit(world_.events.now(), authority_.store().DurableSequence());
  world_.journal.Note("  that was commit ", number);
  ++world_.counts.changes;
  authority_.WakeStreams();
}

bool Changes::CreateUser(size_t user) {
  CreateUserQuery query;
  query.user_id = state_.users[user].id;
  query.type = UserType::kLocal;
  query.grants = {"*"};
  if (!authority_.users().Create(Acting(AsAdministrator("root")), query).ok()) return false;
  world_.journal.Note("user ", query.user_id, " is made");
  state_.users[user] = {.id = query.user_id, .exists = true, .life = ++last_life_};
  Commit();
  return true;
}

bool Changes::DeleteUser(size_t user) {
  DeleteUserQuery query;
  query.name = UserName(state_.users[user].id);
  if (!authority_.users().Delete(Acting(AsAdministrator("root")), query).ok()) return false;
  world_.journal.Note(query.name, " is deleted");
  state_.users[user].exists = false;
  Commit();
  return true;
}

bool Changes::UpdateUser(size_t user, const User& changed) {
  UpdateUserQuery query;
  query.name = UserName(changed.id);
  query.type = changed.local ? UserType::kLocal : UserType::kDirectory;
  query.disabled = changed.disabled;
  query.grants = NamesOf(changed.grants);
  query.update_mask = {"type", "disabled", "grants"};
  if (!authority_.users().Update(Acting(AsAdministrator("root")), query).ok()) return false;
  world_.journal.Note(query.name, " is now ", changed.local ? "local" : "of a directory", ", ",
                      changed.disabled ? "disabled" : "enabled", ", with grants ", changed.grants);
  state_.users[user] = changed;
  Commit();
  return true;
}

size_t Changes::AddSecret(const TokenWithSecret& made) {
  return world_.truth.AddSecret({.digest = DigestOf(made.secret.Reveal()),
                                 .made_at = world_.events.now(),
                                 .uid = made.token.record.uid,
                                 .owner_id = made.token.record.owner_id,
                                 .expire_time = made.token.expire_time});
}

bool Changes::CreateToken(size_t user) {
  const User& owner = state_.users[user];
  const auto scopes = static_cast<ScopeMask>(1 + world_.random.Below(kAllScopes));
  CreateTokenQuery query;
  query.parent = UserName(owner.id);
  query.display_name = absl::StrCat("token ", ++last_name_);
  query.scopes = NamesOf(scopes);
  // Long after the end, or somewhere in the middle.
  const absl::Duration life =
      world_.random.Chance(0.7) ? absl::Hours(24 * 300) : world_.random.Scale(absl::Seconds(1), world_.plan.span);
  query.expiration = RequestedDuration{.seconds = absl::ToInt64Seconds(absl::Ceil(life, absl::Seconds(1)))};
  const absl::StatusOr<TokenWithSecret> made = authority_.tokens().Create(Acting(AsPortal(owner.id)), query);
  if (!made.ok()) return false;
  const size_t secret = AddSecret(*made);
  const TokenRecord& record = made->token.record;
  world_.journal.Note("secret ", secret, " is made, token ", record.uid.ToString(), " of ", owner.id, " with scopes ",
                      scopes, ", for ", absl::FormatDuration(life));
  state_.tokens.push_back(
      {.user = user, .life = owner.life, .name = TokenName(owner.id, record.uid), .scopes = scopes, .secret = secret});
  Commit();
  return true;
}

bool Changes::Revoke(size_t token) {
  RevokeTokenQuery query;
  query.name = state_.tokens[token].name;
  if (!authority_.tokens().Revoke(Acting(AsAdministrator("root")), query).ok()) return false;
  world_.journal.Note("secret ", state_.tokens[token].secret, " is revoked");
  state_.tokens[token].revoked = true;
  Commit();
  return true;
}

bool Changes::Regenerate(size_t token) {
  RegenerateTokenQuery query;
  query.name = state_.tokens[token].name;
  const User& owner = state_.users[state_.tokens[token].user];
  const absl::StatusOr<TokenWithSecret> made = authority_.tokens().Regenerate(Acting(AsPortal(owner.id)), query);
  if (!made.ok()) return false;
  const size_t secret = AddSecret(*made);
  world_.journal.Note("secret ", state_.tokens[token].secret, " is replaced by secret ", secret);
  state_.tokens[token].secret = secret;
  Commit();
  return true;
}

bool Changes::RevokeAll(std::optional<size_t> user) {
  RevokeAllTokensQuery query;
  query.parent = UserName(user.has_value() ? absl::string_view(state_.users[*user].id) : kEverybody);
  if (!authority_.tokens().RevokeAll(Acting(AsAdministrator("root")), query).ok()) return false;
  world_.journal.Note("all tokens of ", query.parent, " are revoked");
  for (Token& token : state_.tokens) {
    const bool is_meant = !user.has_value() || (token.user == *user && token.life == state_.users[*user].life);
    token.revoked = token.revoked || is_meant;
  }
  Commit();
  return true;
}

bool Changes::UpdatePolicy(bool tokens_disabled, ScopeMask forbidden) {
  UpdatePolicyQuery query;
  query.tokens_disabled = tokens_disabled;
  query.forbidden_scopes = NamesOf(forbidden);
  query.update_mask = {"tokens_disabled", "forbidden_scopes"};
  if (!authority_.policy().Update(Acting(AsAdministrator("root")), query).ok()) return false;
  world_.journal.Note("the policy: tokens are ", tokens_disabled ? "off" : "on", ", forbidden scopes ", forbidden);
  state_.tokens_disabled = tokens_disabled;
  state_.forbidden = forbidden;
  Commit();
  return true;
}

void Changes::TakeBackup() {
  const TokenStore& store = authority_.store();
  backup_ = {.state = state_,
             .users = store.ListUsers({.limit = 1000})->users,
             .tokens = store.ListTokens({.limit = 1000})->tokens,
             .policy = *store.GetPolicy()};
  world_.journal.Note("a backup is taken");
}

bool Changes::Restore() {
  if (!backup_.has_value()) return false;
  std::unique_ptr<TokenStore> store = NewMemoryTokenStore();
  const auto put = [&](auto change) {
    // The engine never fails.
    store
        ->Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
          const absl::Status status = change(transaction);
          if (!status.ok()) return status;
          return Decision::kCommit;
        })
        .IgnoreError();
  };
  put([&](TokenTransaction& transaction) { return transaction.PutPolicy(backup_->policy); });
  for (UserRecord& user : backup_->users) {
    user.token_epoch = 0;
    put([&](TokenTransaction& transaction) { return transaction.PutUser(user); });
  }
  for (TokenRecord& token : backup_->tokens) {
    token.epochs = {};
    put([&](TokenTransaction& transaction) {
      token.create_sequence = transaction.Sequence();
      return transaction.PutToken(token);
    });
  }
  state_ = backup_->state;
  const bool keeps_unrevoked = world_.random.Chance(0.5);
  if (!keeps_unrevoked) {
    put([&](TokenTransaction& transaction) {
      return transaction.RevokeAll(std::nullopt, authority_.machine().wall()).status();
    });
    for (Token& token : state_.tokens) token.revoked = true;
  }
  world_.truth.BeginStore();
  world_.truth.Commit(world_.events.now(), 0);
  world_.journal.Note("the backup is restored, as another store", keeps_unrevoked ? "" : ", with all tokens revoked");
  ++world_.counts.stores;
  ++world_.counts.changes;
  authority_.ReplaceStore(std::move(store));
  return true;
}

}  // namespace pat::simulation
