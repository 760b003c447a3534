#include "archive/coverage.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "archive/trailer.hpp"
#include "base/failure.hpp"
#include "base/hooks.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::archive {

namespace {

using base::Failure;
using base::FailureKind;
using base::Lsn;
using base::Timeline;
using postgres::WalSegment;

std::string words(Timeline timeline) { return "timeline " + base::text(timeline); }

/// The newest timeline as the server finds it: upward from the start, until the first history missing.
Timeline newest_by_probing(const std::set<Timeline>& histories, Timeline start) {
    Timeline newest = start;
    for (Timeline next{start.value + 1}; histories.contains(next); ++next.value) newest = next;
    return newest;
}

/// Refuses WAL that recovery cannot reach because a history file is missing below it (trap T17).
void refuse_unreachable(const std::vector<std::string>& archived, Timeline newest) {
    if (!base::guard("T17.reachable") || archived.empty()) return;
    const Timeline highest{static_cast<std::uint32_t>(std::stoul(archived.back().substr(0, 8), nullptr, 16))};
    if (highest <= newest) return;
    throw Failure(FailureKind::operation,
                  fmt::format("WAL of {} is archived, but recovery reaches only {}: {} is missing", words(highest), words(newest),
                              postgres::history_name({newest.value + 1})),
                  "push the missing .history file from a server's pg_wal, or name the timeline to recover to");
}

/// The timelines from the backup's on, each where it is entered and left (zero: open).
std::vector<WalPath::Leg> legs_to(const WalArchive& archive, Timeline timeline, Lsn start, Lsn stop, Timeline target) {
    if (target == timeline) return {{timeline, start, {}}};
    const auto text = archive.history(target);
    if (!text)
        throw Failure(FailureKind::operation,
                      fmt::format("{} cannot be reached: {} is not archived", words(target), postgres::history_name(target)),
                      "push it from a server's pg_wal, or name another timeline");
    const auto history = postgres::parse_timeline_history(*text, target);
    const auto own = std::find_if(history.begin(), history.end(), [&](const auto& entry) { return entry.timeline == timeline; });
    if (own == history.end())
        throw Failure(FailureKind::operation, fmt::format("{} does not descend from the backup's {}", words(target), words(timeline)),
                      "choose a backup of an ancestor timeline, or name the backup's own timeline");
    if (own->end < stop && base::guard("T17.left_timeline"))
        throw Failure(FailureKind::operation,
                      fmt::format("{} left {} at {}, before the backup's end at {}", words(std::next(own)->timeline), words(timeline),
                                  base::text(own->end), base::text(stop)),
                      "choose an earlier backup, or name the backup's own timeline");
    std::vector<WalPath::Leg> legs{{timeline, start, own->end}};
    for (auto entry = std::next(own); entry != history.end(); ++entry) legs.push_back({entry->timeline, entry->begin, entry->end});
    return legs;
}

/// Walks segment numbers upward and asks for each as the server does: from the newest timeline that has begun by then down to the oldest
/// that is still valid in it, but never before a timeline's own beginning.
class PathWalk {
public:
    PathWalk(WalPath& path, const std::vector<std::string>& archived, std::uint64_t segment_size)
        : path_(path), archived_(archived.begin(), archived.end()), segment_size_(segment_size) {}

    void run(Lsn start, Lsn stop) {
        std::uint64_t number = start.value / segment_size_;
        for (;; ++number) {
            auto found = archived_at(number);
            if (!found) break;
            path_.segments.push_back(std::move(*found));
        }
        const Lsn end{number * segment_size_};
        if (end < stop || later_exists(number) || number == start.value / segment_size_ || only_a_parents(number))
            path_.first_missing = wanted(number);
        settle_end(std::max(start, end));
    }

private:
    bool valid_in(const WalPath::Leg& leg, std::uint64_t number) const {
        const Lsn begin{number * segment_size_};
        return leg.begin.value / segment_size_ <= number && (!leg.end || leg.end > begin);
    }

    /// Where a timeline begins inside a segment only its own copy goes its way: the parent's may hold what came after the switch there,
    /// and the server would replay that.
    bool begins_inside(const WalPath::Leg& leg, std::uint64_t number) const {
        return leg.begin.value / segment_size_ == number && leg.begin.value % segment_size_ != 0 && base::guard("T17.switch_segment");
    }

