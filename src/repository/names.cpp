#include "repository/names.hpp"

#include <fmt/core.h>

#include <charconv>
#include <vector>

namespace howdah::repository {

namespace {

constexpr std::string_view kLowerHex = "0123456789abcdef", kUpperHex = "0123456789ABCDEF";

bool all_of(std::string_view text, std::size_t length, std::string_view letters) {
    return text.size() == length && text.find_first_not_of(letters) == text.npos;
}

bool is_link(std::string_view text) {
    return text.size() >= 8 && text.find_first_not_of("0123456789") == text.npos && text != "00000000" &&
           (text.size() == 8 || text[0] != '0');
}

/// A segment, or the last one of a timeline as a promotion leaves it.
bool is_wal_file(std::string_view name) {
    constexpr std::string_view partial = ".partial";
    if (name.ends_with(partial)) name.remove_suffix(partial.size());
    return all_of(name, 24, kUpperHex);
}

std::vector<std::string> words_of(std::string_view name) {
    std::vector<std::string> words;
    for (;;) {
        const auto slash = name.find('/');
        words.emplace_back(name.substr(0, slash));
        if (slash == name.npos) return words;
        name.remove_prefix(slash + 1);
    }
}

std::optional<ObjectName> sealed(Kind kind, std::optional<ClusterArea> area, const std::string& last) {
    return ObjectName{ObjectName::What::sealed, kind, std::move(area), last, 0};
}

/// Names of the repository itself.
std::optional<ObjectName> parse_top(const std::vector<std::string>& words) {
    if (words.size() == 1 && words[0] == "repository") return ObjectName{ObjectName::What::marker, Kind::pack, std::nullopt, words[0], 0};
    if (words.size() != 2 || !is_link(words[1])) return std::nullopt;
    if (words[0] == "key") return ObjectName{ObjectName::What::slot, Kind::pack, std::nullopt, words[1], 0};
    for (const Kind kind : {Kind::lease, Kind::ledger, Kind::doomed})
        if (words[0] == word(kind)) return sealed(kind, std::nullopt, words[1]);
    return std::nullopt;
}

/// "ID.01" to "ID.99".
std::optional<ObjectName> parse_generation(const ClusterArea& area, const std::string& folder, const std::string& last) {
    if (last.size() != 35 || last[32] != '.' || folder != last.substr(0, 2)) return std::nullopt;
    const std::string id = last.substr(0, 32), digits = last.substr(33);
    if (!all_of(id, 32, kLowerHex) || !all_of(digits, 2, "0123456789") || digits == "00") return std::nullopt;
    return ObjectName{ObjectName::What::sealed, Kind::pack, area, id, static_cast<unsigned>(std::stoul(digits))};
}

std::optional<ObjectName> parse_inside(const ClusterArea& area, const std::vector<std::string>& words) {
    const std::string& folder = words[3];
    const std::string& last = words.back();
    if (words.size() == 5) {
        if (folder == "backup" && !last.empty()) return sealed(Kind::root, area, last);
        if (folder == "history" && last.ends_with(".history") && all_of(std::string_view(last).substr(0, last.size() - 8), 8, kUpperHex))
            return sealed(Kind::history, area, last);
        for (const Kind kind : {Kind::lease, Kind::event})
            if (folder == word(kind) && is_link(last)) return sealed(kind, area, last);
        return std::nullopt;
    }
    if (words.size() != 6) return std::nullopt;
    if (folder == word(Kind::summary)) {
        auto name = words[4] + "/" + last;
        return parse_summary_name(name) ? sealed(Kind::summary, area, name) : std::nullopt;
    }
    for (const Kind kind : {Kind::tree, Kind::map, Kind::pack})
        if (folder == word(kind) && all_of(last, 32, kLowerHex) && words[4] == last.substr(0, 2)) return sealed(kind, area, last);
    return folder == word(Kind::pack) ? parse_generation(area, words[4], last) : std::nullopt;
}

}  // namespace

std::string text(const SummaryName& name) {
    return fmt::format("{:08X}/{:016X}-{:016X}", name.timeline.value, name.from.value, name.to.value);
}

std::optional<SummaryName> parse_summary_name(std::string_view text) {
    const auto number = [&](std::size_t begin, std::size_t length) -> std::optional<std::uint64_t> {
        const auto digits = text.substr(begin, length);
        std::uint64_t value = 0;
        if (!all_of(digits, length, kUpperHex)) return std::nullopt;
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        return value;
    };
    if (text.size() != 42 || text[8] != '/' || text[25] != '-') return std::nullopt;
    const auto timeline = number(0, 8), from = number(9, 16), to = number(26, 16);
    if (!timeline || !from || !to || *from >= *to) return std::nullopt;
    return SummaryName{{static_cast<std::uint32_t>(*timeline)}, {*from}, {*to}};
}

bool is_segment_name(std::string_view name) { return all_of(name, 24, kUpperHex); }

std::string wal_object_name(const std::string& area_prefix, const std::string& segment) {
    return fmt::format("{}wal/{}/{}/{}", area_prefix, segment.substr(0, 8), segment.substr(8, 8), segment);
}

std::string next_segment(const std::string& segment, std::uint64_t segment_size) {
    std::uint64_t log = 0, number = 0;
    std::from_chars(segment.data() + 8, segment.data() + 16, log, 16);
    std::from_chars(segment.data() + 16, segment.data() + 24, number, 16);
    if (++number >= (std::uint64_t{1} << 32) / segment_size) {
        number = 0;
        ++log;
    }
    return fmt::format("{}{:08X}{:08X}", segment.substr(0, 8), log, number);
}

std::optional<ObjectName> parse_object_name(const std::string& name) {
    const std::vector<std::string> words = words_of(name);
    if (words[0] != "cluster") return parse_top(words);
    if (words.size() < 5 || words[1].empty() || words[1].front() == '.') return std::nullopt;
    base::SystemIdentifier system;
    const auto [end, error] = std::from_chars(words[2].data(), words[2].data() + words[2].size(), system.value);
    if (error != std::errc() || end != words[2].data() + words[2].size() || base::text(system) != words[2]) return std::nullopt;
    std::optional<ClusterArea> area;
    try {
        area.emplace(words[1], system);
    } catch (const base::Failure&) {
        return std::nullopt;
    }
    if (words[3] != "wal") return parse_inside(*area, words);
    if (words.size() != 7 || !is_wal_file(words[6]) || area->wal(words[6]) != name) return std::nullopt;
    return sealed(Kind::wal, area, words[6]);
}

}  // namespace howdah::repository
