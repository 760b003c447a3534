#include "support/namespaces.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>

#include "base/failure.hpp"
#include "base/file.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

namespace {

constexpr int kImpossible = 250;

[[noreturn]] void fail(const std::string& what) { throw base::SystemFailure(base::FailureKind::operation, what, errno); }

void write_proc(const char* path, const std::string& text) {
    const auto file = base::File::open(path, O_WRONLY);
    if (::write(file.descriptor(), text.data(), text.size()) < 0) fail(path);
}

void raise_loopback() {
    const int handle = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const bool up = handle >= 0 && ::ioctl(handle, SIOCSIFFLAGS, &request) == 0;
    if (handle >= 0) ::close(handle);
    if (!up) fail("raising the loopback interface");
}

}  // namespace

std::string enter_private_space(bool network) {
    const auto uid = ::geteuid();
    const auto gid = ::getegid();
    const int flags = CLONE_NEWNS | (network ? CLONE_NEWNET : 0) | (uid == 0 ? 0 : CLONE_NEWUSER);
    if (::unshare(flags) != 0) return fmt::format("namespaces are not allowed here: {}", std::strerror(errno));
    try {
        if (uid != 0) {
            write_proc("/proc/self/setgroups", "deny");
            write_proc("/proc/self/uid_map", fmt::format("{} {} 1", uid, uid));
            write_proc("/proc/self/gid_map", fmt::format("{} {} 1", gid, gid));
        }
        if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("making the mounts private");
        if (network) raise_loopback();
    } catch (const base::Failure& failure) {
        return failure.what();
    }
    return {};
}

ChildResult run_in_private_space(const std::function<void()>& prepare, const std::vector<std::string>& command,
                                 base::ProcessOptions options, const fs::path& log) {
    const pid_t child = ::fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        try {
            if (const auto why = enter_private_space(true); !why.empty()) {
                base::write_file_durably(log, why);
                ::_exit(kImpossible);
            }
            prepare();
            options.output_file = log;
            ::_exit(base::run_process(command, options).exit_code);
        } catch (const std::exception& failure) {
            base::write_file_durably(log, failure.what());
            ::_exit(kImpossible);
        }
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    ChildResult result;
    result.output = base::read_file_if_exists(log).value_or("");
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (result.exit_code == kImpossible) result.impossible = result.output.empty() ? "the child said nothing" : result.output;
    return result;
}

void mount_memory(const fs::path& folder, const std::string& size) {
    if (::mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, ("size=" + size + ",mode=0700").c_str()) != 0)
        fail("mounting a memory file system");
}

void unmount(const fs::path& folder) {
    if (::umount2(folder.c_str(), MNT_DETACH) != 0) fail("unmounting");
}

void mount_over(const fs::path& file, const fs::path& place) {
    if (::mount(file.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) != 0) fail("mounting over " + place.string());
}

}  // namespace howdah::tests
