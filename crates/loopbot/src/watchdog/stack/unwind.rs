// ANCHOR: unwind
//! From the copy of a stack to the addresses in it: who was called by whom.
//!
//! A stack holds where each function returns to, but not where on the stack that stands. The compiler has left a table
//! of that in every executable and library, since a panic needs it too. `framehop` reads these tables.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use framehop::{
    CacheNative, ExplicitModuleSectionInfo, Module, UnwindRegsNative, Unwinder, UnwinderNative,
};
use object::{Object, ObjectSection, ObjectSegment, ReadCache, ReadRef};

use super::sample::{Registers, Sample};

/// More functions than this are not inside each other in any stack that is worth reading.
const DEEPEST: usize = 512;

/// A place in the code, as the file has it from which the code comes.
pub(super) struct Address {
    pub(super) file: String,
    pub(super) address: u64,
}

/// An address in each of the functions that were not finished when this sample was taken, innermost first.
pub(super) fn addresses(sample: &Sample) -> Vec<Address> {
    let modules = modules();
    let mut unwinder = UnwinderNative::new();
    for module in &modules {
        unwinder.add_module(module.clone());
    }
    let mut cache: CacheNative<_> = CacheNative::new();
    let mut read_stack = |address: u64| {
        let from = address.checked_sub(sample.registers.sp).ok_or(())?;
        let word = sample.stack.get(usize::try_from(from).map_err(|_| ())?..);
        let word = word.and_then(|rest| rest.first_chunk()).ok_or(())?;
        Ok(u64::from_ne_bytes(*word))
    };
    let (pc, registers) = (sample.registers.pc, registers(sample.registers));
    let mut frames = unwinder.iter_frames(pc, registers, &mut cache, &mut read_stack);
    let mut found = Vec::new();
    // It ends with the first function of the thread, or where no table has anything to say.
    while let Ok(Some(frame)) = frames.next()
        && found.len() < DEEPEST
    {
        let address = frame.address_for_lookup();
        let module = modules.iter().find(|it| it.avma_range().contains(&address));
        found.extend(module.map(|module| Address {
            file: module.name().to_owned(),
            address: address.wrapping_sub(module.base_avma()),
        }));
    }
    found
}

#[cfg(target_arch = "x86_64")]
fn registers(sample: Registers) -> UnwindRegsNative {
    UnwindRegsNative::new(sample.pc, sample.sp, sample.fp)
}

#[cfg(target_arch = "aarch64")]
fn registers(sample: Registers) -> UnwindRegsNative {
    // Some processors sign return addresses, in the bits that no address of a program uses.
    let mask = framehop::aarch64::PtrAuthMask(u64::MAX >> 16);
    UnwindRegsNative::new_with_ptr_auth_mask(mask, sample.lr, sample.sp, sample.fp)
}
// ANCHOR_END: unwind

// ANCHOR: modules
/// The executable and the libraries of this process.
fn modules() -> Vec<Module<Vec<u8>>> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut files = BTreeMap::<&str, Mapping>::new();
    for (name, part) in maps.lines().filter_map(mapping) {
        let whole = files.entry(name).or_insert_with(|| part.clone());
        whole.memory.end = part.memory.end;
        whole.is_code |= part.is_code;
    }
    files.retain(|_, whole| whole.is_code);
    files
        .into_iter()
        .filter_map(|(name, whole)| module(name, whole.memory, whole.offset))
        .collect()
}

/// A file, or a part of one, that can be seen in memory.
#[derive(Clone)]
struct Mapping {
    memory: Range<u64>,
    /// Which part of the file is at its beginning.
    offset: u64,
    /// Whether anything in it may be executed.
    is_code: bool,
}

/// A line of the list, if it is about a file: `7f00-7f80 r-xp 1000 08:01 1234    /usr/lib/libc.so.6`.
fn mapping(line: &str) -> Option<(&str, Mapping)> {
    let mut words = line.splitn(6, ' ');
    let (from, to) = words.next()?.split_once('-')?;
    let is_code = words.next()?.contains('x');
    let offset = words.next()?;
    let name = words.nth(2)?.trim_start();
    let number = |digits| u64::from_str_radix(digits, 16).ok();
    let part = Mapping {
        memory: number(from)?..number(to)?,
        offset: number(offset)?,
        is_code,
    };
    (name.starts_with('/') || name == VDSO).then_some((name, part))
}

/// A library that the kernel brings along, without a file. To ask for the time is to call it.
const VDSO: &str = "[vdso]";

fn module(name: &str, memory: Range<u64>, offset: u64) -> Option<Module<Vec<u8>>> {
    if name == VDSO {
        let mut code = vec![0; usize::try_from(memory.end - memory.start).ok()?];
        let file = File::open("/proc/self/mem").ok()?;
        file.read_exact_at(&mut code, memory.start).ok()?;
        return tables(name, memory, offset, &*code);
    }
    let file = ReadCache::new(File::open(name).ok()?);
    tables(name, memory, offset, &file)
}

/// What the unwinder has to know of a file. Only what it needs is read.
fn tables<'data>(
    name: &str,
    memory: Range<u64>,
    offset: u64,
    file: impl ReadRef<'data>,
) -> Option<Module<Vec<u8>>> {
    let file = object::File::parse(file).ok()?;
    // Where the file says that its beginning is to lie; it is mostly put elsewhere.
    let start = file.segments().find_map(|segment| {
        let (from, size) = segment.file_range();
        let is_here = (from..from + size).contains(&offset);
        is_here.then(|| segment.address() + (offset - from))
    })?;
    let range = |name| {
        let section = file.section_by_name(name)?;
        Some(section.address()..section.address() + section.size())
    };
    let data = |name| Some(file.section_by_name(name)?.data().ok()?.to_vec());
    let tables = ExplicitModuleSectionInfo {
        text_svma: range(".text"),
        got_svma: range(".got"),
        eh_frame_svma: range(".eh_frame"),
        eh_frame: data(".eh_frame"),
        eh_frame_hdr_svma: range(".eh_frame_hdr"),
        eh_frame_hdr: data(".eh_frame_hdr"),
        ..Default::default()
    };
    let base = memory.start.wrapping_sub(start);
    Some(Module::new(name.to_owned(), memory, base, tables))
}
// ANCHOR_END: modules
