use referee::{
    dice::Dice,
    program::{Kind, Program},
    under_shuttle,
};
#[test]
fn t() {
    std::panic::set_hook(Box::new(|_| {}));
    for kind in [
        Kind::Locks,
        Kind::Tries,
        Kind::Bells,
        Kind::Channel,
        Kind::Rest,
    ] {
        let t = std::time::Instant::now();
        let (mut complete, mut stuck, mut runs, mut outs) = (0, 0, 0, 0);
        for seed in 0..60 {
            let p = Program::random(kind, &mut Dice::new(seed));
            let f = under_shuttle::explore(&p, 20_000);
            complete += usize::from(f.complete);
            runs += f.runs;
            if f.complete {
                outs += f.outcomes.len();
                stuck += usize::from(f.outcomes.iter().any(|o| o.stuck));
            }
        }
        eprintln!(
            "{kind:?}: {complete} complete, {stuck} stuck, {runs} runs, {outs} outcomes, {:?}",
            t.elapsed()
        );
    }
}
#[test]
fn l() {
    use referee::{
        hand_over::{self, Style},
        under_loom,
    };
    std::panic::set_hook(Box::new(|_| {}));
    for style in [Style::Signs, Style::Absence] {
        let t = std::time::Instant::now();
        let (mut races, mut none, mut many) = (0, 0, 0);
        for seed in 0..300 {
            match under_loom::races(&hand_over::random(style, &mut Dice::new(seed))) {
                Some(true) => races += 1,
                Some(false) => none += 1,
                None => many += 1,
            }
        }
        eprintln!(
            "{style:?}: {races} races, {none} none, {many} too many, complete {:?}",
            t.elapsed()
        );
    }
}
