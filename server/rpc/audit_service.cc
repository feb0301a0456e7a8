#include "server/rpc/audit_service.h"

#include <utility>

#include "server/rpc/messages.h"

namespace pat {

grpc::Status AuditServiceImpl::ListAuditEvents(grpc::ServerContext* context, const v1::ListAuditEventsRequest* request,
                                               v1::ListAuditEventsResponse* response) {
  // Of what is looked at, for the row of a refusal: the narrower one.
  const std::string& target = request->token().empty() ? request->user() : request->token();
  return guard_.Run("/pat.v1.AuditService/ListAuditEvents", *context, target,
                    [&](const Principal& principal) -> absl::Status {
                      ListAuditQuery query{.user = request->user(),
                                           .token = request->token(),
                                           .newest_first = request->newest_first(),
                                           .page_size = request->page_size(),
                                           .page_token = request->page_token()};
                      if (request->has_start_time()) query.start_time = ReadTimestamp(request->start_time());
                      if (request->has_end_time()) query.end_time = ReadTimestamp(request->end_time());
                      absl::StatusOr<AuditViewPage> page = audit_.List(principal, query);
                      if (!page.ok()) return page.status();
                      for (const AuditRecord& row : page->rows) SetAuditEvent(row, *response->add_audit_events());
                      response->set_next_page_token(std::move(page->next_page_token));
                      return absl::OkStatus();
                    });
}

}  // namespace pat
