#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "postgres/wal_reader.hpp"

namespace howdah::postgres {

/// Sizes of access/xlog_internal.h and access/xlogrecord.h on 64-bit machines, the same in 14 to 18.
inline constexpr std::size_t kWalPageSize = 8192;
inline constexpr std::size_t kWalShortHeader = 24;
inline constexpr std::size_t kWalLongHeader = 40;
inline constexpr std::size_t kWalRecordHeader = 24;

/// A record as it lies in the WAL. XLogRecord: total length, xid, previous record, info, resource manager, 2 unused bytes, CRC-32C.
struct WalRecord {
    base::Lsn begin;
    base::Lsn end;                     ///< Where the next one may begin: aligned to 8, not yet past a page header.
    std::uint32_t length = 0;          ///< Of the whole record, header included.
    bool whole = true;                 ///< False: cut by the segment's end; `bytes` are those before the cut, their CRC not checked.
    std::span<const std::byte> bytes;  ///< From the record's header on, without page headers; valid until the next call.

    bool has_header() const { return bytes.size() >= kWalRecordHeader; }
    /// Of a record that has_header().
    std::uint32_t xid() const;
    base::Lsn previous() const;
    std::uint8_t info() const;
    std::uint8_t resource_manager() const;
};

/// Whether the CRC-32C stored in a whole record is that of its bytes.
bool record_sum_is_right(std::span<const std::byte> record);

/// What the segment after it says of a record that the end of its own cuts.
struct Continuation {
    enum Kind {
        whole,        ///< `bytes` hold all of it by now; its sum is not checked.
        goes_on,      ///< Beyond the given segment too.
        overwritten,  ///< Broken off by a crash: replay passes over it.
        broken,       ///< Not continued as it should be: `why`.
    };
    Kind kind = broken;
    std::string why;
    base::Lsn end;  ///< Of a whole one: where the next record may begin.
};
/// Adds to the first `bytes` of a record that is `length` bytes long what `next` holds of the rest. `magic` is that of its own segment.
Continuation continue_record(std::span<const std::byte> next, std::uint16_t magic, std::uint32_t length, std::string& bytes);

/// Goes through the records of one segment. Never reads outside it and believes nothing in it that no check covers: page headers
/// (magic, flags, address, timeline not falling, continuation lengths), record lengths, links and CRCs.
class WalWalker {
public:
    /// `header` is the parsed one of this segment. `head`, if given, receives the bytes with which the first page continues a record of
    /// an earlier segment.
    WalWalker(std::span<const std::byte> segment, const WalSegmentHeader& header, std::string* head = nullptr);

    /// Ends the walk before the first record that begins at `end` or after it, without looking at the bytes from there on: they may
    /// not be written yet, or not be given.
    void end_at(base::Lsn end) { end_ = end; }

    /// The next record; false at the end: the segment's, a switch, end_at's, or a doubt. The last one given may be a cut one.
    bool next(WalRecord& record);

    /// Why the walk ended early; empty when it did not.
    const std::string& doubt() const { return doubt_; }
    /// Where the walk stands: after the last whole record (at first after the head), or the segment's end.
    base::Lsn position() const { return lsn(at_); }
    bool switched() const { return switched_; }
    /// The head continues a record that goes on beyond this segment's end too.
    bool head_goes_on() const { return head_goes_on_; }
    /// Length that the first page gives for the rest of the continued record; 0 when it continues none.
    std::uint32_t head_length() const { return head_length_; }
    /// The first page says that a record of the segment before was broken off by a crash and is not to be replayed.
    bool head_overwrites() const { return head_overwrites_; }

private:
    struct Page {
        std::uint16_t info = 0;
        std::uint32_t remaining = 0;
        std::size_t header_size = 0;
    };
    enum class Gathered { whole, cut, overwritten, broken };

    base::Lsn lsn(std::size_t offset) const { return {header_.page_address.value + offset}; }
    bool fail(std::string why);
    bool read_page(std::size_t offset, Page& page);
    void skip_head(std::string* head);
    bool head_was_switch(std::size_t after) const;
    bool at_end() const;
    bool step_over_page_header();
    bool read_length(std::uint32_t& length);
    Gathered gather(std::uint32_t length, std::size_t& end);
    bool check_header(std::span<const std::byte> record, std::uint32_t length);
    bool finish(Gathered gathered, std::uint32_t length, std::size_t end, WalRecord& record);
    bool rest_is_zero(std::size_t offset) const;
    bool check_size();

    std::span<const std::byte> segment_;  ///< Whole pages only.
    std::size_t size_;                    ///< Bytes given.
    WalSegmentHeader header_;
    std::size_t at_ = 0;
    base::Lsn previous_;  ///< Zero before the first record.
    std::uint32_t page_timeline_ = 0;
    std::uint32_t head_length_ = 0;
    bool head_goes_on_ = false;
    bool head_overwrites_ = false;
    base::Lsn end_;  ///< Zero: none.
    bool switched_ = false;
    bool done_ = false;
    std::string doubt_;
    std::vector<std::byte> assembled_;
    std::span<const std::byte> bytes_;
};

}  // namespace howdah::postgres
