#include "support/metrics_page.hpp"

#include <cstdlib>
#include <limits>
#include <sstream>

namespace howdah::tests {

namespace {

bool is_name(const std::string& text) {
    const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:";
    return !text.empty() && letters.find(text[0]) != std::string::npos &&
           text.find_first_not_of(letters + "0123456789") == std::string::npos;
}

bool is_number(const std::string& text) {
    char* end = nullptr;
    static_cast<void>(std::strtod(text.c_str(), &end));
    return !text.empty() && *end == '\0' && text.find_first_of(" \t") == std::string::npos;
}

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

MetricsPage::MetricsPage(const std::string& text) {
    if (!ends_with(text, "\n# EOF\n") && text != "# EOF\n") complaints.push_back("the page does not end with # EOF");
    std::istringstream lines(text);
    bool ended = false;
    for (std::string line; std::getline(lines, line);) {
        if (ended) complaints.push_back("after the end: " + line);
        if (line == "# EOF") {
            ended = true;
        } else if (line.rfind("# ", 0) == 0) {
            read_comment(line);
        } else {
            read_line(line);
        }
    }
    for (const MetricGroup& one : groups) check_group(one);
}

void MetricsPage::read_comment(const std::string& line) {
    std::istringstream words(line.substr(2));
    std::string what;
    std::string name;
    words >> what >> name;
    std::string rest;
    std::getline(words, rest);
    rest.erase(0, rest.empty() ? 0 : 1);
    if (groups.empty() || groups.back().name != name) {
        if (!names_.insert(name).second) complaints.push_back("family in two pieces: " + name);
        groups.push_back({name, {}, {}, {}, {}});
    }
    MetricGroup& group = groups.back();
    if (!group.lines.empty()) complaints.push_back("metadata after values: " + line);
    std::string* const into = what == "TYPE" ? &group.type : what == "UNIT" ? &group.unit : what == "HELP" ? &group.help : nullptr;
    if (into == nullptr || !into->empty()) {
        complaints.push_back("unknown or repeated: " + line);
    } else {
        *into = rest;
    }
}

bool MetricsPage::read_labels(const std::string& line, std::size_t& at, MetricLine& into) {
    while (at < line.size() && line[at] != '}') {
        const std::size_t equals = line.find("=\"", at);
        if (equals == std::string::npos) return false;
        const std::string name = line.substr(at, equals - at);
        std::string value;
        for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
            if (line[at] != '\\') {
                value += line[at];
                continue;
            }
            const char next = ++at < line.size() ? line[at] : '\0';
            if (next != 'n' && next != '"' && next != '\\') return false;
            value += next == 'n' ? '\n' : next;
        }
        if (at >= line.size() || !is_name(name) || !into.labels.emplace(name, value).second) return false;
        ++at;
        if (at < line.size() && line[at] == ',') ++at;
    }
    return at < line.size();
}

void MetricsPage::read_line(const std::string& line) {
    MetricLine one;
    std::size_t at = line.find('{');
    if (at == std::string::npos || !is_name(one.name = line.substr(0, at)) || !read_labels(line, ++at, one)) {
        complaints.push_back("not a line of values: " + line);
        return;
    }
    if (!series_.insert(line.substr(0, at + 1)).second) complaints.push_back("twice: " + line);
    one.value = at + 2 <= line.size() && line[at + 1] == ' ' ? line.substr(at + 2) : "";
    if (!is_number(one.value)) complaints.push_back("not a number: " + line);
    if (groups.empty() || one.name.rfind(groups.back().name, 0) != 0) {
        complaints.push_back("outside its family: " + line);
        return;
    }
    groups.back().lines.push_back(one);
}

void MetricsPage::check_group(const MetricGroup& group) {
    if (group.type.empty() || group.help.empty()) complaints.push_back("no TYPE or no HELP: " + group.name);
    if (!group.unit.empty() && !ends_with(group.name, "_" + group.unit)) complaints.push_back("unit not in the name: " + group.name);
    for (const MetricLine& line : group.lines) {
        const std::string suffix = line.name.substr(group.name.size());
        const bool right = group.type == "gauge"     ? suffix.empty()
                           : group.type == "counter" ? suffix == "_total" && std::atof(line.value.c_str()) >= 0
                                                     : suffix == "_bucket" || suffix == "_sum" || suffix == "_count";
        if (!right) complaints.push_back("not of its type: " + line.name);
    }
    if (group.type == "histogram") check_histogram(group);
}

void MetricsPage::check_histogram(const MetricGroup& group) {
    double bound = -std::numeric_limits<double>::infinity();
    double below = 0;
    for (const MetricLine& line : group.lines) {
        const double value = std::atof(line.value.c_str());
        if (ends_with(line.name, "_bucket")) {
            const double next = std::strtod(line.labels.at("le").c_str(), nullptr);
            if (next <= bound || value < below) complaints.push_back("buckets out of order: " + group.name);
            bound = next;
            below = value;
        } else if (ends_with(line.name, "_count")) {
            if (bound != std::numeric_limits<double>::infinity() || value != below) complaints.push_back("count differs: " + group.name);
            bound = -std::numeric_limits<double>::infinity();
            below = 0;
        }
    }
}

const MetricGroup* MetricsPage::group(const std::string& name) const {
    for (const MetricGroup& one : groups) {
        if (one.name == name) return &one;
    }
    return nullptr;
}

std::string MetricsPage::value(const std::string& name, const std::map<std::string, std::string>& labels) const {
    std::string found;
    for (const MetricGroup& one : groups) {
        for (const MetricLine& line : one.lines) {
            if (line.name != name) continue;
            bool fits = true;
            for (const auto& [label, value] : labels) fits = fits && line.labels.contains(label) && line.labels.at(label) == value;
            if (!fits) continue;
            if (!found.empty()) return "";
            found = line.value;
        }
    }
    return found;
}

}  // namespace howdah::tests
