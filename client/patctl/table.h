// Table: rows of text in aligned columns.
//
// All cells are escaped (see Printable), so they may hold anything.
//
// Threads: a value type; no synchronisation of its own.
#ifndef PAT_CLIENT_PATCTL_TABLE_H_
#define PAT_CLIENT_PATCTL_TABLE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pat::patctl {

class Table {
 public:
  // A table without headers, for names and values: the first column is for the names.
  Table() = default;
  explicit Table(std::vector<std::string> headers);

  // Rows need not be of the same length.
  void AddRow(std::vector<std::string> cells);

  // A row for each value, with the name in front of the first. No values: no row.
  void AddList(absl::string_view name, const std::vector<std::string>& values);

  // Lines, each with its end and without blanks before it. Two blanks between columns.
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // Escaped, the headers first.
};

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_TABLE_H_
