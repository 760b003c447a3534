#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <numeric>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "repository/crypto.hpp"
#include "repository/manifest.hpp"
#include "repository/object.hpp"
#include "repository/safe_path.hpp"
#include "repository/varint.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::string_view kTreeMagic = "HTREE\x01";
constexpr std::string_view kMapMagic = "HMAP\x01";
constexpr std::size_t kIdBytes = 16;

[[noreturn]] void misuse(std::string what) { throw Failure(FailureKind::operation, std::move(what), "this is a fault of the program"); }

/// Packs by the order of their first use; extents name them by index.
class PackTable {
public:
    std::uint64_t reference(const PackId& pack) {
        if (pack.empty()) return 0;
        const auto [place, added] = numbers_.try_emplace(pack, ids_.size() + 1);
        if (added) ids_.push_back(pack);
        return place->second;
    }
    void encode(std::string& out) const {
        put_varint(out, ids_.size());
        for (const PackId& id : ids_) out.append(base::as_text(id.bytes));
    }

private:
    std::map<PackId, std::uint64_t> numbers_;
    std::vector<PackId> ids_;
};

std::vector<PackId> decode_packs(Decoder& decoder) {
    std::vector<PackId> packs(decoder.count(kIdBytes, "pack count"));
    for (PackId& pack : packs) {
        std::memcpy(pack.bytes.data(), decoder.bytes(kIdBytes).data(), kIdBytes);
        if (pack.empty()) decoder.fail("a pack's id is all zeros");
    }
    return packs;
}

void encode_extents(std::string& out, const std::vector<Extent>& extents, PackTable& packs) {
    put_varint(out, extents.size());
    for (const Extent& extent : extents) {
        put_varint(out, extent.length);
        put_varint(out, packs.reference(extent.pack));
        if (extent.pack.empty()) continue;
        put_varint(out, extent.frame);
        put_varint(out, extent.position);
    }
}

Extent decode_extent(Decoder& decoder, const std::vector<PackId>& packs) {
    Extent extent;
    extent.length = decoder.varint();
    if (extent.length == 0) decoder.fail("an extent is empty");
    const std::uint64_t reference = decoder.varint(packs.size(), "a pack reference");
    if (reference == 0) return extent;
    extent.pack = packs[reference - 1];
    extent.frame = static_cast<std::uint32_t>(decoder.varint(0xFFFFFFFEu, "a frame number"));
    extent.position = static_cast<std::uint32_t>(decoder.varint(kFrameBytes - 1, "a position in a frame"));
    return extent;
}

std::vector<Extent> decode_extents(Decoder& decoder, std::size_t count, const std::vector<PackId>& packs) {
    std::vector<Extent> extents(count);
    std::uint64_t sum = 0;
    for (Extent& extent : extents) {
        extent = decode_extent(decoder, packs);
        if (__builtin_add_overflow(sum, extent.length, &sum)) decoder.fail("its extents are longer than any file");
    }
    return extents;
}

/// The empty path is the subtree's own folder.
bool fits(std::string_view path, EntryType type) { return safe_path(path) || (path.empty() && type == EntryType::directory); }

void encode_file(std::string& out, const FileEntry& entry, PackTable& packs) {
    if (!entry.map.empty()) {
        put_varint(out, 0);
        put_string(out, entry.map);
    } else {
        const std::uint64_t covered = std::accumulate(entry.extents.begin(), entry.extents.end(), std::uint64_t{0},
                                                      [](std::uint64_t sum, const Extent& extent) { return sum + extent.length; });
        if (covered != entry.size) misuse(fmt::format("extents of {} cover {} bytes of {}", entry.path, covered, entry.size));
        encode_extents(out, entry.extents, packs);
        if (entry.extents.empty()) put_string(out, "");
    }
    put_varint(out, entry.bad_pages.size());
    for (const RecordedBadPage& page : entry.bad_pages) {
        put_varint(out, page.block);
        for (const std::uint16_t half : {page.expected, page.found}) out.append({static_cast<char>(half), static_cast<char>(half >> 8)});
    }
}

