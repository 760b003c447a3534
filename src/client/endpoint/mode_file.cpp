#include "client/endpoint/mode_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace howdah::inline v0 {

namespace {

std::string reason(int error) { return std::generic_category().message(error); }

/// A word, fit for a line of a log whatever the file holds.
std::string shown(std::string_view word) {
    std::string text;
    for (const char c : word.substr(0, 32)) text += c >= ' ' && c <= '~' ? c : '?';
    return word.size() > 32 ? text + "..." : text;
}

std::optional<BreakerMode> mode_named(std::string_view word) {
    for (const auto mode :
         {BreakerMode::automatic, BreakerMode::disabled, BreakerMode::observe, BreakerMode::forced_open, BreakerMode::forced_closed}) {
        if (name(mode) == word) return mode;
    }
    return std::nullopt;
}

}  // namespace

std::optional<ModeFile::Seen> ModeFile::look() {
    if (path_.empty()) return std::nullopt;
    const Stamp now = stamp();
    if (now == last_) return std::nullopt;
    last_ = now;
    if (now == Stamp()) return Seen{otherwise_, path_ + " is gone: mode " + std::string(name(otherwise_)) + ", as configured"};
    if (now.error != 0) return Seen{std::nullopt, "cannot look at " + path_ + ": " + reason(now.error)};
    return read();
}

ModeFile::Stamp ModeFile::stamp() const {
    struct stat status{};
    if (::stat(path_.c_str(), &status) != 0) return {.error = errno == ENOENT ? 0 : errno};
    return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, 0};
}

ModeFile::Seen ModeFile::read() const {
    // Without O_NONBLOCK a FIFO of that name would hold the thread for ever.
    const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    std::array<char, 256> text{};
    const ssize_t count = descriptor < 0 ? -1 : ::read(descriptor, text.data(), text.size());
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (count < 0) return {std::nullopt, "cannot read " + path_ + ": " + reason(error)};
    constexpr std::string_view kSpace = " \t\r\n";
    std::string_view word(text.data(), static_cast<std::size_t>(count));
    word.remove_prefix(std::min(word.find_first_not_of(kSpace), word.size()));
    word = word.substr(0, word.find_first_of(kSpace));
    if (const auto mode = mode_named(word)) return {mode, path_ + " says " + std::string(word)};
    return {std::nullopt,
            path_ + " begins with no mode: \"" + shown(word) + "\" (automatic, disabled, observe, forced_open, forced_closed)"};
}

}  // namespace howdah::inline v0
