#include "fault.hpp"

#include <fmt/core.h>

#include <array>
#include <charconv>

namespace howdah::tests {

namespace {

constexpr std::array<std::string_view, kCallKinds> kKinds{"connect", "create",  "append", "commit", "open", "read",
                                                          "list",    "folders", "remove", "sync",   "now",  "leftovers"};
constexpr std::array<std::string_view, kShapes> kShapeWords{"error", "full", "cut", "garbled", "lost_reply", "outage"};

}  // namespace

std::string_view word(CallKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::string_view word(Shape shape) { return kShapeWords.at(static_cast<std::size_t>(shape)); }

std::vector<Shape> shapes_of(CallKind kind) {
    using enum Shape;
    switch (kind) {
        case CallKind::create: return {error, full, outage};
        case CallKind::append: return {full, outage};
        case CallKind::commit: return {error, full, lost_reply, outage};
        case CallKind::open: return {error, cut, outage};
        case CallKind::read: return {error, cut, garbled, outage};
        case CallKind::list: return {error, cut, outage};
        case CallKind::remove:
        case CallKind::sync:
        case CallKind::leftovers: return {error, lost_reply, outage};
        case CallKind::connect:
        case CallKind::folders:
        case CallKind::now: break;
    }
    return {error, outage};
}

std::string text(const Fault& fault) { return fault.call == 0 ? "no fault" : fmt::format("{}:{}", fault.call, word(fault.shape)); }

std::optional<Fault> parse_fault(std::string_view text) {
    Fault fault;
    const auto number = std::from_chars(text.data(), text.data() + text.size(), fault.call);
    if (number.ec != std::errc() || number.ptr == text.data() + text.size() || *number.ptr != ':') return std::nullopt;
    const std::string_view wanted(number.ptr + 1, text.data() + text.size());
    for (std::size_t i = 0; i < kShapes; ++i) {
        if (kShapeWords[i] != wanted) continue;
        fault.shape = static_cast<Shape>(i);
        return fault;
    }
    return std::nullopt;
}

}  // namespace howdah::tests