void decode_file(Decoder& decoder, FileEntry& entry, const std::vector<PackId>& packs) {
    if (const std::size_t count = decoder.count(2, "extent count"); count > 0) {
        entry.extents = decode_extents(decoder, count, packs);
    } else {
        entry.map = decoder.string();
        std::array<std::byte, kIdBytes> id;
        if (!entry.map.empty() && !crypto::from_hex(entry.map, id)) decoder.fail("a map's name is malformed");
    }
    if (entry.map.empty()) {
        std::uint64_t covered = 0;
        for (const Extent& extent : entry.extents) covered += extent.length;
        if (covered != entry.size) decoder.fail(fmt::format("extents of {} cover {} bytes of {}", entry.path, covered, entry.size));
    }
    entry.bad_pages.resize(decoder.count(5, "bad page count"));
    for (RecordedBadPage& page : entry.bad_pages) {
        page.block = static_cast<std::uint32_t>(decoder.varint(0xFFFFFFFFu, "a block number"));
        page.expected = decoder.half();
        page.found = decoder.half();
    }
}

void encode_entry(std::string& out, const FileEntry& entry, PackTable& packs) {
    if (!fits(entry.path, entry.type)) misuse(fmt::format("not a path for a backup: '{}'", entry.path));
    put_string(out, entry.path);
    out.push_back(static_cast<char>(entry.type));
    put_varint(out, entry.mode);
    put_varint(out, entry.size);
    put_varint(out, zigzag(entry.modified_us));
    if (entry.type == EntryType::symlink) put_string(out, entry.target);
    if (entry.type == EntryType::file) encode_file(out, entry, packs);
}

FileEntry decode_entry(Decoder& decoder, const std::vector<PackId>& packs) {
    FileEntry entry;
    entry.path = decoder.string();
    const std::uint8_t type = decoder.byte();
    if (type > 2) decoder.fail(fmt::format("type {} of {} is unknown", type, entry.path));
    entry.type = static_cast<EntryType>(type);
    if (!fits(entry.path, entry.type)) decoder.fail("a path leaves its folder");
    entry.mode = static_cast<std::uint32_t>(decoder.varint(07777, "a mode"));
    entry.size = decoder.varint();
    entry.modified_us = unzigzag(decoder.varint());
    if (entry.type == EntryType::symlink) entry.target = decoder.string();
    if (entry.type == EntryType::file) decode_file(decoder, entry, packs);
    return entry;
}

}  // namespace

std::string whole_path(const std::string& root, const std::string& path) {
    if (root.empty()) return path;
    return root == kOutsideRoot ? root + path : path.empty() ? root : root + "/" + path;
}

std::string encode_tree(const Tree& tree) {
    if (tree.entries.size() > kTreeEntries) misuse(fmt::format("tree with {} entries, at most {}", tree.entries.size(), kTreeEntries));
    std::vector<const FileEntry*> sorted;
    for (const FileEntry& entry : tree.entries) sorted.push_back(&entry);
    std::ranges::sort(sorted, {}, &FileEntry::path);
    PackTable packs;
    std::string body;
    put_varint(body, sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i > 0 && sorted[i]->path == sorted[i - 1]->path) misuse(fmt::format("tree with two entries of one path: {}", sorted[i]->path));
        encode_entry(body, *sorted[i], packs);
    }
    std::string out(kTreeMagic);
    packs.encode(out);
    return out + body;
}

Tree decode_tree(std::string_view bytes, const std::string& name) {
    Decoder decoder(bytes, name);
    decoder.expect(kTreeMagic);
    const std::vector<PackId> packs = decode_packs(decoder);
    const std::uint64_t count = decoder.varint(kTreeEntries, "entry count");
    Tree tree;
    for (std::uint64_t i = 0; i < count; ++i) {
        tree.entries.push_back(decode_entry(decoder, packs));
        if (i > 0 && tree.entries[i - 1].path >= tree.entries[i].path) decoder.fail("its entries are not in order");
    }
    decoder.finish();
    return tree;
}

std::string encode_map(const std::vector<Extent>& extents) {
    PackTable packs;
    std::string body;
    encode_extents(body, extents, packs);
    std::string out(kMapMagic);
    packs.encode(out);
    return out + body;
}

std::vector<Extent> decode_map(std::string_view bytes, const std::string& name) {
    Decoder decoder(bytes, name);
    decoder.expect(kMapMagic);
    const std::vector<PackId> packs = decode_packs(decoder);
    std::vector<Extent> extents = decode_extents(decoder, decoder.count(2, "extent count"), packs);
    decoder.finish();
    return extents;
}

}  // namespace howdah::repository
