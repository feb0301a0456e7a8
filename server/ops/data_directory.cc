#include "server/ops/data_directory.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/ops/logging_store.h"
#include "store/rocksdb/rocksdb_token_store.h"

namespace pat {
namespace {

// Whether `path` is in `directory` or below, with links followed as far as there is something to follow.
bool IsInside(const std::string& path, const std::string& directory) {
  std::error_code error;
  const std::filesystem::path real_path = std::filesystem::weakly_canonical(std::filesystem::absolute(path), error);
  if (error) return false;  // Whoever opens it says what is wrong.
  const std::filesystem::path real_directory =
      std::filesystem::weakly_canonical(std::filesystem::absolute(directory), error);
  if (error) return false;
  return std::mismatch(real_directory.begin(), real_directory.end(), real_path.begin(), real_path.end()).first ==
         real_directory.end();
}

// An error, and the option that it is about.
absl::Status About(absl::string_view option, const absl::Status& status, absl::string_view advice = {}) {
  return {status.code(), absl::StrCat(option, ": ", status.message(), advice)};
}

// What to do about a store that cannot be opened, as far as that is known.
absl::string_view Advice(const absl::Status& status, DataUse use) {
  if (use == DataUse::kServe && absl::StrContains(status.message(), "it was made for development")) {
    return "; serve it with patd dev, or make another one with patd init";
  }
  if (absl::StrContains(status.message(), "its part ")) {
    return "; another version of patd made it: serve it with that one, or give another directory";
  }
  return {};
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(const Options& options, DataUse use,
                                                                   const Clock& clock) {
  auto data = absl::WrapUnique(new DataDirectory());
  if (absl::Status status = data->OpenAll(options, use, clock); !status.ok()) return status;
  return data;
}

absl::Status DataDirectory::CheckFree(const Options& options) {
  return DataDirectory().NameDirectory(options, DataUse::kMake);
}

void DataDirectory::CloseStore() {
  if (store_ == nullptr) return;
  if (served_from_.has_value() && store_->CommitSequence() != *served_from_) kept_ = true;
  store_ = nullptr;
}

DataDirectory::~DataDirectory() {
  CloseStore();
  if (kept_ || !store_is_new_) return;
  // Fails if another process, started at the same time, has the directory by now: then the pepper is its pepper too.
  if (!RemoveRocksDbTokenStore(directory_).ok()) return;
  if (directory_is_new_) rmdir(directory_.c_str());
  if (!new_pepper_.empty()) unlink(new_pepper_.c_str());
}

absl::Status DataDirectory::NameDirectory(const Options& options, DataUse use) {
  directory_ = options.data_dir;
  if (directory_.empty() && use != DataUse::kDev) {
    return absl::InvalidArgumentError("--data-dir: is not given; give the directory of the tokens");
  }
  if (directory_.empty()) {
    absl::StatusOr<TemporaryDirectory> made = TemporaryDirectory::Make();
    if (!made.ok()) return made.status();
    temporary_.emplace(*std::move(made));
    directory_ = temporary_->path() + "/data";
  }
  // "DIR/" and "DIR" are one directory, and DIR.pepper is beside it, not in it.
  while (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();

  const absl::StatusOr<bool> has_store = HasRocksDbTokenStore(directory_);
  if (!has_store.ok()) return About("--data-dir", has_store.status());
  store_is_new_ = !*has_store;
  if (store_is_new_ && use == DataUse::kServe) {
    store_is_new_ = false;
    return absl::NotFoundError(absl::StrCat("--data-dir: ", directory_,
                                            " holds no tokens yet; make it with: patd init ", "--data-dir ", directory_,
                                            " --admin USER"));
  }
  if (!store_is_new_ && use == DataUse::kMake) {
    return absl::AlreadyExistsError(
        absl::StrCat("--data-dir: ", directory_,
                     " is made already, and left as it is; serve it with patd authority, or "
                     "give another directory"));
  }
  return absl::OkStatus();
}

absl::Status DataDirectory::OpenAll(const Options& options, DataUse use, const Clock& clock) {
  if (absl::Status status = NameDirectory(options, use); !status.ok()) return status;
  std::error_code error;
  directory_is_new_ = !std::filesystem::exists(directory_, error) && !error;
  const std::filesystem::path parent = std::filesystem::absolute(directory_, error).parent_path();
  if (directory_is_new_ && !std::filesystem::is_directory(parent, error)) {
    return absl::NotFoundError(absl::StrCat("--data-dir: ", directory_, " cannot be made: ", parent.string(),
                                            " is no directory; make it first"));
  }
  if (absl::Status status = LoadPeppers(options, use); !status.ok()) return status;

  absl::StatusOr<std::unique_ptr<TokenStore>> store = OpenRocksDbTokenStore(
      {.directory = directory_, .create_if_missing = use != DataUse::kServe, .development = use == DataUse::kDev});
  if (!store.ok()) return About("--data-dir", store.status(), Advice(store.status(), use));
  store_ = NewLoggingStore(*std::move(store), clock);
  if (store_is_new_ && store_->CommitSequence() != 0) {
    // Another process, started at the same time, was faster: what there is is not ours to take away.
    store_is_new_ = false;
    if (use == DataUse::kMake) {
      return absl::AlreadyExistsError(
          absl::StrCat("--data-dir: ", directory_, " was made by another process meanwhile"));
    }
  }
  return CheckPeppers();
}

absl::Status DataDirectory::LoadPeppers(const Options& options, DataUse use) {
  pepper_files_ = options.pepper_files;
  if (pepper_files_.empty()) pepper_files_.push_back(directory_ + ".pepper");
  for (const std::string& path : pepper_files_) {
    if (!IsInside(path, directory_)) continue;
    return absl::InvalidArgumentError(absl::StrCat("--pepper-file: ", path,
                                                   ": the pepper is inside the data directory ", directory_,
                                                   ", and a copy of the data would have it too; keep it elsewhere and "
                                                   "give --pepper-file"));
  }
  // `patd init` makes the one that it is given, too.
  const bool may_make = options.pepper_files.empty() || (use == DataUse::kMake && pepper_files_.size() == 1);
  std::error_code error;
  if (may_make && !std::filesystem::exists(pepper_files_.front(), error)) {
    const std::string& path = pepper_files_.front();
    if (!store_is_new_) {
      return absl::NotFoundError(absl::StrCat("--pepper-file: ", path,
                                              ": the pepper of this data directory is missing; without it no token "
                                              "in there is ever found. Put it back, or give --pepper-file"));
    }
    if (absl::Status status = Peppers::CreateFile(path); !status.ok()) return About("--pepper-file", status);
    new_pepper_ = path;
  }
  absl::StatusOr<std::unique_ptr<const Peppers>> peppers = Peppers::Load(pepper_files_);
  if (!peppers.ok()) return About("--pepper-file", peppers.status());
  peppers_ = *std::move(peppers);
  return absl::OkStatus();
}

absl::Status DataDirectory::CheckPeppers() const {
  const absl::StatusOr<std::vector<PepperId>> used = store_->PepperIds();
  if (!used.ok()) return used.status();
  const std::vector<PepperId> given = peppers_->ids();
  const auto is_given = [&given](const PepperId& id) {
    return std::find(given.begin(), given.end(), id) != given.end();
  };
  const auto known = static_cast<size_t>(std::count_if(used->begin(), used->end(), is_given));
  if (known == used->size()) return absl::OkStatus();
  if (known == 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--pepper-file: ", absl::StrJoin(pepper_files_, ", "), ": not the pepper that the tokens in ", directory_,
        " were made with; no token in there would ever be found. Give the right one with --pepper-file, "
        "after a new one if there is one"));
  }
  spdlog::warn(
      "tokens in {} were made with {} peppers of which {} are not given: these tokens are inactive. Give the old "
      "peppers too, with --pepper-file, after the new one",
      directory_, used->size(), used->size() - known);
  return absl::OkStatus();
}

}  // namespace pat
