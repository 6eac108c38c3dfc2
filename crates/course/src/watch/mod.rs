//! `course watch`: the place from which a learner works.
//!
//! It follows the files of one exercise, runs its tests on each save, and says what came of it. What it knows and what a key
//! does is [`app`], which can be tried without a terminal; [`draw`] draws that. Around it: [`follow`] hears of saves,
//! [`checker`] runs the tests, [`screen`] owns the terminal, and
//! [`editor`] knows the editors. [`telling`], [`compare`] and [`text`] make pages. Without a terminal, [`plain`] does the same in lines.
//!
//! Threads: one each for keys, for saves, and for checks. They send `Message`s to the one that draws, which sleeps until
//! something happens. There is a tick only while something runs.

pub mod app;
pub mod checker;
pub mod compare;
pub mod draw;
pub mod editor;
pub mod follow;
pub mod plain;
pub mod screen;
pub mod telling;
pub mod text;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::crossterm::event as terminal;

use crate::check::CheckOptions;
use crate::commands::{place, reset};
use crate::exercises::{self, Exercise};
use crate::trouble::{Trouble, status};
use crate::{interrupt, progress, starter};

use app::{App, Command, Event};
use checker::Checker;
use follow::Follower;
use screen::Screen;

/// How often the seconds are drawn while something runs.
const TICK: Duration = Duration::from_millis(250);
/// Messages that are taken in before the screen is drawn again.
const AT_ONCE: usize = 4000;

/// What can be said after the command's name.
#[derive(Args, Debug)]
pub struct WatchArgs {
    /// Begin with this exercise, such as 03 [default: where you were, or the next that has not passed]
    #[arg(value_name = "NN")]
    pub exercise: Option<String>,
    /// Look at the files twice a second, where the system does not tell of changes (this is found out by itself for network
    /// drives on Linux and for Windows' drives under WSL)
    #[arg(long)]
    pub poll: bool,
    /// Open the exercise with this command; {file} and {line} are filled in [default: VS Code in its own terminal, else
    /// $VISUAL, else $EDITOR]
    #[arg(long, value_name = "COMMAND")]
    pub edit_cmd: Option<String>,
    /// Print lines instead of taking the whole terminal
    #[arg(long)]
    pub plain: bool,
    /// How long the tests may take, in seconds, without the build
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub time_limit: u64,
    /// Show the stack of each panic
    #[arg(long)]
    pub backtrace: bool,
}

/// What reaches the thread that draws.
pub(crate) enum Message {
    /// From a save, a check, or a signal.
    App(Event),
    /// From the terminal. Nothing more is read there until this has been dealt with: an editor that is opened meanwhile gets
    /// every key that is pressed in it.
    Terminal(terminal::Event),
    /// The terminal is gone.
    NoTerminal(std::io::Error),
    /// A thread has panicked, and said so.
    Broken,
}

/// Runs it.
pub fn command(root: &Path, args: &WatchArgs) -> anyhow::Result<u8> {
    let all = exercises::load(root)?;
    if all.is_empty() {
        return Err(Trouble::input(exercises::NONE));
    }
    let damage = progress::mend(root);
    let standings = progress::standings(root, &all);
    let first = match &args.exercise {
        Some(asked) => {
            let found = exercises::find(&all, asked)?;
            all.iter().position(|one| one.number == found.number)
        }
        None => progress::next(root, &all, &standings),
    };
    // When all have passed, there is nothing to do and everything to look at again.
    let first = first.unwrap_or(all.len() - 1);
    let options = CheckOptions {
        tests: Duration::from_secs(args.time_limit),
        backtrace: args.backtrace,
        ..CheckOptions::default()
    };
    let app = App::new(all.clone(), standings, first, options.tests);

    let (send, messages) = mpsc::channel();
    let lent = Arc::new(AtomicBool::new(false));
    listen(send.clone(), Arc::clone(&lent))?;
    let mut shop = Shop::open(root, &all, args, options, &send)?;
    shop.note = damage.or(shop.note);
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if args.plain || is_dumb || !is_terminal {
        return plain::run(app.without_keys(), shop, &messages, args.exercise.is_none());
    }
    let passed = interactive(app, shop, &send, &messages, &lent)?;
    crate::cli::print(&format!(
        "{passed} of {} exercises pass. Go on with: cargo course watch\n",
        all.len()
    ))?;
    Ok(status::DONE)
}

