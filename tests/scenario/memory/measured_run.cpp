#include "measured_run.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>

#include "base/file.hpp"

namespace howdah::tests {

namespace {

[[noreturn]] void become_program(const std::vector<const char*>& arguments, const base::User* user, const std::string& folder, int output) {
    const bool dropped = !user || (::setgroups(1, &user->gid) == 0 && ::setresgid(user->gid, user->gid, user->gid) == 0 &&
                                   ::setresuid(user->uid, user->uid, user->uid) == 0);
    if (dropped && ::chdir(folder.c_str()) == 0 && ::dup2(output, 1) == 1 && ::dup2(output, 2) == 2)
        ::execv(arguments[0], const_cast<char* const*>(arguments.data()));
    ::_exit(127);
}

}  // namespace

MeasuredRun run_measured(ProtectedServer& protectee, const std::vector<std::string>& words) {
    const base::TemporaryDirectory folder("measured");
    const auto log = folder.path() / "output";
    const auto output = base::File::open(log, O_CREAT | O_RDWR);
    const auto program = protectee.binary().string(), config = protectee.config_file().string();
    std::vector<const char*> arguments{program.c_str(), "--config", config.c_str()};
    for (const auto& word : words) arguments.push_back(word.c_str());
    arguments.push_back(nullptr);
    const auto workspace = protectee.workspace().string();
    const auto user = protectee.server().user();
    const auto begin = std::chrono::steady_clock::now();
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) become_program(arguments, ::geteuid() == 0 ? &user : nullptr, workspace, output.descriptor());
    int status = 0;
    rusage usage{};
    while (::wait4(child, &status, 0, &usage) < 0)
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "wait4");
    return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            .peak_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024,
            .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
            .output = base::read_file(log)};
}

}  // namespace howdah::tests
