#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "archive/segment_check.hpp"
#include "repository/wal_trailer.hpp"

namespace howdah::archive {

/// The trailer of a checked segment: its place, and what a walk over its records found. Whatever the walk could not understand stands
/// in `doubt` and never fails the push.
repository::WalTrailer make_trailer(const std::string& name, const CheckedSegment& checked, std::span<const std::byte> bytes);

/// What is stored beside a segment's bytes, from one walk: its trailer, and the encoded postgres::SegmentChanges, its block summary. The
/// summary is empty when the segment could not be walked at all.
struct SegmentNotes {
    repository::WalTrailer trailer;
    std::string summary;
};
SegmentNotes note_segment(const std::string& name, const CheckedSegment& checked, std::span<const std::byte> bytes);

/// Adds to a segment's trailer what the record says that its end cuts, by the trailer of the segment after it on the way of recovery:
/// alone neither of the two tells. The range of transactions stays as it is.
void finish_trailer(repository::WalTrailer& trailer, const repository::WalTrailer& next);

}  // namespace howdah::archive
