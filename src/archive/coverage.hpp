#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/unfinished.hpp"
#include "archive/wal_archive.hpp"

namespace howdah::archive {

/// Which way recovery takes from a backup: timelines in order, each from where it is entered to where it is left.
struct WalPath {
    struct Leg {
        base::Timeline timeline;
        base::Lsn begin;
        base::Lsn end;  ///< The switch point; for the last leg the end of what is archived.
    };
    std::vector<Leg> legs;
    std::vector<std::string> segments;  ///< Every segment recovery will ask for, in order.
    /// The first segment of the path that is not archived although a later one is, or only a parent timeline's copy of the one in which a
    /// timeline begins, or that the start needs.
    std::optional<std::string> first_missing;
};

/// The path from `start` (redo point on `timeline`) to the end of `target` timeline (none: the newest that history files of the archive
/// reach upward without a miss, as the server probes them: trap T17). Failure(operation) when the target timeline does not descend
/// from the backup's (after its stop LSN), when its history is missing, or when segments exist for a timeline that cannot be reached.
WalPath find_path(const WalArchive& archive, base::Timeline timeline, base::Lsn start, base::Lsn stop, std::optional<base::Timeline> target,
                  std::uint64_t segment_size);

/// Gives the trailers of a path's segments in order, each with what a record cut by its end says (finish_trailer), until `visit` says
/// false. A segment that is gone is Failure(repository).
void for_each_trailer(const WalArchive& archive, const WalPath& path, const std::function<bool(const repository::WalTrailer&)>& visit);

/// The largest and smallest commit times along a path, from the trailers.
struct CommitSpan {
    std::optional<base::Timestamp> first, last;
    base::Lsn end;  ///< End of the last record archived on the path.
    /// The segment at which recovery ends although the path goes on, or `needed` was not reached: the span ends with its records.
    std::optional<UnfinishedSegment> unfinished;
};
CommitSpan commit_span(const WalArchive& archive, const WalPath& path, base::Lsn needed = {});

/// Segments that are missing between archived ones, first to last, on one timeline.
struct WalGap {
    postgres::WalSegment first, last;
};
/// Gaps within each timeline and, by the history files, between a timeline's beginning and its parent.
std::vector<WalGap> find_gaps(const WalArchive& archive, std::uint64_t segment_size);

}  // namespace howdah::archive