/// Hears of Ctrl-C from outside, of a request to terminate, and of a terminal that is closed.
fn listen(send: Sender<Message>, lent: Arc<AtomicBool>) -> anyhow::Result<()> {
    let times = AtomicUsize::new(0);
    interrupt::on_each(move || {
        // What has the terminal has its signals, too: Ctrl-G in Emacs is one, and it is not meant for us.
        if lent.load(Ordering::SeqCst) {
            return;
        }
        let _ = send.send(Message::App(Event::Interrupted));
        // The first is dealt with in order. Where that takes too long, the terminal is given back all the same.
        if times.fetch_add(1, Ordering::SeqCst) > 0 {
            screen::give_back();
            std::process::exit(i32::from(status::INTERRUPTED));
        }
    })
}

/// Sends [`Message::Broken`] when the thread that holds it panics.
struct Alarm(Sender<Message>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(Message::Broken);
        }
    }
}

/// What carries out the commands that need neither the terminal nor the end of the program.
pub(crate) struct Shop<'a> {
    root: &'a Path,
    exercises: &'a [Exercise],
    edit_cmd: Option<&'a str>,
    follower: Follower,
    checker: Checker,
    /// What the learner should know from the start.
    note: Option<String>,
}

impl<'a> Shop<'a> {
    fn open(
        root: &'a Path,
        exercises: &'a [Exercise],
        args: &'a WatchArgs,
        options: CheckOptions,
        send: &Sender<Message>,
    ) -> anyhow::Result<Shop<'a>> {
        let alarm = Alarm(send.clone());
        let (follower, note) = Follower::start(root, args.poll, move |exercise| {
            let _ = alarm.0.send(Message::App(Event::Saved { exercise }));
        })?;
        let alarm = Alarm(send.clone());
        let checker = Checker::start(
            root.to_path_buf(),
            exercises.to_vec(),
            options,
            move |event| {
                let _ = alarm.0.send(Message::App(event));
            },
        )?;
        Ok(Shop {
            root,
            exercises,
            edit_cmd: args.edit_cmd.as_deref(),
            follower,
            checker,
            note,
        })
    }

    /// Does it; gives what came of it.
    fn carry_out(&mut self, command: &Command) -> Option<Event> {
        match *command {
            Command::Follow(n) => {
                let folder = &self.exercises[n].folder;
                let error = self.follower.follow(n, folder).err()?;
                Some(Event::Note(format!(
                    "{} is not followed ({error}): r runs the tests.",
                    folder.display()
                )))
            }
            Command::Check { exercise, run } => {
                self.checker.check(exercise, run);
                None
            }
            Command::Stop => {
                self.checker.stop();
                None
            }
            Command::RememberHints { exercise, shown } => {
                let known = progress::note_hint(self.root, &self.exercises[exercise], shown);
                (!known).then(|| {
                    let note = "This folder cannot be written, so the level is not remembered.";
                    Event::Note(note.into())
                })
            }
            Command::Compare(exercise) => Some(Event::Compared {
                exercise,
                texts: compare::texts(self.root, &self.exercises[exercise])
                    .map_err(|error| format!("{error:#}")),
            }),
            Command::Reset(exercise) => {
                let copy = reset::put_back(self.root, &self.exercises[exercise]);
                Some(Event::Reset {
                    exercise,
                    copy: copy
                        .map(|copy| copy.map(|copy| place(self.root, &copy)))
                        .map_err(|error| format!("{error:#}")),
                    standings: progress::standings(self.root, self.exercises),
                })
            }
            Command::Edit { .. } | Command::Redraw | Command::Suspend | Command::Quit => None,
        }
    }
}

