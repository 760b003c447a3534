#pragma once

#include <string>
#include <string_view>

#include "base/failure.hpp"

namespace howdah::repository {

/// A failure about one object, which keeps the object's name apart.
class DamageFailure : public base::Failure {
public:
    DamageFailure(std::string object, std::string what);
    ~DamageFailure() override;
    const std::string& object() const noexcept { return object_; }
    const std::string& damage() const noexcept { return damage_; }

private:
    std::string object_, damage_;
};

/// Failure(operation) "object NAME is damaged: what".
[[noreturn]] void throw_damaged(const std::string& name, std::string_view what);

}  // namespace howdah::repository
