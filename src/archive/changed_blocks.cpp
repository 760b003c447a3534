#include "archive/changed_blocks.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "archive/coverage.hpp"
#include "archive/pg_wal.hpp"
#include "archive/push.hpp"
#include "archive/summaries.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"
#include "postgres/wal_changes.hpp"
#include "postgres/wal_walk.hpp"

namespace howdah::archive {

namespace {

using base::Failure;
using base::FailureKind;
using postgres::DoubtKind;
using postgres::Joined;
using postgres::SegmentChanges;
using postgres::WalSegment;

/// A segment of the stretch: its name, or, of the last one, what pg_wal has of it.
struct Source {
    std::string name;
    std::vector<std::byte> bytes;  ///< Empty: archived.
};

/// Adds up segments as they come; each is complete only when the next one is known.
class Gatherer {
public:
    Gatherer(const WalArchive& archive, base::Lsn to, postgres::BlockChanges& sum) : archive_(archive), to_(to), sum_(sum) {}

    void add(Source source) {
        auto changes = source.bytes.empty() ? archive_.changes(source.name, context_) : postgres::read_changes(source.bytes, to_);
        if (!changes) {
            doubt(fmt::format("WAL segment {} is gone from the archive", source.name));
            changes.emplace();
        }
        if (previous_) complete(changes->edges, source);
        previous_ = std::move(changes);
        previous_source_ = std::move(source);
    }
    /// The segment behind the last one, of which nothing but its beginning is taken.
    void close(Source next) {
        const auto changes = archive_.changes(next.name, context_);
        if (previous_ && changes) complete(changes->edges, next);
        finish();
    }
    void finish() {
        if (!previous_) return;
        if (previous_->edges.misses_record_before(to_)) postgres::give_up(*previous_, "the segment after it was not read");
        append();
    }
    void doubt(std::string text) { sum_.doubt({DoubtKind::unreadable, std::move(text), {}}); }

private:
    /// Gives the segment before what it lacks: the end of its last record.
    void complete(const postgres::SegmentEdges& edges, const Source& next) {
        if (previous_->edges.misses_record_before(to_) && postgres::join(*previous_, edges) == Joined::needs_segments) read_both(next);
        append();
    }

    /// Too little was kept of the record (a commit that drops many relations): the segments themselves have it.
    void read_both(const Source& next) {
        const auto earlier = bytes_of(previous_source_);
        const auto later = bytes_of(next);
        if (earlier && later) {
            auto whole = postgres::read_changes(*earlier);
            const bool done = postgres::finish(whole, *later);
            *previous_ = std::move(whole);
            if (done) return;
        }
        postgres::give_up(*previous_, "a record goes on beyond the next segment");
    }

    std::optional<std::vector<std::byte>> bytes_of(const Source& source) {
        return source.bytes.empty() ? archive_.get(source.name, context_) : std::optional(source.bytes);
    }

    void append() {
        sum_.append(previous_->changes);
        previous_.reset();
    }

