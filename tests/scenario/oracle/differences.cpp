#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <span>

#include "backup/file_rules.hpp"
#include "base/file.hpp"
#include "postgres/load.hpp"
#include "postgres/page.hpp"
#include "postgres/page_mask.hpp"
#include "reference.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;
using postgres::kBlockSize;
using postgres::PageKind;

namespace {

using Page = std::span<const std::byte>;

/// A visibility map's page behind its header (MAPSIZE).
constexpr std::size_t kMapBytes = kBlockSize - 24;

struct File {
    std::string_view fork;
    bool maps_may_lack = false;
    bool catalog = false;
    base::Lsn stop;
};

/// Files by their path below the data directory, with the tablespaces' links followed.
std::map<std::string, fs::path> relation_files(const fs::path& data) {
    std::map<std::string, fs::path> files;
    for (const char* folder : {"base", "global", "pg_tblspc"})
        for (const auto& entry : fs::recursive_directory_iterator(data / folder, fs::directory_options::follow_directory_symlink)) {
            if (!entry.is_regular_file()) continue;
            const auto path = entry.path().string().substr(data.string().size() + 1);
            const auto name = entry.path().filename().string();
            const auto relation = backup::parse_relation_file(name);
            if ((relation && relation->fork != "fsm") || name == "pg_filenode.map" || name == "PG_VERSION") files[path] = entry.path();
        }
    return files;
}

/// Whether bits of `other` are all among those of `one`, two pages of a visibility map.
bool holds_bits_of(Page one, Page other) {
    for (std::size_t i = kBlockSize - kMapBytes; i < kBlockSize; ++i)
        if ((other[i] & ~one[i]) != std::byte{0}) return false;
    return true;
}

/// Zeros, or a page of a visibility map without a bit: servers make these without a record.
bool says_nothing(Page page, std::string_view fork) {
    return postgres::page_is_zero(page) || (fork == "vm" && postgres::page_is_zero(page.last(kMapBytes)));
}

/// A page of a BRIN index that says where the tuples of ranges are (BRIN_PAGETYPE_REVMAP).
bool is_range_map(Page page, std::uint32_t block) {
    return postgres::page_kind(page, block) == PageKind::brin && postgres::load<std::uint16_t>(page, kBlockSize - 2) == 0xF092;
}

/// Whether `other` has the bytes of `one`, or zeros in their place.
bool lacks_only(Page one, Page other) {
    for (std::size_t i = kBlockSize - kMapBytes; i < kBlockSize; ++i)
        if (other[i] != one[i] && other[i] != std::byte{0}) return false;
    return true;
}

bool agree(Page one, Page other, const File& file, std::uint32_t block) {
    if (file.fork != "vm")
        return postgres::equal_unlogged(one, other, block) ||
               (file.maps_may_lack && is_range_map(one, block) && is_range_map(other, block) && lacks_only(one, other));
    return postgres::equal_masked(one, other, PageKind::map, block) || (file.maps_may_lack && holds_bits_of(one, other));
}

void compare_pages(const std::string& path, const std::string& restored, const std::string& replica, const File& file,
                   std::vector<std::string>& found, std::uint64_t& pages) {
    if (restored.size() % kBlockSize != 0 || replica.size() % kBlockSize != 0) {
        found.push_back(fmt::format("{}: {} bytes, {} in the replica", path, restored.size(), replica.size()));
        return;
    }
    const std::size_t common = std::min(restored.size(), replica.size());
    for (std::size_t at = 0; at < common; at += kBlockSize, ++pages) {
        const auto block = static_cast<std::uint32_t>(at / kBlockSize);
        const auto one = base::as_bytes(restored).subspan(at, kBlockSize), other = base::as_bytes(replica).subspan(at, kBlockSize);
        if (agree(one, other, file, block)) continue;
        if (file.catalog && std::max(postgres::page_lsn(one), postgres::page_lsn(other)) > file.stop) continue;
        const auto where = std::mismatch(one.begin() + 10, one.end(), other.begin() + 10).first - one.begin();
        found.push_back(fmt::format("{} block {}: LSN {}, {} in the replica; kind {}; first at byte {}", path, block,
                                    base::text(postgres::page_lsn(one)), base::text(postgres::page_lsn(other)),
                                    static_cast<int>(postgres::page_kind(other, block)), where));
    }
    for (std::size_t at = common; at < restored.size(); at += kBlockSize)
        if (!says_nothing(base::as_bytes(restored).subspan(at, kBlockSize), file.fork))
            found.push_back(fmt::format("{} block {}: not there in the replica", path, at / kBlockSize));
    if (replica.size() > common) found.push_back(fmt::format("{}: {} bytes, {} in the replica", path, restored.size(), replica.size()));
}

}  // namespace

std::vector<std::string> differences(const fs::path& restored, const fs::path& replica, const std::set<std::string>& without_maps,
                                     base::Lsn stop, std::uint64_t& pages) {
    std::vector<std::string> found;
    const auto ours = relation_files(restored), theirs = relation_files(replica);
    for (const auto& [path, file] : theirs)
        if (!ours.contains(path)) found.push_back(fmt::format("{}: missing, {} bytes in the replica", path, fs::file_size(file)));
    for (const auto& [path, file] : ours) {
        const auto other = theirs.find(path);
        const auto one = base::read_file(file, {2u << 30});
        const auto two = other == theirs.end() ? std::string() : base::read_file(other->second, {2u << 30});
        const auto name = file.filename().string();
        if (const auto relation = backup::parse_relation_file(name))
            compare_pages(path, one, two,
                          {relation->fork, without_maps.contains(file.parent_path().filename()), relation->filenode < 16384, stop}, found,
                          pages);
        else if (one != two)
            found.push_back(path + ": differs");
    }
    return found;
}

}  // namespace howdah::tests
