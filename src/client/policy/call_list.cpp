#include "client/policy/call_list.hpp"

namespace howdah::inline v0 {

CallList::CallList(std::uint32_t places) : nodes_(places) {
    for (std::uint32_t place = places; place-- > 0;) {
        nodes_[place].next = free_;
        free_ = place;
    }
}

bool CallList::mark_one(Moment begun_until) noexcept {
    if (!any_to_mark(begun_until)) return false;
    nodes_[unmarked_].marked = true;
    unmarked_ = nodes_[unmarked_].next;
    return true;
}

void CallList::clear() noexcept {
    while (first_ != kNone) remove({first_, nodes_[first_].use});
}

}  // namespace howdah::inline v0
