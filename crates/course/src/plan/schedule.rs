//! From minutes to a schedule: what goes in, and where the breaks are.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::{Chapter, Notes, Section};
use super::workshop::{Breaks, ChapterKey, Step, Workshop};
use crate::exercises::Exercise;

/// A chapter with what is known about its time.
#[derive(Clone, Debug)]
pub struct Known {
    /// The chapter.
    pub chapter: Chapter,
    /// Its minutes; `None` when it has no notes yet.
    pub notes: Option<Notes>,
    /// Its exercises.
    pub exercises: Vec<Exercise>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Minutes, from the first word to the last, with all breaks.
    pub length: u32,
    /// The first chapter and the last.
    pub chapters: (u32, u32),
    /// How long lunch is, when it is not what the workshop's file says.
    pub lunch: Option<u32>,
}

/// One line of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What.
    pub what: What,
    /// Minutes from the beginning of the workshop.
    pub from: u32,
    /// How long.
    pub minutes: u32,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Arriving.
    Welcome,
    /// A chapter, with the sections of it that are told.
    Chapter {
        /// Its number.
        number: u32,
        /// Its title.
        title: String,
        /// Those that are told.
        sections: Vec<Section>,
        /// Whether sections are left out.
        short: bool,
    },
    /// An exercise.
    Exercise {
        /// Its number.
        number: String,
        /// Its title.
        title: String,
    },
    /// Nobody has to sit.
    Break,
    /// The long one.
    Lunch,
    /// For questions, and for what takes longer.
    Free,
}

/// A chapter or an exercise that does not go in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// `chapter` or `exercise`.
    pub kind: &'static str,
    /// Its number.
    pub number: String,
    /// Its title.
    pub title: String,
    /// How long it takes, when that is known.
    pub minutes: Option<u32>,
    /// Why.
    pub why: String,
    /// Whether it goes without saying: it was not asked for, or it is an exercise whose chapter is left out.
    pub follows: bool,
}

/// A workshop from its first minute to its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// One after the other, without a gap.
    pub items: Vec<Item>,
    /// What is not in it.
    pub left_out: Vec<LeftOut>,
}

/// What has been chosen so far.
#[derive(Clone, Debug, Default)]
struct Chosen {
    /// Chapters, and whether they are short.
    chapters: BTreeMap<u32, bool>,
    exercises: BTreeSet<String>,
}

/// What would have to be true of the workshop's file for it to speak of this book.
///
/// # Errors
///
/// One sentence for each of its lines that names something that is not there.
pub fn contradictions(workshop: &Workshop, book: &[Known]) -> Vec<String> {
    let mut found = Vec::new();
    let known = |number: u32| book.iter().find(|one| one.chapter.number == number);
    for step in &workshop.order {
        match step {
            Step::Whole(number) if known(*number).is_none() => {
                found.push(format!(
                    "order names chapter {number}, which is not in the book"
                ));
            }
            Step::Short(number) if !workshop.short.contains_key(&ChapterKey(*number)) => {
                found.push(format!(
                    "order has \"{number} short\", and [short] does not say what that is"
                ));
            }
            Step::Exercise(number)
                if !book
                    .iter()
                    .any(|one| one.exercises.iter().any(|e| e.number == *number)) =>
            {
                found.push(format!("order names exercise {number}, which is not there"));
            }
            _ => {}
        }
    }
    for (ChapterKey(number), ids) in &workshop.short {
        let Some(one) = known(*number) else {
            found.push(format!(
                "[short] names chapter {number}, which is not in the book"
            ));
            continue;
        };
        let Some(notes) = &one.notes else { continue };
        for id in ids {
            if !notes.sections.iter().any(|section| section.id == *id) {
                found.push(format!("[short] names the section {id}, which has no minutes in the notes of chapter {number}"));
            }
        }
        if ids.is_empty() {
            found.push(format!("[short] leaves nothing of chapter {number}"));
        }
    }
    for (ChapterKey(number), needs) in &workshop.needs {
        for other in needs.iter().chain([number]) {
            if known(*other).is_none() {
                found.push(format!(
                    "[needs] names chapter {other}, which is not in the book"
                ));
            }
        }
        if needs.iter().any(|other| other >= number) {
            found.push(format!(
                "[needs] lets chapter {number} need one that does not come before it"
            ));
        }
    }
    found
}

