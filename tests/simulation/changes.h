// Changes: what people do to tokens, users and policy while a schedule goes on. Each is done by the real rules at the
// authority and, if they let it happen, in the model of the truth.
#ifndef PAT_TESTS_SIMULATION_CHANGES_H_
#define PAT_TESTS_SIMULATION_CHANGES_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "server/core/principal.h"
#include "store/records.h"
#include "tests/simulation/authority_machine.h"
#include "tests/simulation/world.h"

namespace pat::simulation {

class Changes {
 public:
  // Two users, with some tokens.
  Changes(World& world, AuthorityMachine& authority);

  // Does one of them, drawn at random. The authority must be up.
  void MakeOne();

  // Keeps a copy of the store as it is.
  void TakeBackup();

  // Puts the copy in the place of the store, if there is one, as another store: with every token in it revoked, or
  // with those alive again that were revoked since. The authority must be stopped.
  bool Restore();

 private:
  struct Backup {
    State state;
    std::vector<UserRecord> users;
    std::vector<TokenRecord> tokens;
    PolicyRecord policy;
  };

  bool CreateUser(size_t user);
  bool DeleteUser(size_t user);
  bool UpdateUser(size_t user, const User& changed);
  bool CreateToken(size_t user);
  bool Revoke(size_t token);
  bool Regenerate(size_t token);
  bool RevokeAll(std::optional<size_t> user);
  bool UpdatePolicy(bool tokens_disabled, ScopeMask forbidden);
  bool MakeOneOfUser(size_t user);
  Principal Acting(Principal principal) const;
  size_t AddSecret(const TokenWithSecret& made);
  void Commit();

  World& world_;
  AuthorityMachine& authority_;
  State& state_;
  int last_life_ = 0;
  int last_name_ = 0;
  std::optional<Backup> backup_;
};

}  // namespace pat::simulation

#endif  // PAT_TESTS_SIMULATION_CHANGES_H_
