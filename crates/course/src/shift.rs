//! `course shift`: an evening in the restaurant, in the terminal or as a stream for a page.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use flight::rules::{self, Limits};
use flight::{Event, Follower, Header, Recorder, Recording};
use restaurant::{Pace, Report, Shift};
use threadbots::Coordination;

use crate::cli;
use crate::crowd::{self, Crowd, Robots};
use crate::trouble::{Trouble, status};

/// Microseconds of a minute of the restaurant: three hours pass in a little over two seconds.
const MINUTE: &str = "12000";
/// The slowest pace: a minute takes a minute.
const LIFE: u64 = 60_000_000;
/// The same when many evenings are to be counted: three hours in half a second.
const MINUTE_OF_MANY: &str = "2000";
/// How often the record is looked at while the evening runs.
const GLANCE: Duration = Duration::from_millis(25);
/// More robots than that only stand in each other's way.
const MOST_WAITERS: u64 = 64;
/// More evenings than that are not needed to see a mean.
const MOST_TIMES: u64 = 10_000;

const ONE_ROBOT: &str =
    "--waiters and --robots are for threadbots: LoopBot is one robot, and does every job.";

/// Arguments of `course shift`.
#[derive(Args, Clone, Debug)]
pub struct ShiftArgs {
    /// Who serves
    #[arg(value_enum, default_value_t = Crew::Threadbots)]
    crew: Crew,
    /// Robots look, then act (the default)
    #[arg(long, group = "coordination")]
    careless: bool,
    /// The same, with naps in between
    #[arg(long, group = "coordination")]
    napping: bool,
    /// Robots claim a table before they act
    #[arg(long, group = "coordination")]
    coordinated: bool,
    /// Which evening
    #[arg(long, value_enum, default_value_t = Night::Friday)]
    evening: Night,
    /// How many WaitBots there are [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "robots")]
    waiters: Option<String>,
    /// How many robots there are in all; or 4..64, to count the collisions of 4, 8, 16, 32 and 64 robots
    #[arg(long, value_name = "N|A..B")]
    robots: Option<String>,
    /// With --robots A..B: how many evenings each number of robots serves
    #[arg(long, value_name = "N", default_value = "10", requires = "robots")]
    times: String,
    /// The number that decides who comes, when, and what they want
    #[arg(long, value_name = "S", default_value = "42")]
    seed: String,
    /// How long a minute of the restaurant takes, in microseconds [default: 12000; with --robots A..B 2000]
    #[arg(long, value_name = "MICROSECONDS")]
    minute: Option<String>,
    /// Write the recording here, as JSON
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write the recording here, for ui.perfetto.dev and chrome://tracing
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Print the recording while it happens, as JSON lines, instead of the report
    #[arg(long)]
    stream: bool,
    /// With --robots A..B: write the table here, too, as Markdown
    #[arg(long, value_name = "FILE", requires = "robots")]
    markdown: Option<PathBuf>,
    /// With --robots A..B: write the plot here, too, as SVG
    #[arg(long, value_name = "FILE", requires = "robots")]
    plot: Option<PathBuf>,
}

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Crew {
    /// Each robot is an OS thread
    Threadbots,
    /// One robot does every job
    Loopbot,
}

/// How busy it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Night {
    /// Quiet
    Monday,
    /// Full
    Friday,
}

impl Night {
    fn shift(self, seed: u64) -> Shift {
        match self {
            Night::Monday => Shift::monday(seed),
            Night::Friday => Shift::friday(seed),
        }
    }
}

impl fmt::Display for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Night::Monday => "Monday",
            Night::Friday => "Friday",
        })
    }
}

/// The house as it opens tonight: the two crews have the same three things to say.
#[derive(Clone, Copy)]
enum Opening {
    Threadbots(threadbots::Opening, Coordination),
    Loopbot(monday::Opening),
}

