#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "repository/manifest.hpp"
#include "repository/object.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

inline constexpr std::uint64_t kPackBytes = 64u << 20;  ///< Stored bytes after which a pack is closed.

/// Fills packs with the plain bytes of files, one worker's own (no locking between workers). A large file's frames hold runs of that
/// file alone; small files share frames. Extents name packs that become durable only by finish(), so roots and trees are written
/// after every worker finished.
class PackWriter {
public:
    PackWriter(const Repository& repository, const ClusterArea& area, int compression_level);
    ~PackWriter();
    PackWriter(const PackWriter&) = delete;
    PackWriter& operator=(const PackWriter&) = delete;

    /// Space for up to kFrameBytes of plain bytes that the caller fills (a read buffer), so that bytes are not copied.
    std::span<std::byte> frame_space();
    /// Seals the first `length` bytes of frame_space() as one frame of its own and appends where they lie to `extents` (joined with the
    /// last extent when they go on from it). Bytes already gathered by add_small are put into a frame of their own first.
    void add_frame(std::size_t length, std::vector<Extent>& extents);
    /// Gathers the bytes of a small file (at most kFrameBytes) with others into shared frames.
    void add_small(std::span<const std::byte> bytes, std::vector<Extent>& extents);
    /// Closes the open pack durably.
    void finish();
    base::Bytes stored() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Writes trees and maps by content name: one that is there (and not doomed) is compared and used. Made after the cluster's lease was
/// taken, as it reads the doomed lists then.
class TreeWriter {
public:
    TreeWriter(const Repository& repository, const ClusterArea& area);
    /// Names the entry's map object if it has more than kInlineExtents extents (they move there).
    void settle_extents(FileEntry& entry);
    /// Stores the tree and returns its name.
    std::string write(const Tree& tree);
    base::Bytes stored() const { return stored_; }

private:
    std::string put(Kind kind, const std::string& bytes);
    const Repository* repository_;
    ClusterArea area_;
    std::vector<std::string> doomed_;
    base::Bytes stored_;
};

}  // namespace howdah::repository
