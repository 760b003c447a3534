#pragma once

#include <string>
#include <vector>

#include "base/units.hpp"

namespace howdah::postgres::testing {

/// What stands in a record before its main data.
struct MadeBlocks {
    std::string headers;
    std::string data;
    /// A reference to a block of 1663/5/`relation`, whose id is the number of those before, with `data_size` bytes of data.
    MadeBlocks& refer(std::uint32_t relation, std::uint32_t block, unsigned fork = 0, std::size_t data_size = 0);
    /// A reference to a block of the relation before, with a full-page image that is not compressed and has no hole.
    MadeBlocks& refer_same(std::uint32_t block);

private:
    char next_id_ = 0;
};

/// Lays out WAL of 15, or of another major by its page magic, in 1 MiB segments from records given one by one, so that a test decides
/// where a segment's end cuts them.
class MadeWal {
public:
    static constexpr std::size_t kSegment = 1u << 20;

    explicit MadeWal(std::uint16_t magic = 0xD110);
    /// A record with that main data; gives where it begins.
    base::Lsn add(std::uint8_t manager, std::uint8_t info, const std::string& main, std::uint32_t xid = 700, const MadeBlocks& blocks = {});
    /// Records of no matter until the next one would begin `before_end` bytes before the segment's end (a multiple of 8, at least 8).
    void fill_until(std::size_t before_end);
    /// A record that is broken off at the segment's end and overwritten in the next segment.
    void add_overwritten(std::uint8_t manager, std::uint8_t info, const std::string& main);
    /// Where the next record may begin.
    base::Lsn position() const;
    /// The segments so far, the last filled with zeros.
    std::vector<std::string> segments() const;

private:
    void open_page(std::uint16_t flags, std::uint32_t remaining);
    std::string make_record(std::uint8_t manager, std::uint8_t info, const std::string& main, std::uint32_t xid, const MadeBlocks& blocks);
    std::size_t left_in_segment() const { return kSegment - bytes_.size() % kSegment; }

    std::uint16_t magic_;
    std::string bytes_;
    base::Lsn previous_;
};

}  // namespace howdah::postgres::testing
