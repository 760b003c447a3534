#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "howdah/metrics.hpp"

// The OpenMetrics 1.0 text format (openmetrics.io).
namespace howdah::inline v0 {

namespace {

/// The shortest text that reads as the same number.
std::string text_of(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

/// For label values and HELP; what is not UTF-8 becomes "?", for one bad byte makes the whole page unreadable.
std::string escaped(std::string_view text) {
    std::string safe;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
        const unsigned first = byte(at);
        const std::size_t length = first < 0x80                    ? 1
                                   : first >= 0xC2 && first < 0xE0 ? 2
                                   : first >= 0xE0 && first < 0xF0 ? 3
                                   : first >= 0xF0 && first < 0xF5 ? 4
                                                                   : 0;
        bool valid = length > 0;
        for (std::size_t i = 1; i < length; ++i) valid = valid && (byte(at + i) & 0xC0U) == 0x80U;
        const unsigned second = byte(at + 1);
        // Overlong forms, surrogates and what lies beyond Unicode (RFC 3629).
        valid = valid && !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second > 0x9F) && !(first == 0xF0 && second < 0x90) &&
                !(first == 0xF4 && second > 0x8F);
        if (!valid) {
            safe += '?';
            ++at;
            continue;
        }
        if (first == '\n') {
            safe += "\\n";
        } else {
            if (first == '"' || first == '\\') safe += '\\';
            safe += text.substr(at, length);
        }
        at += length;
    }
    return safe;
}

class Page {
public:
    void add(const MetricFamily& family, const MetricSample& sample) {
        if (family.name != name_) begin(family);
        const std::string labels = text_of(sample.labels);
        switch (family.type) {
            case MetricType::gauge: return line("", labels, howdah::text_of(sample.value));
            case MetricType::counter: return line("_total", labels, howdah::text_of(sample.value));
            case MetricType::histogram: return add(*sample.histogram, labels);
        }
    }
    std::string end() && { return std::move(text_) + "# EOF\n"; }

private:
    static std::string text_of(std::span<const MetricLabel> labels) {
        std::string text;
        for (const MetricLabel& label : labels) {
            if (!text.empty()) text += ',';
            text += label.name;
            text += "=\"" + escaped(label.value) + '"';
        }
        return text;
    }

    void begin(const MetricFamily& family) {
        name_ = family.name;
        const std::string name(family.name);
        text_ += "# TYPE " + name + ' ' + std::string(howdah::name(family.type)) + '\n';
        if (!family.unit.empty()) text_ += "# UNIT " + name + ' ' + std::string(family.unit) + '\n';
        text_ += "# HELP " + name + ' ' + escaped(family.help) + '\n';
    }

    void line(std::string_view suffix, const std::string& labels, const std::string& value) {
        text_ += name_;
        text_ += suffix;
        text_ += '{' + labels + "} " + value + '\n';
    }

    void add(const Histogram& histogram, const std::string& labels) {
        std::uint64_t below = 0;
        for (std::size_t bucket = 0; bucket + 1 < Histogram::kBuckets; ++bucket) {
            below += histogram.counts[bucket];
            line("_bucket", labels + ",le=\"" + howdah::text_of(Histogram::bound(bucket)) + '"', std::to_string(below));
        }
        line("_bucket", labels + ",le=\"+Inf\"", std::to_string(histogram.count));
        line("_sum", labels, howdah::text_of(static_cast<double>(histogram.sum_ns) * 1e-9));
        line("_count", labels, std::to_string(histogram.count));
    }

    std::string text_;
    std::string_view name_;
};

}  // namespace

std::string metrics_text(std::span<const LabelledFigures> clients) {
    Page page;
    visit_metrics(clients, [&](const MetricFamily& family, const MetricSample& sample) { page.add(family, sample); });
    return std::move(page).end();
}

}  // namespace howdah::inline v0
