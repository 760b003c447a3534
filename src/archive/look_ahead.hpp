#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/file.hpp"
#include "base/units.hpp"
#include "postgres/wal_name.hpp"
#include "repository/repository.hpp"

namespace howdah::archive {

/// Segments fetched in advance, in a folder that is this user's alone (0700) and bound to repository, cluster area and boot of the host: what a
/// power cut left half-written lies in another boot's folder and is never read. A file is the segment, complete by its rename, and 16
/// bytes after it: "HOWDAHLA" and the keyed hash of the segment (PieceHash, little-endian). Immutable like the archive itself.
/// While a segment is fetched its file has the ending ".part".
class LookAhead {
public:
    LookAhead(const std::filesystem::path& folder, const repository::Repository& repository, const repository::ClusterArea& area);

    using Piece = std::span<const std::byte>;

    bool holds(const std::string& name) const;
    /// Moves the segment to `destination` when it is there and right: owner, permissions, hash, and its header by check_segment. Gives the
    /// segment's size; none when it is not there; a wrong one is removed and counts as not there. One that a prefetcher is at work on is
    /// awaited for some seconds, since to fetch it a second time would take longer.
    std::optional<std::uint64_t> take(const std::string& name, const std::filesystem::path& destination) const;
    /// Puts what `read` hands to its visitor, in order; `read` says whether there is such a segment, and so does put.
    bool put(const std::string& name, const std::function<bool(const std::function<void(Piece)>& visit)>& read) const;

    /// The segment that recovery asked for last, so that a running prefetcher goes on from there.
    void set_position(const std::string& name) const;
    std::optional<std::string> position() const;

    /// The prefetcher's right to this folder; none while another has it. Ends with the file.
    std::optional<base::File> lock() const;
    /// Whether a prefetcher is at work.
    bool locked() const;

    /// Removes segments before this one, other boots' folders and what a killed prefetcher left. Only the prefetcher calls it.
    void clean(const postgres::WalSegment& current, std::uint64_t segment_size) const;
    /// Makes the folder; false when somebody else owns it or may write there.
    bool prepare() const;
    const std::filesystem::path& folder() const { return folder_; }

private:
    bool ours() const;
    void await(const std::string& name) const;
    bool right(const std::string& name, std::span<const std::byte> file) const;

    const repository::Repository* repository_;
    base::SystemIdentifier system_;
    std::filesystem::path parent_;
    std::string owner_;  ///< Folder name without the boot.
    std::filesystem::path folder_;
};

/// Puts bytes in place at once: a file beside `destination`, renamed. `beside(destination)` is that file's name, always the same, so that
/// a killed fetch's leftover is overwritten by the next.
void deliver(std::span<const std::byte> bytes, const std::filesystem::path& destination);
std::filesystem::path beside(const std::filesystem::path& destination);

}  // namespace howdah::archive
