#include "archive/changed_blocks.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "archive/coverage.hpp"
#include "archive/push.hpp"
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

/// The archived segments of the stretch that end at or before `to`, by number.
std::map<std::uint64_t, std::string> archived_of(const WalArchive& archive, const WalStretch& stretch) {
    const auto path = find_path(archive, stretch.from_timeline, stretch.from, stretch.from_stop, stretch.to_timeline, stretch.segment_size);
    std::map<std::uint64_t, std::string> names;
    for (const auto& name : path.segments) {
        const auto segment = postgres::parse_segment_name(name, stretch.segment_size);
        if (segment && segment->end(stretch.segment_size) <= stretch.to) names.emplace(segment->number, name);
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

void gather(WalArchive& archive, const std::filesystem::path& data_directory, const WalStretch& stretch,
            const ChangedBlocksOptions& options, const base::Cancellation& cancellation, ChangedBlocks& result) {
    const std::uint64_t size = stretch.segment_size;
    const std::uint64_t last = stretch.to.value / size;
    auto names = archived_of(archive, stretch);
    if (const auto missing = first_missing(names, stretch)) {
        ensure_archived(archive, data_directory, WalSegment{stretch.to_timeline, *missing}, WalSegment{stretch.to_timeline, last - 1}, size,
                        options.compression_level, options.jobs, cancellation);
        names = archived_of(archive, stretch);
    }
    if (const auto missing = first_missing(names, stretch))
        throw Failure(FailureKind::operation,
                      fmt::format("WAL segment {} is missing", WalSegment{stretch.to_timeline, *missing}.name(size)), "");
    Gatherer gatherer(archive, stretch.to, result.changes);
    for (const auto& [number, name] : names) {
        cancellation.check("reading what changed");
        gatherer.add({name, {}});
        ++result.segments;
    }
    if (stretch.to.value % size != 0) {
        const auto name = WalSegment{stretch.to_timeline, last}.name(size);
        auto bytes = read_last(data_directory, stretch, name);
        if (bytes.empty()) throw Failure(FailureKind::operation, fmt::format("WAL segment {} is empty in pg_wal", name), "");
        gatherer.add({name, std::move(bytes)});
        ++result.segments;
    }
    gatherer.finish();
}

}  // namespace

ChangedBlocks changed_blocks(WalArchive& archive, const std::filesystem::path& data_directory, const WalStretch& stretch,
                             const ChangedBlocksOptions& options, const base::Cancellation& cancellation) {
    ChangedBlocks result;
    if (stretch.to < stretch.from) {
        result.changes.doubt({DoubtKind::unreadable,
                              fmt::format("the server is at {}, before the earlier backup's start", base::text(stretch.to)), stretch.from});
        return result;
    }
    try {
        gather(archive, data_directory, stretch, options, cancellation, result);
    } catch (const base::Cancelled&) {
        throw;
    } catch (const Failure& failure) {
        // What is missing or makes no sense; an outage is no reason to read everything.
        if (failure.kind() != FailureKind::operation) throw;
        result.changes.doubt({DoubtKind::unreadable, failure.what(), {}});
    }
    return result;
}

}  // namespace howdah::archive