/// Chooses what goes in, and puts it in order with its breaks.
pub fn schedule(workshop: &Workshop, book: &[Known], asked: Asked) -> Schedule {
    let book = Book {
        workshop,
        book,
        asked,
    };
    let mut chosen = Chosen::default();
    for step in book.steps() {
        let mut more = chosen.clone();
        match &step {
            Step::Whole(number) | Step::Short(number) => {
                let short = matches!(step, Step::Short(_));
                // What is whole is not made short again.
                if short && chosen.chapters.contains_key(number) {
                    continue;
                }
                more.chapters.insert(*number, short);
            }
            Step::Exercise(number) => {
                more.exercises.insert(number.clone());
            }
        }
        if book.is_possible(&step, &chosen) && book.fits(&more) {
            chosen = more;
        }
    }
    let mut items = book.lay_out(&chosen);
    let end = items.last().map_or(0, |item| item.from + item.minutes);
    if end < asked.length {
        items.push(Item {
            what: What::Free,
            from: end,
            minutes: asked.length - end,
        });
    }
    let left_out = book.left_out(&chosen, asked.length.saturating_sub(end + book.kept_free()));
    Schedule { items, left_out }
}

/// What a choice is made from.
struct Book<'a> {
    workshop: &'a Workshop,
    book: &'a [Known],
    asked: Asked,
}

impl Book<'_> {
    fn known(&self, number: u32) -> Option<&Known> {
        self.book.iter().find(|one| one.chapter.number == number)
    }

    fn is_asked(&self, number: u32) -> bool {
        (self.asked.chapters.0..=self.asked.chapters.1).contains(&number)
    }

    /// The order of the workshop's file, and then whatever it does not name, in the order of the book.
    fn steps(&self) -> Vec<Step> {
        let mut steps = self.workshop.order.clone();
        for one in self.book {
            let exercises = one.exercises.iter();
            let those = [Step::Whole(one.chapter.number)]
                .into_iter()
                .chain(exercises.map(|exercise| Step::Exercise(exercise.number.clone())));
            for step in those {
                if !steps.contains(&step) {
                    steps.push(step);
                }
            }
        }
        steps
    }

    /// Whether it is asked for, has minutes, and rests on what is chosen already.
    fn is_possible(&self, step: &Step, chosen: &Chosen) -> bool {
        match step {
            Step::Whole(number) | Step::Short(number) => {
                self.is_asked(*number)
                    && self.known(*number).is_some_and(|one| one.notes.is_some())
                    && self.misses(*number, chosen).is_none()
            }
            Step::Exercise(number) => self
                .chapter_of(number)
                .is_some_and(|chapter| chosen.chapters.contains_key(&chapter)),
        }
    }

    /// A chapter that this one needs, and that is neither chosen nor before what was asked for.
    fn misses(&self, number: u32, chosen: &Chosen) -> Option<u32> {
        let needs = self.workshop.needs.get(&ChapterKey(number))?;
        needs
            .iter()
            .copied()
            .find(|need| *need >= self.asked.chapters.0 && !chosen.chapters.contains_key(need))
    }

    fn chapter_of(&self, exercise: &str) -> Option<u32> {
        let one = self
            .book
            .iter()
            .find(|one| one.exercises.iter().any(|e| e.number == exercise))?;
        Some(one.chapter.number)
    }

    /// The minutes at the end that nothing may take.
    fn kept_free(&self) -> u32 {
        (self.asked.length * self.workshop.free).div_ceil(100)
    }

    fn fits(&self, chosen: &Chosen) -> bool {
        let end = self
            .lay_out(chosen)
            .last()
            .map_or(0, |item| item.from + item.minutes);
        end + self.kept_free() <= self.asked.length
    }

    /// The sections of a chapter that are told.
    fn sections(&self, number: u32, short: bool) -> Vec<Section> {
        let Some(notes) = self.known(number).and_then(|one| one.notes.as_ref()) else {
            return Vec::new();
        };
        let ids = self
            .workshop
            .short
            .get(&ChapterKey(number))
            .filter(|_| short);
        let is_told = |section: &&Section| ids.is_none_or(|ids| ids.contains(&section.id));
        notes.sections.iter().filter(is_told).cloned().collect()
    }

    /// All that is chosen, in the order of the book, with its breaks.
    fn lay_out(&self, chosen: &Chosen) -> Vec<Item> {
        let item = |what, minutes| Item {
            what,
            from: 0,
            minutes,
        };
        let mut taught = Vec::new();
        let welcome = &self.workshop.welcome;
        if self.asked.length >= welcome.from && welcome.minutes > 0 {
            taught.push(item(What::Welcome, welcome.minutes));
        }
        for one in self.book {
            let number = one.chapter.number;
            let Some(&short) = chosen.chapters.get(&number) else {
                continue;
            };
            let sections = self.sections(number, short);
            let minutes = sections.iter().map(|section| section.minutes).sum();
            let all = one.notes.as_ref().map_or(0, |notes| notes.sections.len());
            taught.push(item(
                What::Chapter {
                    number,
                    title: one.chapter.title.clone(),
                    short: sections.len() < all,
                    sections,
                },
                minutes,
            ));
            for exercise in &one.exercises {
                if chosen.exercises.contains(&exercise.number) {
                    let (number, title) = (exercise.number.clone(), exercise.title.clone());
                    taught.push(item(What::Exercise { number, title }, exercise.minutes));
                }
            }
        }
        self.with_breaks(taught)
    }

    fn with_breaks(&self, taught: Vec<Item>) -> Vec<Item> {
        let breaks = &self.workshop.breaks;
        let minutes: Vec<u32> = taught.iter().map(|item| item.minutes).collect();
        let before = break_places(&minutes, breaks.longest);
        let lunch = self.lunch(breaks);
        // Lunch is the break that is nearest to the middle of what is taught.
        let total: u32 = minutes.iter().sum();
        let middle = |place: &&usize| {
            let so_far: u32 = minutes[..**place].iter().sum();
            (2 * so_far).abs_diff(total)
        };
        let lunch_place = lunch.and_then(|_| before.iter().min_by_key(middle).copied());

        let (mut items, mut from) = (Vec::new(), 0);
        let mut add = |what, minutes| {
            items.push(Item {
                what,
                from,
                minutes,
            });
            from += minutes;
        };
        for (place, item) in taught.into_iter().enumerate() {
            match lunch {
                Some(minutes) if lunch_place == Some(place) => add(What::Lunch, minutes),
                _ if before.contains(&place) => add(What::Break, breaks.minutes),
                _ => {}
            }
            add(item.what, item.minutes);
        }
        items
    }

    /// How long lunch is, if there is one.
    fn lunch(&self, breaks: &Breaks) -> Option<u32> {
        let usual = (self.asked.length >= breaks.lunch_from).then_some(breaks.lunch);
        self.asked.lunch.or(usual).filter(|minutes| *minutes > 0)
    }

    fn left_out(&self, chosen: &Chosen, left: u32) -> Vec<LeftOut> {
        let mut out = Vec::new();
        for one in self.book {
            let number = one.chapter.number;
            let is_in = chosen.chapters.contains_key(&number);
            let too_long = |minutes: u32| match left {
                0..=1 => format!("it takes {minutes} minutes, and no time is left"),
                _ if minutes > left => format!("it takes {minutes} minutes, and {left} are left"),
                _ => format!("it takes {minutes} minutes, and needs another break"),
            };
            if !is_in {
                let asked = self.is_asked(number);
                let why = match &one.notes {
                    _ if !asked => "it is outside the chapters asked for".to_owned(),
                    None => format!(
                        "it has no notes yet, in {}",
                        super::notes::file_of(&one.chapter)
                    ),
                    Some(notes) => match self.misses(number, chosen) {
                        Some(need) => format!("it needs chapter {need}, which is left out"),
                        None => too_long(notes.minutes),
                    },
                };
                out.push(LeftOut {
                    kind: "chapter",
                    number: number.to_string(),
                    title: one.chapter.title.clone(),
                    minutes: one.notes.as_ref().map(|notes| notes.minutes),
                    why,
                    follows: !asked,
                });
            }
            for exercise in &one.exercises {
                if !chosen.exercises.contains(&exercise.number) {
                    out.push(LeftOut {
                        kind: "exercise",
                        number: exercise.number.clone(),
                        title: exercise.title.clone(),
                        minutes: Some(exercise.minutes),
                        why: match is_in {
                            true => too_long(exercise.minutes),
                            false => "its chapter is left out".to_owned(),
                        },
                        follows: !is_in,
                    });
                }
            }
        }
        out
    }
}

