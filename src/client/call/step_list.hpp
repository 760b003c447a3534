#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "client/session.hpp"
#include "howdah/parameters.hpp"
#include "howdah/statement.hpp"

namespace howdah::inline v0 {

/// The steps of one request being made up. Refers to what it is given.
class StepList {
public:
    /// A fixed text without parameters.
    void add(Step::Part part, const char* sql) { push({Step::Kind::text, part, sql, nullptr, {}, 0}); }
    void add(Step::Part part, const char* sql, const ParameterView& parameters) {
        push({Step::Kind::text, part, sql, nullptr, parameters, 0});
    }
    /// The statement as the session can take it best: by name, prepared on the way when it is the first time.
    void add(Step::Part part, const Session& session, const Query& query, const ParameterView& parameters, bool by_name);

    std::size_t size() const noexcept { return size_; }
    bool room_for(std::size_t steps) const noexcept { return size_ + steps <= steps_.size(); }
    std::span<const Step> steps() const noexcept { return std::span(steps_).first(size_); }

private:
    void push(const Step& step) {
        if (size_ < steps_.size()) steps_[size_++] = step;
    }
    std::array<Step, Session::kMostSteps> steps_;
    std::size_t size_ = 0;
};

ParameterView view(const ParameterList& list) noexcept;

}  // namespace howdah::inline v0
