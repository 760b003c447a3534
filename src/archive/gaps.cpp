#include <algorithm>

#include "archive/coverage.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::archive {

namespace {

using postgres::WalSegment;

void within_timelines(const std::vector<WalRange>& ranges, std::vector<WalGap>& gaps) {
    for (std::size_t i = 1; i < ranges.size(); ++i)
        if (ranges[i].first.timeline == ranges[i - 1].last.timeline)
            gaps.push_back({ranges[i - 1].last.next(), {ranges[i].first.timeline, ranges[i].first.number - 1}});
}

/// A timeline's first segment is the one it was switched in; its parent must reach the segment before.
void where_switched(const std::vector<WalRange>& ranges, base::Timeline parent, base::Timeline child, std::uint64_t number,
                    std::vector<WalGap>& gaps) {
    const auto first = std::find_if(ranges.begin(), ranges.end(), [&](const auto& range) { return range.first.timeline == child; });
    if (first == ranges.end()) return;
    if (first->first.number > number) gaps.push_back({{child, number}, {child, first->first.number - 1}});
    const WalRange* last = nullptr;
    for (const WalRange& range : ranges)
        if (range.first.timeline == parent) last = &range;
    if (last && last->last.number + 1 < number) gaps.push_back({last->last.next(), {parent, number - 1}});
}

}  // namespace

std::vector<WalGap> find_gaps(const WalArchive& archive, std::uint64_t segment_size) {
    const std::vector<WalRange> ranges = archive.ranges(segment_size);
    std::vector<WalGap> gaps;
    within_timelines(ranges, gaps);
    for (const base::Timeline timeline : archive.histories()) {
        const auto text = archive.history(timeline);
        if (!text) continue;
        const auto history = postgres::parse_timeline_history(*text, timeline);
        if (history.size() < 2) continue;
        where_switched(ranges, history[history.size() - 2].timeline, timeline, history.back().begin.value / segment_size, gaps);
    }
    std::sort(gaps.begin(), gaps.end(), [](const WalGap& a, const WalGap& b) { return a.first < b.first; });
    return gaps;
}

}  // namespace howdah::archive