/// Before which items there is a break: as few breaks as it takes for nobody to sit longer than `longest`, and those where
/// the longest time without one is as short as can be. An item that is longer by itself stays whole.
fn break_places(minutes: &[u32], longest: u32) -> Vec<usize> {
    // What fits between two breaks, from the left: with a limit, this needs the fewest of them.
    let places = |limit: u32| {
        let (mut places, mut since) = (Vec::new(), 0);
        for (place, minutes) in minutes.iter().enumerate() {
            if since > 0 && since + minutes > limit {
                places.push(place);
                since = 0;
            }
            since += minutes;
        }
        places
    };
    let fewest = places(longest);
    let lower = minutes.iter().copied().max().unwrap_or(0);
    (lower..longest)
        .map(places)
        .find(|places| places.len() == fewest.len())
        .unwrap_or(fewest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_are_few_and_evenly_spread() {
        assert_eq!(break_places(&[], 65), [0usize; 0]);
        assert_eq!(break_places(&[30, 30], 65), [0usize; 0]);
        // 62 would do with one break after 60; after 32 it is more even.
        assert_eq!(break_places(&[15, 12, 5, 10, 10, 10, 8], 65), [3]);
        assert_eq!(break_places(&[30, 30, 30, 30], 65), [2]);
        assert_eq!(break_places(&[90, 10, 90], 65), [1, 2]);
        assert_eq!(break_places(&[90], 65), [0usize; 0]);
    }
}
