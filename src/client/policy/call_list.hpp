#pragma once

#include <cstdint>
#include <vector>

#include "howdah/moment.hpp"

namespace howdah::inline v0 {

/// The calls under way in the order in which they began, so that those that have become slow are found without looking at the others.
/// Places are made once; with all of them taken a call is not listed. Moments must not go back.
class CallList {
public:
    static constexpr std::uint32_t kNone = 0xffffffffU;

    /// A place and the number of its use, so that coming back twice is seen.
    struct Entry {
        std::uint32_t place = kNone;
        std::uint32_t use = 0;
    };

    explicit CallList(std::uint32_t places);

    Entry add(Moment begun) noexcept {
        if (free_ == kNone) return {};
        const std::uint32_t place = free_;
        Node& node = nodes_[place];
        free_ = node.next;
        node = Node{last_, kNone, node.use + 1, true, false, begun};
        (last_ == kNone ? first_ : nodes_[last_].next) = place;
        last_ = place;
        if (unmarked_ == kNone) unmarked_ = place;
        return {place, node.use};
    }
    enum class Removed { unknown, fresh, marked };
    /// `unknown` for a call that was not listed or was removed before.
    Removed remove(Entry entry) noexcept {
        if (entry.place >= nodes_.size()) return Removed::unknown;
        Node& node = nodes_[entry.place];
        if (!node.listed || node.use != entry.use) return Removed::unknown;
        (node.before == kNone ? first_ : nodes_[node.before].next) = node.next;
        (node.next == kNone ? last_ : nodes_[node.next].before) = node.before;
        if (unmarked_ == entry.place) unmarked_ = node.next;
        node.listed = false;
        node.next = free_;
        free_ = entry.place;
        return node.marked ? Removed::marked : Removed::fresh;
    }
    /// Whether mark_one() would find a call.
    bool any_to_mark(Moment begun_until) const noexcept { return unmarked_ != kNone && nodes_[unmarked_].begun <= begun_until; }
    /// Marks the oldest call not yet marked if it began at or before the moment; false when there is none.
    bool mark_one(Moment begun_until) noexcept;
    void clear() noexcept;

private:
    struct Node {
        std::uint32_t before = kNone;
        std::uint32_t next = kNone;
        std::uint32_t use = 0;
        bool listed = false;
        bool marked = false;
        Moment begun{};
    };

    std::vector<Node> nodes_;
    std::uint32_t free_ = kNone;
    std::uint32_t first_ = kNone;
    std::uint32_t last_ = kNone;
    std::uint32_t unmarked_ = kNone;  ///< All before it are marked.
};

}  // namespace howdah::inline v0
