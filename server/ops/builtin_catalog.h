// The scope catalogue that is built into the program: deploy/scopes.tsv as it was at the build.
#ifndef PAT_SERVER_OPS_BUILTIN_CATALOG_H_
#define PAT_SERVER_OPS_BUILTIN_CATALOG_H_

#include "absl/strings/string_view.h"

namespace pat {

extern const absl::string_view kBuiltinCatalog;

}  // namespace pat

#endif  // PAT_SERVER_OPS_BUILTIN_CATALOG_H_