impl Opening {
    fn name(self) -> String {
        match self {
            Opening::Threadbots(_, coordination) => format!("threadbots {coordination}"),
            Opening::Loopbot(_) => "loopbot".to_owned(),
        }
    }

    fn header(self, shift: &Shift) -> Header {
        let header = Header::monotonic(&self.name());
        match self {
            Opening::Threadbots(opening, _) => opening.header(shift, header),
            Opening::Loopbot(opening) => opening.header(shift, header),
        }
    }

    fn serve(self, shift: &Shift, recorder: &Recorder) -> Report {
        match self {
            Opening::Threadbots(opening, _) => opening.serve(shift, recorder),
            Opening::Loopbot(opening) => opening.serve(shift, recorder),
        }
    }
}

/// Runs the evening that `args` describe.
///
/// # Errors
///
/// A number that is none, a file that cannot be written, a combination that makes no sense: one sentence each, before the
/// evening begins.
pub fn command(args: &ShiftArgs) -> anyhow::Result<u8> {
    let seed = cli::whole_number("seed", &args.seed)?;
    let robots = args.robots.as_deref().map(Robots::parse).transpose()?;
    if let Some(Robots::FromTo(from, to)) = robots {
        return count_collisions(args, seed, from, to);
    }
    if args.markdown.is_some() || args.plot.is_some() {
        return Err(Trouble::input(
            "--markdown and --plot go with a series of evenings: --robots 4..64.",
        ));
    }
    let pace = pace(args.minute.as_deref().unwrap_or(MINUTE))?;
    let opening = opening(args, robots, pace)?;
    let record = args.record.as_ref().map(Destination::open).transpose()?;
    let trace = args.trace.as_ref().map(Destination::open).transpose()?;
    let shift = args.evening.shift(seed);

    let recorder = Recorder::new(opening.header(&shift));
    let mut watcher: Box<dyn Watcher> = match (args.stream, std::io::stdout().is_terminal()) {
        (true, _) => Box::new(Stream::new(&recorder)),
        (false, true) => Box::new(Ticker::new(&recorder, pace, shift.parties.len())),
        (false, false) => Box::new(Nobody),
    };
    let report = thread::scope(|scope| -> anyhow::Result<Report> {
        let evening = scope.spawn(|| opening.serve(&shift, &recorder));
        let mut reader_left = false;
        while !evening.is_finished() {
            // Once nobody reads, the evening still runs to its end: a recording may have been asked for.
            reader_left = reader_left || watcher.look().is_err();
            thread::park_timeout(GLANCE);
        }
        let report = evening
            .join()
            .map_err(|_| Trouble::environment("A robot broke down; its words are above."))?;
        if !reader_left {
            watcher.end(&recorder)?;
        }
        Ok(report)
    })?;

    if !args.stream {
        let seed = shift.seed;
        cli::print(&format!(
            "{}, a {} from seed {seed}\n{report}",
            opening.name(),
            args.evening
        ))?;
    }
    if record.is_none() && trace.is_none() {
        return Ok(status::DONE);
    }
    let recording = recorder.recording();
    for (destination, text) in [
        (record, Recording::to_json as fn(&Recording) -> String),
        (trace, Recording::to_chrome_trace),
    ] {
        let Some(destination) = destination else {
            continue;
        };
        let said = destination.write(&text(&recording))?;
        if !args.stream {
            cli::print(&said)?;
        }
    }
    Ok(status::DONE)
}

