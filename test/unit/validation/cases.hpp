// The validator cases of test/cases, read through jansson: what was typed and what is right.
#pragma once

#include <jansson.h>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

struct ValidatorCase {
    std::string id, why, country, type;
    std::vector<std::string> texts; // one, or several that must give one value
    bool is_ok = false;
    std::string value; // empty where the case names none
};

inline std::string text_member(const json_t *object, const char *name) {
    const json_t *member = json_object_get(object, name);
    return json_is_string(member) ? std::string(json_string_value(member), json_string_length(member)) : std::string();
}

inline std::vector<ValidatorCase> validator_cases(const std::string &file) {
    std::ifstream lines(std::string(RELYGATE_CASES) + "/" + file + ".jsonl");
    std::vector<ValidatorCase> cases;
    for (std::string line; std::getline(lines, line);) {
        json_t *root = json_loads(line.c_str(), 0, nullptr);
        if (!root)
            throw std::runtime_error("not JSON: " + line);
        const json_t *input = json_object_get(root, "input");
        const json_t *expected = json_object_get(root, "expected");
        ValidatorCase one{text_member(root, "id"),
                          text_member(root, "why"),
                          text_member(input, "tenant_country"),
                          text_member(input, "type"),
                          {},
                          json_is_true(json_object_get(expected, "ok")) != 0,
                          text_member(expected, "value")};
        if (json_object_get(input, "text"))
            one.texts.push_back(text_member(input, "text"));
        std::size_t i;
        json_t *text;
        json_array_foreach(json_object_get(input, "texts"), i, text) one.texts.emplace_back(json_string_value(text));
        json_decref(root);
        if (!one.texts.empty()) // the others need a server
            cases.push_back(one);
    }
    return cases;
}