    const WalArchive& archive_;
    const base::Lsn to_;
    postgres::BlockChanges& sum_;
    repository::SealContext context_;
    std::optional<SegmentChanges> previous_;
    Source previous_source_;
};

/// What is left of a stretch after the summaries that lead on from its beginning, one from the end of another.
WalStretch after_summaries(const WalArchive& archive, const WalStretch& whole, const WalPath& path, postgres::BlockChanges& sum) {
    WalStretch rest = whole;
    const auto summaries = list_summaries(archive);
    const auto on_the_way = [&](const repository::SummaryName& name) {
        const auto leg = std::find_if(path.legs.begin(), path.legs.end(), [&](const auto& each) { return each.timeline == name.timeline; });
        if (leg == path.legs.end() || name.to > whole.to) return false;
        const auto next = std::next(leg);
        return next == path.legs.end() || name.to <= next->begin;
    };
    for (;;) {
        const repository::SummaryName* longest = nullptr;
        for (const auto& name : summaries)
            if (name.from == rest.from && on_the_way(name) && (!longest || name.to > longest->to)) longest = &name;
        if (!longest) return rest;
        sum.append(read_summary(archive, *longest));
        rest.from_timeline = longest->timeline;
        rest.from = rest.from_stop = longest->to;
    }
}

WalPath path_of(const WalArchive& archive, const WalStretch& stretch) {
    return find_path(archive, stretch.from_timeline, stretch.from, stretch.from_stop, stretch.to_timeline, stretch.segment_size);
}

/// A path's segments in the stretch that end at or before `to`, by number.
std::map<std::uint64_t, std::string> whole_segments(const WalPath& path, const WalStretch& stretch) {
    std::map<std::uint64_t, std::string> names;
    for (const auto& name : path.segments) {
        const auto segment = postgres::parse_segment_name(name, stretch.segment_size);
        if (!segment) continue;
        const auto end = segment->end(stretch.segment_size);
        if (end > stretch.from && end <= stretch.to) names.emplace(segment->number, name);
    }
    return names;
}

/// The first number that is missing between the beginning of the stretch and its last whole segment.
std::optional<std::uint64_t> first_missing(const std::map<std::uint64_t, std::string>& names, const WalStretch& stretch) {
    for (std::uint64_t number = stretch.from.value / stretch.segment_size; number < stretch.to.value / stretch.segment_size; ++number)
        if (!names.contains(number)) return number;
    return std::nullopt;
}

/// The segment that the server writes, up to the page in which the stretch ends.
std::vector<std::byte> read_last(const std::filesystem::path& data_directory, const WalStretch& stretch, const std::string& name) {
    const auto file = base::File::open(data_directory / "pg_wal" / name, O_RDONLY);
    const std::uint64_t used = stretch.to.value % stretch.segment_size;
    std::vector<std::byte> bytes((used + postgres::kWalPageSize - 1) / postgres::kWalPageSize * postgres::kWalPageSize);
    bytes.resize(file.read_at(bytes, 0));
    return bytes;
}

void require_all(const std::map<std::uint64_t, std::string>& names, const WalStretch& stretch) {
    const auto missing = first_missing(names, stretch);
    if (missing && base::guard("T1.gaps"))
        throw Failure(FailureKind::operation,
                      fmt::format("WAL segment {} is missing", WalSegment{stretch.to_timeline, *missing}.name(stretch.segment_size)), "");
}

/// The first number that the server still wants to archive. If there is another's under its name, what is archived is not what this server
/// went through (T17: it was taken back to an earlier state and goes on under the same timeline).
std::optional<std::uint64_t> first_waiting(const std::filesystem::path& data_directory, const WalStretch& stretch) {
    std::optional<std::uint64_t> first;
    if (!base::guard("T17.own_past")) return first;
    for (const auto& name : ready_files(data_directory)) {
        const auto segment = postgres::parse_segment_name(name, stretch.segment_size);
        if (!segment || segment->timeline != stretch.to_timeline || segment->end(stretch.segment_size) > stretch.to) continue;
        const bool in_stretch = segment->number >= stretch.from.value / stretch.segment_size;
        if (in_stretch && (!first || segment->number < *first)) first = segment->number;
    }
    return first;
}

/// Pushes whole segments of the stretch from that number on; those that are archived already are compared.
void push_from(WalArchive& archive, const std::filesystem::path& data_directory, const WalStretch& stretch, std::uint64_t number,
               const ChangedBlocksOptions& options, const base::Cancellation& cancellation) {
    ensure_archived(archive, data_directory, WalSegment{stretch.to_timeline, number},
                    WalSegment{stretch.to_timeline, stretch.to.value / stretch.segment_size - 1}, stretch.segment_size,
                    options.compression_level, options.jobs, cancellation);
}

void gather_segments(Gatherer& gatherer, const std::map<std::uint64_t, std::string>& names, ChangedBlocks& result,
                     const base::Cancellation& cancellation) {
    for (const auto& [number, name] : names) {
        cancellation.check("reading what changed");
        gatherer.add({name, {}});
        ++result.segments;
    }
}

void gather(WalArchive& archive, const std::filesystem::path& data_directory, const WalStretch& whole, const ChangedBlocksOptions& options,
            const base::Cancellation& cancellation, ChangedBlocks& result) {
    // Of the whole stretch: a summary may be of the time from which the server was taken back.
    if (const auto first = first_waiting(data_directory, whole)) push_from(archive, data_directory, whole, *first, options, cancellation);
    const auto path = path_of(archive, whole);
    const WalStretch stretch = after_summaries(archive, whole, path, result.changes);
    const std::uint64_t size = stretch.segment_size;
    if (stretch.from == stretch.to) return;
    auto names = whole_segments(path, stretch);
    if (const auto missing = first_missing(names, stretch); missing && base::guard("T1.gaps")) {
        push_from(archive, data_directory, stretch, *missing, options, cancellation);
        names = whole_segments(path_of(archive, stretch), stretch);
        require_all(names, stretch);
    }
    Gatherer gatherer(archive, stretch.to, result.changes);
    gather_segments(gatherer, names, result, cancellation);
    if (stretch.to.value % size != 0) {
        const auto name = postgres::segment_at(stretch.to_timeline, stretch.to, size).name(size);
        auto bytes = read_last(data_directory, stretch, name);
        if (bytes.empty()) throw Failure(FailureKind::operation, fmt::format("WAL segment {} is empty in pg_wal", name), "");
        gatherer.add({name, std::move(bytes)});
        ++result.segments;
    }
    gatherer.finish();
}

/// A doubt for what is missing or makes no sense; an outage is no reason to read everything.
template <typename Work>
void doubting(ChangedBlocks& result, const Work& work) {
    try {
        work();
    } catch (const base::Cancelled&) {
        throw;
    } catch (const Failure& failure) {
        if (failure.kind() != FailureKind::operation) throw;
        result.changes.doubt({DoubtKind::unreadable, failure.what(), {}});
    }
}

}  // namespace

ChangedBlocks changed_blocks(WalArchive& archive, const std::filesystem::path& data_directory, const WalStretch& stretch,
                             const ChangedBlocksOptions& options, const base::Cancellation& cancellation) {
    ChangedBlocks result;
    if (stretch.to < stretch.from_stop)
        result.changes.doubt({DoubtKind::unreadable,
                              fmt::format("the server is at {}, before the earlier backup's end", base::text(stretch.to)),
                              stretch.from_stop});
    else
        doubting(result, [&] { gather(archive, data_directory, stretch, options, cancellation, result); });
    return result;
}

Summarized summarize(WalArchive& archive, base::Timeline from_timeline, base::Lsn from, base::Lsn from_stop, std::uint64_t segment_size,
                     bool dry_run, const base::Cancellation& cancellation) {
    const auto path = find_path(archive, from_timeline, from, from_stop, std::nullopt, segment_size);
    Summarized done{{path.legs.back().timeline, from, from}, 0, {}};
    if (path.segments.empty()) return done;
    const auto last = postgres::parse_segment_name(path.segments.back(), segment_size);
    // The last segment only closes the one before it.
    WalStretch whole{from_timeline, from, from_stop, last->timeline, last->begin(segment_size), segment_size};
    if (whole.to <= from) return done;
    postgres::BlockChanges known;
    ChangedBlocks fresh;
    const WalStretch rest = after_summaries(archive, whole, path, known);
    done.stretch = {rest.to_timeline, rest.from, rest.to};
    if (rest.from >= rest.to) return done;
    doubting(fresh, [&] {
        const auto names = whole_segments(path, rest);
        require_all(names, rest);
        // Of the last one only its beginning counts, which closes the record before it.
        Gatherer gatherer(archive, rest.to, fresh.changes);
        gather_segments(gatherer, names, fresh, cancellation);
        gatherer.close({path.segments.back(), {}});
    });
    done.segments = fresh.segments;
    for (const auto& doubt : fresh.changes.doubts()) done.doubts.push_back(doubt.text);
    if (!dry_run) write_summary(archive, done.stretch, fresh.changes);
    return done;
}

}  // namespace howdah::archive
