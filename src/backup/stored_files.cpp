#include "backup/stored_files.hpp"

#include <algorithm>

#include "backup/file_rules.hpp"
#include "base/file.hpp"
#include "postgres/control_file.hpp"
#include "postgres/page.hpp"
#include "repository/extents.hpp"
#include "repository/object.hpp"
#include "repository/pack_reader.hpp"

namespace howdah::backup {

namespace {

using postgres::kBlockSize;
using repository::Backup;
using repository::EntryType;
using repository::Extent;
using repository::FileEntry;
using repository::kFrameBytes;
using repository::Root;
using repository::TreeReference;

constexpr std::uint32_t kUsualSegmentBlocks = 131072;

/// Damage is told by who reads every object; here it hides what lies behind it, and is noted.
template <typename Work>
void passing_over_damage(std::set<std::string>& passed_over, const Work& work) {
    try {
        work();
    } catch (const base::Cancelled&) {
        throw;
    } catch (const base::Failure& failure) {
        if (failure.kind() != base::FailureKind::operation) throw;
        passed_over.insert(failure.what());
    }
}

std::uint32_t segment_blocks(const repository::Repository& repository, const Backup& backup, std::set<std::string>& passed_over) {
    std::uint32_t blocks = kUsualSegmentBlocks;
    for (const TreeReference& reference : backup.root.trees) {
        if (reference.root != "global") continue;
        passing_over_damage(passed_over, [&] {
            for (const FileEntry& entry : repository::read_tree(repository, backup.area, reference.name).entries) {
                if (entry.path != "pg_control") continue;
                const auto bytes =
                    repository::read_bytes(repository, backup.area, repository::read_extents(repository, backup.area, entry), entry.size);
                blocks = postgres::parse_control_file(base::as_bytes(bytes)).segment_blocks;
            }
        });
    }
    return blocks;
}

/// Data checksums are on, and not about to be: from PostgreSQL 19 on a cluster is converted while it runs.
bool has_checksums(const Root& root) { return root.data_checksum_version == 1 && root.block_size == kBlockSize; }

StoredFiles::File describe(const Root& root, const TreeReference& reference, const std::string& path, std::uint32_t blocks) {
    StoredFiles::File file;
    file.path = repository::whole_path(reference.root, path);
    if (!has_checksums(root) || !holds_relations(reference.root)) return file;
    const auto relation = parse_relation_file(path);
    file.pages = relation.has_value();
    if (relation) file.first_block = relation->segment * blocks;
    return file;
}

/// Frames that a run goes over.
std::uint32_t span_of(std::uint32_t position, std::uint64_t length) {
    return static_cast<std::uint32_t>((position + length + kFrameBytes - 1) / kFrameBytes);
}

/// The extents of bytes [from, from + length) of a file.
std::vector<Extent> cut(const std::vector<Extent>& extents, std::uint64_t from, std::uint64_t length) {
    std::vector<Extent> pieces;
    repository::ExtentCursor cursor(extents);
    cursor.skip(from);
    cursor.take(length, pieces);
    return pieces;
}

}  // namespace

StoredFiles::StoredFiles(const repository::Repository& repository, const std::string& cluster, const base::Cancellation& cancellation)
    : repository_(repository), backups_(repository::list_backups(repository, cluster)) {
    std::set<std::string> seen;
    for (const Backup& backup : backups_) {
        if (!backup.damage.empty()) {
            passed_over_.insert(backup.damage);
            continue;
        }
        without_checksums_ += !has_checksums(backup.root);
        auto known = segment_blocks_.find(backup.area.prefix());
        if (known == segment_blocks_.end())
            known = segment_blocks_.emplace(backup.area.prefix(), segment_blocks(repository, backup, passed_over_)).first;
        for (const TreeReference& reference : backup.root.trees) {
            cancellation.check("reading the backups");
            const std::string key = backup.area.tree(reference.name) + (has_checksums(backup.root) ? "+" : "-") + reference.root;
            if (!seen.insert(key).second) continue;
            passing_over_damage(passed_over_, [&] {
                for (const FileEntry& entry : repository::read_tree(repository, backup.area, reference.name).entries) {
                    if (entry.type != EntryType::file || entry.size == 0) continue;
                    const File& file = *files_.insert(describe(backup.root, reference, entry.path, known->second)).first;
                    passing_over_damage(passed_over_, [&] {
                        add_file(backup.area, file, entry, repository::read_extents(repository, backup.area, entry));
                    });
                }
            });
        }
        if (runs_ > 2 * settled_) settle_runs();
    }
    settle_runs();
}

void StoredFiles::add_file(const repository::ClusterArea& area, const File& file, const FileEntry& entry,
                           const std::vector<Extent>& extents) {
    std::uint64_t offset = 0;
    for (const Extent& extent : extents) {
        if (!extent.pack.empty()) {
            packs_[area.pack(extent.pack)].runs.push_back({extent.frame, extent.position, extent.length, offset, &file});
            ++runs_;
        }
        offset += extent.length;
    }
    if (file.pages) add_split_pages(area, file, extents, entry.size);
    if (!entry.bad_pages.empty()) add_recorded(area, file, entry, extents);
}

void StoredFiles::add_split_pages(const repository::ClusterArea& area, const File& file, const std::vector<Extent>& extents,
                                  std::uint64_t size) {
    std::uint64_t offset = 0, done = 0;
    for (const Extent& extent : extents) {
        const std::uint64_t page = offset / kBlockSize * kBlockSize;
        if (offset % kBlockSize != 0 && page >= done && page + kBlockSize <= size) {
            split_.push_back(
                {area, &file, file.first_block + static_cast<std::uint32_t>(page / kBlockSize), cut(extents, page, kBlockSize)});
            done = page + kBlockSize;
        }
        offset += extent.length;
    }
}

void StoredFiles::add_recorded(const repository::ClusterArea& area, const File& file, const FileEntry& entry,
                               const std::vector<Extent>& extents) {
    for (const auto& page : entry.bad_pages) {
        const std::uint64_t at = std::uint64_t{page.block - file.first_block} * kBlockSize;
        if (page.block < file.first_block || at + kBlockSize > entry.size) continue;
        const auto pieces = cut(extents, at, kBlockSize);
        recorded_[area.pack(pieces.front().pack)].insert({pieces.front().frame, pieces.front().position});
        if (pieces.size() > 1) recorded_split_.insert({&file, page.block});
    }
}

/// Runs that several trees name become one, so that memory follows what is stored and not how many backups there are.
void StoredFiles::settle_runs() {
    runs_ = 0;
    for (auto& [object, pack] : packs_) {
        std::ranges::sort(pack.runs);
        pack.runs.erase(std::ranges::unique(pack.runs).begin(), pack.runs.end());
        for (const Run& run : pack.runs) pack.longest = std::max(pack.longest, span_of(run.position, run.length));
        runs_ += pack.runs.size();
    }
    settled_ = runs_;
}

std::vector<StoredFiles::Part> StoredFiles::parts(const std::string& pack_object, std::uint32_t frame) const {
    std::vector<Part> parts;
    const auto pack = packs_.find(pack_object);
    if (pack == packs_.end()) return parts;
    const std::uint32_t first = frame - std::min(frame, pack->second.longest);
    auto run = std::ranges::lower_bound(pack->second.runs, first, {}, &Run::frame);
    for (; run != pack->second.runs.end() && run->frame <= frame; ++run) {
        const std::uint64_t before = run->frame == frame ? 0 : std::uint64_t{frame - run->frame} * kFrameBytes - run->position;
        if (before >= run->length) continue;
        const std::uint32_t position = run->frame == frame ? run->position : 0;
        parts.push_back({position, static_cast<std::uint32_t>(std::min<std::uint64_t>(run->length - before, kFrameBytes - position)),
                         run->offset + before, run->frame != frame, run->file});
    }
    return parts;
}

bool StoredFiles::recorded_bad(const std::string& pack_object, std::uint32_t frame, std::uint32_t position) const {
    const auto recorded = recorded_.find(pack_object);
    return recorded != recorded_.end() && recorded->second.contains({frame, position});
}

std::set<std::string> StoredFiles::find_sufferers(const std::set<Place>& places, const Sufferer& sufferer,
                                                  const base::Cancellation& cancellation) const {
    std::set<std::string> passed_over;
    const auto look_at = [&](const Backup& backup, const File& file, const std::vector<Extent>& extents) {
        std::uint64_t offset = 0;
        for (const Extent& extent : extents) {
            const std::uint64_t begin = std::uint64_t{extent.frame} * kFrameBytes + extent.position;
            const std::string object = extent.pack.empty() ? std::string() : backup.area.pack(extent.pack);
            for (auto place = places.lower_bound({object, extent.frame, 0, 0}); place != places.end() && place->object == object; ++place) {
                const std::uint64_t from = std::uint64_t{place->frame} * kFrameBytes + place->position;
                if (from >= begin + extent.length) break;
                const std::uint64_t first = std::max(from, begin), last = std::min(from + place->length, begin + extent.length);
                if (first < last) sufferer(*place, backup.root.id, file, offset + (first - begin), last - first);
            }
            offset += extent.length;
        }
    };
    for (const Backup& backup : backups_) {
        if (!backup.damage.empty() || places.empty()) continue;
        for (const TreeReference& reference : backup.root.trees) {
            cancellation.check("reading the backups");
            passing_over_damage(passed_over, [&] {
                for (const FileEntry& entry : repository::read_tree(repository_, backup.area, reference.name).entries)
                    if (entry.type == EntryType::file && entry.size > 0)
                        passing_over_damage(passed_over, [&] {
                            look_at(backup, describe(backup.root, reference, entry.path, segment_blocks_.at(backup.area.prefix())),
                                    repository::read_extents(repository_, backup.area, entry));
                        });
            });
        }
    }
    return passed_over;
}

}  // namespace howdah::backup
