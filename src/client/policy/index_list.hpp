#pragma once

#include <cstdint>
#include <vector>

namespace howdah::inline v0 {

inline constexpr std::uint32_t kNowhere = 0xffffffffU;

/// A member of a node that is at most in one list at a time.
struct Links {
    std::uint32_t before = kNowhere;
    std::uint32_t next = kNowhere;
};

/// A doubly linked list through the elements of a vector, by index: no allocation, everything in constant time. The vector keeps its
/// size.
template <typename Node, Links Node::* kLinks>
class IndexList {
public:
    explicit IndexList(std::vector<Node>& nodes) : nodes_(nodes.data()) {}

    bool empty() const noexcept { return first_ == kNowhere; }
    std::uint32_t size() const noexcept { return size_; }
    std::uint32_t first() const noexcept { return first_; }
    std::uint32_t last() const noexcept { return last_; }
    std::uint32_t next(std::uint32_t index) const noexcept { return (nodes_[index].*kLinks).next; }

    void push_back(std::uint32_t index) noexcept {
        links(index) = {last_, kNowhere};
        (last_ == kNowhere ? first_ : links(last_).next) = index;
        last_ = index;
        ++size_;
    }
    void push_front(std::uint32_t index) noexcept {
        links(index) = {kNowhere, first_};
        (first_ == kNowhere ? last_ : links(first_).before) = index;
        first_ = index;
        ++size_;
    }
    /// The element must be in this list.
    void remove(std::uint32_t index) noexcept {
        const Links gone = links(index);
        (gone.before == kNowhere ? first_ : links(gone.before).next) = gone.next;
        (gone.next == kNowhere ? last_ : links(gone.next).before) = gone.before;
        --size_;
    }
    /// The list must not be empty.
    std::uint32_t pop_front() noexcept {
        const std::uint32_t index = first_;
        remove(index);
        return index;
    }

private:
    Links& links(std::uint32_t index) noexcept { return nodes_[index].*kLinks; }

    Node* nodes_;
    std::uint32_t first_ = kNowhere;
    std::uint32_t last_ = kNowhere;
    std::uint32_t size_ = 0;
};

}  // namespace howdah::inline v0
