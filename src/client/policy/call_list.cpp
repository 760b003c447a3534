#include "client/policy/call_list.hpp"

namespace howdah::inline v0 {

CallList::CallList(std::uint32_t places) : nodes_(places) {
    for (std::uint32_t place = places; place-- > 0;) {
        nodes_[place].next = free_;
        free_ = place;
    }
}

CallList::Entry CallList::add(Moment begun) noexcept {
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

CallList::Removed CallList::remove(Entry entry) noexcept {
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

bool CallList::mark_one(Moment begun_until) noexcept {
    if (unmarked_ == kNone || nodes_[unmarked_].begun > begun_until) return false;
    nodes_[unmarked_].marked = true;
    unmarked_ = nodes_[unmarked_].next;
    return true;
}

void CallList::clear() noexcept {
    while (first_ != kNone) remove({first_, nodes_[first_].use});
}

}  // namespace howdah::inline v0
