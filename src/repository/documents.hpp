#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "repository/event.hpp"
#include "repository/lease.hpp"

namespace howdah::repository {

/// Bodies of links, as docs/internals/repository.md has them. Decoding throws "object NAME is damaged".

struct LeaseBody {
    bool held = false;
    std::string token;  ///< Of one acquisition; its renewals repeat it.
    LeaseHolder holder;
};
std::string encode_lease(const LeaseBody& lease);
LeaseBody decode_lease(std::string_view body, const std::string& name);

std::string encode_event(const Event& event);
Event decode_event(std::string_view body, const std::string& name);

/// The end of a chain or the ends of an archived timeline.
struct ChainEnd {
    std::uint64_t newest = 0;
    std::string hash;
};
struct TimelineEnds {
    std::string first, last;  ///< Segments.
    bool operator==(const TimelineEnds&) const = default;
};
struct LedgerArea {
    std::vector<std::string> roots;           ///< Ids, sorted.
    std::map<std::string, TimelineEnds> wal;  ///< By the eight digits of the timeline.
    std::vector<std::string> histories;       ///< Sorted.
};
struct LedgerBody {
    std::map<std::string, ChainEnd> chains;    ///< By prefix.
    std::map<std::string, std::string> slots;  ///< Name to document hash of the line (kind ledger).
    std::map<std::string, LedgerArea> areas;   ///< By prefix.
};
std::string encode_ledger(const LedgerBody& ledger);
LedgerBody decode_ledger(std::string_view body, const std::string& name);

struct Doomed {
    std::string name;
    base::Timestamp since;
};
std::string encode_doomed(const std::vector<Doomed>& doomed);
std::vector<Doomed> decode_doomed(std::string_view body, const std::string& name);

}  // namespace howdah::repository
