#pragma once

#include <cstdint>
#include <span>

namespace howdah::postgres {

/// What wrote a page, as far as masking asks.
enum class PageKind : std::uint8_t {
    heap,  ///< Also TOAST and catalogs.
    sequence,
    btree,
    hash,
    gin,
    gist,
    spgist,
    brin,
    generic,  ///< Anything else; extensions write by generic records.
    map,      ///< Of a visibility map: what lies between pd_lower and pd_upper is its contents.
};

/// The kind of a main or init fork's page, by the size of its special space and what is written there (the page ids that index access
/// methods keep for programs that look at files alone). `block` counts in the fork. A page without a sane header is generic.
/// Sources: storage/bufpage.h, commands/sequence.c, access/{nbtree,hash,ginblock,gist,spgist_private,brin_page}.h.
PageKind page_kind(std::span<const std::byte> page, std::uint32_t block);

/// Clears what replay of WAL need not make equal, as wal_consistency_checking does it and nothing more: LSN, checksum, hints of page and
/// tuples, command ids, padding, the hole, flags of index line pointers and the contents of deleted index pages. Of a map only LSN, checksum
/// and hints of the page. A page that is new or has no sane header is left as it is, so that it equals only itself.
/// Sources, the same in 14 to 18: access/common/bufmask.c, heap_mask, seq_mask, btree_mask, hash_mask, gin_mask, gist_mask, spg_mask,
/// brin_mask, generic_mask.
void mask_page(std::span<std::byte> page, PageKind kind, std::uint32_t block);

/// Whether two pages of the same block are equal once both are masked by the kind of the first. Both are one page long.
bool equal_masked(std::span<const std::byte> one, std::span<const std::byte> other, PageKind kind, std::uint32_t block);
/// The same, of a main or init fork.
bool equal_masked(std::span<const std::byte> one, std::span<const std::byte> other, std::uint32_t block);

}  // namespace howdah::postgres
