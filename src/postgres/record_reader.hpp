#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "postgres/load.hpp"

namespace howdah::postgres {

/// A reader that knows when it went too far: from then on it gives zeros and failed() is true.
class RecordReader {
public:
    explicit RecordReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
    template <typename T>
    T take() {
        if (!skip(sizeof(T))) return T{};
        return load<T>(bytes_, at_ - sizeof(T));
    }
    bool skip(std::uint64_t count) {
        if (failed_ || count > bytes_.size() - at_)
            failed_ = true;
        else
            at_ += static_cast<std::size_t>(count);
        return !failed_;
    }
    void fail() { failed_ = true; }
    bool failed() const { return failed_; }
    std::size_t at() const { return at_; }

private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    bool failed_ = false;
};

}  // namespace howdah::postgres
