#include "postgres/wal_walk.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/failure.hpp"
#include "postgres/crc32c.hpp"
#include "postgres/load.hpp"
#include "postgres/wal_record.hpp"

namespace howdah::postgres {

namespace {

constexpr std::uint16_t kContinuesRecord = 0x0001, kLongHeader = 0x0002, kOverwritesRecord = 0x0008, kKnownFlags = 0x000F;
/// PostgreSQL can hold no longer record in memory (MaxAllocSize; from 16 on XLogRecordMaxSize, which is less).
constexpr std::uint32_t kLongestRecord = (1u << 30) - 1;
constexpr std::size_t kCrcOffset = 20;

constexpr std::size_t align8(std::size_t value) { return (value + 7) & ~std::size_t{7}; }
constexpr std::size_t page_end(std::size_t offset) { return (offset / kWalPageSize + 1) * kWalPageSize; }

/// Where a record ends that begins at `begin` and may lie in several pages and segments, each page with its header.
base::Lsn end_of_record(base::Lsn begin, std::uint64_t length, std::uint64_t segment_size) {
    std::uint64_t at = begin.value;
    for (;;) {
        const std::uint64_t room = kWalPageSize - at % kWalPageSize;
        if (length <= room) return {at + align8(length)};
        length -= room;
        at += room;
        at += at % segment_size == 0 ? kWalLongHeader : kWalShortHeader;
    }
}

}  // namespace

std::uint32_t WalRecord::xid() const { return load<std::uint32_t>(bytes, 4); }
base::Lsn WalRecord::previous() const { return {load<std::uint64_t>(bytes, 8)}; }
std::uint8_t WalRecord::info() const { return load<std::uint8_t>(bytes, 16); }
std::uint8_t WalRecord::resource_manager() const { return load<std::uint8_t>(bytes, 17); }

bool record_sum_is_right(std::span<const std::byte> record) {
    const std::uint32_t body = crc32c_extend(kCrc32cStart, record.subspan(kWalRecordHeader));
    return crc32c_finish(crc32c_extend(body, record.first(kCrcOffset))) == load<std::uint32_t>(record, kCrcOffset);
}

Continuation continue_record(std::span<const std::byte> next, std::uint16_t magic, std::uint32_t length, std::string& bytes) {
    WalSegmentHeader header;
    try {
        header = parse_segment_header(next);
    } catch (const base::Failure& failure) {
        return {Continuation::broken, failure.what(), {}};
    }
    if (length <= bytes.size() || length < kWalRecordHeader) return {Continuation::broken, "its beginning is damaged", {}};
    std::string rest;
    const WalWalker walker(next, header, &rest);
    if (walker.head_overwrites() && walker.head_length() == 0) return {Continuation::overwritten, "it was overwritten", {}};
    if (header.magic != magic || walker.head_length() != length - bytes.size())
        return {Continuation::broken, "the following segment does not continue it", {}};
    bytes += rest;
    if (walker.head_goes_on()) return {Continuation::goes_on, {}, {}};
    if (bytes.size() == length) return {Continuation::whole, {}, walker.position()};
    if (walker.doubt().empty()) return {Continuation::overwritten, "it was overwritten", {}};
    return {Continuation::broken, walker.doubt(), {}};
}

WalWalker::WalWalker(std::span<const std::byte> segment, const WalSegmentHeader& header, std::string* head)
    : segment_(segment.first(std::min<std::size_t>(segment.size(), header.segment_size) / kWalPageSize * kWalPageSize)),
      size_(segment.size()),
      header_(header) {
    if (header.major == 0) {
        fail(fmt::format("the page magic {:04X} is of no known PostgreSQL version", header.magic));
    } else if (header.block_size != kWalPageSize) {
        fail(fmt::format("WAL pages of {} bytes are not handled", header.block_size));
    } else if (header.page_address.value % header.segment_size != 0) {
        fail(fmt::format("the first page's address {} is no multiple of the segment size {}", base::text(header.page_address),
                         header.segment_size));
    } else if (segment_.empty()) {
        fail("the segment is shorter than one page");
    } else {
        skip_head(head);
    }
}

bool WalWalker::fail(std::string why) {
    if (doubt_.empty()) doubt_ = std::move(why);
    done_ = true;
    return false;
}

bool WalWalker::rest_is_zero(std::size_t offset) const {
    return std::all_of(segment_.begin() + static_cast<std::ptrdiff_t>(offset), segment_.end(),
                       [](std::byte byte) { return byte == std::byte{0}; });
}

bool WalWalker::check_size() {
    return size_ == header_.segment_size ||
           fail(fmt::format("the segment holds {} bytes, its header says {}", size_, header_.segment_size));
}

bool WalWalker::read_page(std::size_t offset, Page& page) {
    const auto bytes = segment_.subspan(offset, kWalPageSize);
    const auto magic = load<std::uint16_t>(bytes, 0);
    const auto timeline = load<std::uint32_t>(bytes, 4);
    const base::Lsn address{load<std::uint64_t>(bytes, 8)};
    page.info = load<std::uint16_t>(bytes, 2);
    page.remaining = load<std::uint32_t>(bytes, 16);
    page.header_size = (page.info & kLongHeader) ? kWalLongHeader : kWalShortHeader;
    const std::string at = base::text(lsn(offset));
    if (magic != header_.magic)
        return fail(fmt::format("the page at {} has the magic {:04X}, the segment {:04X}", at, magic, header_.magic));
    if (page.info & ~kKnownFlags) return fail(fmt::format("the page at {} has unknown flags: {:04X}", at, page.info));
    if (address != lsn(offset)) return fail(fmt::format("the page at {} says it is at {}", at, base::text(address)));
    if (timeline < page_timeline_)
        return fail(fmt::format("the page at {} is of timeline {} after one of {}", at, timeline, page_timeline_));
    page_timeline_ = timeline;
    return true;
}

/// A switch record cut at its head by the last segment's end takes this whole segment, which then holds its rest and zeros. Its last 8
/// bytes are info, resource manager, 2 unused bytes and the sum.
bool WalWalker::head_was_switch(std::size_t after) const {
    if (head_length_ != 8 && head_length_ != 16) return false;
    const auto last = segment_.subspan(after - 8, 2);
    return is_switch(load<std::uint8_t>(last, 0), load<std::uint8_t>(last, 1)) && rest_is_zero(after);
}

void WalWalker::skip_head(std::string* head) {
    Page page;
    if (!read_page(0, page)) return;
    at_ = page.header_size;
    head_overwrites_ = (page.info & kOverwritesRecord) != 0;
    if (!(page.info & kContinuesRecord)) return;
    std::size_t left = head_length_ = page.remaining;
    if (left == 0) return void(fail("the first page continues a record but says that nothing of it is left"));
    for (;;) {
        const std::size_t piece = std::min(left, page_end(at_) - at_);
        if (head) head->append(reinterpret_cast<const char*>(segment_.data() + at_), piece);
        left -= piece;
        at_ += piece;
        if (left == 0) break;
        if (at_ == segment_.size()) {
            head_goes_on_ = true;
            return;
        }
        if (!read_page(at_, page)) return;
        if (page.info & kOverwritesRecord) return;
        if (!(page.info & kContinuesRecord) || page.remaining != left)
            return void(fail(fmt::format("the page at {} does not continue the record before it", base::text(lsn(at_)))));
        at_ += page.header_size;
    }
    at_ = align8(at_);
    if (head_was_switch(at_)) {
        switched_ = done_ = true;
        check_size();
    }
}

bool WalWalker::at_end() const {
    std::size_t at = at_;
    if (at % kWalPageSize == 0) at += lsn(at).value % header_.segment_size == 0 ? kWalLongHeader : kWalShortHeader;
    return end_ && lsn(at) >= end_;
}

bool WalWalker::step_over_page_header() {
    if (at_ % kWalPageSize != 0) return true;
    Page page;
    if (!read_page(at_, page)) return false;
    if (page.info & kContinuesRecord)
        return fail(fmt::format("the page at {} continues a record where none is open", base::text(lsn(at_))));
    at_ += page.header_size;
    return true;
}

bool WalWalker::read_length(std::uint32_t& length) {
    length = load<std::uint32_t>(segment_, at_);
    if (length >= kWalRecordHeader && length <= kLongestRecord) return true;
    if (length == 0 && rest_is_zero(at_)) return fail(fmt::format("the records end at {}, before the segment does", base::text(lsn(at_))));
    return fail(fmt::format("the record at {} has an impossible length: {}", base::text(lsn(at_)), length));
}

/// Finds the bytes of the record at `at_`: in place when they lie in one page, else put together.
WalWalker::Gathered WalWalker::gather(std::uint32_t length, std::size_t& end) {
    std::size_t at = at_;
    std::size_t piece = std::min<std::size_t>(length, page_end(at) - at);
    bytes_ = segment_.subspan(at, piece);
    end = at += piece;
    if (piece == length) return Gathered::whole;
    assembled_.assign(bytes_.begin(), bytes_.end());
    while (assembled_.size() < length) {
        bytes_ = assembled_;
        end = at;
        if (at == segment_.size()) return Gathered::cut;
        Page page;
        if (!read_page(at, page)) return Gathered::broken;
        if (page.info & kOverwritesRecord) return Gathered::overwritten;
        if (!(page.info & kContinuesRecord) || page.remaining != length - assembled_.size()) {
            fail(fmt::format("the page at {} does not continue the record before it", base::text(lsn(at))));
            return Gathered::broken;
        }
        at += page.header_size;
        piece = std::min<std::size_t>(page.remaining, page_end(at) - at);
        const auto more = segment_.subspan(at, piece);
        assembled_.insert(assembled_.end(), more.begin(), more.end());
        at += piece;
    }
    bytes_ = assembled_;
    end = at;
    return Gathered::whole;
}

bool WalWalker::check_header(std::span<const std::byte> record, std::uint32_t length) {
    if (record.size() < kWalRecordHeader) return true;
    const base::Lsn previous{load<std::uint64_t>(record, 8)};
    if (previous_ ? previous != previous_ : previous >= lsn(at_))
        return fail(fmt::format("the record at {} has a wrong link: {}", base::text(lsn(at_)), base::text(previous)));
    if (record.size() == length && !record_sum_is_right(record))
        return fail(fmt::format("the record at {} has a wrong checksum", base::text(lsn(at_))));
    return true;
}

bool WalWalker::finish(Gathered gathered, std::uint32_t length, std::size_t end, WalRecord& record) {
    record.begin = lsn(at_);
    record.length = length;
    record.bytes = bytes_;
    record.whole = gathered == Gathered::whole;
    record.end = record.whole ? lsn(align8(end)) : end_of_record(record.begin, length, header_.segment_size);
    if (!check_header(bytes_, length)) return false;
    previous_ = record.begin;
    at_ = record.whole ? align8(end) : segment_.size();
    if (!record.whole || is_switch(record.info(), record.resource_manager())) {
        switched_ = record.whole;
        done_ = true;
        check_size();
    }
    return true;
}

bool WalWalker::next(WalRecord& record) {
    while (!done_) {
        if (at_end()) {
            done_ = true;
            return false;
        }
        if (at_ == segment_.size()) {
            done_ = true;
            check_size();
            return false;
        }
        std::uint32_t length = 0;
        std::size_t end = 0;
        if (!step_over_page_header() || !read_length(length)) return false;
        const Gathered gathered = gather(length, end);
        switch (gathered) {
            case Gathered::broken: return false;
            case Gathered::overwritten: at_ = end; continue;
            case Gathered::cut:
                if (!check_size()) return false;
                break;
            case Gathered::whole: break;
        }
        return finish(gathered, length, end, record);
    }
    return false;
}

}  // namespace howdah::postgres
