#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/patctl/commands.h"
#include "client/patctl/paging.h"
#include "client/patctl/table.h"
#include "client/patctl/time_text.h"
#include "client/patctl/token_lookup.h"
#include "pat/v1/audit_service.grpc.pb.h"

namespace pat::patctl {
namespace {

// "portal:https://portal for users/ada"; of users who act for themselves it need not be said.
std::string Who(const v1::AuditEvent& event) {
  const bool oneself = absl::StrCat("users/", absl::StripPrefix(event.principal(), "user:")) == event.on_behalf_of();
  if (event.on_behalf_of().empty() || oneself) return event.principal();
  return absl::StrCat(event.principal(), " for ", event.on_behalf_of());
}

std::string Outcome(const v1::AuditEvent& event) {
  return event.count() > 1 ? absl::StrCat(event.outcome(), " x", event.count()) : event.outcome();
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string ShowEvents(const v1::ListAuditEventsResponse& events) {
  Table table({"TIME", "WHO", "DID", "TO", "OUTCOME", "FROM", "DETAIL"});
  for (const v1::AuditEvent& event : events.audit_events()) {
    table.AddRow({FormatInstant(ToTime(event.time())), Who(event),
                  std::string(absl::StripPrefix(event.method(), "pat.v1.")), OrDash(event.target()), Outcome(event),
                  OrDash(event.peer()), event.detail()});
  }
  return table.ToString();
}

v1::ListAuditEventsRequest RequestOf(const AuditListOptions& options, Session& session) {
  v1::ListAuditEventsRequest request;
  request.set_newest_first(options.newest_first);
  if (options.since.has_value()) *request.mutable_start_time() = ToProto(TimeOf(*options.since, session.Now()));
  if (options.until.has_value()) *request.mutable_end_time() = ToProto(TimeOf(*options.until, session.Now()));
  if (!options.about.empty()) request.set_user(session.ParentOf(options.about));
  return request;
}

// Up to `limit` events. With json_lines they are printed as they come, else put into `all`. True: there are more. A
// page may be empty and yet not be the last one.
absl::StatusOr<bool> Fetch(v1::ListAuditEventsRequest request, int64_t limit, Session& session,
                           v1::ListAuditEventsResponse& all) {
  const auto stub = v1::AuditService::NewStub(session.channel());
  while (true) {
    request.set_page_size(static_cast<int32_t>(std::min<int64_t>(limit, kLargestPage)));
    v1::ListAuditEventsResponse page;
    absl::Status status = session.Call(*stub, &v1::AuditService::Stub::ListAuditEvents, request, &page);
    if (!status.ok()) return status;
    auto& events = *page.mutable_audit_events();
    const bool too_many = events.size() > limit;
    if (too_many) events.DeleteSubrange(static_cast<int>(limit), events.size() - static_cast<int>(limit));
    limit -= events.size();
    if (session.options().json_lines) {
      if (status = session.PrintJsonList(page, events); !status.ok()) return status;
    } else {
      all.mutable_audit_events()->MergeFrom(events);
    }
    all.set_next_page_token(page.next_page_token());
    if (page.next_page_token().empty() || limit == 0) return too_many || !page.next_page_token().empty();
    if (page.next_page_token() == request.page_token()) return Failed("the server answers the same page for ever");
    request.set_page_token(page.next_page_token());
  }
}

}  // namespace

absl::StatusOr<ExitCode> AuditList(const AuditListOptions& options, Session& session) {
  const TokenSelection token{options.about, options.token};
  if (absl::Status status = CheckReference(token); !status.ok()) return status;
  v1::ListAuditEventsRequest request = RequestOf(options, session);
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  if (!options.token.empty()) {
    auto name = FindTokenName(token, session);
    if (!name.ok()) return name.status();
    request.set_token(*std::move(name));
  }
  v1::ListAuditEventsResponse all;
  const auto more = Fetch(std::move(request), options.limit, session, all);
  if (!more.ok()) return more.status();

  absl::Status status;
  if (session.options().json_lines) {
    // They are printed.
  } else if (session.options().json) {
    status = session.PrintJson(all);
  } else if (all.audit_events().empty()) {
    session.Say("no events");
  } else {
    status = session.Print(ShowEvents(all));
  }
  if (!status.ok()) return status;
  if (*more) {
    session.Say(absl::StrCat("there are more than these ", options.limit,
                             " events: narrow it down with --since and --until, or raise --limit"));
  }
  return ExitCode::kDone;
}

}  // namespace pat::patctl
