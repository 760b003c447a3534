#include "cli/output.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/failure.hpp"
#include "base/file.hpp"

namespace howdah::cli {

namespace {

bool colours_wanted() {
    static const bool wanted = ::isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR");
    return wanted;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
    const auto used = display_width(text);
    const std::string space(width > used ? width - used : 0, ' ');
    return right ? space + text : text + space;
}

}  // namespace

void print(const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const auto written = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw base::SystemFailure(base::FailureKind::operation, "cannot write to standard output", errno);
        done += static_cast<std::size_t>(written);
    }
}

void print_lines(const std::string& begin, const std::vector<std::string>& lines) {
    constexpr std::size_t kMost = 100;
    std::string text;
    for (std::size_t i = 0; i < std::min(lines.size(), kMost); ++i) text += begin + lines[i] + "\n";
    if (lines.size() > kMost) text += fmt::format("{}and {} more: --output json shows all\n", begin, lines.size() - kMost);
    if (!text.empty()) print(text);
}

std::size_t display_width(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

std::string coloured(Colour colour, const std::string& text) {
    if (!colours_wanted()) return text;
    const char* code = "";
    switch (colour) {
        case Colour::plain: return text;
        case Colour::bold: code = "1"; break;
        case Colour::green: code = "32"; break;
        case Colour::red: code = "31"; break;
        case Colour::yellow: code = "33"; break;
        case Colour::dim: code = "2"; break;
    }
    return std::string("\033[") + code + "m" + text + "\033[0m";
}

Table::Table(std::vector<std::string> headings, std::vector<bool> right_aligned)
    : headings_(std::move(headings)), right_(std::move(right_aligned)) {
    right_.resize(headings_.size());
}

void Table::add(std::vector<std::string> cells) {
    cells.resize(headings_.size());
    rows_.push_back(std::move(cells));
}

std::string Table::text() const {
    std::vector<std::size_t> widths;
    for (const auto& heading : headings_) widths.push_back(display_width(heading));
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
    const auto line = [&](const std::vector<std::string>& cells) {
        std::string out;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool last = i + 1 == cells.size();
            out += last && !right_[i] ? cells[i] : padded(cells[i], widths[i], right_[i]);
            if (!last) out += "  ";
        }
        return out;
    };
    std::string out = coloured(Colour::bold, line(headings_)) + "\n";
    for (const auto& row : rows_) out += line(row) + "\n";
    return out;
}

}  // namespace howdah::cli
