#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "repository/backups.hpp"
#include "repository/repository.hpp"

namespace howdah::backup {

/// Where in the packs the bytes of backups' files lie, seen from the packs. A run that several backups share stands here once. Damaged
/// manifests are passed over and noted: a verification tells about them by itself, unless they could be read when it looked at them.
class StoredFiles {
public:
    struct File {
        std::string path;               ///< In the cluster's data directory, or absolute.
        bool pages = false;             ///< A relation's, in a cluster with data checksums.
        std::uint32_t first_block = 0;  ///< Block in the fork of the file's first page.
        auto operator<=>(const File&) const = default;
    };
    /// Plain bytes of a pack that go on over frames as an extent does.
    struct Run {
        std::uint32_t frame = 0, position = 0;
        std::uint64_t length = 0;
        std::uint64_t offset = 0;  ///< In the file.
        const File* file = nullptr;
        auto operator<=>(const Run&) const = default;
    };
    /// A run's part in one frame.
    struct Part {
        std::uint32_t position = 0, length = 0;
        std::uint64_t offset = 0;  ///< In the file.
        bool continued = false;    ///< It goes on from the end of the frame before.
        const File* file = nullptr;
    };
    /// A page whose bytes lie in two places that are no neighbours.
    struct SplitPage {
        repository::ClusterArea area;
        const File* file = nullptr;
        std::uint32_t block = 0;
        std::vector<repository::Extent> extents;
    };
    /// Plain bytes of a pack about which something was found.
    struct Place {
        std::string object;
        std::uint32_t frame = 0, position = 0, length = 0;
        auto operator<=>(const Place&) const = default;
    };
    /// A file of a backup that needs such a place; `offset` is that of the place's first byte there.
    using Sufferer =
        std::function<void(const Place& place, const std::string& backup, const File& file, std::uint64_t offset, std::uint64_t length)>;

    /// Reads the manifests of the backups of `cluster` (all when empty). Backups of clusters without data checksums are counted.
    StoredFiles(const repository::Repository& repository, const std::string& cluster, const base::Cancellation& cancellation);

    std::vector<Part> parts(const std::string& pack_object, std::uint32_t frame) const;
    /// Whether a backup's entry says that this page was bad in the cluster already.
    bool recorded_bad(const std::string& pack_object, std::uint32_t frame, std::uint32_t position) const;
    bool recorded_bad(const File& file, std::uint32_t block) const { return recorded_split_.contains({&file, block}); }
    const std::vector<SplitPage>& split_pages() const { return split_; }
    std::size_t without_checksums() const { return without_checksums_; }

    /// What is wrong with manifests that were passed over.
    const std::set<std::string>& passed_over() const { return passed_over_; }

    /// Reads all manifests again and names every backup's file that needs one of the places. Gives what was passed over.
    std::set<std::string> find_sufferers(const std::set<Place>& places, const Sufferer& sufferer,
                                         const base::Cancellation& cancellation) const;

private:
    struct Pack {
        std::vector<Run> runs;      ///< By frame and position.
        std::uint32_t longest = 0;  ///< Frames that a run goes over.
    };
    struct Bad {
        std::uint32_t frame, position;
        auto operator<=>(const Bad&) const = default;
    };
    void add_file(const repository::ClusterArea& area, const File& file, const repository::FileEntry& entry,
                  const std::vector<repository::Extent>& extents);
    void add_split_pages(const repository::ClusterArea& area, const File& file, const std::vector<repository::Extent>& extents,
                         std::uint64_t size);
    void add_recorded(const repository::ClusterArea& area, const File& file, const repository::FileEntry& entry,
                      const std::vector<repository::Extent>& extents);
    void settle_runs();

    const repository::Repository& repository_;
    std::vector<repository::Backup> backups_;
    std::map<std::string, std::uint32_t> segment_blocks_;  ///< By area: a cluster's never change.
    std::set<File> files_;
    std::map<std::string, Pack> packs_;  ///< By object name.
    std::map<std::string, std::set<Bad>> recorded_;
    std::set<std::pair<const File*, std::uint32_t>> recorded_split_;
    std::vector<SplitPage> split_;
    std::set<std::string> passed_over_;
    std::size_t runs_ = 0, settled_ = 0;
    std::size_t without_checksums_ = 0;
};

}  // namespace howdah::backup
