#include "inside.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "cli/program.hpp"

namespace howdah::tests {

namespace {

constexpr unsigned kHangs = 60;  ///< Seconds.

CallBook& book() {
    static CallBook the_book;
    return the_book;
}

/// A file in memory for an output.
base::File memory_file(const char* name) {
    base::File file(::memfd_create(name, MFD_CLOEXEC));
    if (!file.is_open()) throw base::SystemFailure(base::FailureKind::operation, "memfd_create", errno);
    return file;
}

std::string content(const base::File& file) {
    std::string bytes(file.size(), '\0');
    file.read_at(std::as_writable_bytes(std::span(bytes)), 0);
    return bytes;
}

struct Work {
    const std::function<int()>& work;
    const Environment& environment;
    const std::filesystem::path& folder;
    const base::File& output;
    const base::File& errors;
};

[[noreturn]] void be_the_program(const Work& work) {
    ::alarm(kHangs);
    if (::dup2(work.output.descriptor(), STDOUT_FILENO) < 0 || ::dup2(work.errors.descriptor(), STDERR_FILENO) < 0 ||
        ::chdir(work.folder.c_str()) != 0)
        ::_exit(127);
    for (const auto& [name, value] : work.environment) ::setenv(name.c_str(), value.c_str(), 1);
    intercept_stores(&book());
    const int code = work.work();
    std::fflush(nullptr);
    ::_exit(code);
}

int exit_code_of(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

/// Stands between the test and the program: adopts what the program leaves behind and waits for it.
[[noreturn]] void be_the_waiter(const Work& work) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const pid_t program = ::fork();
    if (program == 0) be_the_program(work);
    ::alarm(2 * kHangs);
    int code = 127;
    for (int status = 0;;) {
        const pid_t ended = ::wait(&status);
        if (ended < 0 && errno == EINTR) continue;
        if (ended < 0) break;
        if (ended == program) code = exit_code_of(status);
    }
    ::_exit(code);
}

Ended run(const std::function<int()>& function, const Environment& environment, const std::filesystem::path& folder, const Fault& fault) {
    const auto output = memory_file("output");
    const auto errors = memory_file("errors");
    const Work work{function, environment, folder, output, errors};
    book().reset(fault);
    std::fflush(nullptr);
    const pid_t waiter = ::fork();
    if (waiter < 0) throw base::SystemFailure(base::FailureKind::operation, "fork", errno);
    if (waiter == 0) be_the_waiter(work);
    int status = 0;
    while (::waitpid(waiter, &status, 0) < 0 && errno == EINTR) {
    }
    Ended run{exit_code_of(status), content(output), content(errors), book().calls(), false, text(fault)};
    if (const Call* call = book().struck()) {
        run.struck = true;
        run.where += fmt::format(" ({} {})", word(call->kind), call->object);
    }
    return run;
}

}  // namespace

Ended run_inside(const std::vector<std::string>& words, const Environment& environment, const std::filesystem::path& folder,
                 const Fault& fault) {
    const auto program = [&words] {
        std::vector<std::string> copy{"howdah"};
        copy.insert(copy.end(), words.begin(), words.end());
        std::vector<char*> arguments;
        for (auto& word : copy) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        return cli::run_program(static_cast<int>(copy.size()), arguments.data());
    };
    return run(program, environment, folder, fault);
}

Ended call_inside(const std::function<void()>& work, const Environment& environment, const std::filesystem::path& folder,
                  const Fault& fault) {
    const auto told = [&work] {
        try {
            work();
            return 0;
        } catch (const base::Failure& failure) {
            std::fprintf(stderr, "howdah: %s\n", failure.text().c_str());
            return static_cast<int>(failure.kind());
        }
    };
    return run(told, environment, folder, fault);
}

}  // namespace howdah::tests
