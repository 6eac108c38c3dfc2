//! The answer to an exercise that has `whatif-std` for its std, compiled and run with the real one: in this package
//! nothing is renamed.

use std::any::{TypeId, type_name_of_val};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

#[path = "../../../solutions/06-two-keys/src/lib.rs"]
mod two_keys;

use two_keys::House;

const ROUNDS: u32 = 1_000;

#[test]
fn it_speaks_of_std_and_of_nothing_else() {
    let source = include_str!("../../../solutions/06-two-keys/src/lib.rs");
    assert!(source.contains("use std::sync::"));
    assert!(!source.contains("whatif"));

    let house = House::new(vec![Mutex::new(1)]);
    let real: &Mutex<u32> = &house.racks[0];
    assert!(type_name_of_val(real).starts_with("std::sync::"));
    assert_ne!(
        TypeId::of::<Mutex<u32>>(),
        TypeId::of::<whatif_std::sync::Mutex<u32>>()
    );
}

#[test]
fn it_runs_for_real() {
    let house = Arc::new(House::new(vec![Mutex::new(6), Mutex::new(3)]));
    let (done, gone_home) = mpsc::channel();
    for (from, to) in [(0, 1), (1, 0)] {
        let (house, done) = (house.clone(), done.clone());
        thread::spawn(move || {
            for _ in 0..ROUNDS {
                house.move_bottles(from, to, 2, |_| assert_eq!(house.count(to, from), 9));
            }
            done.send(()).expect("somebody waits");
        });
    }
    for _ in 0..2 {
        let end = gone_home.recv_timeout(Duration::from_secs(60));
        end.expect("two robots have stood still for a minute, or one has broken down");
    }
}
