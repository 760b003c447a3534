#include "postgres/page_mask.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "postgres/load.hpp"
#include "postgres/page.hpp"

namespace howdah::postgres {

namespace {

using Page = std::span<std::byte>;
using ConstPage = std::span<const std::byte>;

/// PageHeaderData and ItemIdData (storage/bufpage.h, storage/itemid.h).
constexpr std::size_t kFlags = 10, kLower = 12, kUpper = 14, kSpecial = 16, kPruneXid = 20, kHeader = 24, kItemId = 4;
constexpr std::uint16_t kHintFlags = 0x0007;  ///< PD_HAS_FREE_LINES, PD_PAGE_FULL, PD_ALL_VISIBLE.
constexpr std::uint32_t kLpFlags = 3u << 15;
constexpr std::uint32_t kLpNormal = 1;

/// Page ids in the last two bytes of special spaces.
constexpr std::uint16_t kMaxCycleId = 0xFF7F, kHashPage = 0xFF80, kGistPage = 0xFF81, kSpgistPage = 0xFF82;
constexpr std::uint16_t kBrinMeta = 0xF091, kBrinRevmap = 0xF092, kBrinRegular = 0xF093;
constexpr std::uint32_t kSequenceMagic = 0x1717;

template <typename T>
void store(Page page, std::size_t offset, T value) {
    std::memcpy(page.data() + offset, &value, sizeof value);
}

template <typename T>
void clear_bits(Page page, std::size_t offset, T bits) {
    store<T>(page, offset, static_cast<T>(load<T>(page, offset) & static_cast<T>(~bits)));
}

void fill_zero(Page page, std::size_t from, std::size_t to) { std::fill(page.data() + from, page.data() + to, std::byte{0}); }

struct Header {
    std::size_t lower, upper, special;
    explicit Header(ConstPage page)
        : lower(load<std::uint16_t>(page, kLower)),
          upper(load<std::uint16_t>(page, kUpper)),
          special(load<std::uint16_t>(page, kSpecial)) {}
    /// SP-GiST's and GIN's first pages may leave pd_lower at its start.
    bool sane() const { return lower >= kHeader && lower <= upper && upper <= special && special <= kBlockSize && special % 8 == 0; }
    std::size_t special_size() const { return kBlockSize - special; }
};

void mask_lsn_and_checksum(Page page) { fill_zero(page, 0, kFlags); }

void mask_hints(Page page) {
    store<std::uint32_t>(page, kPruneXid, 0);
    clear_bits<std::uint16_t>(page, kFlags, kHintFlags);
}

void mask_hole(Page page, const Header& header) { fill_zero(page, header.lower, header.upper); }

/// All but LSN, flags, pd_special and version.
void mask_contents(Page page) {
    fill_zero(page, kHeader, kBlockSize);
    fill_zero(page, kLower, kSpecial);
}

/// An item that is used becomes LP_UNUSED; where it lies and how long it is stays.
void mask_item_flags(Page page, const Header& header) {
    for (std::size_t at = kHeader; at + kItemId <= header.lower; at += kItemId) clear_bits<std::uint32_t>(page, at, kLpFlags);
}

/// HeapTupleHeaderData (access/htup_details.h).
void mask_tuple(Page page, std::size_t tuple, std::uint32_t block, std::uint16_t number) {
    constexpr std::size_t kCommandId = 8, kPointer = 12, kInfomask = 20;
    constexpr std::uint16_t kFrozen = 0x0300, kVisibility = 0xFFF0, kXmaxHints = 0x0C00, kSpeculative = 0xFFFE;
    const auto bits = load<std::uint16_t>(page, tuple + kInfomask);
    clear_bits<std::uint16_t>(page, tuple + kInfomask, (bits & kFrozen) == kFrozen ? kXmaxHints : kVisibility);
    store<std::uint32_t>(page, tuple + kCommandId, 0);
    // The token of a speculative insertion becomes the tuple's own address: the block as two halves, high first, and the number.
    if (load<std::uint16_t>(page, tuple + kPointer + 4) != kSpeculative) return;
    store<std::uint16_t>(page, tuple + kPointer, static_cast<std::uint16_t>(block >> 16));
    store<std::uint16_t>(page, tuple + kPointer + 2, static_cast<std::uint16_t>(block));
    store<std::uint16_t>(page, tuple + kPointer + 4, number);
}

void mask_heap(Page page, const Header& header, std::uint32_t block) {
    constexpr std::size_t kTupleHeader = 23;
    std::uint16_t number = 1;
    for (std::size_t at = kHeader; at + kItemId <= header.lower; at += kItemId, ++number) {
        const auto item = load<std::uint32_t>(page, at);
        const std::size_t offset = item & 0x7FFF, length = item >> 17;
        if (length == 0 || offset < header.upper || offset + length > header.special) continue;
        if ((item >> 15 & 3) == kLpNormal && length >= kTupleHeader) mask_tuple(page, offset, block, number);
        const std::size_t aligned = (offset + length + 7) / 8 * 8;
        fill_zero(page, offset + length, std::min(aligned, header.special));
    }
}

/// BTPageOpaqueData (access/nbtree.h): two siblings, level, flags, cycle id.
void mask_btree(Page page, const Header& header) {
    constexpr std::size_t kOpaqueFlags = 12, kCycleId = 14;
    constexpr std::uint16_t kLeaf = 1 << 0, kDeleted = 1 << 2, kSplitEnd = 1 << 5, kHasGarbage = 1 << 6;
    const auto flags = load<std::uint16_t>(page, header.special + kOpaqueFlags);
    if (flags & kDeleted) return mask_contents(page);
    if (flags & kLeaf) mask_item_flags(page, header);
    clear_bits<std::uint16_t>(page, header.special + kOpaqueFlags, kSplitEnd | kHasGarbage);
    store<std::uint16_t>(page, header.special + kCycleId, 0);
}

/// HashPageOpaqueData (access/hash.h): two neighbours, bucket, flags, page id.
void mask_hash(Page page, const Header& header) {
    constexpr std::size_t kOpaqueFlags = 12;
    constexpr std::uint16_t kOverflow = 1 << 0, kBucket = 1 << 1, kPageType = 0x000F, kHasDeadTuples = 1 << 7;
    const auto type = static_cast<std::uint16_t>(load<std::uint16_t>(page, header.special + kOpaqueFlags) & kPageType);
    if (type == 0) return mask_contents(page);
    if (type == kBucket || type == kOverflow) mask_item_flags(page, header);
    clear_bits<std::uint16_t>(page, header.special + kOpaqueFlags, kHasDeadTuples);
}

/// GinPageOpaqueData (access/ginblock.h): right link, highest item, flags.
void mask_gin(Page page, const Header& header) {
    constexpr std::uint16_t kDeleted = 1 << 2;
    if (load<std::uint16_t>(page, header.special + 6) & kDeleted)
        mask_contents(page);
    else if (header.lower > kHeader)
        mask_hole(page, header);
}

/// GISTPageOpaqueData (access/gist.h): node sequence number (an LSN), right link, flags, page id.
void mask_gist(Page page, const Header& header) {
    constexpr std::size_t kOpaqueFlags = 12;
    constexpr std::uint16_t kLeaf = 1 << 0, kFollowRight = 1 << 3, kHasGarbage = 1 << 4;
    fill_zero(page, header.special, header.special + 8);
    const auto flags = load<std::uint16_t>(page, header.special + kOpaqueFlags);
    if (flags & kLeaf) mask_item_flags(page, header);
    store<std::uint16_t>(page, header.special + kOpaqueFlags, static_cast<std::uint16_t>((flags | kFollowRight) & ~kHasGarbage));
}

/// BrinSpecialSpace (access/brin_page.h): two spare words, flags, type.
void mask_brin(Page page, const Header& header) {
    constexpr std::size_t kOpaqueFlags = 4, kType = 6;
    constexpr std::uint16_t kEvacuate = 1 << 0;
    const auto type = load<std::uint16_t>(page, header.special + kType);
    if (type == kBrinRegular || (type == kBrinMeta && header.lower > kHeader)) mask_hole(page, header);
    clear_bits<std::uint16_t>(page, header.special + kOpaqueFlags, kEvacuate);
}

/// SpGistMetaPageData: a magic number and the cache, eight pages with their free space.
constexpr std::size_t kSpgistCache = kHeader + 4, kSpgistCacheEnd = kSpgistCache + 64;

using Copy = std::array<std::byte, kBlockSize>;

Copy copy_of(ConstPage page) {
    Copy copy;
    std::copy(page.begin(), page.end(), copy.begin());
    return copy;
}

/// Where FormData_pg_sequence_data lies, the contents of a sequence's only tuple: last_value, log_cnt, is_called.
std::optional<std::size_t> sequence_data(ConstPage page) {
    constexpr std::size_t kHeaderSize = 22, kLength = 17;
    const std::size_t tuple = load<std::uint32_t>(page, kHeader) & 0x7FFF;
    if (tuple < kHeader || tuple + kHeaderSize >= kBlockSize) return std::nullopt;
    const std::size_t data = tuple + load<std::uint8_t>(page, tuple + kHeaderSize);
    return data + kLength <= kBlockSize ? std::optional(data) : std::nullopt;
}

/// Values were handed out between the two, of those that one record had promised: the last one moved by so many steps as fewer are left.
/// How long a step is stands in the sequence's catalog row, not here.
bool moved_together(ConstPage one, ConstPage other, std::size_t data) {
    constexpr std::int64_t kMostLeft = 1 << 20;  // 32 beyond the sequence's cache.
    const auto left = load<std::int64_t>(one, data + 8), left_then = load<std::int64_t>(other, data + 8);
    if (left < 0 || left > kMostLeft || left_then < 0 || left_then > kMostLeft || left == left_then) return false;
    const auto handed_out = left > left_then ? left - left_then : left_then - left;
    const auto last = load<std::int64_t>(one, data), last_then = load<std::int64_t>(other, data);
    std::int64_t moved = 0;
    if (__builtin_sub_overflow(left > left_then ? last_then : last, left > left_then ? last : last_then, &moved)) return false;
    return moved != 0 && moved % handed_out == 0;
}

bool sequences_equal(ConstPage one, ConstPage other) {
    const auto data = sequence_data(one);
    if (!data || sequence_data(other) != data || !moved_together(one, other, *data)) return false;
    auto left = copy_of(one), right = copy_of(other);
    fill_zero(left, *data, *data + 16);
    fill_zero(right, *data, *data + 16);
    return equal_masked(left, right, PageKind::sequence, 0);
}

bool spgist_meta_equal(ConstPage one, ConstPage other) {
    auto left = copy_of(one), right = copy_of(other);
    fill_zero(left, kSpgistCache, kSpgistCacheEnd);
    fill_zero(right, kSpgistCache, kSpgistCacheEnd);
    return equal_masked(left, right, PageKind::spgist, 0);
}

}  // namespace

PageKind page_kind(ConstPage page, std::uint32_t block) {
    const Header header(page);
    if (!header.sane()) return PageKind::generic;
    const auto last = load<std::uint16_t>(page, kBlockSize - 2);
    switch (header.special_size()) {
        case 0: return PageKind::heap;
        case 8:
            if (last == kSpgistPage) return PageKind::spgist;
            if (last == kBrinMeta || last == kBrinRevmap || last == kBrinRegular) return PageKind::brin;
            // A sequence is one page. So the number can be no right link of a GIN index, whose first page has other flags.
            if (block == 0 && load<std::uint32_t>(page, header.special) == kSequenceMagic) return PageKind::sequence;
            return last < 0x0100 ? PageKind::gin : PageKind::generic;
        case 16:
            if (last == kHashPage) return PageKind::hash;
            if (last == kGistPage) return PageKind::gist;
            return last <= kMaxCycleId ? PageKind::btree : PageKind::generic;
        default: return PageKind::generic;
    }
}

void mask_page(Page page, PageKind kind, std::uint32_t block) {
    const Header header(page);
    if (!header.sane()) return;
    mask_lsn_and_checksum(page);
    if (kind != PageKind::sequence && kind != PageKind::generic) mask_hints(page);
    if (kind != PageKind::gin && kind != PageKind::brin && kind != PageKind::map) mask_hole(page, header);
    switch (kind) {
        case PageKind::heap: return mask_heap(page, header, block);
        case PageKind::btree: return mask_btree(page, header);
        case PageKind::hash: return mask_hash(page, header);
        case PageKind::gin: return mask_gin(page, header);
        case PageKind::gist: return mask_gist(page, header);
        case PageKind::brin: return mask_brin(page, header);
        case PageKind::sequence:
        case PageKind::spgist:
        case PageKind::generic:
        case PageKind::map: return;
    }
}

bool equal_masked(ConstPage one, ConstPage other, PageKind kind, std::uint32_t block) {
    if (std::memcmp(one.data(), other.data(), kBlockSize) == 0) return true;
    auto left = copy_of(one), right = copy_of(other);
    mask_page(left, kind, block);
    mask_page(right, kind, block);
    return left == right;
}

bool equal_masked(ConstPage one, ConstPage other, std::uint32_t block) { return equal_masked(one, other, page_kind(one, block), block); }

bool equal_unlogged(ConstPage one, ConstPage other, std::uint32_t block) {
    const auto kind = page_kind(one, block);
    if (equal_masked(one, other, kind, block)) return true;
    if (block != 0 || page_kind(other, block) != kind) return false;
    if (kind == PageKind::sequence) return sequences_equal(one, other);
    return kind == PageKind::spgist && spgist_meta_equal(one, other);
}

}  // namespace howdah::postgres
