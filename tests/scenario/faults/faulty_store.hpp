#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fault.hpp"
#include "storage/store.hpp"

namespace howdah::tests {

/// What calls an operation made and which of them fails: in memory that a process shares with its children, so that a fetch's detached
/// look-ahead is counted too. Thread-safe.
class CallBook {
public:
    CallBook();
    ~CallBook();
    CallBook(const CallBook&) = delete;
    CallBook& operator=(const CallBook&) = delete;

    /// Begins a new operation.
    void reset(const Fault& fault);
    /// The calls so far, in order; what is beyond the book's room is counted and has no names.
    std::vector<Call> calls() const;
    /// The call to which the fault happened; none when the operation ended before it.
    const Call* struck() const;

    /// Notes a call. True when the fault is to happen in it, in a way that the caller knows; throws where the call just fails.
    bool note(CallKind kind, const std::string& object);
    Shape shape() const;
    [[noreturn]] void fail(CallKind kind, const std::string& object, int error) const;

private:
    struct Shared;
    Shared* shared_;
    mutable Call struck_;
};

/// From now on every store that this process opens obeys the book; none ends that. The book must live as long.
void intercept_stores(CallBook* book);

}  // namespace howdah::tests
