#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "howdah/figures.hpp"

namespace howdah::inline v0 {

/// A client's figures and whose they are. No two of one page may have the same three labels.
struct LabelledFigures {
    std::string database;
    std::string endpoint;
    std::string role;
    ClientFigures figures;
};

enum class MetricType : std::uint8_t { gauge, counter, histogram };

constexpr std::string_view name(MetricType type) {
    constexpr std::array<std::string_view, 3> kNames{"gauge", "counter", "histogram"};
    return kNames[static_cast<std::size_t>(type)];
}

/// What a metric is called and means. The texts are literals.
struct MetricFamily {
    std::string_view name;  ///< As OpenMetrics has it: without the "_total" of counters.
    MetricType type = MetricType::gauge;
    std::string_view unit;  ///< "seconds", or empty; the name ends with it.
    std::string_view help;  ///< One sentence.
};

struct MetricLabel {
    std::string_view name;
    std::string_view value;
};

/// One measured value. Nothing here outlives the visit.
struct MetricSample {
    std::span<const MetricLabel> labels;   ///< database, endpoint and role first.
    double value = 0;                      ///< Of gauges and counters.
    const Histogram* histogram = nullptr;  ///< Of histograms.
};

using MetricVisitor = std::function<void(const MetricFamily&, const MetricSample&)>;

/// Shows every value, family by family and within each client by client: the hook for a service's own registry.
void visit_metrics(std::span<const LabelledFigures> clients, const MetricVisitor& visitor);

/// All of them as an OpenMetrics 1.0 text page, "# EOF" at its end, to be served as kMetricsType.
std::string metrics_text(std::span<const LabelledFigures> clients);
inline constexpr std::string_view kMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

}  // namespace howdah::inline v0
