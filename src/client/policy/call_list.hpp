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

    Entry add(Moment begun) noexcept;
    enum class Removed { unknown, fresh, marked };
    /// `unknown` for a call that was not listed or was removed before.
    Removed remove(Entry entry) noexcept;
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
