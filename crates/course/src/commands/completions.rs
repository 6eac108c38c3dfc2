//! `course completions SHELL`: a script that completes `course …` and, what learners type, `cargo course …`.
//!
//! The script of clap is for a program called `course`. What comes after it hands on what is typed behind `cargo course`. The
//! numbers of the exercises are in it, too, as far as they are known when it is made.

use std::path::Path;

use clap::Command;
use clap::builder::PossibleValue;
use clap_complete::Shell;

use crate::cli::print;
use crate::exercises::{self, Exercise};
use crate::trouble::status;

/// Prints the script for the program that `cli` describes.
pub fn command(shell: Shell, cli: Command, root: Option<&Path>) -> anyhow::Result<u8> {
    let exercises = root.and_then(|root| exercises::load(root).ok());
    print(&script(shell, cli, &exercises.unwrap_or_default()))?;
    Ok(status::DONE)
}

fn script(shell: Shell, cli: Command, exercises: &[Exercise]) -> String {
    let mut cli = with_numbers(cli, exercises);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli, "course", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => script.push_str(BASH),
        Shell::Zsh => script.push_str(ZSH),
        Shell::Fish => {
            script.push_str(&numbers_for_fish(&cli));
            script.push_str(FISH);
        }
        Shell::PowerShell => script.push_str(POWERSHELL),
        _ => {}
    }
    script
}

/// Clap's script for fish offers no values but those of options.
fn numbers_for_fish(cli: &Command) -> String {
    let mut lines = String::new();
    for command in cli.get_subcommands() {
        let name = command.get_name();
        let values = command
            .get_positionals()
            .flat_map(|arg| arg.get_possible_values());
        for value in values.filter(|_| !matches!(name, "completions" | "help")) {
            let about = value.get_help().map_or(String::new(), ToString::to_string);
            lines.push_str(&format!(
                "complete -c course -n '__fish_course_using_subcommand {name}' -f -a '{}' -d '{}'\n",
                value.get_name(),
                about.replace('\\', "").replace('\'', "\\'")
            ));
        }
    }
    lines
}

/// Where an exercise can be named, its number is one of these.
fn with_numbers(cli: Command, exercises: &[Exercise]) -> Command {
    if exercises.is_empty() {
        return cli;
    }
    cli.mut_subcommands(|command| {
        let all = matches!(command.get_name(), "check" | "reset" | "verify");
        command.mut_args(|arg| {
            if !arg.is_positional() || !matches!(arg.get_id().as_str(), "exercise" | "what") {
                return arg;
            }
            let numbers = exercises.iter().map(|exercise| {
                // Clap wants it to last, and the program ends once the script is printed.
                let number: &'static str = exercise.number.clone().leak();
                PossibleValue::new(number).help(exercise.title.clone())
            });
            let all = all.then(|| PossibleValue::new("all").help("All exercises"));
            arg.value_parser(numbers.chain(all).collect::<Vec<_>>())
        })
    })
}

/// What completed `cargo` before still does, for everything else. bash-completion finds that only when it is asked.
const BASH: &str = r#"
if ! complete -p cargo &>/dev/null; then
    for _course_loader in _comp_load __load_completion _completion_loader; do
        if declare -F "$_course_loader" &>/dev/null; then
            "$_course_loader" cargo &>/dev/null
            break
        fi
    done
    unset _course_loader
fi
if [[ "$(complete -p cargo 2>/dev/null)" =~ \ -F\ ([^\ ]+) && "${BASH_REMATCH[1]}" != _cargo_course ]]; then
    _cargo_before_course="${BASH_REMATCH[1]}"
fi

_cargo_course() {
    # Options of cargo, and a toolchain, may come before its command.
    local at=1
    while [[ "${COMP_WORDS[at]}" == [-+]* ]]; do
        at=$((at + 1))
    done
    if [[ ${COMP_CWORD} -gt ${at} && "${COMP_WORDS[at]}" == course ]]; then
        local words=(course "${COMP_WORDS[@]:at+1}") cword=$((COMP_CWORD - at))
        local COMP_WORDS=("${words[@]}") COMP_CWORD=${cword}
        _course course "$2" "$3"
    elif [[ -n "${_cargo_before_course}" ]]; then
        "${_cargo_before_course}" "$@"
    elif [[ ${COMP_CWORD} -eq ${at} ]]; then
        COMPREPLY=( $(compgen -W "course" -- "$2") )
    fi
}
complete -F _cargo_course -o bashdefault -o default cargo
"#;

/// The completion of `cargo` that comes with Rust looks for a function of this name. Where it is missing, there is only ours.
const ZSH: &str = r#"
_cargo-course() { _course "$@" }

if (( ! ${+_comps[cargo]} )); then
    _cargo_course_only() {
        if (( CURRENT == 2 )); then
            compadd course
        elif [[ "${words[2]}" == course ]]; then
            shift words
            (( CURRENT-- ))
            _course
        else
            _default
        fi
    }
    (( ${+functions[compdef]} )) && compdef _cargo_course_only cargo
fi
"#;

/// What is offered behind `cargo course` is what fish offers behind `course`.
const FISH: &str = r#"
function __fish_cargo_course
    set -l words (commandline -opc)
    set -l at (contains -i -- course $words); or return
    set -l rest
    if test $at -lt (count $words)
        set rest $words[(math $at + 1)..-1]
    end
    complete --do-complete (string join ' ' -- course (string escape -- $rest) (commandline -ct))
end
complete -c cargo -n '__fish_seen_subcommand_from course' -f -a '(__fish_cargo_course)'
"#;

/// There, a second completion of `cargo` would replace its own. So this is a command of its own.
const POWERSHELL: &str = r#"
function course { cargo course @args }
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn cli() -> Command {
        Command::new("course")
            .subcommand(Command::new("check").arg(clap::Arg::new("exercise")))
            .subcommand(Command::new("hint").arg(clap::Arg::new("exercise")))
            .subcommand(Command::new("tell").arg(clap::Arg::new("file")))
    }

    #[test]
    fn where_an_exercise_is_named_its_number_is_offered() {
        let root = tempfile::tempdir().unwrap();
        exercises::tests::add(root.path(), "03", "three", &[]);
        let all = exercises::load(root.path()).unwrap();
        let cli = with_numbers(cli(), &all);
        let values = |name: &str| -> Vec<String> {
            let command = cli.find_subcommand(name).unwrap();
            let arg = command.get_positionals().next().unwrap();
            let values = arg.get_possible_values();
            values.iter().map(|v| v.get_name().to_owned()).collect()
        };
        assert_eq!(values("check"), ["03", "all"]);
        assert_eq!(values("hint"), ["03"]);
        assert!(values("tell").is_empty());
    }

    #[test]
    fn each_shell_gets_a_script() {
        for shell in [
            Shell::Bash,
            Shell::Zsh,
            Shell::Fish,
            Shell::PowerShell,
            Shell::Elvish,
        ] {
            let script = script(shell, cli(), &[]);
            assert!(script.contains("check"), "{shell}");
        }
    }
}
