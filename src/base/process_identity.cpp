#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "base/file.hpp"
#include "base/process.hpp"

namespace howdah::base {

std::optional<std::uint64_t> process_start_ticks(pid_t pid) {
    std::string stat;
    try {
        const auto content = read_file_if_exists("/proc/" + std::to_string(pid) + "/stat");
        if (!content) return std::nullopt;
        stat = *content;
    } catch (const SystemFailure& failure) {
        // The process ended between open and read.
        if (failure.error() == ESRCH) return std::nullopt;
        throw;
    }
    // proc(5): the program's name, field 2, stands in parentheses and may hold blanks and parentheses itself; the state is field 3 and
    // the start time field 22.
    const auto name_end = stat.rfind(')');
    if (name_end == std::string::npos || name_end + 2 >= stat.size()) return std::nullopt;
    std::string_view rest = std::string_view(stat).substr(name_end + 2);
    if (rest.front() == 'Z' || rest.front() == 'X') return std::nullopt;
    for (int field = 3; field < 22; ++field) {
        const auto blank = rest.find(' ');
        if (blank == std::string_view::npos) return std::nullopt;
        rest.remove_prefix(blank + 1);
    }
    std::uint64_t ticks = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), ticks);
    return error == std::errc() ? std::optional(ticks) : std::nullopt;
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
