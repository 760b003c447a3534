#include "client/policy/option_check.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace howdah::inline v0 {

namespace {

std::string text_of(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.10g", value);
    return text.data();
}

std::string text_of(Duration value) { return text_of(std::chrono::duration<double>(value).count()) + " s"; }

}  // namespace

OptionCheck& OptionCheck::within(std::string_view option, double value, double least, double most) {
    // Not-a-number is outside every range.
    if (!(value >= least && value <= most)) fail(option, text_of(value), "give " + text_of(least) + " to " + text_of(most));
    return *this;
}

OptionCheck& OptionCheck::within(std::string_view option, Duration value, Duration least, Duration most) {
    if (value < least || value > most) fail(option, text_of(value), "give " + text_of(least) + " to " + text_of(most));
    return *this;
}

OptionCheck& OptionCheck::ordered(std::string_view lower, bool in_order, std::string_view upper) {
    if (!in_order) fail(lower, "above " + std::string(upper), "give at most " + group_ + "." + std::string(upper));
    return *this;
}

void OptionCheck::fail(std::string_view option, const std::string& seen, std::string hint) {
    if (error_) return;
    std::string message = group_ + "." + std::string(option) + " is out of range: " + seen;
    error_ = Error(Phase::configure, Cause::usage, {std::move(message), {}, std::move(hint), {}});
}

Result<void> OptionCheck::result() const {
    if (error_) return *error_;
    return {};
}

}  // namespace howdah::inline v0
