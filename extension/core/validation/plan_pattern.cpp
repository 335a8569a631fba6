// See plan_pattern.hpp.
#include "core/validation/plan_pattern.hpp"

namespace relygate::core {

namespace {

int take_number(std::string_view &plan) {
    int number = 0;
    while (!plan.empty() && plan.front() >= '0' && plan.front() <= '9') {
        number = number * 10 + (plan.front() - '0');
        plan.remove_prefix(1);
    }
    return number;
}

// After a #: is one of the listed lengths the number of digits that are left?
bool has_length(std::string_view plan, std::size_t digits) {
    const auto wanted = static_cast<int>(digits);
    for (;;) {
        const int from = take_number(plan);
        int to = from;
        if (!plan.empty() && plan.front() == '-') {
            plan.remove_prefix(1);
            to = take_number(plan);
        }
        if (wanted >= from && wanted <= to)
            return true;
        if (plan.empty() || plan.front() != ',')
            return false;
        plan.remove_prefix(1);
    }
}

// Takes "[...]" off the plan and tells whether the digit is in it.
bool take_class(std::string_view &plan, char digit) {
    bool is_in = false;
    plan.remove_prefix(1);
    while (plan.front() != ']') {
        const char first = plan.front();
        char last = first;
        plan.remove_prefix(1);
        if (plan.front() == '-') {
            last = plan[1];
            plan.remove_prefix(2);
        }
        is_in = is_in || (digit >= first && digit <= last);
    }
    plan.remove_prefix(1);
    return is_in;
}

// To the end of the alternative: the next | or ) of the same level.
std::string_view after_alternative(std::string_view plan) {
    int level = 0;
    while (level > 0 || (plan.front() != '|' && plan.front() != ')')) {
        level += plan.front() == '(' ? 1 : plan.front() == ')' ? -1 : 0;
        plan.remove_prefix(1);
    }
    return plan;
}

} // namespace

bool fits_plan(std::string_view plan, std::string_view digits) {
    for (;;) {
        if (plan.empty() || plan.front() == '|' || plan.front() == ')')
            return digits.empty();
        if (plan.front() == '#')
            return has_length(plan.substr(1), digits.size());
        if (plan.front() == '(') {
            do {
                plan.remove_prefix(1);
                if (fits_plan(plan, digits))
                    return true;
                plan = after_alternative(plan);
            } while (plan.front() == '|');
            return false;
        }
        if (digits.empty())
            return false;
        const char digit = digits.front();
        digits.remove_prefix(1);
        if (plan.front() == '[') {
            if (!take_class(plan, digit))
                return false;
            continue;
        }
        if (plan.front() != '.' && plan.front() != digit)
            return false;
        plan.remove_prefix(1);
    }
}

} // namespace relygate::core
