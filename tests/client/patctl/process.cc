#include "tests/client/patctl/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace pat::patctl {
namespace {

constexpr int kPatienceMillis = 20'000;

// In a session of its own: what it opens first as a terminal becomes its terminal.
pid_t Spawn(const std::vector<std::string>& argv, posix_spawn_file_actions_t& actions) {
  std::vector<char*> pointers;
  for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, pointers[0], &actions, &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot run " + argv[0]);
  return pid;
}

int WaitForExit(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

}  // namespace

ProcessResult RunProcess(const std::vector<std::string>& argv, const std::string& input) {
  std::string path = (std::filesystem::temp_directory_path() / "process-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
  const std::filesystem::path directory = path;
  std::ofstream(directory / "in", std::ios::binary) << input;

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, (directory / "in").c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, (directory / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, (directory / "err").c_str(), O_WRONLY | O_CREAT, 0600);
  ProcessResult result;
  result.status = WaitForExit(Spawn(argv, actions));
  result.out = ReadFile(directory / "out");
  result.err = ReadFile(directory / "err");
  std::filesystem::remove_all(directory);
  return result;
}

TerminalProcess::TerminalProcess(const std::vector<std::string>& argv)
    : master_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) throw std::runtime_error("no terminal");
  const std::string name = ptsname(master_);
  slave_ = open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int descriptor : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, descriptor, name.c_str(), O_RDWR, 0);
  pid_ = Spawn(argv, actions);
}

TerminalProcess::~TerminalProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    WaitForExit(pid_);
  }
  close(slave_);
  close(master_);
}

bool TerminalProcess::Read() {
  pollfd waiting = {.fd = master_, .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, kPatienceMillis) <= 0) return false;
  char buffer[4096];
  const ssize_t count = read(master_, buffer, sizeof(buffer));
  if (count <= 0) return false;
  screen_.append(buffer, count);
  return true;
}

bool TerminalProcess::WaitFor(const std::string& text) {
  size_t found;
  while ((found = screen_.find(text, seen_)) == std::string::npos) {
    if (!Read()) return false;
  }
  seen_ = found + text.size();
  return true;
}

void TerminalProcess::Type(const std::string& text) {
  if (write(master_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("cannot type");
  }
}

int TerminalProcess::Wait() {
  const int status = WaitForExit(pid_);
  pid_ = -1;
  // What is still on its way to the screen.
  pollfd waiting = {.fd = master_, .events = POLLIN, .revents = 0};
  while (poll(&waiting, 1, 0) > 0 && Read()) {
  }
  return status;
}

bool TerminalProcess::Echoes() const {
  termios settings;
  return tcgetattr(slave_, &settings) == 0 && (settings.c_lflag & ECHO) != 0;
}

}  // namespace pat::patctl
