#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace howdah::tests {

/// One line with a value.
struct MetricLine {
    std::string name;
    std::map<std::string, std::string> labels;  ///< Unescaped.
    std::string value;                          ///< As written.
};

struct MetricGroup {
    std::string name, type, unit, help;
    std::vector<MetricLine> lines;
};

/// An OpenMetrics 1.0 page, read strictly: whatever a scraper may refuse is in `complaints`.
struct MetricsPage {
    explicit MetricsPage(const std::string& text);

    std::vector<MetricGroup> groups;
    std::vector<std::string> complaints;

    const MetricGroup* group(const std::string& name) const;
    /// The value of the only line with that name that has these labels among its own; empty when there is none or several.
    std::string value(const std::string& name, const std::map<std::string, std::string>& labels) const;

private:
    void read_line(const std::string& line);
    void read_comment(const std::string& line);
    bool read_labels(const std::string& line, std::size_t& at, MetricLine& into);
    void check_group(const MetricGroup& group);
    void check_histogram(const MetricGroup& group);

    std::set<std::string> names_;
    std::set<std::string> series_;
};

}  // namespace howdah::tests