    std::optional<std::string> archived_at(std::uint64_t number) const {
        for (auto leg = path_.legs.rbegin(); leg != path_.legs.rend(); ++leg) {
            if (!valid_in(*leg, number)) continue;
            std::string name = WalSegment{leg->timeline, number}.name(segment_size_);
            if (archived_.contains(name)) return name;
            if (begins_inside(*leg, number)) return std::nullopt;
        }
        return std::nullopt;
    }

    /// Whether the server would find a parent's copy of a segment that a later timeline goes its own way in.
    bool only_a_parents(std::uint64_t number) const {
        return std::any_of(path_.legs.begin(), path_.legs.end(), [&](const auto& leg) {
            return valid_in(leg, number) && archived_.contains(WalSegment{leg.timeline, number}.name(segment_size_));
        });
    }

    std::string wanted(std::uint64_t number) const {
        const auto leg = std::find_if(path_.legs.rbegin(), path_.legs.rend(), [&](const auto& each) { return valid_in(each, number); });
        return WalSegment{leg == path_.legs.rend() ? path_.legs.back().timeline : leg->timeline, number}.name(segment_size_);
    }

    bool later_exists(std::uint64_t number) const {
        return std::any_of(archived_.begin(), archived_.end(), [&](const std::string& name) {
            const auto segment = postgres::parse_segment_name(name, segment_size_);
            return segment && segment->number > number && std::any_of(path_.legs.begin(), path_.legs.end(), [&](const auto& leg) {
                       return leg.timeline == segment->timeline && valid_in(leg, segment->number);
                   });
        });
    }

    /// Legs that begin after the end of what is archived stay in the path with nothing in them; the last one ends where the WAL does.
    void settle_end(Lsn end) {
        for (auto& leg : path_.legs)
            if (!leg.end || leg.end > end) leg.end = std::max(leg.begin, end);
    }

    WalPath& path_;
    std::set<std::string> archived_;
    std::uint64_t segment_size_;
};

template <typename Choose>
void extend(std::optional<base::Timestamp>& value, const std::optional<base::Timestamp>& seen, Choose choose) {
    if (seen) value = value ? choose(*value, *seen) : *seen;
}

}  // namespace

WalPath find_path(const WalArchive& archive, Timeline timeline, Lsn start, Lsn stop, std::optional<Timeline> target,
                  std::uint64_t segment_size) {
    const auto archived = archive.segments();
    if (!target) {
        const auto known = archive.histories();
        target = newest_by_probing({known.begin(), known.end()}, timeline);
        refuse_unreachable(archived, *target);
    }
    WalPath path;
    path.legs = legs_to(archive, timeline, start, stop, *target);
    PathWalk(path, archived, segment_size).run(start, stop);
    return path;
}

void for_each_trailer(const WalArchive& archive, const WalPath& path, const std::function<bool(const repository::WalTrailer&)>& visit) {
    std::optional<repository::WalTrailer> held;
    for (const std::string& name : path.segments) {
        auto trailer = archive.trailer(name);
        if (!trailer)
            throw Failure(FailureKind::repository, fmt::format("WAL segment {} was listed and is gone", name),
                          "look at who deletes from the repository");
        if (held && base::guard("T16.cut_records")) finish_trailer(*held, *trailer);
        if (held && !visit(*held)) return;
        held = std::move(trailer);
    }
    if (held) visit(*held);
}

CommitSpan commit_span(const WalArchive& archive, const WalPath& path, Lsn needed) {
    CommitSpan span;
    for_each_trailer(archive, path, [&](const repository::WalTrailer& trailer) {
        extend(span.first, trailer.first_commit_time, [](auto a, auto b) { return std::min(a, b); });
        extend(span.last, trailer.last_commit_time, [](auto a, auto b) { return std::max(a, b); });
        if (trailer.end_of_records > span.end) span.end = trailer.end_of_records;
        if (is_unfinished(trailer) && (trailer.segment != path.segments.back() || trailer.end_of_records < needed))
            span.unfinished = UnfinishedSegment{trailer.segment, trailer.end_of_records};
        return !span.unfinished;
    });
    return span;
}

}  // namespace howdah::archive
