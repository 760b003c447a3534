#pragma once

#include <cstdint>

namespace howdah::inline v0 {

/// At most so many calls at once, waiting ones included, so that one slow endpoint cannot hold every thread of a service. A limit of 0
/// means none. Not thread-safe.
class Bulkhead {
public:
    explicit Bulkhead(std::uint32_t limit) : limit_(limit) {}

    bool full() const noexcept { return limit_ != 0 && inside_ >= limit_; }
    /// False, and nothing taken, when it is full.
    bool enter() noexcept {
        if (full()) {
            ++rejected_;
            return false;
        }
        ++inside_;
        return true;
    }
    /// Once for each enter() that was true. One too many is ignored.
    void leave() noexcept { inside_ -= inside_ > 0 ? 1 : 0; }

    /// A lower limit holds from the next call on; those inside finish.
    void set_limit(std::uint32_t limit) noexcept { limit_ = limit; }
    std::uint32_t inside() const noexcept { return inside_; }
    std::uint64_t rejected() const noexcept { return rejected_; }

private:
    std::uint32_t limit_;
    std::uint32_t inside_ = 0;
    std::uint64_t rejected_ = 0;
};

}  // namespace howdah::inline v0
