#include "client/patctl/token_lookup.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/patctl/exit_code.h"
#include "client/patctl/paging.h"
#include "client/patctl/text.h"
#include "client/patctl/token_view.h"

namespace pat::patctl {
namespace {

// As in RFC 9562; the case is not judged here.
bool IsUid(absl::string_view text) {
  constexpr absl::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (kForm[i] == 'x' ? !absl::ascii_isxdigit(text[i]) : text[i] != kForm[i]) return false;
  }
  return true;
}

bool IsResourceName(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  return parts.size() == 4 && parts[0] == "users" && !parts[1].empty() && parts[2] == "tokens" && !parts[3].empty();
}

absl::StatusOr<v1::Token> GetToken(const std::string& name, Session& session) {
  v1::GetTokenRequest request;
  request.set_name(name);
  v1::GetTokenResponse response;
  absl::Status status = session.Call(session.tokens(), &v1::TokenService::Stub::GetToken, request, &response);
  if (!status.ok()) return status;
  return response.token();
}

absl::StatusOr<v1::Token> FindByDisplayName(const std::string& display_name, const std::string& parent,
                                            Session& session) {
  const auto tokens = FetchTokens(parent, /*show_revoked=*/false, session);
  if (!tokens.ok()) return tokens.status();
  std::vector<v1::Token> found;
  for (const v1::Token& token : *tokens) {
    if (token.display_name() == display_name) found.push_back(token);
  }
  if (found.empty()) {
    return Failed(absl::StrCat(Printable(parent), " has no token named \"", Printable(display_name),
                               "\"; see patctl token list"));
  }
  if (found.size() == 1) return found.front();
  std::string text = absl::StrCat(Printable(parent), " has ", found.size(), " tokens named \"", Printable(display_name),
                                  "\"; give the ID of one:");
  for (const v1::Token& token : found) {
    absl::StrAppend(&text, "\n  ", Printable(token.uid()), "  ", StateName(token.state()));
  }
  return Failed(text);
}

}  // namespace

absl::StatusOr<std::vector<v1::Token>> FetchTokens(const std::string& parent, bool show_revoked, Session& session) {
  std::vector<v1::Token> tokens;
  v1::ListTokensRequest request;
  request.set_parent(parent);
  request.set_show_revoked(show_revoked);
  absl::Status status = ForEachPage(
      session.tokens(), &v1::TokenService::Stub::ListTokens, std::move(request),
      [&tokens](const v1::ListTokensResponse& page) {
        tokens.insert(tokens.end(), page.tokens().begin(), page.tokens().end());
      },
      session);
  if (!status.ok()) return status;
  return tokens;
}

std::optional<std::string> ResourceName(absl::string_view reference, const std::string& parent) {
  if (IsResourceName(reference)) return std::string(reference);
  if (IsUid(reference)) return absl::StrCat(parent, "/tokens/", absl::AsciiStrToLower(reference));
  return std::nullopt;
}

absl::Status CheckReference(const TokenSelection& selection) {
  if (LooksLikeSecret(selection.reference)) {
    return UsageError(
        "that is a token's secret, not its name: give the name, ID or display name that patctl token list shows. The "
        "secret is now in your shell's history; if others can see that, revoke the token");
  }
  // Of two owners only one can be meant, and what is to be revoked is no place for guessing.
  const std::vector<absl::string_view> parts = absl::StrSplit(selection.reference, '/');
  if (!selection.owner.empty() && IsResourceName(selection.reference) && parts[1] != selection.owner) {
    return UsageError(absl::StrCat("whose token? ", MaskSecrets(Printable(selection.reference)), " is not one of ",
                                   MaskSecrets(Printable(selection.owner)),
                                   ": leave the user out, or give the token's ID"));
  }
  return absl::OkStatus();
}

absl::Status CheckSelection(const TokenSelection& selection, const Session& session) {
  if (absl::Status status = CheckReference(selection); !status.ok()) return status;
  if (session.options().token_file.empty() || IsResourceName(selection.reference)) return absl::OkStatus();
  if (IsUid(selection.reference) && !selection.owner.empty()) return absl::OkStatus();
  return UsageError(
      "a token can ask about itself by its full name only (users/ada/tokens/...), or by its ID with --owner");
}

absl::StatusOr<v1::Token> FindToken(const TokenSelection& selection, Session& session) {
  const std::string parent = session.ParentOf(selection.owner);
  if (const auto name = ResourceName(selection.reference, parent)) return GetToken(*name, session);
  return FindByDisplayName(selection.reference, parent, session);
}

absl::StatusOr<std::string> FindTokenName(const TokenSelection& selection, Session& session) {
  if (auto name = ResourceName(selection.reference, session.ParentOf(selection.owner))) return *std::move(name);
  const auto token = FindToken(selection, session);
  if (!token.ok()) return token.status();
  return token->name();
}

}  // namespace pat::patctl
