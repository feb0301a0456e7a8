#include "server/rpc/introspection_api.h"

#include <vector>

#include "server/core/use_reports.h"
#include "server/rpc/messages.h"

namespace pat {

grpc::Status IntrospectionApi::ReportUse(grpc::ServerContext* context, const v1::ReportUseRequest* request,
                                         v1::ReportUseResponse* /*response*/) {
  grpc::Status status = guard_.Run("/pat.v1.IntrospectionService/ReportUse", *context, /*target=*/{},
                                   [&](const Principal& /*principal*/) {
                                     if (uses_ == nullptr) return absl::OkStatus();
                                     std::vector<ReportedUse> uses;
                                     uses.reserve(static_cast<size_t>(request->uses_size()));
                                     for (const v1::TokenUse& use : request->uses()) {
                                       ReportedUse& reported = uses.emplace_back();
                                       reported.jti = use.jti();
                                       if (use.has_last_use_time())
                                         reported.last_use_time = ReadTimestamp(use.last_use_time());
                                     }
                                     return NoteReportedUses(uses, clock_.Now(), *uses_);
                                   });
  // After the caller is known: whoever may not call learns nothing else.
  if (status.ok() && uses_ == nullptr) return {grpc::StatusCode::UNIMPLEMENTED, "not served here"};
  return status;
}

}  // namespace pat
