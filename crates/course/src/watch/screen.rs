//! The terminal: taken, given back for an editor, and given back at the end, whatever the end is.

use std::io::{self, Stdout, stdout};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    self, DisableBracketedPaste, EnableBracketedPaste, KeyCode, KeyEventKind, KeyModifiers,
};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::{Position, Rect};
use ratatui::{Frame, Terminal};

use super::app::{Event, Key};

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, as long as this lives.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal. A panic gives it back before it says anything, on whichever thread it is.
    ///
    /// # Errors
    ///
    /// When the terminal refuses.
    pub fn take() -> io::Result<Screen> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        enter()?;
        match Terminal::new(CrosstermBackend::new(stdout())) {
            Ok(terminal) => Ok(Screen { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Draws.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// Forgets what is on the screen: the next drawing draws everything.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn forget(&mut self) -> io::Result<()> {
        // `clear` would ask the terminal where the cursor is, and wait for an answer among the keys.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// The columns and rows.
    ///
    /// # Errors
    ///
    /// When the terminal does not say.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height))
    }

    /// Gives the terminal to the shell, and stops until the shell says go on. Where there are no jobs, nothing stops, and it is drawn again.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be taken again.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.lend(|| {
            // Everybody in the job, as the terminal itself would do it: a shell waits for all of them.
            #[cfg(unix)]
            let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        })
    }

    /// Gives the terminal to somebody else for a while.
    ///
    /// # Errors
    ///
    /// When the terminal cannot be taken again.
    pub fn lend<R>(&mut self, to: impl FnOnce() -> R) -> io::Result<R> {
        give_back();
        let result = to();
        enter()?;
        self.forget()?;
        Ok(result)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    if let Err(error) = execute!(stdout(), EnterAlternateScreen) {
        give_back();
        return Err(error);
    }
    // Old consoles of Windows have no such thing, and get along without it.
    let _ = execute!(stdout(), EnableBracketedPaste);
    Ok(())
}

/// Gives the terminal back, if it is ours. Any thread may do so, at any moment.
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // What fails here cannot be mended, and the rest is tried all the same.
        let _ = disable_raw_mode();
        let _ = execute!(stdout(), DisableBracketedPaste);
        let _ = execute!(stdout(), LeaveAlternateScreen, Show);
    }
}

/// What a terminal's event means here; `None` when it means nothing.
pub fn event(event: event::Event) -> Option<Event> {
    match event {
        event::Event::Resize(columns, rows) => Some(Event::Resized(columns, rows)),
        event::Event::Paste(text) => Some(Event::Pasted(text)),
        // Windows tells of a key's release as well.
        event::Event::Key(key) if key.kind != KeyEventKind::Release => {
            Some(Event::Key(match key.code {
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    Key::Interrupt
                }
                // In raw mode, the terminal leaves it to us to stop.
                KeyCode::Char('z')
                    if cfg!(unix) && key.modifiers.contains(KeyModifiers::CONTROL) =>
                {
                    Key::Suspend
                }
                KeyCode::Char('l') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Redraw,
                // Ctrl with a letter is no letter; AltGr, which Windows reports as both, makes one.
                KeyCode::Char(_)
                    if key.modifiers.contains(KeyModifiers::CONTROL)
                        != key.modifiers.contains(KeyModifiers::ALT) =>
                {
                    return None;
                }
                KeyCode::Char(c) => Key::Char(c),
                KeyCode::Enter => Key::Enter,
                KeyCode::Esc => Key::Esc,
                KeyCode::Backspace => Key::Backspace,
                KeyCode::Up => Key::Up,
                KeyCode::Down => Key::Down,
                KeyCode::PageUp => Key::PageUp,
                KeyCode::PageDown => Key::PageDown,
                KeyCode::Home => Key::Home,
                KeyCode::End => Key::End,
                _ => return None,
            }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyEvent, KeyEventState};

    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
        let key = KeyEvent::new(code, modifiers);
        match event(event::Event::Key(key)) {
            Some(Event::Key(key)) => Some(key),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_are_read() {
        let none = KeyModifiers::NONE;
        assert_eq!(key(KeyCode::Char('h'), none), Some(Key::Char('h')));
        assert_eq!(
            key(KeyCode::Char('G'), KeyModifiers::SHIFT),
            Some(Key::Char('G'))
        );
        for (code, expected) in [
            (KeyCode::Enter, Key::Enter),
            (KeyCode::Esc, Key::Esc),
            (KeyCode::Backspace, Key::Backspace),
            (KeyCode::Up, Key::Up),
            (KeyCode::Down, Key::Down),
            (KeyCode::PageUp, Key::PageUp),
            (KeyCode::PageDown, Key::PageDown),
            (KeyCode::Home, Key::Home),
            (KeyCode::End, Key::End),
        ] {
            assert_eq!(key(code, none), Some(expected));
        }
        assert_eq!(key(KeyCode::F(1), none), None);
    }

    #[test]
    fn ctrl_with_a_letter_is_no_letter() {
        let ctrl = KeyModifiers::CONTROL;
        assert_eq!(key(KeyCode::Char('c'), ctrl), Some(Key::Interrupt));
        assert_eq!(key(KeyCode::Char('l'), ctrl), Some(Key::Redraw));
        #[cfg(unix)]
        assert_eq!(key(KeyCode::Char('z'), ctrl), Some(Key::Suspend));
        assert_eq!(key(KeyCode::Char('x'), ctrl), None);
        assert_eq!(key(KeyCode::Char('q'), KeyModifiers::ALT), None);
        assert_eq!(
            key(KeyCode::Char('/'), ctrl | KeyModifiers::ALT),
            Some(Key::Char('/'))
        );
    }

    #[test]
    fn a_release_is_no_second_press() {
        let released = KeyEvent {
            code: KeyCode::Char('n'),
            modifiers: KeyModifiers::NONE,
            kind: KeyEventKind::Release,
            state: KeyEventState::NONE,
        };
        assert!(event(event::Event::Key(released)).is_none());
        assert!(event(event::Event::FocusGained).is_none());
    }

    #[test]
    fn text_that_is_pasted_is_no_series_of_keys() {
        let pasted = event(event::Event::Paste("quit".into()));
        assert!(matches!(pasted, Some(Event::Pasted(text)) if text == "quit"));
    }
}
