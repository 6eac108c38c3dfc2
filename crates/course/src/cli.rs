//! What can be typed, and what is answered.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind as Refusal;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::check::{self, CheckOptions};
use crate::serve::{self, Options};
use crate::trouble::{Trouble, status, status_of};
use crate::{
    catch_up, collisions, commands, doctor, exercises, gallery, hands, hiring, interrupt, ladder,
    look, new_exercise, plan, record, shift, souffle, story, upgrade_check, verify, watch,
    workspace,
};

/// The status list that `--help` ends with.
const STATUSES: &str = "Exit status:
  0    done; the exercise passes
  1    the exercise's tests fail; `verify` has complaints; the recordings are out of date; the rules find something red
  2    the question cannot be answered as asked (unknown exercise, bad number, port in use, file not writable), or wants a
       yes that was not given
  3    this machine or folder lacks something: `course doctor` says what
  4    the exercise does not compile
  5    the exercise's tests do not end
  6    the exercise's tests print without end
  7    the exercise's tests abort, overflow the stack, or are killed
  130  stopped by Ctrl-C
`check all` ends with the highest of its exercises.";

#[derive(Parser)]
#[command(
    name = "course",
    bin_name = "cargo course",
    version,
    about = "LoopBot: concurrency and async in Rust, in a restaurant staffed by robots.\n\nWithout a command it opens the restaurant: builds the book, serves it on this machine and opens the browser.",
    after_help = STATUSES
)]
struct Cli {
    /// The folder that holds the course, when it is not the current one or above it
    #[arg(long, global = true, value_name = "FOLDER")]
    root: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Build the book and serve it on this machine (what a bare `cargo run` does)
    Serve(ServeArgs),
    /// Run an evening in the restaurant and print what it cost
    Shift(shift::ShiftArgs),
    /// Search every scene for the schedule that breaks it, and count how often it breaks by itself
    Collisions(collisions::CollisionsArgs),
    /// Say what robots cost: a week's contracts, and a thread on this machine
    Hiring {
        /// The number that decides who comes, when, and what they want
        #[arg(long, value_name = "S", default_value = "42")]
        seed: String,
        /// Write the tables here as well, as Markdown
        #[arg(long, value_name = "FILE")]
        markdown: Option<PathBuf>,
    },
    /// Bake a soufflé while guests talk, on LoopBot and on Tokio, and say how late it was taken out
    Souffle(souffle::SouffleArgs),
    /// Say what more threads do for work that only computes, on this machine
    Hands {
        /// Write the tables here as well, as Markdown
        #[arg(long, value_name = "FILE")]
        markdown: Option<PathBuf>,
    },
    /// Taste a menu on the loop, on threads and in processes, here and in Python, and say how late guests are served meanwhile
    Ladder(ladder::LadderArgs),
    /// Hold a loop up in every way that people fall into, broken and mended, and say what was seen of it
    Gallery(gallery::GalleryArgs),
    /// Make the book's recordings again
    Record {
        /// Change nothing; fail when a recording differs from what this program makes
        #[arg(long)]
        check: bool,
        /// Make those of the gallery, of the back of house and of the other kitchen again instead, which were made in real time and
        /// come out differently each time
        #[arg(long, conflicts_with = "check")]
        gallery: bool,
    },
    /// Tell what is in a recording that `shift --record` wrote
    Tell {
        /// The recording
        file: PathBuf,
    },
    /// Ask the rules what went wrong in a recording: who held LoopBot, which timer was late, what nobody heard of
    Look(look::LookArgs),
    /// Work on the exercises: follows your files, runs the tests on each save, and says what is wrong
    Watch(watch::WatchArgs),
    /// List the exercises, and how far you have come
    List(commands::list::ListArgs),
    /// Run an exercise's tests and say how they ended
    Check(commands::check::CheckArgs),
    /// Watch how an exercise goes wrong: its failing runs in the browser, played step by step
    Story {
        /// The exercise's number, such as 03; or a file that a test wrote for WHATIF_RECORD
        #[arg(value_name = "NN|FILE")]
        what: String,
        /// Print where the page is, and do not open the browser
        #[arg(long)]
        no_open: bool,
        /// How long the tests may take, in seconds, without the build
        #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
        time_limit: u64,
    },
    /// Show the hints of an exercise, one level at a time
    Hint(commands::hint::HintArgs),
    /// Put an exercise back to its beginning; a copy of your work is kept
    Reset(commands::reset::ResetArgs),
    /// Show the solution of an exercise
    Solution(commands::solution::SolutionArgs),
    /// Prove the exercises: starters fail, solutions pass, every wrong answer fails with its message
    Verify(verify::VerifyArgs),
    /// Make the skeleton of an exercise
    NewExercise(new_exercise::NewExerciseArgs),
    /// Say whether this machine is ready for the course, and how to mend what is not
    Doctor(doctor::DoctorArgs),
    /// Make one archive of the course, with everything it needs, for a room without Internet
    Bundle(doctor::bundle::BundleArgs),
    /// Say which exercises have changed upstream, and how to take them without losing your work
    UpgradeCheck(upgrade_check::UpgradeCheckArgs),
    /// Print a workshop's schedule from the minutes of chapters and exercises
    Plan(plan::PlanArgs),
    /// Put reference answers beside your own, up to where the class is
    CatchUp(catch_up::CatchUpArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
struct ServeArgs {
    /// Listen on this port [default: 4470, or the next free one]
    #[arg(long)]
    port: Option<u16>,
    /// Listen on this address; anyone who can reach it can read the book and start its runs
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// Do not open the browser
    #[arg(long)]
    no_open: bool,
}

/// Runs the program on this process's arguments.
pub fn main() -> ExitCode {
    let result = run(parse(std::env::args_os()).unwrap_or_else(|error| error.exit()));
    let status = result.unwrap_or_else(|error| {
        if is_closed_pipe(&error) {
            return status::DONE;
        }
        let _ = writeln!(std::io::stderr(), "{error:#}");
        status_of(&error)
    });
    ExitCode::from(status)
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(args)?;
    // What belongs to serving stands without a command, or after `serve`, where `--root` may stand before any command.
    if let Some((name, _)) = matches.subcommand() {
        let typed = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        if let Some(flag) = ["port", "bind", "no_open"].into_iter().find(|id| typed(id)) {
            let flag = flag.replace('_', "-");
            let sentence = format!(
                "--{flag} stands after the command that it belongs to, and not before `{name}`"
            );
            return Err(command.error(Refusal::ArgumentConflict, sentence));
        }
    }
    Cli::from_arg_matches(&matches)
}

fn run(cli: Cli) -> anyhow::Result<u8> {
    let root = || workspace::find(cli.root.as_deref());
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve(&root()?, &args),
        // An evening needs no book and no exercises, so it runs anywhere.
        Command::Shift(args) => shift::command(&args),
        Command::Collisions(args) => collisions::command(&args),
        Command::Hands { markdown } => hands::command(markdown.as_deref()),
        Command::Hiring { seed, markdown } => hiring::command(&seed, markdown.as_deref()),
        Command::Souffle(args) => souffle::command(&args),
        Command::Ladder(args) => ladder::command(&args),
        Command::Gallery(args) => gallery::command(&args),
        Command::Record { gallery: true, .. } => {
            record::back_of_house::make(&root()?)?;
            record::another_kitchen::make(&root()?)?;
            record::which_tool::make(&root()?)?;
            record::gallery::make(&root()?)
        }
        Command::Record { check, .. } => record::command(&root()?, check),
        Command::Tell { file } => print(&record::tell_file(&file)?).map(|()| status::DONE),
        Command::Look(args) => look::command(&args),
        Command::Watch(args) => watch::command(&root()?, &args),
        Command::List(args) => commands::list::command(&root()?, &args),
        Command::Check(args) => commands::check::command(&root()?, &args),
        Command::Story {
            what,
            no_open,
            time_limit,
        } => story(cli.root.as_deref(), &what, no_open, time_limit),
        Command::Hint(args) => commands::hint::command(&root()?, &args),
        Command::Reset(args) => commands::reset::command(&root()?, &args),
        Command::Solution(args) => commands::solution::command(&root()?, &args),
        Command::Verify(args) => verify::command(&root()?, &args),
        Command::NewExercise(args) => new_exercise::command(&root()?, &args),
        Command::Doctor(args) => doctor::command(&root()?, &args),
        Command::Bundle(args) => doctor::bundle::command(&root()?, &args),
        Command::UpgradeCheck(args) => upgrade_check::command(&root()?, &args),
        Command::Plan(args) => plan::command(&root()?, &args),
        Command::CatchUp(args) => catch_up::command(&root()?, &args),
        Command::Completions { shell } => {
            commands::completions::command(shell, Cli::command(), root().ok().as_deref())
        }
    }
}

fn serve(root: &Path, args: &ServeArgs) -> anyhow::Result<u8> {
    let interrupt = interrupt::listen()?;
    let server = serve::start(
        root,
        Options {
            bind: args.bind,
            port: args.port,
            ..Options::new()?
        },
    )?;
    if !args.bind.is_loopback() {
        remark!(
            "Anyone who can reach {} can read the book and start its runs and checks.",
            args.bind
        );
    }
    remark!("The restaurant is open. Ctrl-C closes it.");
    // On a line of its own, and on standard output, for scripts.
    print(&format!("{}\n", server.url()))?;
    if !args.no_open {
        open_browser(&server.url());
    }
    interrupt.wait();
    drop(server);
    remark!("Closed.");
    Ok(status::DONE)
}

fn open_browser(url: &str) {
    // Without a display, the openers of Linux and BSD may start a text browser in this terminal.
    let no_display = cfg!(all(unix, not(target_os = "macos")))
        && ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]
            .iter()
            .all(|name| std::env::var_os(name).is_none());
    if no_display || open::that_detached(url).is_err() {
        remark!("No browser was found to open: go to the address above in one.");
    }
}

