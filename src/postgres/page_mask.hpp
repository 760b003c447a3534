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

/// Whether two pages of a main or init fork can be the same block between which no record lies: equal once masked, or different only in one
/// of the two places that servers change without a record and that wal_consistency_checking never sees, as it looks at a page only when a
/// record changed it. A sequence: values up to 32 ahead are promised by one record, so last_value and what is left of them (log_cnt) may
/// move along with each other (commands/sequence.c; exact for steps of any size but where a cycle ended). The first page of an SP-GiST
/// index: the cache of pages with room (SpGistLUPCache, access/spgist_private.h).
bool equal_unlogged(std::span<const std::byte> one, std::span<const std::byte> other, std::uint32_t block);

}  // namespace howdah::postgres
