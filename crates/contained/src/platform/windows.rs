//! A child in a job object. The job ends with its last handle, and that is ours: so it ends with us, too.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_BREAKAWAY_OK,
    JOB_OBJECT_LIMIT_JOB_MEMORY, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation,
    SetInformationJobObject, TerminateJobObject,
};

use crate::Limits;

/// A child that is ended together with all it has started.
pub(crate) struct Group {
    child: Child,
    job: OwnedHandle,
}

impl Group {
    pub(crate) fn spawn(command: &mut Command, limits: &Limits) -> io::Result<Group> {
        let job = new_job(limits)?;
        let mut child = command.spawn()?;
        // What it starts before the next line would not be in the job. But it has not even loaded its libraries.
        if let Err(error) = assign(&job, &child) {
            let _ = child.kill();
            return Err(error);
        }
        Ok(Group { child, job })
    }

    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Ends the job with everybody in it, and waits for the child.
    #[allow(unsafe_code)]
    pub(crate) fn end(&mut self) {
        // SAFETY: the handle is open, since `self.job` owns it.
        let ended = unsafe { TerminateJobObject(self.job.as_raw_handle(), 1) };
        if ended != 0 {
            let _ = self.child.wait();
        }
    }
}

#[allow(unsafe_code)]
fn new_job(limits: &Limits) -> io::Result<OwnedHandle> {
    // SAFETY: null stands for the default security, and for no name.
    let job = unsafe { CreateJobObjectW(std::ptr::null(), std::ptr::null()) };
    if job.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new handle that nobody else has.
    let job = unsafe { OwnedHandle::from_raw_handle(job) };
    let mut told = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    told.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if limits.may_leave {
        told.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    }
    if let Some(bytes) = limits.memory {
        told.BasicLimitInformation.LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;
        told.JobMemoryLimit = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    // SAFETY: the handle is open, and the pointer and the size are those of the structure that belongs to this class.
    let set = unsafe {
        SetInformationJobObject(
            job.as_raw_handle(),
            JobObjectExtendedLimitInformation,
            (&raw const told).cast(),
            size_of_val(&told) as u32,
        )
    };
    if set == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(job)
}

#[allow(unsafe_code)]
fn assign(job: &OwnedHandle, child: &Child) -> io::Result<()> {
    // SAFETY: both handles are open, since `job` and `child` own them.
    match unsafe { AssignProcessToJobObject(job.as_raw_handle(), child.as_raw_handle()) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The name is the file's here.
pub(crate) fn start_like_us(_: &mut Command) {}

/// Not looked at here.
pub(crate) fn is_being_debugged() -> bool {
    false
}

/// Cannot be told here, so each stream keeps its pipe.
pub(crate) fn prints_to_one_place() -> bool {
    false
}

/// Whether it died of the abort with which Rust ends where it cannot go on, or at the end of its stack.
pub(crate) fn has_given_up(status: ExitStatus) -> bool {
    matches!(
        status.code().map(|code| code as u32),
        Some(0xC000_0409 | 0xC000_00FD)
    )
}

pub(crate) fn crash(status: ExitStatus) -> Option<String> {
    match status.code()? as u32 {
        0xC000_0005 => Some("died of an invalid memory access".into()),
        0xC000_001D => Some("died of an illegal instruction".into()),
        0xC000_00FD => Some("overflowed its stack".into()),
        0xC000_0409 => Some("aborted".into()),
        code if code >= 0xC000_0000 => Some(format!("died of exception {code:#010x}")),
        _ => None,
    }
}
