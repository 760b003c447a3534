#include <fmt/core.h>

#include <algorithm>

#include "repository/chain.hpp"
#include "repository/damage.hpp"

namespace howdah::repository {

namespace {

/// The newest link that can be read says where its chain begins; without one the chain begins anew.
void find_beginning(Remains& remains, const std::map<std::uint64_t, Link>& readable) {
    remains.oldest = std::max<std::uint64_t>(remains.end, 1);
    if (readable.empty()) return;
    remains.oldest = readable.rbegin()->second.oldest;
    remains.lost = readable.rbegin()->second.lost;
}

}  // namespace

Remains Chain::examine(std::uint64_t known_end, const std::function<void(const Link&)>& check_body) const {
    Remains remains;
    remains.end = known_end;
    std::map<std::uint64_t, Link> readable;
    std::map<std::uint64_t, std::string> unreadable;
    for (const auto& [number, object] : list()) {
        remains.end = std::max(remains.end, number);
        remains.modified = object.modified;
        // Looked at twice: what is given up goes, and a read may have been wrong where the link is not.
        for (int look = 0; look < 2 && !readable.contains(number); ++look) try {
                Link link = read_link(number, object.modified);
                check_body(link);
                readable.emplace(number, std::move(link));
            } catch (const DamageFailure& failure) {
                unreadable.insert_or_assign(number, failure.damage());
            }
        if (readable.contains(number)) unreadable.erase(number);
    }
    find_beginning(remains, readable);
    for (std::uint64_t number = std::min(remains.oldest, unreadable.empty() ? remains.oldest : unreadable.begin()->first);
         number <= remains.end; ++number) {
        const auto next = readable.find(number + 1);
        if (const auto link = readable.find(number); link != readable.end()) {
            if (number < remains.oldest || remains.lost.contains(number)) continue;
            const bool follows =
                next == readable.end() || next->second.previous_hash == link->second.hash || next->second.lost.contains(number);
            if (follows)
                remains.good.push_back(std::move(link->second));
            else
                remains.damage[number] = "it is not the one that the link after it follows";
        } else if (const auto damaged = unreadable.find(number); damaged != unreadable.end()) {
            remains.damage[number] = damaged->second;
        } else if (number >= remains.oldest && !remains.lost.contains(number)) {
            remains.damage[number] = "it is missing";
        }
    }
    return remains;
}

void Chain::give_up(const Remains& remains, const std::string& body) {
    Link link;
    link.number = remains.end + 1;
    link.oldest = remains.oldest;
    link.previous_hash = remains.end_is_good() ? remains.good.back().hash : std::string(64, '0');
    link.body = body;
    link.lost = remains.lost;
    for (const auto& [number, what] : remains.damage)
        if (number >= link.oldest) link.lost.insert(number);
    if (!put(link))
        throw base::Failure(base::FailureKind::locked, fmt::format("another run wrote {} meanwhile", link_name(link.number)),
                            "run the repair again");
    for (const auto& [number, what] : remains.damage) repository_->store().remove(link_name(number));
    repository_->store().sync_removals();
}

}  // namespace howdah::repository