/// More and more robots serve the same evenings, and what is printed is how often they collide.
fn count_collisions(args: &ShiftArgs, seed: u64, from: usize, to: usize) -> anyhow::Result<u8> {
    if args.crew == Crew::Loopbot {
        return Err(Trouble::input(ONE_ROBOT));
    }
    if args.stream || args.record.is_some() || args.trace.is_some() {
        return Err(Trouble::input(
            "--stream, --record and --trace are for one evening, and --robots A..B asks for many.",
        ));
    }
    let times = match cli::whole_number("number of evenings", &args.times)? {
        n @ 1..=MOST_TIMES => n,
        n => {
            return Err(Trouble::input(format!(
                "Each number of robots can serve 1 to {MOST_TIMES} evenings, and --times asks for {n}."
            )));
        }
    };
    let asked_for = [args.careless, args.napping, args.coordinated];
    let crowd = Crowd {
        from,
        to,
        coordinations: (Coordination::ALL.into_iter().zip(asked_for))
            .filter(|(_, asked)| *asked || asked_for == [false; 3])
            .map(|(coordination, _)| coordination)
            .collect(),
        evenings: (0..times)
            .map(|evening| args.evening.shift(seed.wrapping_add(evening)))
            .collect(),
        pace: pace(args.minute.as_deref().unwrap_or(MINUTE_OF_MANY))?,
    };
    let markdown = args.markdown.as_ref().map(Destination::open).transpose()?;
    let plot = args.plot.as_ref().map(Destination::open).transpose()?;

    let title = match times {
        1 => format!("collisions on one {} from seed {seed}", args.evening),
        _ => format!("collisions on a {}, mean of {times}", args.evening),
    };
    let points = crowd.serve()?;
    cli::print(&format!(
        "{title} (least to most)\n{}",
        crowd::bars(&points)
    ))?;
    if let Some(destination) = markdown {
        cli::print(&destination.write(&crowd::table(&points))?)?;
    }
    if let Some(destination) = plot {
        cli::print(&destination.write(&crowd::draw(&points, &title))?)?;
    }
    Ok(status::DONE)
}

fn pace(minute: &str) -> anyhow::Result<Pace> {
    match cli::whole_number("length of a minute", minute)? {
        minute @ 1..=LIFE => Ok(Pace::minute_in(Duration::from_micros(minute))),
        minute => Err(Trouble::input(format!(
            "A minute of the restaurant can take 1 to {LIFE} microseconds, and --minute asks for {minute}."
        ))),
    }
}

fn opening(args: &ShiftArgs, robots: Option<Robots>, pace: Pace) -> anyhow::Result<Opening> {
    if args.crew == Crew::Loopbot {
        if args.careless || args.napping || args.coordinated {
            return Err(Trouble::input(
                "--careless, --napping and --coordinated are for threadbots: there is nobody that LoopBot could collide with.",
            ));
        }
        if args.waiters.is_some() || robots.is_some() {
            return Err(Trouble::input(ONE_ROBOT));
        }
        return Ok(Opening::Loopbot(monday::Opening::new().pace(pace)));
    }
    let waiters = match &args.waiters {
        None => match robots {
            Some(Robots::Exactly(robots)) => robots - crowd::SPECIALISTS,
            _ => 1,
        },
        Some(text) => match cli::whole_number("number of WaitBots", text)? {
            n @ 1..=MOST_WAITERS => n as usize,
            n => {
                return Err(Trouble::input(format!(
                    "There can be 1 to {MOST_WAITERS} WaitBots, and --waiters asks for {n}."
                )));
            }
        },
    };
    let coordination = match (args.napping, args.coordinated) {
        (true, _) => Coordination::Napping,
        (_, true) => Coordination::Coordinated,
        _ => Coordination::Careless,
    };
    Ok(Opening::Threadbots(
        threadbots::Opening::new(coordination)
            .waiters(waiters)
            .pace(pace),
        coordination,
    ))
}

/// A file that will be written at the end. It is opened before the evening, so that nobody waits for nothing.
pub(crate) struct Destination {
    path: PathBuf,
    file: File,
}

