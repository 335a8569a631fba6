// State machines as constexpr tables: triggers, documents and tests read the same rows. What is not listed is refused.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

namespace relygate::core {

struct Transition {
    std::string_view from, to;
};

struct StateMachine {
    std::string_view subject; // as it stands in messages: "visit"
    std::span<const std::string_view> states;
    std::span<const std::string_view> births; // the states in which something may come into being
    std::span<const Transition> transitions;

    constexpr bool has(std::string_view state) const { return contains(states, state); }
    constexpr bool may_begin(std::string_view state) const { return contains(births, state); }
    constexpr bool may_change(std::string_view from, std::string_view to) const {
        return std::any_of(transitions.begin(), transitions.end(),
                           [&](const Transition &t) { return t.from == from && t.to == to; });
    }
    constexpr bool is_final(std::string_view state) const {
        return std::none_of(transitions.begin(), transitions.end(),
                            [&](const Transition &t) { return t.from == state; });
    }

  private:
    static constexpr bool contains(std::span<const std::string_view> list, std::string_view state) {
        return std::find(list.begin(), list.end(), state) != list.end();
    }
};

} // namespace relygate::core
