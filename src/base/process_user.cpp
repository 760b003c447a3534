#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/failure.hpp"
#include "base/process.hpp"

namespace howdah::base {

namespace {

/// Calls one of the getpw*_r functions with a buffer that is large enough.
template <typename Lookup>
std::optional<User> look_up(const std::string& wanted, Lookup lookup) {
    std::vector<char> buffer(4096);
    struct passwd entry{};
    struct passwd* found = nullptr;
    int error = 0;
    while ((error = lookup(&entry, buffer.data(), buffer.size(), &found)) == ERANGE) buffer.resize(2 * buffer.size());
    if (found) return User{.uid = entry.pw_uid, .gid = entry.pw_gid, .name = entry.pw_name, .home = entry.pw_dir};
    // getpwnam(3) lists these as the ways in which "not found" is told.
    if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM) return std::nullopt;
    throw SystemFailure(FailureKind::operation, "cannot look up user " + wanted, error);
}

/// A user without an entry in the user database (containers have them) is known by its number.
User user_of(uid_t uid, gid_t gid) {
    const std::string number = std::to_string(uid);
    auto found = look_up(number, [uid](auto... rest) { return ::getpwuid_r(uid, rest...); });
    return found ? *found : User{.uid = uid, .gid = gid, .name = number, .home = "/"};
}

}  // namespace

std::optional<User> find_user(const std::string& name) {
    return look_up(name, [&name](auto... rest) { return ::getpwnam_r(name.c_str(), rest...); });
}

User current_user() { return user_of(::geteuid(), ::getegid()); }

User owner_of(const std::filesystem::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) throw SystemFailure(FailureKind::operation, "cannot look at " + path.string(), errno);
    return user_of(status.st_uid, status.st_gid);
}

std::vector<gid_t> groups_of(const User& user) {
    std::vector<gid_t> groups(64);
    for (;;) {
        int count = static_cast<int>(groups.size());
        const bool fits = ::getgrouplist(user.name.c_str(), user.gid, groups.data(), &count) >= 0;
        groups.resize(static_cast<std::size_t>(count));
        if (fits) return groups;
    }
}

void become(const User& user) {
    uid_t real = 0, effective = 0, saved = 0;
    ::getresuid(&real, &effective, &saved);
    if (real == user.uid && effective == user.uid && saved == user.uid) return;
    const std::string what = "cannot become user " + user.name;
    const auto demand = [&](int result) {
        if (result != 0) throw SystemFailure(FailureKind::operation, what, errno, "run the command as root or as that user");
    };
    const std::vector<gid_t> groups = groups_of(user);
    demand(::setgroups(groups.size(), groups.data()));
    demand(::setresgid(user.gid, user.gid, user.gid));
    demand(::setresuid(user.uid, user.uid, user.uid));

    ::getresuid(&real, &effective, &saved);
    const bool kept_a_way_back = user.uid != 0 && (::setuid(0) == 0 || ::seteuid(0) == 0);
    if (kept_a_way_back || real != user.uid || effective != user.uid || saved != user.uid)
        throw Failure(FailureKind::operation, what + ": root's rights could be regained", "run the command as that user");
    ::setenv("HOME", user.home.c_str(), 1);
    ::setenv("USER", user.name.c_str(), 1);
    ::setenv("LOGNAME", user.name.c_str(), 1);
}

}  // namespace howdah::base
