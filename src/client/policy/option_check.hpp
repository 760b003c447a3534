#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "howdah/moment.hpp"
#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// Looks at options one by one and keeps the first that makes no sense as an Error: "breaker.failure_share is out of range: 1.7".
class OptionCheck {
public:
    explicit OptionCheck(std::string_view group) : group_(group) {}

    OptionCheck& within(std::string_view option, double value, double least, double most);
    OptionCheck& within(std::string_view option, Duration value, Duration least, Duration most);
    /// Two options that belong together, such as base and cap.
    OptionCheck& ordered(std::string_view lower, bool in_order, std::string_view upper);
    Result<void> result() const;

private:
    void fail(std::string_view option, const std::string& seen, std::string hint);

    std::string group_;
    std::optional<Error> error_;
};

}  // namespace howdah::inline v0