impl Destination {
    pub(crate) fn open(path: &PathBuf) -> anyhow::Result<Destination> {
        // What is in the file stays until there is something to put in its place.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = file.map_err(|error| {
            Trouble::input(format!(
                "{} cannot be written ({error}): name another file.",
                path.display()
            ))
        })?;
        Ok(Destination {
            path: path.clone(),
            file,
        })
    }

    pub(crate) fn write(mut self, text: &str) -> anyhow::Result<String> {
        // A device has no length to cut.
        if self.file.metadata().is_ok_and(|file| file.is_file()) {
            self.file.set_len(0)?;
        }
        self.file.write_all(text.as_bytes()).map_err(|error| {
            Trouble::environment(format!(
                "{} could not be written to its end ({error}).",
                self.path.display()
            ))
        })?;
        Ok(format!("written: {}\n", self.path.display()))
    }
}

/// Whoever follows the evening while it runs.
trait Watcher {
    fn look(&mut self) -> anyhow::Result<()>;
    fn end(&mut self, recorder: &Recorder) -> anyhow::Result<()>;
}

/// Output goes to a file or a pipe: only the report is wanted.
struct Nobody;

impl Watcher for Nobody {
    fn look(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
    fn end(&mut self, _: &Recorder) -> anyhow::Result<()> {
        Ok(())
    }
}

/// A page follows: the recording, piece by piece, a JSON object a line.
struct Stream {
    follower: Follower,
    begun: bool,
}

impl Stream {
    fn new(recorder: &Recorder) -> Stream {
        Stream {
            follower: recorder.follow(),
            begun: false,
        }
    }
}

impl Watcher for Stream {
    fn look(&mut self) -> anyhow::Result<()> {
        if !self.begun {
            self.begun = true;
            return cli::print(&format!("{}\n", self.follower.first_line()));
        }
        match self.follower.next_line() {
            Some(line) => cli::print(&format!("{line}\n")),
            None => Ok(()),
        }
    }

    fn end(&mut self, recorder: &Recorder) -> anyhow::Result<()> {
        if !self.begun {
            self.look()?;
        }
        let recording = recorder.recording();
        let hits = rules::look(&recording, &Limits::of(&recording));
        cli::print(&format!(
            "{}\n",
            self.follower.last_line_with(recording.dropped, &hits)
        ))
    }
}

/// Somebody sits at the terminal: one line, rewritten in place.
struct Ticker {
    follower: Follower,
    strings: Vec<String>,
    opened: Instant,
    pace: Pace,
    expected: usize,
    seated: usize,
    incidents: usize,
    /// How wide the line was, to wipe it.
    width: usize,
}

impl Ticker {
    fn new(recorder: &Recorder, pace: Pace, expected: usize) -> Ticker {
        let (follower, strings) = (recorder.follow(), Vec::new());
        Ticker {
            follower,
            strings,
            opened: Instant::now(),
            pace,
            expected,
            seated: 0,
            incidents: 0,
            width: 0,
        }
    }

    fn rewrite(&mut self, line: &str) -> anyhow::Result<()> {
        let wipe = self.width.saturating_sub(line.chars().count());
        self.width = line.chars().count();
        cli::print(&format!("\r{line}{:wipe$}", ""))
    }
}

impl Watcher for Ticker {
    fn look(&mut self) -> anyhow::Result<()> {
        let chunk = self.follower.next_chunk();
        self.strings.extend(chunk.strings);
        for entry in &chunk.events {
            let Event::Mark { text, category, .. } = entry.event else {
                continue;
            };
            let word = |index: usize| self.strings.get(index).map_or("", String::as_str);
            match word(category.index()) {
                "incident" => self.incidents += 1,
                "party" if !word(text.index()).is_empty() => self.seated += 1,
                _ => {}
            }
        }
        let minutes = self.pace.restaurant(self.opened.elapsed()).as_secs() / 60;
        let collisions = if self.incidents == 1 {
            "collision"
        } else {
            "collisions"
        };
        let line = format!(
            "{}:{:02} h   {} of {} parties seated   {} {collisions}",
            minutes / 60,
            minutes % 60,
            self.seated,
            self.expected,
            self.incidents
        );
        self.rewrite(&line)
    }

    fn end(&mut self, _: &Recorder) -> anyhow::Result<()> {
        self.rewrite("")?;
        cli::print("\r")
    }
}