fn story(root: Option<&Path>, what: &str, no_open: bool, time_limit: u64) -> anyhow::Result<u8> {
    let show = |page: &Path| -> anyhow::Result<u8> {
        // On a line of its own, and on standard output, for scripts.
        print(&format!("{}\n", page.display()))?;
        if !no_open {
            open_browser(&page.to_string_lossy());
        }
        Ok(status::DONE)
    };
    let file = Path::new(what);
    if file.is_file() {
        return show(&story::page_of(file)?);
    }
    let root = workspace::find(root)?;
    let all = exercises::load(&root)?;
    let exercise = exercises::find(&all, what)?;
    let interrupt = interrupt::listen()?;
    let options = CheckOptions {
        tests: Duration::from_secs(time_limit),
        ..CheckOptions::default()
    };
    let stop = interrupt.stop();
    let watched = story::watch(&root, exercise, &options, stop, &mut |line| {
        let _ = writeln!(std::io::stderr(), "{line}");
    })?;
    match (watched.page, watched.checked.verdict) {
        (Some((page, runs)), _) => {
            let runs = if runs == 1 {
                "This is the run"
            } else {
                "These are the runs"
            };
            remark!("\n{}\n{runs}, step by step:", watched.checked.sentence);
            show(&page)
        }
        (None, check::Verdict::Passes) => {
            print(&format!(
                "\n{} There is nothing that goes wrong to watch.\n",
                watched.checked.sentence
            ))?;
            Ok(status::DONE)
        }
        (None, verdict) => {
            answer(&format!(
                "\n{} No run was told, so there is nothing to watch.\n",
                watched.checked.sentence
            ))?;
            Ok(verdict.status())
        }
    }
}

