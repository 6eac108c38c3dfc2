//! The list of promises is complete, and every test that it names is there.

use std::collections::BTreeSet;

const LIST: &str = include_str!("../../../src/behaviours.md");

promises![list:
    every_promise_is_a_test_or_says_why_not,
    every_test_that_the_list_names_is_there,
    every_test_is_in_the_list,
];

/// The lines of the tables: number, promise, where.
fn promises() -> Vec<[&'static str; 3]> {
    LIST.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| {
            let cells: Vec<&str> = line.split(" | ").collect();
            let cells: Result<[&str; 3], _> = cells.try_into();
            cells.unwrap_or_else(|_| panic!("not three cells: {line}"))
        })
        .filter(|[number, ..]| number.parse::<u32>().is_ok())
        .collect()
}

/// What stands in backticks and has two colons, in all of the list.
fn named() -> BTreeSet<&'static str> {
    LIST.split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.contains("::") && !name.contains(char::is_uppercase))
        .collect()
}

fn there() -> BTreeSet<String> {
    let tests = super::tests();
    tests.iter().map(|test| test.name().to_owned()).collect()
}

fn every_promise_is_a_test_or_says_why_not() {
    let promises = promises();
    let numbers: Vec<u32> = promises
        .iter()
        .map(|[number, ..]| number.parse().unwrap())
        .collect();
    assert_eq!(numbers, (1..=74).collect::<Vec<u32>>());
    for [number, what, answer] in promises {
        assert!(
            !what.is_empty() && !answer.is_empty(),
            "{number} says nothing"
        );
    }
}

fn every_test_that_the_list_names_is_there() {
    let there = there();
    let missing: Vec<_> = named()
        .into_iter()
        .filter(|name| !there.contains(*name))
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

fn every_test_is_in_the_list() {
    let named = named();
    let unnamed: Vec<_> = there()
        .into_iter()
        .filter(|name| !name.starts_with("list::") && !named.contains(name.as_str()))
        .collect();
    assert!(
        unnamed.is_empty(),
        "these tests are not in the list: {unnamed:#?}"
    );
}
