#include "postgres/guardian.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

#include "base/failure.hpp"

extern char** environ;

namespace howdah::postgres {

namespace {

using base::FailureKind;
using base::SystemFailure;

constexpr char kStart = 's';
constexpr char kLeave = 'q';
/// How long a postmaster may take to end its children after SIGQUIT: it kills them itself after 5 s.
constexpr int kQuitMilliseconds = 8000;
/// How long a folder is tried to be removed.
constexpr int kRemoveMilliseconds = 30'000;
/// The step of looking where the kernel gives no pidfd.
constexpr int kLookMilliseconds = 100;
/// The folder's place in the removing command.
constexpr std::size_t kRemovedArgument = 3;

/// Everything the forked process needs, made before the fork: after it only async-signal-safe calls are allowed, for another thread of
/// the owner may have held any lock at that moment.
struct Prepared {
    std::vector<std::string> argument_text, environment_text, remover_text;
    std::vector<char*> arguments, environment, remover;
    std::vector<gid_t> groups;
    uid_t uid = 0;
    gid_t gid = 0;
    bool change_user = false;
    bool outlives_owner = false;
    std::string log_file;
    pid_t owner = -1;
    int owner_descriptor = -1;
    int channel = -1;
};

/// The null-terminated list that execve wants.
std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (auto& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> environment_of(const GuardianPlan& plan) {
    std::map<std::string, std::string> all;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string pair = *entry;
        if (const auto mark = pair.find('='); mark != std::string::npos) all[pair.substr(0, mark)] = pair.substr(mark + 1);
    }
    all["HOME"] = plan.user.home.string();
    all["USER"] = all["LOGNAME"] = plan.user.name;
    for (const auto& [name, value] : plan.environment) all[name] = value;
    std::vector<std::string> list;
    for (const auto& [name, value] : all) {
        if (!value.empty()) list.push_back(name + "=" + value);
    }
    return list;
}

void prepare(const GuardianPlan& plan, Prepared& prepared) {
    prepared.argument_text = plan.command;
    prepared.environment_text = environment_of(plan);
    if (!plan.folder.empty()) prepared.remover_text = {"/bin/rm", "-rf", "--", plan.folder.string()};
    prepared.arguments = pointers(prepared.argument_text);
    prepared.environment = pointers(prepared.environment_text);
    prepared.remover = pointers(prepared.remover_text);
    prepared.change_user = plan.user.uid != ::geteuid();
    prepared.groups = base::groups_of(plan.user);
    prepared.uid = plan.user.uid;
    prepared.gid = plan.user.gid;
    prepared.outlives_owner = plan.outlives_owner;
    prepared.log_file = plan.log_file.string();
    prepared.owner = ::getpid();
}

int open_process(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

void close_range(unsigned first, unsigned last) {
    if (first <= last) ::syscall(SYS_close_range, first, last, 0);
}

void close_all_but(int one, int other) {
    const unsigned low = static_cast<unsigned>(one < other ? one : other);
    const unsigned high = static_cast<unsigned>(one < other ? other : one);
    close_range(STDERR_FILENO + 1, low - 1);
    close_range(low + 1, high - 1);
    close_range(high + 1, ~0U);
}

void standard_files_from(int input, int output) {
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
}

[[noreturn]] void become_postmaster(const Prepared& prepared) {
    ::setsid();
    const int log = ::open(prepared.log_file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (log >= 0) standard_files_from(STDIN_FILENO, log);
    close_range(STDERR_FILENO + 1, ~0U);
    // The raw calls: glibc's wrappers would try to change all threads of a process that has only this one left.
    if (prepared.change_user && (::syscall(SYS_setgroups, prepared.groups.size(), prepared.groups.data()) != 0 ||
                                 ::syscall(SYS_setresgid, prepared.gid, prepared.gid, prepared.gid) != 0 ||
                                 ::syscall(SYS_setresuid, prepared.uid, prepared.uid, prepared.uid) != 0)) {
        ::_exit(127);
    }
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(prepared.arguments[0], prepared.arguments.data(), prepared.environment.data());
    ::_exit(127);
}

/// The guardian's own life, all in one forked process with every signal blocked.
class Watch {
public:
    explicit Watch(const Prepared& prepared) : prepared_(prepared) {}

    [[noreturn]] void run() {
        ::setsid();
        if (::chdir("/") != 0) ::_exit(1);
        const int null = ::open("/dev/null", O_RDWR);
        if (null < 0) ::_exit(1);
        standard_files_from(null, null);
        close_all_but(prepared_.channel, prepared_.owner_descriptor >= 0 ? prepared_.owner_descriptor : prepared_.channel);
        while (true) look();
    }

private:
    void look() {
        std::array<pollfd, 3> watched{pollfd{attended_ ? prepared_.channel : -1, POLLIN, 0},
                                      pollfd{attended_ ? prepared_.owner_descriptor : -1, POLLIN, 0},
                                      pollfd{postmaster_descriptor_, POLLIN, 0}};
        const bool blind = (attended_ && prepared_.owner_descriptor < 0) || (postmaster_ > 0 && postmaster_descriptor_ < 0);
        ::poll(watched.data(), watched.size(), blind ? kLookMilliseconds : -1);
        reap(WNOHANG);
        if (attended_ && watched[0].revents != 0) listen();
        if (attended_ && (watched[1].revents != 0 || ::getppid() != prepared_.owner)) owner_gone();
        if (!attended_ && postmaster_ <= 0) ::_exit(0);
    }

    void listen() {
        char request = 0;
        const ssize_t got = ::read(prepared_.channel, &request, 1);
        if (got == 0) return owner_gone();
        if (got < 0) return;
        if (request == kLeave) ::_exit(0);
        if (request == kStart && postmaster_ <= 0) {
            postmaster_ = ::fork();
            if (postmaster_ == 0) become_postmaster(prepared_);
            if (postmaster_ > 0) postmaster_descriptor_ = open_process(postmaster_);
        }
        ::send(prepared_.channel, &postmaster_, sizeof postmaster_, MSG_NOSIGNAL);
    }

    bool reap(int options) {
        if (postmaster_ <= 0) return true;
        if (::waitpid(postmaster_, nullptr, options) != postmaster_) return false;
        if (postmaster_descriptor_ >= 0) ::close(postmaster_descriptor_);
        postmaster_ = postmaster_descriptor_ = -1;
        return true;
    }

    void owner_gone() {
        attended_ = false;
        if (prepared_.outlives_owner) return;
        if (postmaster_ > 0) {
            ::kill(postmaster_, SIGQUIT);
            ::kill(postmaster_, SIGCONT);
            for (int waited = 0; waited < kQuitMilliseconds && !reap(WNOHANG); waited += kLookMilliseconds) {
                pollfd end{postmaster_descriptor_, POLLIN, 0};
                ::poll(&end, 1, kLookMilliseconds);
            }
        }
        if (postmaster_ > 0) {
            ::kill(postmaster_, SIGKILL);
            reap(0);
        }
        for (int waited = 0; waited < kRemoveMilliseconds && !removed(); waited += kLookMilliseconds) ::poll(nullptr, 0, kLookMilliseconds);
        ::_exit(0);
    }

    /// What the owner had under way (the children of a killed initdb) may go on writing for a moment and make one removal fail.
    bool removed() const {
        if (prepared_.remover[0] == nullptr) return true;
        const pid_t remover = ::fork();
        if (remover == 0) {
            ::execve(prepared_.remover[0], prepared_.remover.data(), prepared_.environment.data());
            ::_exit(127);
        }
        if (remover > 0) ::waitpid(remover, nullptr, 0);
        return ::access(prepared_.remover[kRemovedArgument], F_OK) != 0;
    }

    const Prepared& prepared_;
    bool attended_ = true;  ///< The owner is there.
    pid_t postmaster_ = -1;
    int postmaster_descriptor_ = -1;
};

}  // namespace

Guardian::Guardian(const GuardianPlan& plan) : owner_(::getpid()), outlives_owner_(plan.outlives_owner) {
    Prepared prepared;
    prepare(plan, prepared);
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw SystemFailure(FailureKind::operation, "making a channel to the server's guardian", errno);
    }
    channel_ = base::File(ends[0]);
    const base::File far_end(ends[1]);
    const base::File self(open_process(owner_));
    prepared.channel = far_end.descriptor();
    prepared.owner_descriptor = self.descriptor();

    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_ = ::fork();
    const int error = errno;
    if (pid_ == 0) Watch(prepared).run();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid_ < 0) throw SystemFailure(FailureKind::operation, "starting the server's guardian", error);
}

Guardian::~Guardian() {
    if (!owned() || outlives_owner_) return;
    ::send(channel_.descriptor(), &kLeave, 1, MSG_NOSIGNAL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

pid_t Guardian::start() {
    pid_t postmaster = -1;
    ssize_t got = ::send(channel_.descriptor(), &kStart, 1, MSG_NOSIGNAL);
    while (got > 0 && (got = ::recv(channel_.descriptor(), &postmaster, sizeof postmaster, 0)) < 0 && errno == EINTR) got = 1;
    if (got != sizeof postmaster || postmaster <= 0) {
        throw base::Failure(FailureKind::operation, "starting a server: its guardian could not", "look for limits on processes and memory");
    }
    return postmaster;
}

bool Guardian::owned() const { return ::getpid() == owner_; }

}  // namespace howdah::postgres
