#pragma once

#include <string>
#include <vector>

#include "base/units.hpp"

namespace howdah::postgres::testing {

/// Lays out WAL of 15 in 1 MiB segments from records given one by one, so that a test decides where a segment's end cuts them.
class MadeWal {
public:
    static constexpr std::size_t kSegment = 1u << 20;

    MadeWal();
    /// A record with that main data; gives where it begins.
    base::Lsn add(std::uint8_t manager, std::uint8_t info, const std::string& main, std::uint32_t xid = 700);
    /// Records of no matter until the next one would begin `before_end` bytes before the segment's end (a multiple of 8, at least 8).
    void fill_until(std::size_t before_end);
    /// A record that is broken off at the segment's end and overwritten in the next segment.
    void add_overwritten(std::uint8_t manager, std::uint8_t info, const std::string& main);
    /// The segments so far, the last filled with zeros.
    std::vector<std::string> segments() const;

private:
    void open_page(std::uint16_t flags, std::uint32_t remaining);
    std::string make_record(std::uint8_t manager, std::uint8_t info, const std::string& main, std::uint32_t xid);
    std::size_t left_in_segment() const { return kSegment - bytes_.size() % kSegment; }

    std::string bytes_;
    base::Lsn previous_;
};

}  // namespace howdah::postgres::testing