/// The terminal UI, until the learner quits. Gives how many exercises pass.
fn interactive(
    app: App,
    shop: Shop,
    send: &Sender<Message>,
    messages: &Receiver<Message>,
    lent: &AtomicBool,
) -> anyhow::Result<usize> {
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut ui = Ui {
        app,
        shop,
        screen: Screen::take()?,
        send,
        lent,
        began: Instant::now(),
        is_over: false,
    };
    let (columns, rows) = ui.screen.size()?;
    ui.take(Event::Resized(columns, rows))?;
    let commands = ui.app.begin();
    ui.carry_out(commands)?;
    if let Some(note) = ui.shop.note.take() {
        ui.take(Event::Note(note))?;
    }
    let go_on = read_keys(send.clone())?;
    while !ui.is_over {
        ui.app.lay_out_live();
        ui.screen
            .draw(|frame| draw::draw(frame, &ui.app, colours))?;
        let first = match ui.app.is_running() {
            true => match messages.recv_timeout(TICK) {
                Err(RecvTimeoutError::Timeout) => Ok(Message::App(Event::Tick)),
                Err(RecvTimeoutError::Disconnected) => return Err(broken()),
                Ok(message) => Ok(message),
            },
            false => messages.recv(),
        };
        // What else there is already is drawn together with it.
        for message in first.into_iter().chain(messages.try_iter().take(AT_ONCE)) {
            match message {
                Message::App(event) => ui.take(event)?,
                Message::Terminal(event) => {
                    if let Some(event) = screen::event(event) {
                        ui.take(event)?;
                    }
                    let _ = go_on.send(());
                }
                Message::NoTerminal(error) => {
                    return Err(Trouble::environment(format!(
                        "The terminal cannot be read any more ({error})."
                    )));
                }
                Message::Broken => return Err(broken()),
            }
        }
    }
    Ok(ui.app.passed())
}

/// The app with everything that its commands need.
struct Ui<'a> {
    app: App,
    shop: Shop<'a>,
    screen: Screen,
    send: &'a Sender<Message>,
    lent: &'a AtomicBool,
    began: Instant,
    is_over: bool,
}

impl Ui<'_> {
    fn take(&mut self, event: Event) -> anyhow::Result<()> {
        let commands = self.app.on(event, self.began.elapsed());
        self.carry_out(commands)
    }

    fn carry_out(&mut self, commands: Vec<Command>) -> anyhow::Result<()> {
        for command in commands {
            let came_of_it = match command {
                Command::Quit => {
                    self.is_over = true;
                    None
                }
                Command::Redraw => {
                    self.screen.forget()?;
                    None
                }
                Command::Suspend => {
                    self.screen.suspend()?;
                    // The window may have another size by now.
                    let (columns, rows) = self.screen.size()?;
                    Some(Event::Resized(columns, rows))
                }
                Command::Edit { exercise, line } => self.edit(exercise, line)?.map(Event::Note),
                command => self.shop.carry_out(&command),
            };
            if let Some(event) = came_of_it {
                self.take(event)?;
            }
        }
        Ok(())
    }

    /// Opens the learner's file; gives what there is to say about it.
    fn edit(&mut self, exercise: usize, line: Option<u32>) -> anyhow::Result<Option<String>> {
        let env = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let file = starter::edited_file(&self.shop.exercises[exercise]);
        let launch = match editor::choose(self.shop.edit_cmd, &env, &file, line) {
            Ok(launch) => launch,
            Err(why) => return Ok(Some(why)),
        };
        let program = launch.program.clone();
        let failed = |error: std::io::Error| {
            format!("{program} cannot be started ({error}): say another with --edit-cmd.")
        };
        let mut command = launch.command();
        if launch.takes_terminal {
            self.lent.store(true, Ordering::SeqCst);
            let ended = self.screen.lend(|| command.status());
            self.lent.store(false, Ordering::SeqCst);
            let (columns, rows) = self.screen.size()?;
            self.take(Event::Resized(columns, rows))?;
            return Ok(ended?.err().map(failed));
        }
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ok(Some(failed(error))),
        };
        // Somebody has to wait for it, or it stays as a zombie; and some say only at their end that they did not open.
        let send = self.send.clone();
        thread::spawn(move || {
            if let Ok(status) = child.wait()
                && !status.success()
            {
                let note = format!("{program} did not open the file ({status}).");
                let _ = send.send(Message::App(Event::Note(note)));
            }
        });
        Ok(None)
    }
}

fn broken() -> anyhow::Error {
    Trouble::environment(
        "This was a mistake of the course program's own. The lines above say where it was made.",
    )
}

/// Reads the terminal on a thread of its own. It reads on whenever it is told to.
fn read_keys(send: Sender<Message>) -> std::io::Result<SyncSender<()>> {
    let (go_on, told) = mpsc::sync_channel(1);
    thread::Builder::new().name("keys".into()).spawn(move || {
        let alarm = Alarm(send);
        loop {
            let message = match terminal::read() {
                Ok(event) => Message::Terminal(event),
                Err(error) => Message::NoTerminal(error),
            };
            let is_over = matches!(message, Message::NoTerminal(_));
            if alarm.0.send(message).is_err() || is_over || told.recv().is_err() {
                return;
            }
        }
    })?;
    Ok(go_on)
}