/// Prints, with an error instead of a panic when nobody reads. Who computes for long, only to print, stops then.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    printed.map_err(|error| match error.kind() {
        // It ends quietly: see `main`.
        ErrorKind::BrokenPipe => error.into(),
        _ => Trouble::environment(format!(
            "The answer cannot be printed ({error}): look at where standard output goes."
        )),
    })
}

/// The same, and it is no error when nobody reads: for a command whose exit status is an answer as well.
pub(crate) fn answer(text: &str) -> anyhow::Result<()> {
    match print(text) {
        Err(error) if is_closed_pipe(&error) => Ok(()),
        printed => printed,
    }
}

/// Whether a reader went away, as in `course list | head -1`. That is no trouble.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Reads a number that the learner typed, with a sentence of our own when it is none.
pub(crate) fn whole_number(what: &str, text: &str) -> anyhow::Result<u64> {
    text.trim().replace('_', "").parse().map_err(|_| {
        Trouble::input(format!(
            "The {what} must be a whole number from 0 to {}, and {text:?} is not.",
            u64::MAX
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bare_and_with_flags_it_serves() {
        for line in [
            vec!["course"],
            vec!["course", "--no-open"],
            vec!["course", "serve", "--port", "0"],
        ] {
            let cli = Cli::try_parse_from(&line).unwrap();
            assert!(
                matches!(cli.command, None | Some(Command::Serve(_))),
                "{line:?}"
            );
        }
    }

    #[test]
    fn the_folder_may_be_named_before_the_command_and_what_belongs_to_serving_may_not() {
        let parse = |line: &str| parse(line.split(' ').map(OsString::from));
        for line in [
            "course --root x list",
            "course list --root x",
            "course serve --port 0 --root x",
        ] {
            assert!(parse(line).unwrap().root.is_some(), "{line}");
        }
        let error = parse("course --no-open list").err().unwrap().to_string();
        assert!(
            error.contains("--no-open") && error.contains("`list`"),
            "{error}"
        );
    }

    #[test]
    fn a_seed_that_is_no_number_is_quoted() {
        assert_eq!(whole_number("seed", " 1_000 ").unwrap(), 1000);
        for text in ["", "seven", "-1", "1.5", "18446744073709551616"] {
            let error = whole_number("seed", text).unwrap_err();
            assert_eq!(status_of(&error), status::INPUT);
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
