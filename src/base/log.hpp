#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace howdah::base {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

/// Where this process logs: lines on standard error, UTC with milliseconds, each written by one write(2) so that lines of several
/// threads and processes never mix. Text: "2026-11-21T01:02:03.456Z WARNING message"; JSON lines carry time, level, message.
/// Passwords inside conninfo strings and URLs are masked before a line leaves (redact). Thread-safe.
void configure_log(LogLevel level, LogFormat format);
LogLevel log_level();
void log(LogLevel level, std::string_view message);

template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
    if (log_level() <= LogLevel::debug) log(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
    if (log_level() <= LogLevel::info) log(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
    if (log_level() <= LogLevel::warning) log(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
    log(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

/// The text with the values of password-like conninfo keys (password, passfile's content never, sslpassword) and the password part
/// of URLs replaced by "***".
std::string redact(std::string_view text);

}  // namespace howdah::base
