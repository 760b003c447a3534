#pragma once

#include <string>
#include <vector>

#include "archive/wal_archive.hpp"
#include "base/units.hpp"
#include "repository/wal_trailer.hpp"

namespace howdah::archive {

/// Whether a segment's records end before the segment does, without a switch: it was archived before its server had finished it.
/// A segment whose records the walker could not read at all is not one: nothing is known of its end.
bool is_unfinished(const repository::WalTrailer& trailer);

/// A segment after which recovery cannot go on although later ones are archived.
struct UnfinishedSegment {
    std::string segment;
    base::Lsn end_of_records;
};

/// Every unfinished segment at or after `from` that another one follows, by name. Reads each trailer from there on.
std::vector<UnfinishedSegment> find_unfinished(const WalArchive& archive, std::uint64_t segment_size, base::Lsn from = {});

/// "WAL segment X was archived unfinished: its records end at L".
std::string describe(const UnfinishedSegment& unfinished);

/// What to do about it, for hints.
std::string unfinished_remedy(const std::string& segment);

}  // namespace howdah::archive
