#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::tests {

/// The calls of the store's contract (storage/store.hpp).
enum class CallKind : std::uint8_t { connect, create, append, commit, open, read, list, folders, remove, sync, now, leftovers };
inline constexpr std::size_t kCallKinds = 12;
std::string_view word(CallKind kind);

/// How one call fails.
enum class Shape : std::uint8_t {
    error,       ///< An I/O error, and nothing was done.
    full,        ///< No space on the device, and nothing was done.
    cut,         ///< An object that ends at its half; a read that gets half of its bytes and fails; a listing that fails at its half.
    garbled,     ///< A read that succeeds with one bit wrong.
    lost_reply,  ///< It was done, and then an I/O error.
    outage,      ///< An I/O error, and every later call fails too.
};
inline constexpr std::size_t kShapes = 6;
std::string_view word(Shape shape);
/// What can happen to a call of that kind.
std::vector<Shape> shapes_of(CallKind kind);

/// The call that fails, counted from 1 in the order in which an operation makes them; 0: none.
struct Fault {
    std::uint64_t call = 0;
    Shape shape = Shape::error;
};
std::string text(const Fault& fault);
/// "17:cut"; none when it is not of that form.
std::optional<Fault> parse_fault(std::string_view text);

/// A call that was made.
struct Call {
    CallKind kind = CallKind::connect;
    std::string object;  ///< Name or prefix.
};

}  // namespace howdah::tests
