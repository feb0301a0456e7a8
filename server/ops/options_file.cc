// Options from a YAML file: to the texts that flags take, so that one set of rules judges both.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/core/error.h"
#include "server/ops/identity_text.h"
#include "server/ops/options.h"

namespace pat {
namespace {

constexpr absl::string_view kListenKeys[] = {"address", "role", "mode", "plaintext"};

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

bool HasKey(const std::vector<OptionDescription>& options, absl::string_view key) {
  return std::any_of(options.begin(), options.end(), [key](const OptionDescription& it) { return it.key == key; });
}

// "": it is no option at all. Else " of patd sidecar; it is one of patd dev, patd authority".
std::string WhoseOption(absl::string_view key, Command command) {
  std::vector<std::string> others;
  for (const Command other :
       {Command::kDev, Command::kAuthority, Command::kSidecar, Command::kInit, Command::kHealthcheck}) {
    if (HasKey(OptionDescriptions(other), key)) others.push_back(absl::StrCat("patd ", CommandName(other)));
  }
  if (others.empty()) return {};
  return absl::StrCat(" of patd ", CommandName(command), "; it is one of ", absl::StrJoin(others, ", "));
}

// A value in one line, as YAML writes it: "[1h, 2h]".
std::string InOneLine(const YAML::Node& node) {
  YAML::Emitter emitter;
  emitter << YAML::Flow << node;
  return Quoted(emitter.c_str());
}

// A value that is to be one. None at all is an empty one, which every option refuses with what would be right.
absl::StatusOr<std::string> TextOf(absl::string_view where, const YAML::Node& node) {
  if (node.IsNull()) return std::string();
  if (node.IsScalar()) return node.Scalar();
  return Wrong(where, absl::StrCat(InOneLine(node), " is a ", node.IsMap() ? "map" : "list", "; give one value"));
}

// A key of an entry, which one of `keys` has to be.
absl::StatusOr<std::string> KeyOf(absl::string_view where, const YAML::Node& node, bool (*is_key)(absl::string_view),
                                  absl::string_view keys) {
  if (node.IsScalar() && is_key(node.Scalar())) return node.Scalar();
  const std::string shown = node.IsScalar() ? Quoted(node.Scalar()) : InOneLine(node);
  return Wrong(where, absl::StrCat(shown, " is no key of an entry; give ", keys));
}

bool IsListenKey(absl::string_view key) {
  return std::find(std::begin(kListenKeys), std::end(kListenKeys), key) != std::end(kListenKeys);
}

// One item of the list under `listen:` that is a map, as the text that --listen takes.
absl::StatusOr<std::string> ListenText(absl::string_view where, const YAML::Node& item) {
  std::vector<std::string> options;
  std::string address;
  // The keys first: what is misspelt has a value of its own kind.
  for (const auto& entry : item) {
    absl::StatusOr<std::string> key = KeyOf(where, entry.first, &IsListenKey, absl::StrJoin(kListenKeys, ", "));
    if (!key.ok()) return key.status();
  }
  for (const auto& entry : item) {
    const std::string& key = entry.first.Scalar();
    const std::string place = absl::StrCat(where, ".", key);
    absl::StatusOr<std::string> value = TextOf(place, entry.second);
    if (!value.ok()) return value.status();
    if (key == "address") {
      address = *std::move(value);
    } else if (key != "plaintext") {
      options.push_back(absl::StrCat(key, "=", *value));
    } else if (bool plaintext = false; !YAML::convert<bool>::decode(entry.second, plaintext)) {
      return Wrong(place, absl::StrCat(Quoted(*value), " is wrong; give true or false"));
    } else if (plaintext) {
      options.push_back(key);
    }
  }
  if (address.empty()) return Wrong(where, "has no address; give for example {address: 127.0.0.1:7443}");
  if (options.empty()) return address;
  const char* const separator = address.find('?') == std::string::npos ? "?" : "&";
  return absl::StrCat(address, separator, absl::StrJoin(options, "&"));
}

// One item of the list under `identities:` that is a map, as the text that --identity takes.
absl::StatusOr<std::string> IdentityText(absl::string_view where, const YAML::Node& item) {
  std::vector<std::string> parts;
  for (const auto& entry : item) {
    const absl::StatusOr<std::string> key = KeyOf(where, entry.first, &IsIdentityKey, kIdentityKeysText);
    if (!key.ok()) return key.status();
    const std::string place = absl::StrCat(where, ".", *key);
    std::vector<std::string> values;
    if (*key == "users" && entry.second.IsSequence()) {
      for (const YAML::Node& user : entry.second) {
        absl::StatusOr<std::string> value = TextOf(place, user);
        if (!value.ok()) return value.status();
        values.push_back(*std::move(value));
      }
    } else {
      absl::StatusOr<std::string> value = TextOf(place, entry.second);
      if (!value.ok()) return value.status();
      values.push_back(*std::move(value));
    }
    parts.push_back(absl::StrCat(*key, "=", absl::StrJoin(values, "+")));
  }
  return absl::StrJoin(parts, ",");
}

absl::StatusOr<std::string> ItemText(absl::string_view key, absl::string_view where, const YAML::Node& item) {
  if (!item.IsMap()) return TextOf(where, item);
  if (key == "listen") return ListenText(where, item);
  if (key == "identities") return IdentityText(where, item);
  return TextOf(where, item);
}

// The values of one key.
absl::StatusOr<GivenOption> ReadOption(const OptionDescription& description, absl::string_view where,
                                       const YAML::Node& node) {
  GivenOption option{.where = std::string(where), .values = {}};
  if (!description.repeatable || node.IsScalar() || node.IsNull()) {
    absl::StatusOr<std::string> text = TextOf(where, node);
    if (!text.ok()) return text.status();
    option.values.push_back(*std::move(text));
    return option;
  }
  if (node.IsMap()) return Wrong(where, absl::StrCat(InOneLine(node), " is a map; give a list, each entry with a -"));
  option.is_list = true;
  size_t number = 0;
  for (const YAML::Node& item : node) {
    absl::StatusOr<std::string> text = ItemText(description.key, absl::StrCat(where, "[", number++, "]"), item);
    if (!text.ok()) return text.status();
    option.values.push_back(*std::move(text));
  }
  return option;
}

absl::StatusOr<GivenOptions> ReadMap(const std::string& path, const YAML::Node& root, Command command) {
  GivenOptions given;
  if (root.IsNull()) return given;
  if (!root.IsMap()) return Wrong(path, "is not a map of options; give key: value");
  const std::vector<OptionDescription> all = OptionDescriptions();
  const bool is_server = command == Command::kDev || command == Command::kAuthority || command == Command::kSidecar;
  const std::vector<OptionDescription> allowed = is_server ? OptionDescriptions(command) : all;
  for (const auto& entry : root) {
    const auto key = entry.first.as<std::string>();
    const auto row =
        std::find_if(allowed.begin(), allowed.end(), [&key](const OptionDescription& it) { return it.key == key; });
    if (row == allowed.end()) {
      return Wrong(path, absl::StrCat(Quoted(key), " is no option", WhoseOption(key, command), "; patd ",
                                      CommandName(command), " --help lists them"));
    }
    const std::string where = absl::StrCat(path, ": ", key);
    if (given.find(key) != given.end()) return Wrong(where, "is given twice; give it once");
    absl::StatusOr<GivenOption> option = ReadOption(*row, where, entry.second);
    if (!option.ok()) return option.status();
    given.emplace(key, *std::move(option));
  }
  return given;
}

}  // namespace

absl::StatusOr<GivenOptions> OptionsFromFile(const std::string& path, Command command) {
  const absl::Status unreadable =
      absl::InvalidArgumentError(absl::StrCat("--config: ", path, " cannot be read; give the path of a YAML file"));
  // To a stream a directory is an empty file.
  if (std::error_code error; std::filesystem::is_directory(path, error)) return unreadable;
  try {
    return ReadMap(path, YAML::LoadFile(path), command);
  } catch (const YAML::BadFile&) {
    return unreadable;
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": line ", error.mark.line + 1, ": ", error.msg));
  }
}

}  // namespace pat
