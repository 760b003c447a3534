#include "base/log.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>

#include "base/json_text.hpp"
#include "base/progress.hpp"

namespace howdah::base {

namespace {

std::atomic<LogLevel> chosen_level{LogLevel::info};
std::atomic<LogFormat> chosen_format{LogFormat::text};

constexpr std::array<std::string_view, 4> kNames = {"DEBUG", "INFO", "WARNING", "ERROR"};
constexpr std::array<std::string_view, 4> kJsonNames = {"debug", "info", "warning", "error"};

std::string now_text() {
    using namespace std::chrono;
    const auto now = floor<milliseconds>(system_clock::now());
    const auto day = floor<days>(now);
    const year_month_day date(day);
    const hh_mm_ss time(now - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count(),
                       time.subseconds().count());
}

/// Further lines of a message are indented and control characters shown, so that no message can look like a line of its own.
std::string as_one_entry(std::string_view message) {
    std::string entry;
    entry.reserve(message.size());
    for (const char c : message) {
        if (c == '\n')
            entry += "\n    ";
        else if ((c >= 0 && c < 0x20 && c != '\t') || c == 0x7F)
            entry += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
        else
            entry += c;
    }
    return entry;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
    chosen_level = level;
    chosen_format = format;
}

LogLevel log_level() { return chosen_level.load(std::memory_order_relaxed); }

void log(LogLevel level, std::string_view message) {
    if (level < log_level()) return;
    const auto index = static_cast<std::size_t>(level);
    const std::string safe = redact(message);
    std::string line = chosen_format == LogFormat::json ? fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"message\":{}}}\n", now_text(),
                                                                      kJsonNames[index], json_quote(safe))
                                                        : fmt::format("{} {} {}\n", now_text(), kNames[index], as_one_entry(safe));
    line.insert(0, progress_eraser());
    // A log that cannot be written has nowhere to say so; the program's work goes on.
    while (::write(STDERR_FILENO, line.data(), line.size()) < 0 && errno == EINTR) {
    }
}

}  // namespace howdah::base
