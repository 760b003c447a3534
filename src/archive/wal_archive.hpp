#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "base/failure.hpp"
#include "base/units.hpp"
#include "postgres/wal_changes.hpp"
#include "postgres/wal_name.hpp"
#include "repository/object.hpp"
#include "repository/repository.hpp"
#include "repository/wal_trailer.hpp"

namespace howdah::archive {

enum class Stored { added, already_there };
/// A segment beside what is archived under its name. An unfinished copy was archived before the segment was finished: its records end
/// before it does, up to there the bytes are the same, and in the segment at hand they go on.
enum class Compared { absent, same, unfinished_copy, different };

/// The archive holds something else under that name (trap T19): an object of one name never changes, so that both stay as they are.
class Different : public base::Failure {
public:
    using Failure::Failure;
};

/// Segments of one timeline that are in the archive, without a gap between first and last.
struct WalRange {
    postgres::WalSegment first, last;
};

/// The WAL of one cluster in one repository. Its index is the listing; nothing else is kept. Thread-safe except for the context given.
class WalArchive {
public:
    WalArchive(const repository::Repository& repository, repository::ClusterArea area) : repository_(&repository), area_(std::move(area)) {}

    /// From here on what this archive lacks is read from the same area of another repository too, as recovery's fetch does; it is listed,
    /// and whether it is there is asked of all. Several are asked in the order of these calls. Writing stays with this archive alone.
    void read_also(const repository::Repository& other) { others_.emplace_back(other, area_); }

    const repository::Repository& repository() const { return *repository_; }
    const repository::ClusterArea& area() const { return area_; }

    /// Compresses, seals and stores a whole segment with its trailer: one put. Checks (traps T18, T19): the size is that of the header,
    /// magic known, name and first page agree, system identifier is the area's. Same name and same bytes is `already_there`; different
    /// bytes is Failure(operation) naming both. Durable when it returns. `stored` is increased by the size of a new object.
    Stored put_segment(const std::string& name, std::span<const std::byte> bytes, repository::SealContext& context,
                       base::Bytes* stored = nullptr);
    /// What put_segment makes of a name that is taken: `already_there`, or its failure.
    Stored confirm_same(const std::string& name, std::span<const std::byte> bytes, repository::SealContext& context) const;
    /// Makes the checks of put_segment and compares.
    Compared compare_segment(const std::string& name, std::span<const std::byte> bytes, repository::SealContext& context) const;
    /// Failure(operation) unless the history is absent or the same.
    void compare_history(const std::string& name, std::string_view text) const;
    /// The failure of put_segment for a segment that compared as an unfinished copy or different.
    [[noreturn]] void refuse_segment(const std::string& name, Compared compared) const;
    /// Removes an unfinished copy, so that the segment can be put; nothing else is ever removed. False when there was none.
    bool remove_unfinished(const std::string& name, std::span<const std::byte> bytes, repository::SealContext& context);
    Stored put_history(const std::string& name, std::string_view text);

    /// The object that holds a segment, for who takes its frames as they are; none when there is none.
    std::optional<repository::ObjectReader> open_segment(const std::string& name) const { return open(object_of(name)); }
    /// Whether it is there; an outage throws, it never answers "no".
    bool has(const std::string& name) const;
    /// The bytes of a segment or history file; none only when the repository itself says that there is no such object.
    std::optional<std::vector<std::byte>> get(const std::string& name, repository::SealContext& context) const;
    /// Reads the trailer only.
    std::optional<repository::WalTrailer> trailer(const std::string& segment) const;

    /// Which blocks a segment's records change, by its block summary; where that is missing (pushed by version 0.1), by the segment. None
    /// when it is not there.
    std::optional<postgres::SegmentChanges> changes(const std::string& segment, repository::SealContext& context) const;

    /// Names of whole segments (never ".partial"), sorted; of one timeline or of all.
    std::vector<std::string> segments(std::optional<base::Timeline> timeline = std::nullopt) const;
    /// All ranges, by timeline and number; two ranges of one timeline mean a gap between them. Segment size as in any trailer.
    std::vector<WalRange> ranges(std::uint64_t segment_size) const;
    /// The cluster's segment size by the newest trailer; none while nothing is archived.
    std::optional<std::uint64_t> segment_size() const;
    /// Timelines for which a history file is archived.
    std::vector<base::Timeline> histories() const;
    std::optional<std::string> history(base::Timeline timeline) const;

private:
    std::string object_of(const std::string& name) const;
    std::optional<repository::ObjectReader> open(const std::string& object) const;
    std::optional<std::string> read_history(const std::string& object) const;
    std::vector<std::string> names(const std::string& prefix, postgres::WalFileKind kind) const;

    const repository::Repository* repository_;
    repository::ClusterArea area_;
    std::vector<WalArchive> others_;
};

}  // namespace howdah::archive
