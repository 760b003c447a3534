#pragma once

#include <cstddef>
#include <tuple>

namespace howdah::loading {

/// A function of a shared library that is loaded at the first call for one of its functions, and stays. Safe from any thread.
/// Failure(operation) when the library or the function is not there.
void* find_function(const char* library, const char* package, const char* function);

/// The parts of a function's type.
template <typename Function>
struct Signature;
template <typename R, typename... Parameters>
struct Signature<R(Parameters...)> {
    using Result = R;
    template <std::size_t N>
    using Parameter = std::tuple_element_t<N, std::tuple<Parameters...>>;
};

}  // namespace howdah::loading

// FORWARD_n(name) defines the function `name` of n parameters, as its library's header declares it, so that it calls the library's own.
// The file says before which one: kLibrary (what the loader looks for) and kPackage (Debian's package that has it).
#define HOWDAH_PARAMETER(name, n) ::howdah::loading::Signature<decltype(name)>::Parameter<n>
#define HOWDAH_FORWARD(name, parameters, arguments)                                                                                   \
    extern "C" ::howdah::loading::Signature<decltype(name)>::Result name parameters {                                                 \
        static auto* const function = reinterpret_cast<decltype(&name)>(::howdah::loading::find_function(kLibrary, kPackage, #name)); \
        return function arguments;                                                                                                    \
    }
#define FORWARD_0(f) HOWDAH_FORWARD(f, (), ())
#define FORWARD_1(f) HOWDAH_FORWARD(f, (HOWDAH_PARAMETER(f, 0) a), (a))
#define FORWARD_2(f) HOWDAH_FORWARD(f, (HOWDAH_PARAMETER(f, 0) a, HOWDAH_PARAMETER(f, 1) b), (a, b))
#define FORWARD_3(f) HOWDAH_FORWARD(f, (HOWDAH_PARAMETER(f, 0) a, HOWDAH_PARAMETER(f, 1) b, HOWDAH_PARAMETER(f, 2) c), (a, b, c))
#define FORWARD_4(f)                                                                                                            \
    HOWDAH_FORWARD(f, (HOWDAH_PARAMETER(f, 0) a, HOWDAH_PARAMETER(f, 1) b, HOWDAH_PARAMETER(f, 2) c, HOWDAH_PARAMETER(f, 3) d), \
                   (a, b, c, d))
#define FORWARD_5(f)                                                                                                        \
    HOWDAH_FORWARD(f,                                                                                                       \
                   (HOWDAH_PARAMETER(f, 0) a, HOWDAH_PARAMETER(f, 1) b, HOWDAH_PARAMETER(f, 2) c, HOWDAH_PARAMETER(f, 3) d, \
                    HOWDAH_PARAMETER(f, 4) e),                                                                              \
                   (a, b, c, d, e))
#define FORWARD_6(f)                                                                                                        \
    HOWDAH_FORWARD(f,                                                                                                       \
                   (HOWDAH_PARAMETER(f, 0) a, HOWDAH_PARAMETER(f, 1) b, HOWDAH_PARAMETER(f, 2) c, HOWDAH_PARAMETER(f, 3) d, \
                    HOWDAH_PARAMETER(f, 4) e, HOWDAH_PARAMETER(f, 5) g),                                                    \
                   (a, b, c, d, e, g))
#define FORWARD_7(f)                                                                                                        \
    HOWDAH_FORWARD(f,                                                                                                       \
                   (HOWDAH_PARAMETER(f, 0) a, HOWDAH_PARAMETER(f, 1) b, HOWDAH_PARAMETER(f, 2) c, HOWDAH_PARAMETER(f, 3) d, \
                    HOWDAH_PARAMETER(f, 4) e, HOWDAH_PARAMETER(f, 5) g, HOWDAH_PARAMETER(f, 6) h),                          \
                   (a, b, c, d, e, g, h))
#define FORWARD_8(f)                                                                                                         \
    HOWDAH_FORWARD(f,                                                                                                        \
                   (HOWDAH_PARAMETER(f, 0) a, HOWDAH_PARAMETER(f, 1) b, HOWDAH_PARAMETER(f, 2) c, HOWDAH_PARAMETER(f, 3) d,  \
                    HOWDAH_PARAMETER(f, 4) e, HOWDAH_PARAMETER(f, 5) g, HOWDAH_PARAMETER(f, 6) h, HOWDAH_PARAMETER(f, 7) i), \
                   (a, b, c, d, e, g, h, i))
#define FORWARD_10(f)                                                                                                       \
    HOWDAH_FORWARD(f,                                                                                                       \
                   (HOWDAH_PARAMETER(f, 0) a, HOWDAH_PARAMETER(f, 1) b, HOWDAH_PARAMETER(f, 2) c, HOWDAH_PARAMETER(f, 3) d, \
                    HOWDAH_PARAMETER(f, 4) e, HOWDAH_PARAMETER(f, 5) g, HOWDAH_PARAMETER(f, 6) h, HOWDAH_PARAMETER(f, 7) i, \
                    HOWDAH_PARAMETER(f, 8) j, HOWDAH_PARAMETER(f, 9) k),                                                    \
                   (a, b, c, d, e, g, h, i, j, k))
