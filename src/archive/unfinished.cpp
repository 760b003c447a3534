#include "archive/unfinished.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace howdah::archive {

using postgres::WalSegment;

namespace {

/// A later segment of its timeline, or the next number of a later timeline that has no copy of this one.
bool is_followed(const std::vector<WalSegment>& archived, const WalSegment& segment) {
    const auto has = [&](const WalSegment& wanted) { return std::binary_search(archived.begin(), archived.end(), wanted); };
    return std::any_of(archived.begin(), archived.end(), [&](const WalSegment& other) {
        if (other.timeline == segment.timeline) return other.number > segment.number;
        return other.timeline > segment.timeline && other.number == segment.number + 1 && !has({other.timeline, segment.number});
    });
}

}  // namespace

bool is_unfinished(const repository::WalTrailer& trailer) {
    return !trailer.switched && trailer.end_of_records > trailer.begin && trailer.end_of_records < trailer.end;
}

std::vector<UnfinishedSegment> find_unfinished(const WalArchive& archive, std::uint64_t segment_size, base::Lsn from) {
    std::vector<WalSegment> archived;
    for (const std::string& name : archive.segments())
        if (const auto segment = postgres::parse_segment_name(name, segment_size)) archived.push_back(*segment);
    std::vector<UnfinishedSegment> found;
    for (const WalSegment& segment : archived) {
        if (segment.end(segment_size) <= from) continue;
        const auto trailer = archive.trailer(segment.name(segment_size));
        if (trailer && is_unfinished(*trailer) && is_followed(archived, segment))
            found.push_back({trailer->segment, trailer->end_of_records});
    }
    return found;
}

std::string describe(const UnfinishedSegment& unfinished) {
    return fmt::format("WAL segment {} was archived unfinished: its records end at {}, and nothing after it can be replayed",
                       unfinished.segment, base::text(unfinished.end_of_records));
}

std::string unfinished_remedy(const std::string& segment) {
    return fmt::format(
        "while the server's pg_wal has it, run there: howdah wal push --replace-unfinished pg_wal/{}; else take a full backup now",
        segment);
}

}  // namespace howdah::archive
