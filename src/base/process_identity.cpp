#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "base/file.hpp"
#include "base/process.hpp"

namespace howdah::base {

namespace {

/// What /proc/PID/stat holds from field 3, the state, on; none when there is no such process or it is hidden. proc(5): the program's name,
/// field 2, stands in parentheses and may hold blanks and parentheses itself.
std::optional<std::string> status_fields(pid_t pid) {
    try {
        const auto content = read_file_if_exists("/proc/" + std::to_string(pid) + "/stat");
        if (!content) return std::nullopt;
        const auto name_end = content->rfind(')');
        if (name_end == std::string::npos || name_end + 2 >= content->size()) return std::nullopt;
        return content->substr(name_end + 2);
    } catch (const SystemFailure& failure) {
        // The process ended between open and read.
        if (failure.error() == ESRCH) return std::nullopt;
        throw;
    }
}

bool is_dead_state(char state) { return state == 'Z' || state == 'X'; }

}  // namespace

std::optional<std::uint64_t> process_start_ticks(pid_t pid) {
    const auto fields = status_fields(pid);
    if (!fields || is_dead_state(fields->front())) return std::nullopt;
    std::string_view rest = *fields;
    // The start time is field 22.
    for (int field = 3; field < 22; ++field) {
        const auto blank = rest.find(' ');
        if (blank == std::string_view::npos) return std::nullopt;
        rest.remove_prefix(blank + 1);
    }
    std::uint64_t ticks = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), ticks);
    return error == std::errc() ? std::optional(ticks) : std::nullopt;
}

bool process_has_ended(pid_t pid, std::uint64_t start_ticks) {
    const auto fields = status_fields(pid);
    if (!fields) return ::kill(pid, 0) != 0 && errno == ESRCH;
    if (is_dead_state(fields->front())) return true;
    const auto ticks = process_start_ticks(pid);
    return ticks && *ticks != start_ticks;
}

std::string boot_identifier() {
    std::string identifier = read_file("/proc/sys/kernel/random/boot_id");
    while (!identifier.empty() && identifier.back() == '\n') identifier.pop_back();
    return identifier;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0)
        throw SystemFailure(FailureKind::operation, "cannot ask for the name of this host", errno);
    return name.data();
}

std::string shell_quote(const std::string& word) {
    constexpr std::string_view kSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
    if (!word.empty() && word.find_first_not_of(kSafe) == std::string::npos) return word;
    std::string quoted = "'";
    for (const char c : word) {
        if (c == '\'')
            quoted += "'\\''";
        else
            quoted += c;
    }
    return quoted + "'";
}

std::string shell_quote(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) {
        if (!line.empty()) line += ' ';
        // Unquoted, a first word such as a=b would be an assignment.
        const bool assignment = line.empty() && word.find('=') != std::string::npos && shell_quote(word) == word;
        line += assignment ? "'" + word + "'" : shell_quote(word);
    }
    return line;
}

std::filesystem::path own_binary() {
    constexpr std::string_view kDeleted = " (deleted)";
    std::error_code error;
    std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) throw Failure(FailureKind::operation, "cannot find this program's own binary: " + error.message(), "mount /proc");
    // An upgrade replaced the file while we ran: the new one has the old one's path.
    if (const std::string name = path.string(); name.ends_with(kDeleted) && !std::filesystem::exists(path, error))
        path = name.substr(0, name.size() - kDeleted.size());
    return path;
}

}  // namespace howdah::base
