#pragma once

#include <type_traits>

#include "howdah/codec.hpp"
#include "howdah/parameter_list.hpp"

namespace howdah::inline v0 {

/// The values of $1, $2, … from C++ values: `Parameters parameters(7, "text", std::optional<Date>());`. std::string, const char* and bytes
/// are referenced and must live until the statement was sent; everything else is copied. Numbers, times and bytes go in binary form with
/// the type that is theirs; text goes without a type, so that the server takes it for what the statement needs there (a uuid, an enum,
/// a date). `std::nullopt` and an empty std::optional are NULL.
class Parameters : public ParameterList {
public:
    template <typename... Values>
    explicit Parameters(const Values&... values) {
        (add(values), ...);
    }

    template <typename Value>
    void add(const Value& value) {
        encode(*this, value);
    }
};

}  // namespace howdah::inline v0
