#pragma once

#include <cstdint>

/// Seeded random schedules over the breaker, the retry budget and the pool together, in virtual time. Outside of namespace howdah: the
/// planted bugs are the same sources compiled once more under other names, and all report here.
namespace simulation {

struct Result {
    std::uint64_t schedules = 0;
    std::uint64_t events = 0;
    const char* broken = nullptr;  ///< The invariant that did not hold; none when all did.
    std::uint64_t seed = 0;        ///< Of the schedule in which it did not.
    std::uint32_t event = 0;
    std::uint64_t opened = 0, closed = 0, served = 0, refused = 0, rejected = 0;  ///< So that a schedule where nothing happens shows.
};

/// Runs the schedules of `count` seeds and stops at the first broken invariant.
using Simulate = Result (*)(std::uint64_t first_seed, std::uint64_t count);

/// The variants with planted bugs register themselves before main().
struct Planted {
    const char* name;
    Simulate simulate;
    Planted* next;
    static Planted*& list();
    Planted(const char* what, Simulate how) : name(what), simulate(how), next(list()) { list() = this; }
};

}  // namespace simulation

namespace howdah {

simulation::Result simulate(std::uint64_t first_seed, std::uint64_t count);

}  // namespace howdah
