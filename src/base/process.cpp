#include "base/process.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/file.hpp"
#include "base/log.hpp"

extern char** environ;

namespace howdah::base {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

/// Takes a descriptor over, moved above the standard ones: a process started with those closed gets them from pipe2.
File owned(int descriptor, const char* what) {
    if (descriptor < 0) throw SystemFailure(FailureKind::operation, what, errno);
    if (descriptor > STDERR_FILENO) return File(descriptor);
    const File low(descriptor);
    return File(::fcntl(low.descriptor(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

struct Pipe {
    File reader;
    File writer;
};
Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw SystemFailure(FailureKind::operation, "cannot make a pipe", errno);
    File reader = owned(ends[0], "cannot make a pipe");
    return {std::move(reader), owned(ends[1], "cannot make a pipe")};
}

/// A file in memory as standard input: it needs no feeding and cannot raise SIGPIPE.
File standard_input(const std::string& input) {
    if (input.empty()) return owned(File::open("/dev/null", O_RDONLY).release(), "cannot open /dev/null");
    File file = owned(::memfd_create("input", MFD_CLOEXEC), "cannot make a file in memory");
    file.write_at(as_bytes(input), 0);
    return file;
}

std::map<std::string, std::string> environment_of_child(const ProcessOptions& options) {
    std::map<std::string, std::string> all;
    for (char** entry = environ; entry && *entry; ++entry) {
        const std::string_view pair = *entry;
        if (const auto mark = pair.find('='); mark != std::string_view::npos) all.emplace(pair.substr(0, mark), pair.substr(mark + 1));
    }
    if (options.user) {
        all["HOME"] = options.user->home.string();
        all["USER"] = all["LOGNAME"] = options.user->name;
    }
    for (const auto& [name, value] : options.environment) {
        if (value.empty())
            all.erase(name);
        else
            all[name] = value;
    }
    return all;
}

/// The program's file, found in PATH as a shell does; the name itself when nothing is found, so that exec gives the reason.
std::string find_program(const std::string& name, const std::map<std::string, std::string>& environment) {
    if (name.find('/') != std::string::npos) return name;
    const auto path = environment.find("PATH");
    std::string_view folders = path == environment.end() ? std::string_view("/usr/bin:/bin") : path->second;
    while (!folders.empty()) {
        const auto colon = folders.find(':');
        const fs::path candidate = fs::path(folders.substr(0, colon)) / name;
        std::error_code ignored;
        if (::access(candidate.c_str(), X_OK) == 0 && fs::is_regular_file(candidate, ignored)) return candidate.string();
        folders = colon == std::string_view::npos ? std::string_view() : folders.substr(colon + 1);
    }
    return name;
}

/// What the child could not do, sent through a pipe that a successful exec closes.
enum class Stage : int { standard_files, user, folder, program };
struct StartFailure {
    Stage stage;
    int error;
};

/// Everything the child needs, prepared before fork: between fork and exec only async-signal-safe calls are allowed, for another thread
/// may have held any lock at that moment.
struct Plan {
    std::string program;
    std::vector<char*> arguments;
    std::vector<std::string> environment_text;
    std::vector<char*> environment;
    bool change_user = false;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
    std::string folder;
    int input = -1, output = -1, errors = -1, report = -1;
    bool die_with_parent = true;
    pid_t parent = ::getpid();
};

[[noreturn]] void give_up(const Plan& plan, Stage stage) {
    const StartFailure failure{stage, errno};
    [[maybe_unused]] const ssize_t written = ::write(plan.report, &failure, sizeof failure);
    ::_exit(127);
}

/// The raw system calls: glibc's wrappers would try to change all threads of a process that has only this one left.
bool drop_to_user(const Plan& plan) {
    return ::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) == 0 &&
           ::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) == 0 && ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) == 0;
}

void restore_default_signals() {
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_child(const Plan& plan) {
    ::setpgid(0, 0);
    if (::dup2(plan.input, STDIN_FILENO) < 0 || ::dup2(plan.output, STDOUT_FILENO) < 0 || ::dup2(plan.errors, STDERR_FILENO) < 0)
        give_up(plan, Stage::standard_files);
    ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
    if (plan.change_user && !drop_to_user(plan)) give_up(plan, Stage::user);
    if (plan.die_with_parent) {
        // After the change of user, which clears it. A parent that died before this line sends no signal any more.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != plan.parent) ::_exit(127);
    }
    if (!plan.folder.empty() && ::chdir(plan.folder.c_str()) != 0) give_up(plan, Stage::folder);
    // A folder that this user may not enter makes PostgreSQL's programs complain.
    if (plan.folder.empty() && ::access(".", X_OK) != 0 && ::chdir("/") != 0) give_up(plan, Stage::folder);
    restore_default_signals();
    ::execve(plan.program.c_str(), plan.arguments.data(), plan.environment.data());
    give_up(plan, Stage::program);
}

/// A running program; killed with its whole process group and reaped if nobody waited for its end.
class Child {
public:
    explicit Child(const Plan& plan) {
        sigset_t all, before;
        ::sigfillset(&all);
        // No handler of ours may run in the child.
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        pid_ = ::fork();
        const int error = errno;
        if (pid_ == 0) run_child(plan);
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        if (pid_ < 0) throw SystemFailure(FailureKind::operation, "cannot start " + plan.program, error);
        ::setpgid(pid_, pid_);
        ended_ = File(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (reaped_) return;
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
        reap();
    }

    /// Readable once the program ended; -1 where the kernel does not offer it.
    int ended_descriptor() const { return ended_.descriptor(); }
    bool ended() const {
        siginfo_t information{};
        return ::waitid(P_PID, static_cast<id_t>(pid_), &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_pid == pid_;
    }
    /// Waits for the end; the exit code or 128 + signal.
    int reap() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        reaped_ = true;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

private:
    pid_t pid_ = -1;
    File ended_;
    bool reaped_ = false;
};

/// One output of the program while it runs.
struct Capture {
    File pipe;
    std::string text;

    /// Takes what is there; false when there is nothing now. Closes the pipe at its end.
    bool take() {
        std::array<char, 65536> buffer;
        if (!pipe.is_open()) return false;
        const ssize_t got = ::read(pipe.descriptor(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) return true;
        if (got < 0 && errno == EAGAIN) return false;
        if (got < 0) throw SystemFailure(FailureKind::operation, "cannot read a program's output", errno);
        if (got == 0) pipe.close();
        text.append(buffer.data(), static_cast<std::size_t>(got));
        return got > 0;
    }
    /// What the program left in the pipe. A daemon it started may hold the other end open and go on writing, so the end is not awaited.
    void take_rest() {
        for (int chunks = 0; chunks < 64 && take(); ++chunks) {
        }
    }
};

Plan make_plan(const std::vector<std::string>& command, const ProcessOptions& options) {
    Plan plan;
    const auto environment = environment_of_child(options);
    plan.program = find_program(command.front(), environment);
    for (const std::string& argument : command) plan.arguments.push_back(const_cast<char*>(argument.c_str()));
    plan.arguments.push_back(nullptr);
    for (const auto& [name, value] : environment) plan.environment_text.push_back(name + "=" + value);
    for (std::string& entry : plan.environment_text) plan.environment.push_back(entry.data());
    plan.environment.push_back(nullptr);
    plan.folder = options.working_directory.string();
    plan.die_with_parent = options.die_with_parent;
    if (options.user && options.user->uid != ::geteuid()) {
        plan.change_user = true;
        plan.uid = options.user->uid;
        plan.gid = options.user->gid;
        plan.groups = groups_of(*options.user);
    }
    return plan;
}

/// Throws what the child reported; returns when exec succeeded.
void await_start(const File& report, const Plan& plan, const ProcessOptions& options) {
    StartFailure failure{};
    ssize_t got = 0;
    do got = ::read(report.descriptor(), &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    if (got != sizeof failure) return;
    const std::string start = "cannot start " + plan.program;
    switch (failure.stage) {
        case Stage::standard_files: throw SystemFailure(FailureKind::operation, start + ": its standard files", failure.error);
        case Stage::user:
            throw SystemFailure(FailureKind::operation, start + " as user " + options.user->name, failure.error,
                                "run the command as root or as that user");
        case Stage::folder: throw SystemFailure(FailureKind::operation, start + " in " + plan.folder, failure.error);
        case Stage::program:
            throw SystemFailure(FailureKind::operation, start, failure.error,
                                failure.error == ENOENT ? "install it or add its folder to PATH" : "");
    }
}

/// Collects both outputs until the program ends; throws when the time is over or a stop is asked for.
void watch(const Child& child, std::array<Capture, 2>& captures, const std::string& program, Duration timeout,
           const Cancellation& cancellation) {
    constexpr Duration kLongest = std::chrono::hours(24 * 365);
    constexpr std::chrono::milliseconds kLookAgain(20);
    const auto deadline = Clock::now() + std::min(timeout, kLongest);
    const File wake = owned(::eventfd(0, EFD_CLOEXEC), "cannot make an event");
    const std::stop_callback on_stop(cancellation.token(), [&wake] { ::eventfd_write(wake.descriptor(), 1); });
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        std::array<pollfd, 4> polled = {pollfd{wake.descriptor(), POLLIN, 0}, pollfd{child.ended_descriptor(), POLLIN, 0},
                                        pollfd{captures[0].pipe.descriptor(), POLLIN, 0}, pollfd{captures[1].pipe.descriptor(), POLLIN, 0}};
        const auto wait =
            std::clamp(left, std::chrono::milliseconds(0), child.ended_descriptor() < 0 ? kLookAgain : std::chrono::minutes(1));
        if (::poll(polled.data(), polled.size(), static_cast<int>(wait.count())) < 0 && errno != EINTR)
            throw SystemFailure(FailureKind::operation, "cannot wait for " + program, errno);
        // Looked at before the pipes are read: what it wrote before its end is then in them.
        const bool ended = child.ended();
        for (Capture& capture : captures) {
            if (ended)
                capture.take_rest();
            else
                capture.take();
        }
        if (ended) return;
        cancellation.check(program.c_str());
        if (left.count() <= 0)
            throw Failure(FailureKind::operation, fmt::format("{} did not end: killed after {}", program, text_duration(timeout)),
                          "find out what it waited for, then run the command again");
    }
}

/// The last lines that hold anything, joined for a message.
std::string last_lines(std::string_view text, int count) {
    std::string joined;
    while (!text.empty() && count > 0) {
        const auto start = text.rfind('\n');
        const std::string_view line = start == std::string_view::npos ? text : text.substr(start + 1);
        text = start == std::string_view::npos ? std::string_view() : text.substr(0, start);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        joined = joined.empty() ? std::string(line) : std::string(line) + "; " + joined;
        --count;
    }
    return joined;
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options, const Cancellation& cancellation) {
    if (command.empty()) throw Failure(FailureKind::operation, "cannot start a program: its name is empty");
    const std::string program = fs::path(command.front()).filename().string();
    cancellation.check(program.c_str());
    Plan plan = make_plan(command, options);

    const File input = standard_input(options.input);
    Pipe report = make_pipe();
    std::array<Pipe, 2> pipes;
    File output_file;
    if (options.output_file) {
        output_file = File::open(*options.output_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
        output_file = owned(output_file.release(), "cannot open the output file");
        plan.output = plan.errors = output_file.descriptor();
    } else {
        for (Pipe& pipe : pipes) {
            pipe = make_pipe();
            ::fcntl(pipe.reader.descriptor(), F_SETFL, O_NONBLOCK);
        }
        plan.output = pipes[0].writer.descriptor();
        plan.errors = pipes[1].writer.descriptor();
    }
    plan.input = input.descriptor();
    plan.report = report.writer.descriptor();

    Child child(plan);
    report.writer.close();
    for (Pipe& pipe : pipes) pipe.writer.close();
    await_start(report.reader, plan, options);
    std::array<Capture, 2> captures = {Capture{std::move(pipes[0].reader), {}}, Capture{std::move(pipes[1].reader), {}}};
    watch(child, captures, program, options.timeout, cancellation);
    return {.exit_code = child.reap(), .output = std::move(captures[0].text), .errors = std::move(captures[1].text)};
}

ProcessResult run_process_checked(const std::string& what, const std::vector<std::string>& command, const ProcessOptions& options,
                                  const Cancellation& cancellation) {
    ProcessResult result = run_process(command, options, cancellation);
    if (result.exit_code == 0) return result;
    std::string seen = redact(last_lines(result.errors.empty() ? result.output : result.errors, 3));
    if (options.output_file) seen = "see " + options.output_file->string();
    if (seen.empty()) seen = "it printed nothing";
    throw Failure(FailureKind::operation, fmt::format("{} failed: exit code {}: {}", what, result.exit_code, seen));
}

}  // namespace howdah::base
